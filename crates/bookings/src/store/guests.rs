//! The guests of bookings in the database.

use kernel::OrganizationId;
use platform::db::Tx;
use platform::http::Problem;

use crate::booking::Booking;

/// Writes a booking's guests in the place of those it had.
///
/// # Errors
/// When the database fails.
pub(super) async fn replace(
    tx: &mut Tx,
    organization: OrganizationId,
    booking: &Booking,
) -> Result<(), Problem> {
    sqlx::query!(
        "delete from bookings.booking_guest where organization_id = $1 and booking_id = $2",
        organization.0,
        booking.id.0,
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "insert into bookings.booking_guest (organization_id, booking_id, position, user_id, email, name)
         select $1, $2, position, user_id, email, name
         from rows from (jsonb_to_recordset($3) as (user_id uuid, email text, name text)) with ordinality
              as g (user_id, email, name, position)",
        organization.0,
        booking.id.0,
        serde_json::to_value(&booking.guests).map_err(|error| Problem::internal(&error))?,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
