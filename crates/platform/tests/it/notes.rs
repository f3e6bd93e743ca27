//! A service with one noun, as small as a service can be: what is tested through it is the platform.

use axum::Router;
use axum::extract::{FromRef, State};
use axum::routing::{get, post};
use kernel::role::{CatalogueManage, ProfileOwn};
use kernel::{Event, EventId, OrganizationId};
use platform::auth::{Can, Verifier};
use platform::db::Tx;
use platform::db::migrate::Schema;
use platform::events::{Origin, append};
use platform::http::{Json, Page, PageQuery, Problem, Query};
use platform::idempotency::{Answer, Idempotent};
use platform::internal::InternalToken;
use platform::service::Context;
use serde::{Deserialize, Serialize};
use sqlx::migrate::Migrator;
use testkit::TestApp;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NoteTaken {
    pub note: EventId,
    pub text: String,
}

impl Event for NoteTaken {
    const TYPE: &'static str = "test.note.taken.v1";
    const STREAM: &'static str = "note";

    fn stream_id(&self) -> uuid::Uuid {
        self.note.0
    }
}

#[derive(Clone)]
struct App(Context);

impl FromRef<App> for Verifier {
    fn from_ref(app: &App) -> Self {
        app.0.verifier.clone()
    }
}

impl FromRef<App> for InternalToken {
    fn from_ref(app: &App) -> Self {
        app.0.internal.clone()
    }
}

#[derive(Debug, Serialize, Deserialize, garde::Validate)]
#[serde(deny_unknown_fields)]
pub struct Note {
    #[garde(length(chars, min = 1, max = 20))]
    pub text: String,
}

/// The schema of a service: nothing but what every service has.
pub fn schema() -> Schema {
    Schema::new("notes", &Migrator::with_migrations(Vec::new()))
}

pub async fn start() -> TestApp {
    TestApp::start(schema(), async |context| {
        Router::new()
            .route("/notes", post(take).get(list))
            .route("/shelf", get(async |_: Can<CatalogueManage>| "the shelf"))
            .route("/panic", get(async || -> &'static str { panic!("a secret of ours") }))
            .with_state(App(context))
    })
    .await
}

async fn take(
    actor: Can<ProfileOwn>,
    State(app): State<App>,
    request: Idempotent<Note>,
) -> Result<Answer, Problem> {
    let now = app.0.clock.now();
    let mut tx = app.0.db.begin(actor.organization).await?;
    if let Some(answer) = request.replay(&mut tx, &actor, now).await? {
        return Ok(answer);
    }
    let note = EventId::mint();
    let event = NoteTaken { note, text: request.body.text.clone() };
    append(&mut tx, actor.organization, &Origin::from(&*actor), &event, now).await?;
    let answer = Answer::created(&format!("/notes/{note}"), 1, &event)?;
    request.record(&mut tx, &actor, &answer, now).await?;
    tx.commit().await?;
    Ok(answer)
}

/// The numbers from 1 to 5, by pages.
async fn list(_: Can<ProfileOwn>, Query(page): Query<PageQuery>) -> Result<Json<Page<i64>>, Problem> {
    let after = page.after()?.unwrap_or(0);
    let items = (after + 1..=5).take(usize::try_from(page.limit() + 1).unwrap()).collect();
    Ok(Json(Page::of(items, page.limit(), |number| *number)))
}

/// Writes a note in a transaction of the caller's.
pub async fn write(tx: &mut Tx, app: &TestApp, organization: OrganizationId, text: &str) -> EventId {
    let note = EventId::mint();
    let event = NoteTaken { note, text: text.into() };
    append(tx, organization, &Origin::system(), &event, app.now()).await.unwrap();
    note
}
