//! Mail by SMTP (RFC 5321), over connections that are kept and used again.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lettre::transport::smtp::{AsyncSmtpTransportBuilder, Error, PoolConfig};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};

use super::{Channel, Sending};
use crate::delivery::{Outcome, Way};
use crate::mail::Mail;

type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// How long to wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// How long one mail may take, from the connection to the server's last word.
const SEND: Duration = Duration::from_secs(60);
/// How long a connection is kept unused; servers close theirs after five minutes (RFC 5321, section 4.5.3.2.7).
const IDLE: Duration = Duration::from_secs(60);

/// A mail server.
///
/// lettre limits the time to connect, not the time a server takes to answer, and a pool of its would use a
/// connection again on which we gave up waiting: the late answer would then be taken for that to the next mail.
/// So each transport has one connection, is used by one sender at a time, and goes with it when time runs out.
#[derive(Debug)]
pub struct Smtp {
    builder: AsyncSmtpTransportBuilder,
    limit: Duration,
    /// Transports that nobody uses; no more than were ever used at once.
    idle: Mutex<Vec<Transport>>,
}

impl Smtp {
    /// The server at a setting's URL: `smtp://host:25`, `smtp://…?tls=required`, `smtps://user:pass@host`.
    ///
    /// # Errors
    /// When the URL is not one of these; the text does not repeat it, for its password.
    pub fn new(setting: &str, url: &str) -> Result<Self, String> {
        let forms = "smtp://host:port, smtp://user:password@host:port?tls=required or smtps://user:password@host:port";
        let builder =
            Transport::from_url(url).map_err(|_| format!("{setting} must be of the form {forms}"))?;
        let builder =
            builder.timeout(Some(CONNECT)).pool_config(PoolConfig::new().max_size(1).idle_timeout(IDLE));
        Ok(Self { builder, limit: SEND, idle: Mutex::default() })
    }

    /// The same with another limit on the time of one mail.
    #[must_use]
    pub fn with_limit(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    async fn attempt(&self, mail: &Mail) -> Outcome {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let transport = idle.unwrap_or_else(|| self.builder.clone().build());
        let sending = transport.send_raw(&mail.envelope, &mail.bytes);
        let Ok(result) = tokio::time::timeout(self.limit, sending).await else {
            return Outcome::Unsure(format!(
                "the mail server did not answer within {} s",
                self.limit.as_secs()
            ));
        };
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(transport);
        match result {
            Ok(response) => {
                let words: Vec<_> = response.message().collect();
                Outcome::Sent(format!("{} {}", response.code(), words.join(" ")))
            }
            Err(error) => failure(&error),
        }
    }
}

impl Channel for Smtp {
    fn way(&self) -> Way {
        Way::Email
    }

    fn send<'a>(&'a self, mail: &'a Mail) -> Sending<'a> {
        Box::pin(self.attempt(mail))
    }
}

fn failure(error: &Error) -> Outcome {
    let answer = error.to_string();
    match error.status().map(u16::from) {
        Some(code) if refuses_the_mail(code) => {
            let words = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
            if refuses_the_address(&words) {
                Outcome::NoSuchAddress(answer)
            } else {
                Outcome::Permanent(answer)
            }
        }
        Some(code) if refuses_us(code) => Outcome::Away(answer),
        Some(_) => Outcome::Passing(answer),
        // lettre tells connections that never stood from those that broke in its words alone.
        None if error.is_tls() || error.is_client() || answer.starts_with("Connection error") => {
            Outcome::Away(answer)
        }
        None => Outcome::Unsure(answer),
    }
}

/// Whether a reply refuses this mail for good (RFC 5321, section 4.2.3). Other replies of the 500s refuse us (a wrong
/// password, no encryption, a command unknown): those pass when the operator has mended them.
const fn refuses_the_mail(code: u16) -> bool {
    matches!(code, 550..=556)
}

/// Whether a reply says that the server takes nothing from us, whatever the mail (RFC 5321, section 4.2.3; RFC 4954).
const fn refuses_us(code: u16) -> bool {
    matches!(code, 421 | 432 | 454 | 500..=504 | 521 | 530..=538)
}

/// Whether the words begin with an enhanced status that says that there is no such mailbox (RFC 3463, section 3.2;
/// RFC 7505, section 4.2). 5.1.7 and 5.1.8 are of the sender's address, 5.1.2 may be a mistake of a name server.
fn refuses_the_address(words: &str) -> bool {
    let status = words.split([' ', '\r', '\n']).next().unwrap_or_default();
    matches!(status, "5.1.1" | "5.1.3" | "5.1.6" | "5.1.10")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refusal_of_the_mail_is_for_good() {
        assert!(refuses_the_mail(550) && refuses_the_mail(552) && refuses_the_mail(554));
        for passing in [421, 450, 451, 452, 500, 502, 530, 534, 535, 538] {
            assert!(!refuses_the_mail(passing), "{passing}");
        }
    }

    #[test]
    fn only_words_of_a_mailbox_that_is_not_there_are_of_the_address() {
        assert!(refuses_the_address("5.1.1 <ada@example.com> no such user") && refuses_the_address("5.1.10"));
        for other in ["5.1.8 bad sender", "5.7.1 spam", "no mailbox 5.1.1", "5.1.11", ""] {
            assert!(!refuses_the_address(other), "{other}");
        }
    }

    #[test]
    fn a_wrong_url_is_refused_without_showing_its_password() {
        for url in ["mail.example.com", "http://u:geheim@host", "smtp://u:geheim@host?tls=maybe", "smtp:"] {
            let error = Smtp::new("mail_url", url).unwrap_err();
            assert!(error.starts_with("mail_url must be") && !error.contains("geheim"), "{error}");
        }
    }
}
