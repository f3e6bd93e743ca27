//! Bookings that no longer fit their resource, because it was retired, its hours shrank or its parts changed, are flagged for
//! a manager, never dropped; those that fit again are no longer flagged.

use kernel::{BookingId, OrganizationId, ResourceId, Slot};
use platform::db::Tx;
use platform::events::Origin;
use platform::http::Problem;

use crate::App;
use crate::booking::Booking;
use crate::store::blackouts::CLOSED;
use crate::store::bookings::{self, Lock};
use crate::store::told::Told;
use crate::store::write::{self, Act, Change};
use crate::store::{conflicts, recheck, waitlist};

/// Resources looked at in one round at most.
const MOST: i64 = 100;
/// Bookings of one resource looked at in one transaction at most; the rest comes in the next round.
const PIECE: i64 = 100;

/// Looks at what may no longer fit, in all organizations.
///
/// # Errors
/// When the database fails.
pub async fn recheck_bookings(app: &App) -> Result<(), Problem> {
    let mut finder = app.context.db.begin_as_finder().await?;
    let due = sqlx::query!("select organization_id, resource_id from bookings.recheck limit $1", MOST)
        .fetch_all(&mut *finder)
        .await?;
    finder.commit().await?;
    for row in due {
        let (organization, resource) = (OrganizationId(row.organization_id), ResourceId(row.resource_id));
        if let Err(problem) = one(app, organization, resource).await {
            tracing::warn!(%organization, %resource, error = problem.detail, "bookings will be looked at later");
        }
    }
    Ok(())
}

async fn one(app: &App, organization: OrganizationId, resource: ResourceId) -> Result<(), Problem> {
    let act = Act { organization, origin: Origin::system(), now: app.context.clock.now() };
    let mut tx = app.context.db.begin(organization).await?;
    let Some(ids) = recheck::next(&mut tx, organization, resource, act.now, PIECE).await? else {
        return Ok(());
    };
    for id in &ids {
        look_at(&mut tx, &act, *id).await?;
    }
    let more = i64::try_from(ids.len()).is_ok_and(|count| count == PIECE);
    recheck::reached(&mut tx, organization, resource, ids.last().copied().filter(|_| more)).await?;
    if !more {
        // What was in maintenance is there for those who wait, and so are units that came.
        let ahead = Slot::new(act.now, act.now + kernel::slot::LONGEST);
        let ahead = ahead.map_err(|error| Problem::internal(&error))?;
        waitlist::serve(&mut tx, &act, &[resource], &ahead).await?;
    }
    tx.commit().await?;
    Ok(())
}

async fn look_at(tx: &mut Tx, act: &Act, id: BookingId) -> Result<(), Problem> {
    let booking = bookings::load(tx, act.organization, id, Lock::ForUpdate).await?;
    let Some(before) = booking.filter(Booking::stands) else { return Ok(()) };
    let misfit = recheck::misfit(tx, act.organization, &before).await?;
    if misfit == before.flag {
        return Ok(());
    }
    // What a blackout says stays until somebody has dealt with it.
    if misfit.is_none() && before.flag.as_deref().is_some_and(|flag| flag.starts_with(CLOSED)) {
        return Ok(());
    }
    if let Some(reason) = &misfit
        && conflicts::is_accepted(tx, act.organization, id, reason).await?
    {
        return Ok(());
    }
    let after = Booking { flag: misfit.clone(), ..before.clone().touch(act.now) };
    let told = if misfit.is_some() { Told::Flagged } else { Told::Changed };
    let why = misfit.clone().unwrap_or_else(|| "It fits again.".to_owned());
    write::step(tx, act, Change::step(before, after.clone(), told, Some(why))).await?;
    if let Some(reason) = &misfit {
        conflicts::overlap(tx, act, &after, reason).await?;
    }
    Ok(())
}
