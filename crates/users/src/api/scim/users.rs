//! `/scim/v2/Users` (RFC 7644, sections 3.3 to 3.6). A new one is a user, never more: roles are given here, by people.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode, header};
use kernel::Role;
use platform::http::Path;
use serde_json::Value;

use super::caller::Caller;
use super::change_user::{change, close};
use super::request::{Asked, Body, id};
use super::{check_version, names, page, resource};
use crate::App;
use crate::account::{Account, Change};
use crate::scim::Refusal;
use crate::scim::patch::{apply, read as operations};
use crate::scim::person::{Provisioned, Wish, follow_name, read};
use crate::store::{account_batches, organizations, scim_users};

pub(super) async fn list(caller: Caller, State(app): State<App>, asked: Asked) -> Result<Response, Refusal> {
    let Some(wish) = Wish::of(&asked.filter)? else { return Ok(page(0, asked.start, &[])) };
    let mut tx = app.context.db.begin(caller.organization).await?;
    let (total, found) =
        scim_users::list(&mut tx, caller.organization, &wish, asked.start - 1, asked.count).await?;
    tx.commit().await?;
    let found: Vec<Value> = found.iter().map(|user| asked.of(user.resource())).collect();
    Ok(page(total, asked.start, &found))
}

pub(super) async fn show(
    caller: Caller,
    State(app): State<App>,
    Path(user): Path<String>,
    headers: HeaderMap,
    asked: Asked,
) -> Result<Response, Refusal> {
    let mut tx = app.context.db.begin(caller.organization).await?;
    let user = scim_users::load(&mut tx, caller.organization, id(&user)?).await?;
    tx.commit().await?;
    let user = user.ok_or_else(Refusal::not_found)?;
    if names(&headers, header::IF_NONE_MATCH, &user.etag()) == Some(true) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, user.etag())]).into_response());
    }
    Ok(shown(false, &user, &asked))
}

pub(super) async fn create(
    caller: Caller,
    State(app): State<App>,
    asked: Asked,
    Body(body): Body,
) -> Result<Response, Refusal> {
    let (organization, now) = (caller.organization, app.context.clock.now());
    let wanted = read(&body, None)?;
    let mut tx = app.context.db.begin(organization).await?;
    if scim_users::is_taken(&mut tx, organization, &wanted.user_name, None).await? {
        return Err(Refusal::taken("There is a user with this userName already."));
    }
    // Whom it deleted before comes back as who they were, with their bookings.
    if let Some(before) = scim_users::lock_deleted(&mut tx, organization, &wanted.email).await? {
        let mut wanted = read(&body, Some(&before))?;
        wanted.active = Some(wanted.active.unwrap_or(true));
        let user = change(&mut tx, &caller, &before, wanted, now).await?;
        tx.commit().await?;
        return Ok(shown(true, &user, &asked));
    }
    let defaults = organizations::load(&mut tx, organization).await?;
    let account = Account::new(&defaults, wanted.email, wanted.name, Role::User, now);
    let (account, _) = account.changed(Change {
        locale: wanted.locale,
        time_zone: wanted.time_zone,
        active: wanted.active,
        attributes: Some(wanted.attributes),
        ..Change::default()
    });
    // The provider vouches for the address.
    let account = Account { email_verified: true, ..account };
    account_batches::create_all(&mut tx, organization, std::slice::from_ref(&account), &caller.origin())
        .await?;
    let (name, external_id) = (&wanted.user_name, wanted.external_id.as_deref());
    scim_users::know(&mut tx, organization, account.id, name, external_id).await?;
    let user = scim_users::load(&mut tx, organization, account.id.0).await?.ok_or_else(Refusal::not_found)?;
    tx.commit().await?;
    Ok(shown(true, &user, &asked))
}

pub(super) async fn replace(
    caller: Caller,
    State(app): State<App>,
    Path(user): Path<String>,
    headers: HeaderMap,
    asked: Asked,
    Body(body): Body,
) -> Result<Response, Refusal> {
    let organization = caller.organization;
    let mut tx = app.context.db.begin(organization).await?;
    let before = scim_users::lock(&mut tx, organization, id(&user)?).await?.ok_or_else(Refusal::not_found)?;
    check_version(&headers, &before.etag())?;
    // Read under the lock, so that events of an account have their times in order.
    let now = app.context.clock.now();
    let user = change(&mut tx, &caller, &before, read(&body, Some(&before))?, now).await?;
    tx.commit().await?;
    Ok(shown(false, &user, &asked))
}

pub(super) async fn patch(
    caller: Caller,
    State(app): State<App>,
    Path(user): Path<String>,
    headers: HeaderMap,
    asked: Asked,
    Body(body): Body,
) -> Result<Response, Refusal> {
    let operations = operations(&body)?;
    let organization = caller.organization;
    let mut tx = app.context.db.begin(organization).await?;
    let before = scim_users::lock(&mut tx, organization, id(&user)?).await?.ok_or_else(Refusal::not_found)?;
    check_version(&headers, &before.etag())?;
    let now = app.context.clock.now();
    let Value::Object(was) = before.resource() else { return Err(Refusal::not_found()) };
    let mut patched = was.clone();
    for operation in &operations {
        apply(&mut patched, operation)?;
    }
    follow_name(&mut patched, &was)?;
    let user = change(&mut tx, &caller, &before, read(&patched, Some(&before))?, now).await?;
    tx.commit().await?;
    Ok(shown(false, &user, &asked))
}

/// Deactivates the account and hides it from provisioning; its bookings and its history stay.
pub(super) async fn delete(
    caller: Caller,
    State(app): State<App>,
    Path(user): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Refusal> {
    let organization = caller.organization;
    let mut tx = app.context.db.begin(organization).await?;
    let before = scim_users::lock(&mut tx, organization, id(&user)?).await?.ok_or_else(Refusal::not_found)?;
    check_version(&headers, &before.etag())?;
    let now = app.context.clock.now();
    close(&mut tx, &caller, &before, now).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

fn shown(made: bool, user: &Provisioned, asked: &Asked) -> Response {
    resource(made, Some(&user.etag()), &user.location(), &asked.of(user.resource()))
}
