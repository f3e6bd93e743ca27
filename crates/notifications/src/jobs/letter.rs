//! An attempt at a mail about an account: the user service writes it, with a link that works from then on.

use jiff::Timestamp;
use kernel::LetterId;

use super::attempt::{Report, send};
use super::deliver::Leased;
use crate::App;
use crate::delivery::Outcome;
use crate::{mail, peers};

/// One attempt, outside of any transaction.
pub async fn attempt(app: &App, leased: &Leased, id: LetterId, now: Timestamp) -> Report {
    let written = peers::letter(app, leased.organization, id, &leased.correlation_id).await;
    let letter = match written {
        Ok(Some(letter)) => letter,
        Ok(None) => {
            return Outcome::Permanent("the letter has run out, or is of no more use".into()).into();
        }
        Err(error) => return Outcome::Passing(format!("the user service: {error}")).into(),
    };
    let about = mail::About { delivery: leased.id, correlation_id: &leased.correlation_id };
    match mail::write_letter(&letter, &about, &app.config.link_url, &app.sender, now) {
        Ok(mail) => send(app, leased, &letter.email, &mail).await,
        Err(error) => Outcome::Permanent(error).into(),
    }
}
