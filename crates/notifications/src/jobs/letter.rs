//! An attempt at a mail about an account: the user service writes it, with a link that works from then on.

use jiff::Timestamp;
use kernel::LetterId;

use super::attempt::{Report, send};
use super::deliver::Leased;
use crate::App;
use crate::delivery::Outcome;
use crate::mail::{self, Head};
use crate::{letter, peers};

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
    let rendered = match letter::words(&letter, &app.config.link_url) {
        Ok(rendered) => rendered,
        Err(mistake) => return Outcome::Passing(mistake.detail).into(),
    };
    let head = Head {
        organization: leased.organization,
        delivery: leased.id,
        subject: &rendered.subject,
        correlation_id: &leased.correlation_id,
        email: &letter.email,
        name: &letter.name,
    };
    match mail::write_page(&head, &rendered, &app.sender, now) {
        Ok(mail) => send(app, leased, &letter.email, &mail).await,
        Err(error) => Outcome::Permanent(error).into(),
    }
}
