//! `GET /api/v1/users/export`: the accounts as the CSV file that the import reads.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use http::header;
use kernel::role::UsersManage;
use kernel::{OrganizationId, Role};
use platform::auth::Can;
use platform::http::Problem;
use uuid::Uuid;

use crate::App;
use crate::group_names::{guarded, join};

/// Accounts read in one transaction.
const PIECE: i64 = 1000;
/// The columns, as the import knows them.
const COLUMNS: [&str; 7] = ["email", "name", "role", "locale", "time_zone", "active", "groups"];

/// The people's accounts, oldest first, in the form of the import; of groups those that they are in by hand. A cell that a
/// spreadsheet would take for a formula begins with an apostrophe, which the import takes off.
#[utoipa::path(
    get,
    path = "/api/v1/users/export",
    operation_id = "export_users",
    tag = "users",
    summary = "Export accounts as CSV",
    responses(
        (status = 200, description = "The accounts", body = String, content_type = "text/csv"),
        (status = 403, description = "permission_required")
    ),
    extensions(("x-permission" = json!("users.manage")))
)]
pub async fn export_users(actor: Can<UsersManage>, State(app): State<App>) -> Result<Response, Problem> {
    let export =
        Export { app, organization: actor.organization, after: None, is_first: true, is_done: false };
    let pieces = stream::try_unfold(export, async |export| {
        export.next().await.map_err(|problem| std::io::Error::other(problem.detail))
    });
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"users.csv\""),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, Body::from_stream(pieces)).into_response())
}

/// How far an export is: pieces are read and sent in transactions of their own, so few accounts are in memory.
struct Export {
    app: App,
    organization: OrganizationId,
    after: Option<Uuid>,
    is_first: bool,
    is_done: bool,
}

impl Export {
    async fn next(mut self) -> Result<Option<(Vec<u8>, Self)>, Problem> {
        if self.is_done {
            return Ok(None);
        }
        let mut tx = self.app.context.db.begin(self.organization).await?;
        let rows = sqlx::query!(
            r#"select id, email as "email!", name as "name!", role as "role: Role", locale, time_zone, active,
                      array(select g.name from users.membership m
                            join users.user_group g on g.organization_id = m.organization_id and g.id = m.group_id
                            where m.organization_id = a.organization_id and m.user_id = a.id and m.by_hand
                            order by g.name_key) as "groups!"
               from users.account a
               where organization_id = $1 and removed_at is null and not service and ($2::uuid is null or id > $2)
               order by id limit $3"#,
            self.organization.0,
            self.after,
            PIECE,
        )
        .fetch_all(&mut *tx)
        .await?;
        tx.commit().await?;
        let mut file = csv::Writer::from_writer(Vec::new());
        let failed = |error: csv::Error| Problem::internal(&error);
        if self.is_first {
            file.write_record(COLUMNS).map_err(failed)?;
        }
        for row in &rows {
            let role = match row.role {
                Role::User => "user",
                Role::Manager => "manager",
                Role::Admin => "admin",
            };
            let groups = guarded(&join(row.groups.iter().map(String::as_str)));
            let (email, name) = (guarded(&row.email), guarded(&row.name));
            let active = if row.active { "true" } else { "false" };
            let (email, name) = (email.as_str(), name.as_str());
            let cells = [email, name, role, &row.locale, &row.time_zone, active, &groups];
            file.write_record(cells).map_err(failed)?;
        }
        self.is_first = false;
        self.is_done = i64::try_from(rows.len()).is_ok_and(|count| count < PIECE);
        self.after = rows.last().map(|row| row.id);
        let text = file.into_inner().map_err(|error| Problem::internal(&error))?;
        Ok(Some((text, self)))
    }
}
