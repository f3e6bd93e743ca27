//! Whom the service still has to forget, what they have ahead of them, and their words.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use kernel::{BookingId, OrganizationId, UserId};
use platform::db::Tx;
use platform::http::Problem;
use uuid::Uuid;

/// Seconds for which a request that was under way may still write: four times what any is given.
const STRAGGLERS: f64 = 120.0;

/// Has somebody forgotten.
///
/// # Errors
/// When the database fails.
pub async fn begin(tx: &mut Tx, organization: OrganizationId, user: UserId) -> Result<(), Problem> {
    sqlx::query!(
        "insert into bookings.erasure (organization_id, user_id) values ($1, $2)
         on conflict on constraint erasure_pkey do nothing",
        organization.0,
        user.0,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Whether all requests are over that began before it was known that the account is closed: nothing is booked for it any
/// more.
///
/// # Errors
/// When the database fails.
pub async fn nothing_comes_any_more(
    tx: &mut Tx,
    organization: OrganizationId,
    user: UserId,
) -> Result<bool, Problem> {
    let is_over = sqlx::query_scalar!(
        r#"select created_at < now() - make_interval(secs => $3) as "is_over!" from bookings.erasure
           where organization_id = $1 and user_id = $2"#,
        organization.0,
        user.0,
        STRAGGLERS,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(is_over.unwrap_or(false))
}

/// The places in the waitlist that are not settled.
///
/// # Errors
/// When the database fails.
pub async fn waits_for(
    tx: &mut Tx,
    organization: OrganizationId,
    user: UserId,
    limit: i64,
) -> Result<Vec<Uuid>, Problem> {
    let ids = sqlx::query_scalar!(
        "select id from bookings.waitlist_entry
         where organization_id = $1 and user_id = $2 and status in ('waiting', 'offered') order by id limit $3",
        organization.0,
        user.0,
        limit,
    );
    Ok(ids.fetch_all(&mut **tx).await?)
}

/// The bookings that are not over, where the people have not come.
///
/// # Errors
/// When the database fails.
pub async fn booked(
    tx: &mut Tx,
    organization: OrganizationId,
    user: UserId,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<BookingId>, Problem> {
    let ids = sqlx::query_scalar!(
        "select id from bookings.booking
         where organization_id = $1 and user_id = $2 and ends_at > $3 and status in ('held', 'pending', 'confirmed')
         order by starts_at, id limit $4",
        organization.0,
        user.0,
        now.to_sqlx(),
        limit,
    );
    Ok(ids.fetch_all(&mut **tx).await?.into_iter().map(BookingId).collect())
}

/// Forgets titles, the addresses of guests, delegations, reasons and notes, and answers that are kept to be replayed.
///
/// # Errors
/// When the database fails.
pub async fn forget_words(tx: &mut Tx, organization: OrganizationId, user: UserId) -> Result<(), Problem> {
    macro_rules! forget {
        ($($statement:literal),+ $(,)?) => {$(
            sqlx::query!($statement, organization.0, user.0).execute(&mut **tx).await?;
        )+};
    }
    forget!(
        "update bookings.booking set title = null, version = version + 1
         where organization_id = $1 and user_id = $2 and title is not null",
        "update bookings.series set title = null, version = version + 1
         where organization_id = $1 and user_id = $2 and title is not null",
        "update bookings.waitlist_entry set title = null, version = version + 1
         where organization_id = $1 and user_id = $2 and title is not null",
        "delete from bookings.booking_guest g using bookings.booking b
         where g.organization_id = $1 and g.email is not null
           and b.organization_id = $1 and b.id = g.booking_id and b.user_id = $2",
        "delete from bookings.delegation where organization_id = $1 and (user_id = $2 or delegate_id = $2)",
        "update bookings.decision d set reason = null
         where d.organization_id = $1 and d.reason is not null
           and (d.approver_id = $2 or d.given_by = $2
                or exists (select from bookings.booking b
                           where b.organization_id = $1 and b.id = d.booking_id and b.user_id = $2))",
        "update bookings.credit_entry set reason = null
         where organization_id = $1 and user_id = $2 and reason is not null",
        "update bookings.conflict_resolution set note = null
         where organization_id = $1 and user_id = $2 and note is not null",
        "delete from bookings.idempotency_key where organization_id = $1 and user_id = $2",
    );
    Ok(())
}

/// All is forgotten.
///
/// # Errors
/// When the database fails.
pub async fn end(tx: &mut Tx, organization: OrganizationId, user: UserId) -> Result<(), Problem> {
    sqlx::query!(
        "delete from bookings.erasure where organization_id = $1 and user_id = $2",
        organization.0,
        user.0,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
