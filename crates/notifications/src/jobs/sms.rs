//! An attempt at a short message: whether there is a number to send it to, what it says, and the providers that are asked.

use contracts::users::Contact;
use jiff::Timestamp;
use platform::http::Problem;

use super::attempt::{Report, contact, facts, quiet, reader, without};
use super::deliver::{Leased, Told};
use crate::App;
use crate::delivery::Outcome;
use crate::message::Kind;
use crate::preferences::QuietHours;
use crate::sms::Text;
use crate::store::{phones, preferences, templates};
use crate::templates::name::Name;
use crate::templates::short::Short;
use crate::templates::{Forms, Values};
use crate::wording::Language;

/// One attempt, outside of any transaction.
pub async fn attempt(app: &App, leased: &Leased, told: &Told, now: Timestamp) -> Report {
    let Some(texters) = &app.texters else {
        return Outcome::Permanent("no short messages are sent any more".into()).into();
    };
    let text = match write(app, leased, told, now).await {
        Ok(text) => text,
        Err(outcome) => return outcome.into(),
    };
    let tries = texters.send(&text).await.into_iter();
    let tries: Vec<_> = tries.map(|made| made.map(|outcome| without(outcome, text.to.as_str()))).collect();
    let outcome = tries.last().map_or(Outcome::Resting, |last| last.outcome.clone());
    Report { tries, ..Report::from(outcome) }
}

async fn write(app: &App, leased: &Leased, told: &Told, now: Timestamp) -> Result<Text, Outcome> {
    let facts = facts(told, now)?;
    let contact = contact(app, leased).await?;
    let known = known(app, leased, told.kind, &contact).await;
    let known = known.map_err(|problem| Outcome::Passing(problem.detail))?;
    let to = known.phone.filter(|phone| phone.is_verified);
    let to = to.ok_or_else(|| Outcome::Permanent("the person has no telephone number any more".into()))?;
    quiet(known.quiet, (told.kind, &facts), &contact, now)?;
    let values = Values::new(told.kind, &facts, reader(&contact), None);
    let body = Short::of(known.theirs.as_ref(), &values).map_err(Outcome::Passing)?.sms;
    let (organization, delivery) = (leased.organization, Some(leased.id));
    Ok(Text { organization, delivery, to: to.number, body, at: now })
}

/// What is kept about a person and a message.
struct Known {
    phone: Option<phones::Phone>,
    quiet: Option<QuietHours>,
    theirs: Option<Forms>,
}

async fn known(app: &App, leased: &Leased, kind: Kind, contact: &Contact) -> Result<Known, Problem> {
    let (organization, user) = (leased.organization, leased.user);
    let mut tx = app.context.db.begin(organization).await?;
    let name = Name { kind, language: Language::of(&contact.locale) };
    let known = Known {
        phone: phones::find(&mut tx, (organization, user)).await?,
        quiet: preferences::quiet_hours(&mut tx, organization, user).await?,
        theirs: templates::find(&mut tx, organization, name).await?,
    };
    tx.commit().await?;
    Ok(known)
}
