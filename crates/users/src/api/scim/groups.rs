//! `/scim/v2/Groups` (RFC 7644, sections 3.3 to 3.6).

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use jiff::Timestamp;
use kernel::{OrganizationId, UserId};
use platform::db::Tx;
use platform::http::Path;
use serde_json::Value;

use super::super::create_group::MOST;
use super::caller::Caller;
use super::request::{Asked, Body, id};
use super::{page, resource};
use crate::App;
use crate::scim::group::{Team, Wanted, Wish};
use crate::scim::patch::read as operations;
use crate::scim::{MOST_MEMBERS, Refusal};
use crate::store::scim_groups;

pub(super) async fn list(caller: Caller, State(app): State<App>, asked: Asked) -> Result<Response, Refusal> {
    let Some(wish) = Wish::of(&asked.filter)? else { return Ok(page(0, asked.start, &[])) };
    let organization = caller.organization;
    let mut tx = app.context.db.begin(organization).await?;
    let (total, found) =
        scim_groups::list(&mut tx, organization, &wish, asked.start - 1, asked.count).await?;
    let (mut groups, mut left) = (Vec::with_capacity(found.len()), MOST_MEMBERS);
    for team in found {
        groups.push(shown(&mut tx, organization, &team, &asked, &mut left).await?);
    }
    tx.commit().await?;
    Ok(page(total, asked.start, &groups))
}

pub(super) async fn show(
    caller: Caller,
    State(app): State<App>,
    Path(group): Path<String>,
    asked: Asked,
) -> Result<Response, Refusal> {
    let organization = caller.organization;
    let mut tx = app.context.db.begin(organization).await?;
    let team = scim_groups::load(&mut tx, organization, id(&group)?, false).await?;
    let team = team.ok_or_else(Refusal::not_found)?;
    let body = shown(&mut tx, organization, &team, &asked, &mut { MOST_MEMBERS }).await?;
    tx.commit().await?;
    Ok(resource(false, None, &team.location(), &body))
}

pub(super) async fn create(
    caller: Caller,
    State(app): State<App>,
    asked: Asked,
    Body(body): Body,
) -> Result<Response, Refusal> {
    let (organization, now) = (caller.organization, app.context.clock.now());
    let wanted = Wanted::of(&body)?;
    let mut tx = app.context.db.begin(organization).await?;
    let external_id = wanted.external_id.clone().flatten();
    let names = (wanted.name.as_deref().unwrap_or_default(), external_id.as_deref());
    let made = scim_groups::create(&mut tx, organization, names, MOST, &caller.origin(), now).await?;
    let team =
        scim_groups::load(&mut tx, organization, made.0, true).await?.ok_or_else(Refusal::not_found)?;
    let body = changed(&mut tx, &caller, &team, wanted, &asked, now).await?;
    tx.commit().await?;
    Ok(resource(true, None, &team.location(), &body))
}

pub(super) async fn replace(
    caller: Caller,
    State(app): State<App>,
    Path(group): Path<String>,
    asked: Asked,
    Body(body): Body,
) -> Result<Response, Refusal> {
    let wanted = Wanted::of(&body)?;
    let mut tx = app.context.db.begin(caller.organization).await?;
    let team = scim_groups::load(&mut tx, caller.organization, id(&group)?, true).await?;
    let team = team.ok_or_else(Refusal::not_found)?;
    let body = changed(&mut tx, &caller, &team, wanted, &asked, app.context.clock.now()).await?;
    tx.commit().await?;
    Ok(resource(false, None, &team.location(), &body))
}

