//! Mails about accounts that the user service writes: in the reader's language, in the organization's colours.

use contracts::users::{Letter, LetterKind};

use crate::templates::page::{Lead, Page, address};
use crate::templates::{Mistake, Reader, Rendered};
use crate::wording::account::Words;
use crate::wording::{Language, dates};

/// The page that the link of a letter leads to; none where it has no link.
const fn path(kind: LetterKind) -> Option<&'static str> {
    match kind {
        LetterKind::EmailVerification => Some("verify-email"),
        LetterKind::Invitation => Some("accept-invitation"),
        LetterKind::EmailChange => Some("confirm-email"),
        LetterKind::EmailChangeAsked | LetterKind::EmailChanged | LetterKind::RegistrationRepeated => None,
    }
}

/// Writes a letter.
///
/// # Errors
/// Never: the templates are ours.
pub fn words(letter: &Letter, link_url: &str) -> Result<Rendered, Mistake> {
    let language = Language::of(&letter.locale);
    let reader = Reader {
        name: &letter.name,
        language,
        time_zone: "UTC",
        organization: &letter.organization,
        branding: &letter.branding,
    };
    let lead = path(letter.kind).zip(letter.token.as_ref()).map(|(path, token)| Lead {
        url: address(link_url, path, token),
        until: dates::moment(letter.expires_at, reader.time_zone, language),
    });
    Page::new(&reader, Words::of(language).letter(letter.kind), &[], lead).render()
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
        let words =
            words(&letter(LetterKind::EmailVerification, Some("abc")), "https://example.edu").unwrap();
        assert_eq!(words.subject, "R&D: Verify your e-mail address");
        assert!(words.text.contains("\nhttps://example.edu/verify-email#token=abc\n"), "{}", words.text);
        assert!(words.text.contains("until Wed 4 Mar 2026, 08:00 (UTC)"), "{}", words.text);
        assert!(words.html.contains("background:#006699;color:#ffffff") && words.html.contains("R&amp;D"));
    }

    #[test]
    fn nobody_writes_lines_or_tags_of_their_own() {
        let words = words(&letter(LetterKind::RegistrationRepeated, None), "https://example.edu").unwrap();
        assert!(words.text.starts_with("Hello Ada Bcc: <b>,\n"), "{}", words.text);
        assert!(words.html.contains("Ada Bcc: &lt;b&gt;") && !words.html.contains("href"), "{}", words.html);
    }

    #[test]
    fn the_readers_language_is_spoken() {
        let invitation = Letter { locale: "pt-BR".into(), ..letter(LetterKind::Invitation, Some("abc")) };
        let words = words(&invitation, "https://example.edu").unwrap();
        assert_eq!(words.subject, "R&D: Tem um convite");
        assert!(
            words.text.contains("funciona uma vez, até qua., 4 de mar. de 2026, 08:00 (UTC)"),
            "{}",
            words.text
        );
        assert!(words.html.contains("<html lang=\"pt\">") && words.html.contains(">Aceitar o convite</a>"));
    }
}
