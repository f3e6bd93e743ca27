//! `GET /api/v1/series/{id}`: one series with its bookings.

use axum::extract::State;
use kernel::SeriesId;
use kernel::role::BookingsOwn;
use platform::auth::Can;
use platform::http::{Path, Problem};
use platform::idempotency::Answer;

use super::series::SeriesDetails;
use crate::App;
use crate::store::series;

/// One series, with those of its bookings that the caller may see.
#[utoipa::path(
    get,
    path = "/api/v1/series/{id}",
    operation_id = "get_series",
    tag = "series",
    summary = "Read a series with its bookings",
    params(("id" = SeriesId, Path, description = "The series")),
    responses(
        (status = 200, description = "The series", body = SeriesDetails),
        (status = 404, description = "not_found")
    ),
    extensions(("x-permission" = json!("bookings.own")))
)]
pub async fn get_series(
    actor: Can<BookingsOwn>,
    State(app): State<App>,
    Path(id): Path<SeriesId>,
) -> Result<Answer, Problem> {
    let mut tx = app.context.db.begin(actor.organization).await?;
    let found = series::get(&mut tx, &actor, id).await?;
    let all = series::bookings(&mut tx, &actor, id).await?;
    Answer::ok(found.version, &SeriesDetails::of(found, all))
}