/// Answered without a body, as a group may have many members (RFC 7644, section 3.5.2), unless attributes are asked for.
pub(super) async fn patch(
    caller: Caller,
    State(app): State<App>,
    Path(group): Path<String>,
    asked: Asked,
    Body(body): Body,
) -> Result<Response, Refusal> {
    let wanted = Wanted::patched(&operations(&body)?)?;
    let mut tx = app.context.db.begin(caller.organization).await?;
    let team = scim_groups::load(&mut tx, caller.organization, id(&group)?, true).await?;
    let team = team.ok_or_else(Refusal::not_found)?;
    write(&mut tx, &caller, &team, wanted, app.context.clock.now()).await?;
    if !asked.is_narrow() {
        tx.commit().await?;
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let team = scim_groups::load(&mut tx, caller.organization, team.id.0, false).await?;
    let team = team.ok_or_else(Refusal::not_found)?;
    let body = shown(&mut tx, caller.organization, &team, &asked, &mut { MOST_MEMBERS }).await?;
    tx.commit().await?;
    Ok(resource(false, None, &team.location(), &body))
}

/// Takes everybody out who is in it by hand, and removes the group; one with a rule stays until the rule is taken away.
pub(super) async fn delete(
    caller: Caller,
    State(app): State<App>,
    Path(group): Path<String>,
) -> Result<StatusCode, Refusal> {
    let (organization, now) = (caller.organization, app.context.clock.now());
    let mut tx = app.context.db.begin(organization).await?;
    let team = scim_groups::load(&mut tx, organization, id(&group)?, true).await?;
    let team = team.ok_or_else(Refusal::not_found)?;
    if team.has_rule {
        let detail = "The group has a rule here. Take the rule away first.";
        return Err(Refusal::new(StatusCode::CONFLICT, None, detail));
    }
    let nobody = Wanted { all: Some(BTreeSet::new()), ..Wanted::default() };
    write(&mut tx, &caller, &team, nobody, now).await?;
    scim_groups::remove(&mut tx, organization, team.id, &caller.origin(), now).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Changes a group, which is locked, to what is wanted.
async fn write(
    tx: &mut Tx,
    caller: &Caller,
    team: &Team,
    wanted: Wanted,
    now: Timestamp,
) -> Result<(), Refusal> {
    let (organization, origin) = (caller.organization, caller.origin());
    let external_id = wanted.external_id.unwrap_or_else(|| team.external_id.clone());
    let names = (wanted.name.as_deref().unwrap_or(&team.name), external_id.as_deref());
    scim_groups::rename(tx, organization, team, names, &origin, now).await?;
    let (put, take) = match wanted.all {
        None => (wanted.add, wanted.remove),
        Some(all) => {
            let are = scim_groups::members(tx, organization, team.id, MOST_MEMBERS).await?;
            if are.len() > MOST_MEMBERS {
                return Err(too_many());
            }
            let are: BTreeSet<UserId> = are.into_iter().map(|(user, _)| user).collect();
            (all.difference(&are).copied().collect(), are.difference(&all).copied().collect())
        }
    };
    let which = (organization, team.id);
    match scim_groups::change_members(tx, which, (&put, &take), &origin, now).await? {
        None => Ok(()),
        Some(missing) => Err(Refusal::value(format!("There is no user {missing}."))),
    }
}

async fn changed(
    tx: &mut Tx,
    caller: &Caller,
    team: &Team,
    wanted: Wanted,
    asked: &Asked,
    now: Timestamp,
) -> Result<Value, Refusal> {
    write(tx, caller, team, wanted, now).await?;
    let team =
        scim_groups::load(tx, caller.organization, team.id.0, false).await?.ok_or_else(Refusal::not_found)?;
    shown(tx, caller.organization, &team, asked, &mut { MOST_MEMBERS }).await
}

/// A group with what is asked for of it; of members only so many as are left.
async fn shown(
    tx: &mut Tx,
    organization: OrganizationId,
    team: &Team,
    asked: &Asked,
    left: &mut usize,
) -> Result<Value, Refusal> {
    if !asked.wants("members") {
        return Ok(asked.of(team.resource(None)));
    }
    let members = scim_groups::members(tx, organization, team.id, *left).await?;
    *left = left.checked_sub(members.len()).ok_or_else(too_many)?;
    Ok(asked.of(team.resource(Some(&members))))
}

fn too_many() -> Refusal {
    let detail = format!("These are more than {MOST_MEMBERS} members. Ask with excludedAttributes=members.");
    Refusal::bad("tooMany", detail)
}
