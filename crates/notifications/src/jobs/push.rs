//! An attempt at a push: whether the device is still the person's, what it says, and the provider that is asked to take it.

use contracts::users::Contact;
use jiff::Timestamp;
use kernel::{BookingId, DeviceId};
use platform::http::Problem;

use super::attempt::{Report, contact, facts, quiet, reader, without};
use super::deliver::{Leased, Told};
use crate::App;
use crate::channel::providers::Try;
use crate::delivery::Outcome;
use crate::device::Address;
use crate::message::{Facts, Kind};
use crate::preferences::QuietHours;
use crate::push::Push;
use crate::push::life::expires_at;
use crate::store::{devices, preferences, templates};
use crate::templates::name::Name;
use crate::templates::short::Short;
use crate::templates::{Forms, Values};
use crate::wording::Language;

/// One attempt, outside of any transaction.
pub async fn attempt(app: &App, leased: &Leased, told: &Told, device: DeviceId, now: Timestamp) -> Report {
    let push = match write(app, leased, told, device, now).await {
        Ok(push) => push,
        Err(outcome) => return outcome.into(),
    };
    let Some(provider) = app.pushers.provider(&push.address) else {
        return Outcome::Permanent("no pushes are sent by this provider any more".into()).into();
    };
    let Some(made) = provider.attempt(&push).await else { return Outcome::Resting.into() };
    let outcome = without(made.outcome, push.address.secret());
    let gone = matches!(outcome, Outcome::NoSuchAddress(_)).then_some(device);
    Report { tries: vec![Try { outcome: outcome.clone(), ..made }], gone, ..Report::from(outcome) }
}

async fn write(
    app: &App,
    leased: &Leased,
    told: &Told,
    device: DeviceId,
    now: Timestamp,
) -> Result<Push, Outcome> {
    let booking = told.booking.ok_or_else(|| Outcome::Permanent("it is about no booking".into()))?;
    let facts = facts(told, now)?;
    let contact = contact(app, leased).await?;
    let name = Name { kind: told.kind, language: Language::of(&contact.locale) };
    let known = known(app, leased, device, name).await.map_err(|problem| Outcome::Passing(problem.detail))?;
    let known = known.ok_or_else(|| Outcome::Permanent("the device was removed".into()))?;
    quiet(known.hours, (told.kind, &facts), &contact, now)?;
    say(leased, (told.kind, booking, &facts), &contact, known, now)
}

fn say(
    leased: &Leased,
    (kind, booking, facts): (Kind, BookingId, &Facts),
    contact: &Contact,
    known: Known,
    now: Timestamp,
) -> Result<Push, Outcome> {
    let values = Values::new(kind, facts, reader(contact), None);
    let short = Short::of(known.theirs.as_ref(), &values).map_err(Outcome::Passing)?;
    Ok(Push {
        delivery: leased.id,
        address: known.address,
        title: short.push_title,
        body: short.push_body,
        kind,
        booking,
        is_urgent: crate::preferences::quiet::is_urgent(kind, facts.now.slot.starts_at(), now),
        now,
        expires_at: expires_at(kind, facts, now),
    })
}

/// What is kept about a device, its owner and a message.
struct Known {
    address: Address,
    hours: Option<QuietHours>,
    theirs: Option<Forms>,
}

/// What is kept; none when the device is the person's no more.
async fn known(app: &App, leased: &Leased, device: DeviceId, name: Name) -> Result<Option<Known>, Problem> {
    let (organization, user) = (leased.organization, leased.user);
    let mut tx = app.context.db.begin(organization).await?;
    let address = devices::address(&mut tx, &app.context.keyring, (organization, user, device)).await?;
    let hours = preferences::quiet_hours(&mut tx, organization, user).await?;
    let theirs = templates::find(&mut tx, organization, name).await?;
    tx.commit().await?;
    Ok(address.map(|address| Known { address, hours, theirs }))
}
