//! Mails about accounts: a greeting, what happened, a link where there is one, in the organization's colours.

use serde::Serialize;

use super::brand::Brand;
use super::{Mistake, Reader, Rendered, sandbox};
use crate::message::one_line;
use crate::wording::account::{Said, Words};

const TEXT: &str = include_str!("account.txt");
const HTML: &str = include_str!("account.html");

/// Where a mail leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lead {
    /// The address.
    pub url: String,
    /// Until when it works, in the reader's words.
    pub until: String,
}

/// A link below `base` to one of our pages. The token stands after `#`, which browsers do not send: no server's log and no
/// `Referer` ever shows it.
#[must_use]
pub fn address(base: &str, page: &str, token: &str) -> String {
    format!("{}/{page}#token={token}", base.trim_end_matches('/'))
}

/// What a page says, in the reader's language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Page {
    language: &'static str,
    title: &'static str,
    greeting: String,
    message: String,
    button: &'static str,
    url: Option<String>,
    until: Option<String>,
    closing: Option<&'static str>,
    organization: String,
    brand: Brand,
}

impl Page {
    /// A page for a reader; `values` stand for the placeholders of the message, one line each.
    #[must_use]
    pub fn new(reader: &Reader<'_>, said: &Said, values: &[(&str, &str)], lead: Option<Lead>) -> Self {
        let link = Words::of(reader.language).link;
        let (url, until) = lead.map(|lead| (lead.url, link.replace("{until}", &lead.until))).unzip();
        Self {
            language: reader.language.tag(),
            title: said.subject,
            greeting: reader.greeting(),
            message: filled(said.message, values),
            button: said.button,
            url,
            until,
            closing: None,
            organization: one_line(reader.organization),
            brand: Brand::of(reader.branding),
        }
    }

    /// The same, and what to do when it was somebody else.
    #[must_use]
    pub fn warning(self, closing: &'static str) -> Self {
        Self { closing: Some(closing), ..self }
    }

    /// The mail, under a subject that names the organization.
    ///
    /// # Errors
    /// Never: the templates are ours.
    pub fn render(&self) -> Result<Rendered, Mistake> {
        let render = |field: &'static str, source: &str, html: bool| {
            sandbox::render(source, self, html).map_err(|detail| Mistake { field, detail })
        };
        Ok(Rendered {
            subject: format!("{}: {}", self.organization, self.title),
            text: render("text", TEXT, false)?,
            html: render("html", HTML, true)?,
        })
    }
}

/// The message with its values. In one pass: a value that looks like a placeholder stays as it is.
fn filled(message: &str, values: &[(&str, &str)]) -> String {
    let mut parts = message.split('{');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}').unwrap_or((part, ""));
        let value = values.iter().find(|(known, _)| *known == name).map(|(_, value)| one_line(value));
        text.push_str(&value.unwrap_or_default());
        text.push_str(rest);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_looks_like_a_placeholder_stays_as_it_is() {
        let values = [("url", "https://x/{reason}\r\nBcc: y"), ("reason", "it is gone")];
        assert_eq!(
            filled("{url}, because {reason}.", &values),
            "https://x/{reason} Bcc: y, because it is gone."
        );
    }
}
