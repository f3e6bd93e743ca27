//! What is not known here yet is asked for: a resource or a person of a moment ago, of whom no event has come.

use contracts::resources as catalogue;
use contracts::users::Account;
use kernel::{ResourceId, UserId};
use platform::auth::Actor;
use platform::db::Tx;
use platform::http::Problem;

use super::step::no_resource;
use crate::App;
use crate::store::known::Known;
use crate::store::resources::{self, Tree};
use crate::store::rules::{Rulebook, keep_account};

/// Begins to read of a resource, with all its parts: who has just created it may look at it at once.
///
/// # Errors
/// 404 when there is no such resource, or none for the caller; 503 when that cannot be found out for now.
pub async fn begin(app: &App, actor: &Actor, id: ResourceId) -> Result<(Tx, Known), Problem> {
    let mut tx = app.context.db.begin(actor.organization).await?;
    let mut tree = resources::tree(&mut tx, actor.organization, &[id]).await?;
    if !tree.contains_key(&id) {
        drop(tx);
        if !find_resource(app, actor, id).await? {
            return Err(Problem::not_found("resource"));
        }
        tx = app.context.db.begin(actor.organization).await?;
        tree = resources::tree(&mut tx, actor.organization, &[id]).await?;
    }
    let known = Known::load(&mut tx, actor, tree).await?;
    if known.sees(id) { Ok((tx, known)) } else { Err(Problem::not_found("resource")) }
}

/// Asks for what is not known here, and keeps it.
///
/// # Errors
/// 422 naming what there is not; 503 when that cannot be found out for now.
pub(super) async fn learn(
    app: &App,
    actor: &Actor,
    ids: &[ResourceId],
    missing: &[ResourceId],
    strangers: &[UserId],
) -> Result<(), Problem> {
    for id in missing {
        if !find_resource(app, actor, *id).await? {
            // One that is part of another, and gone, is not the caller's to name.
            let place = ids.iter().position(|wanted| wanted == id).unwrap_or(0);
            return Err(no_resource(place, "not_found", "There is no such resource."));
        }
    }
    for user in strangers.iter().filter(|user| **user != actor.user) {
        if !find(app, actor, *user).await? {
            return Err(Problem::invalid_field("/on_behalf_of", "not_found", "There is no such user."));
        }
    }
    Ok(())
}

/// Asks whether there is a resource, and keeps what is told of it.
async fn find_resource(app: &App, actor: &Actor, id: ResourceId) -> Result<bool, Problem> {
    let path = format!("/internal/organizations/{}/resources/{id}", actor.organization);
    let found: Option<catalogue::Resource> = app.resources.get(&path, &actor.correlation.id).await?;
    let Some(resource) = found else { return Ok(false) };
    let mut tx = app.context.db.begin(actor.organization).await?;
    resources::keep(&mut tx, actor.organization, &resource).await?;
    tx.commit().await?;
    Ok(true)
}

/// Whether there is somebody in the organization. What is not known of them here is asked for, and kept.
///
/// # Errors
/// 503 when that cannot be found out for now.
pub async fn meet(app: &App, actor: &Actor, user: UserId) -> Result<bool, Problem> {
    let mut tx = app.context.db.begin(actor.organization).await?;
    let book = Rulebook::load(&mut tx, actor.organization, &Tree::new(), &[user]).await?;
    drop(tx);
    Ok(user == actor.user || book.person(user).is_some() || find(app, actor, user).await?)
}

/// Asks whether there is somebody, and keeps what is told of them.
///
/// # Errors
/// 503 when that cannot be found out for now.
pub(super) async fn find(app: &App, actor: &Actor, user: UserId) -> Result<bool, Problem> {
    let path = format!("/internal/organizations/{}/users/{user}/account", actor.organization);
    let found: Option<Account> = app.users.get(&path, &actor.correlation.id).await?;
    let Some(account) = found else { return Ok(false) };
    let mut tx = app.context.db.begin(actor.organization).await?;
    keep_account(&mut tx, actor.organization, user, &account).await?;
    tx.commit().await?;
    Ok(true)
}
