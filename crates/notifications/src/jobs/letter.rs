//! An attempt at a mail about an account: the user service writes it, with a link that works from then on.

use jiff::Timestamp;
use kernel::{DeliveryId, LetterId, OrganizationId};

use super::deliver::without_address;
use crate::App;
use crate::delivery::Outcome;
use crate::{mail, peers};

/// Which letter, for which delivery.
#[derive(Debug)]
pub struct Place<'a> {
    /// In which organization.
    pub organization: OrganizationId,
    /// The letter.
    pub letter: LetterId,
    /// The delivery it serves.
    pub delivery: DeliveryId,
    /// What ties it to the request that caused it.
    pub correlation_id: &'a str,
}

/// One attempt, outside of any transaction.
pub async fn attempt(app: &App, place: &Place<'_>, now: Timestamp) -> Outcome {
    let written = peers::letter(app, place.organization, place.letter, place.correlation_id).await;
    let letter = match written {
        Ok(Some(letter)) => letter,
        Ok(None) => return Outcome::Permanent("the letter has run out, or is of no more use".into()),
        Err(error) => return Outcome::Passing(format!("the user service: {error}")),
    };
    let about = mail::About { delivery: place.delivery, correlation_id: place.correlation_id };
    let outcome = match mail::write_letter(&letter, &about, &app.config.link_url, &app.sender, now) {
        Ok(mail) => app.channel.send(&mail).await,
        Err(error) => Outcome::Permanent(error),
    };
    without_address(outcome, &letter.email)
}
