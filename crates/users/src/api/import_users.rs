//! `POST /api/v1/users/import`: accounts out of a CSV file, each line accounted for.

mod apply;
mod groups;
mod lines;
mod rehearse;

use axum::RequestExt as _;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request, State};
use axum::response::IntoResponse as _;
use garde::Validate;
use http::{StatusCode, header};
use kernel::UserId;
use kernel::role::UsersManage;
use platform::auth::Can;
use platform::events::Origin;
use platform::http::extract::body_problem;
use platform::http::{FieldError, Json, Problem, Query};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::App;
use crate::error::Error;
use crate::store::organizations;

/// Bytes of a file at most.
pub const MAX_BODY: usize = 16 * 1024 * 1024;
/// Lines of a file at most, without the first.
pub const MAX_LINES: usize = 100_000;

/// A CSV file.
#[derive(Debug)]
pub struct File(Bytes);

impl<S: Send + Sync> FromRequest<S> for File {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let is_csv =
            media_type.is_some_and(|text| text.trim_start().to_ascii_lowercase().starts_with("text/csv"));
        if !is_csv {
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(Problem::with_status(status, "unsupported_media_type", "Send the file as text/csv."));
        }
        let body = request.extract::<Bytes, _>().await;
        body.map(Self).map_err(|rejection| body_problem(rejection.into_response().status()))
    }
}

/// How to import.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct How {
    /// Only tell what would happen.
    #[garde(skip)]
    #[serde(default)]
    pub dry_run: bool,
}

/// What became of every line.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UserImportReport)]
pub struct Report {
    /// Whether nothing was written.
    pub dry_run: bool,
    /// How many lines had which outcome.
    pub totals: Totals,
    /// Columns of the file from which nothing was taken.
    #[schema(example = json!(["comment"]))]
    pub unused_columns: Vec<String>,
    /// The lines, in the order of the file; those with nothing in them are left out.
    pub lines: Vec<LineReport>,
}

/// How many lines had which outcome.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = UserImportTotals)]
pub struct Totals {
    /// New accounts.
    pub created: usize,
    /// Changed accounts.
    pub updated: usize,
    /// Accounts that were like this already.
    pub unchanged: usize,
    /// Lines that were not imported because something is wrong with them.
    pub invalid: usize,
}

/// What became of a line.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UserImportLine)]
pub struct LineReport {
    /// Where it stands in the file, from 1 with the names of the columns.
    pub line: u64,
    /// What became of it.
    pub outcome: Outcome,
    /// The account; null when there is none, as for what a dry run would create.
    pub id: Option<UserId>,
    /// What is wrong with it; pointers name our columns.
    pub errors: Vec<FieldError>,
}

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = UserImportOutcome)]
pub enum Outcome {
    /// A new account.
    Created,
    /// An account was changed.
    Updated,
    /// An account is like this already.
    Unchanged,
    /// It was not imported.
    Invalid,
}

/// Imports accounts: lines that are valid go in, the others are named in the report.
///
/// A thousand lines go in at a time; when the import fails on the way, the lines before are in, and it can be repeated.
///
/// The first line names the columns: `email`, `name`, `role`, `locale`, `time_zone`, `active`, `groups`. The last one has
/// names of groups that exist, separated by `;` (one in a name is doubled): the account is in these by hand and in no
/// others. A line with the address of
/// an account changes that account, and an empty cell leaves it as it is; any other line is a new account, whose address
/// counts as verified and who has no password yet.
#[utoipa::path(
    post,
    path = "/api/v1/users/import",
    operation_id = "import_users",
    tag = "users",
    summary = "Import accounts from CSV",
    params(How),
    request_body(content = String, content_type = "text/csv", description = "16 MiB and 100,000 lines at most; UTF-8, with or without a byte order mark.", example = "email,name,role\nada@example.com,Ada Lovelace,manager\n"),
    responses(
        (status = 200, description = "What became of every line. Codes of lines: `required`, `invalid_value`, \
            `wrong_cell_count`, `duplicate_email`, `last_administrator`, `unknown_group`, \
            `beyond_own_rights` and `step_up_required` for accounts above user", body = Report),
        (status = 400, description = "malformed_body, invalid_query"),
        (status = 403, description = "permission_required"),
        (status = 413, description = "body_too_large"),
        (status = 415, description = "unsupported_media_type"),
        (status = 422, description = "not_utf8, malformed_csv, too_many_lines, invalid_input (`required`: there is no column `email`)"),
        (status = 503, description = "imports_busy, database_unavailable")
    ),
    extensions(("x-permission" = json!("users.manage")))
)]
pub async fn import_users(
    actor: Can<UsersManage>,
    State(app): State<App>,
    Query(how): Query<How>,
    File(file): File,
) -> Result<Json<Report>, Problem> {
    let _turn = app.imports.try_acquire().map_err(|_| Error::ImportsBusy)?;
    // Takes a moment for a large file, so it is not for the threads that serve requests.
    let reading = tokio::task::spawn_blocking(move || lines::read(&file));
    let batch = reading.await.map_err(|error| Problem::internal(&error))??;
    let mut tx = app.context.db.begin(actor.organization).await?;
    let organization = organizations::load(&mut tx, actor.organization).await?;
    tx.commit().await?;
    let work = apply::Work { app: &app, organization, origin: Origin::from(&*actor), actor: &actor };
    let mut lines = batch.invalid;
    lines.extend(match how.dry_run {
        true => rehearse::rehearse(&work, &batch.lines).await?,
        false => work.apply(&batch.lines).await?,
    });
    lines.sort_by_key(|line| line.line);
    let mut totals = Totals::default();
    lines.iter().for_each(|line| totals.count(line.outcome));
    Ok(Json(Report { dry_run: how.dry_run, totals, unused_columns: batch.unused_columns, lines }))
}

impl Totals {
    fn count(&mut self, outcome: Outcome) {
        let total = match outcome {
            Outcome::Created => &mut self.created,
            Outcome::Updated => &mut self.updated,
            Outcome::Unchanged => &mut self.unchanged,
            Outcome::Invalid => &mut self.invalid,
        };
        *total += 1;
    }
}
