//! `GET /api/v1/credits/{user_id}`: what somebody can pay bookings with, and how it came to that.

use axum::extract::State;
use garde::Validate;
use jiff::Timestamp;
use kernel::role::BookingsOwn;
use kernel::{BookingId, Money, UserId};
use platform::auth::Can;
use platform::http::{Json, Page, PageQuery, Path, Problem, Query};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::App;
use crate::store::{credits, reach};

/// Which page.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// Items on the page: 1 to 200, 50 when absent.
    #[garde(range(min = 1, max = 200))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<i64>,
    /// `next_cursor` of the page before.
    #[garde(length(max = 1024))]
    pub cursor: Option<String>,
}

/// Somebody's credit.
#[derive(Debug, Serialize, ToSchema)]
pub struct Credits {
    /// What they have, one amount for each currency.
    pub balances: Vec<Money>,
    /// How it came to that, the newest first.
    pub items: Vec<CreditEntry>,
    /// For the page after this one.
    pub next_cursor: Option<String>,
}

/// One entry of the ledger.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreditEntry {
    /// Its number.
    pub id: i64,
    /// `grant`, `charge` or `refund`.
    #[schema(example = "charge")]
    pub kind: String,
    /// Minor units; negative when it was spent.
    #[schema(example = -1250)]
    pub amount: i64,
    /// Three capital letters (ISO 4217).
    #[schema(example = "EUR")]
    pub currency: String,
    /// The booking that was paid or gave back.
    pub booking_id: Option<BookingId>,
    /// Why it was granted.
    pub reason: Option<String>,
    /// Who did it; none when the clock did.
    pub created_by: Option<UserId>,
    /// When.
    pub created_at: Timestamp,
}

/// Shows the credit of the caller, or of somebody else to managers.
#[utoipa::path(
    get,
    path = "/api/v1/credits/{user_id}",
    operation_id = "get_credits",
    tag = "credits",
    summary = "See somebody's credit and its entries",
    params(("user_id" = UserId, Path, description = "Whose; of others only with `bookings.manage`"), Filter),
    responses(
        (status = 200, description = "The balances and a page of entries, the newest first", body = Credits),
        (status = 400, description = "invalid_query, invalid_cursor"),
        (status = 404, description = "not_found")
    ),
    extensions(("x-permission" = json!("bookings.own")))
)]
pub async fn get_credits(
    actor: Can<BookingsOwn>,
    State(app): State<App>,
    Path(user_id): Path<UserId>,
    Query(filter): Query<Filter>,
) -> Result<Json<Credits>, Problem> {
    let page = PageQuery { limit: filter.limit, cursor: filter.cursor };
    let before: Option<i64> = page.after()?;
    let mut tx = app.context.db.begin(actor.organization).await?;
    if user_id != actor.user && !reach::covers(&mut tx, &actor, user_id, []).await? {
        return Err(Problem::not_found("user"));
    }
    let balances = credits::balances(&mut tx, actor.organization, user_id.0).await?;
    let rows = sqlx::query!(
        "select id, kind, amount, currency, booking_id, reason, created_by, created_at from bookings.credit_entry
         where organization_id = $1 and user_id = $2 and ($3::bigint is null or id < $3)
         order by id desc limit $4",
        actor.organization.0,
        user_id.0,
        before,
        page.limit() + 1,
    );
    let entries = rows.fetch_all(&mut *tx).await?.into_iter().map(|row| CreditEntry {
        id: row.id,
        kind: row.kind,
        amount: row.amount,
        currency: row.currency,
        booking_id: row.booking_id.map(BookingId),
        reason: row.reason,
        created_by: row.created_by.map(UserId),
        created_at: row.created_at.to_jiff(),
    });
    let page = Page::of(entries.collect(), page.limit(), |entry: &CreditEntry| entry.id);
    Ok(Json(Credits { balances, items: page.items, next_cursor: page.next_cursor }))
}
