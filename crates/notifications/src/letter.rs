//! The words of mails about accounts, in English: as text, and as a page in the organization's colours.

use contracts::users::{Letter, LetterKind};
use jiff::tz::TimeZone;

use crate::message::one_line;

/// A letter in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// Its subject.
    pub subject: String,
    /// For programs that show text.
    pub text: String,
    /// For programs that show pages.
    pub html: String,
}

/// What a kind of letter says: subject, message, the words of its link, the page that it leads to.
const fn parts(kind: LetterKind) -> (&'static str, &'static str, &'static str, &'static str) {
    match kind {
        LetterKind::EmailVerification => (
            "Verify your e-mail address",
            "an account was made with this address. If it was you, show that the address is yours:",
            "Verify the address",
            "verify-email",
        ),
        LetterKind::Invitation => (
            "You are invited",
            "you are invited to make an account:",
            "Accept the invitation",
            "accept-invitation",
        ),
        LetterKind::EmailChange => (
            "Confirm your new e-mail address",
            "an account is to have this address from now on. If it is yours, confirm it:",
            "Confirm the address",
            "confirm-email",
        ),
        LetterKind::EmailChangeAsked => (
            "Your account is to have another e-mail address",
            "somebody who knows your password asked for another e-mail address for your account. It changes when the \
             owner of that address confirms it. If it was not you, set another password at once: that ends the change.",
            "",
            "",
        ),
        LetterKind::EmailChanged => (
            "Your e-mail address has changed",
            "your account has another e-mail address from now on, and mails will go there. If you have not asked for \
             this, tell an administrator at once.",
            "",
            "",
        ),
        LetterKind::RegistrationRepeated => (
            "Somebody wanted to register with your address",
            "somebody wanted to make an account with this address, which has one already. If it was you, sign in with \
             the password you have. If it was not, there is nothing to do: nothing has changed.",
            "",
            "",
        ),
    }
}

/// Writes a letter. The token stands after `#`, which browsers do not send: it reaches no server's log on the way.
#[must_use]
pub fn words(letter: &Letter, link_url: &str) -> Words {
    let (title, message, label, page) = parts(letter.kind);
    let (name, organization) = (one_line(&letter.name), one_line(&letter.organization));
    let until = letter.expires_at.to_zoned(TimeZone::UTC).strftime("%a %-d %b %Y, %H:%M UTC").to_string();
    let base = link_url.trim_end_matches('/');
    let link = letter.token.as_ref().map(|token| format!("{base}/{page}#token={token}"));
    let mut text = format!("Hello {name},\n\n{message}\n");
    let mut body = format!("<p>Hello {},</p><p>{message}</p>", escape(&name));
    if let Some(link) = &link {
        text.push_str(&format!("\n{link}\n\nThe link works once, until {until}.\n"));
        let (link, colour) = (escape(link), escape(&letter.branding.primary));
        body.push_str(&format!(
            "<p><a href=\"{link}\" style=\"background:{colour};color:#fff;padding:8px 16px;text-decoration:none\">\
             {label}</a></p><p>The link works once, until {until}.</p>"
        ));
    }
    text.push_str(&format!("\n{organization}\n"));
    let (sign, accent) = (escape(&organization), escape(&letter.branding.accent));
    let html = format!(
        "<!doctype html><html lang=\"en\"><body style=\"border-top:4px solid {accent}\">{body}<p>{sign}</p></body></html>"
    );
    Words { subject: format!("{organization}: {title}"), text, html }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use contracts::users::Branding;

    use super::*;

    fn letter(kind: LetterKind, token: Option<&str>) -> Letter {
        Letter {
            kind,
            email: "ada@example.com".parse().unwrap(),
            name: "Ada\r\nBcc: <b>".into(),
            locale: "en".into(),
            organization: "R&D".into(),
            branding: Branding { primary: "#006699".into(), accent: "#ffffff".into() },
            token: token.map(str::to_owned),
            expires_at: "2026-03-04T08:00:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn a_link_carries_the_token_where_no_server_sees_it() {
        let words = words(&letter(LetterKind::EmailVerification, Some("abc")), "https://example.edu");
        assert_eq!(words.subject, "R&D: Verify your e-mail address");
        assert!(words.text.contains("\nhttps://example.edu/verify-email#token=abc\n"), "{}", words.text);
        assert!(words.text.contains("until Wed 4 Mar 2026, 08:00 UTC"), "{}", words.text);
        assert!(words.html.contains("background:#006699") && words.html.contains("R&amp;D"));
    }

    #[test]
    fn nobody_writes_lines_or_tags_of_their_own() {
        let words = words(&letter(LetterKind::RegistrationRepeated, None), "https://example.edu");
        assert!(words.text.starts_with("Hello Ada Bcc: <b>,\n"), "{}", words.text);
        assert!(words.html.contains("Ada Bcc: &lt;b&gt;") && !words.html.contains("href"), "{}", words.html);
    }
}
