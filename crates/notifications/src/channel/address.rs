//! Who takes messages: a URL for each provider.
//!
//! | URL | who |
//! | --- | --- |
//! | `smtp://host:25`, `smtp://user:pass@host:587?tls=required` (STARTTLS), `smtps://user:pass@host:465` | a mail server |
//! | `sendgrid://KEY@api.sendgrid.com`, `…@api.eu.sendgrid.com` | SendGrid |
//! | `ses://KEY_ID:SECRET@REGION?configuration_set=NAME` | Amazon SES; the configuration set may be left out |
//!
//! and who takes short messages:
//!
//! | URL | who |
//! | --- | --- |
//! | `twilio://ACCOUNT:TOKEN@api.twilio.com?from=%2B351912345678`, or `service=MG…` | Twilio |
//! | `sns://KEY_ID:SECRET@REGION?sender_id=NAME` | Amazon SNS; the sender's id may be left out |
//!
//! Characters of names and passwords other than letters, digits and `-._~` are written as in `%2F`. With `endpoint=URL`
//! the request goes to another server that speaks the vendor's protocol, such as one inside a network of one's own.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use platform::config::Secret;
use reqwest::Client;
use url::Url;

use super::providers::{Provider, Providers};
use super::sigv4::Signer;
use super::twilio::Sender;
use super::{SendGrid, Ses, Smtp, Sns, Twilio};
use crate::sms::Text;

/// The path under which Twilio tells what becomes of a message; the organization and the delivery follow.
pub const TWILIO: &str = "/api/v1/provider-events/twilio";

/// The most messages a second that a limit can be.
const FASTEST: u32 = 10_000;

/// A setting that names a provider.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    /// The setting's name.
    pub name: &'static str,
    /// Whether it is the one that is asked while the first is away.
    pub is_second: bool,
    /// Its text; it is not repeated in any error, for its password.
    pub url: &'a str,
}

/// What providers are made with, beside their URL.
#[derive(Debug, Clone, Copy)]
pub struct To<'a> {
    /// Makes requests.
    pub client: &'a Client,
    /// Messages a second at most, 0 for as many as come.
    pub rate: u32,
    /// Whether mails have a picture that tells when they are opened.
    pub tracks_opens: bool,
    /// The public address of this service, at which Twilio tells what becomes of messages; empty: nowhere.
    pub link_url: &'a str,
}

/// The first provider and the second, as they are set; none when the first is not.
///
/// # Errors
/// A sentence for the operator, when a setting is wrong.
pub fn providers<M>(
    rate_name: &str,
    rate: u32,
    [(first_name, first), (second_name, second)]: [(&'static str, &Secret); 2],
    make: impl Fn(Setting<'_>) -> Result<Provider<M>, String>,
) -> Result<Option<Providers<M>>, String> {
    if rate > FASTEST {
        return Err(format!("{rate_name} must be 0 to 10,000"));
    }
    let make = |name, is_second, url| make(Setting { name, is_second, url });
    match (first.get(), second.get()) {
        (Some(first), second) => {
            let second = second.map(|url| make(second_name, true, url)).transpose()?;
            Ok(Some(Providers::new(make(first_name, false, first)?, second)))
        }
        (None, Some(_)) => Err(format!("{second_name} is set, and {first_name} is not")),
        (None, None) => Ok(None),
    }
}

impl To<'_> {
    /// Who takes mails at a URL.
    ///
    /// # Errors
    /// A sentence for the operator, which does not repeat the URL.
    pub fn mail(&self, setting: Setting<'_>) -> Result<Provider, String> {
        let named = |first, second| if setting.is_second { second } else { first };
        match setting.url.split(':').next().unwrap_or_default() {
            "sendgrid" => {
                let parts = Parts::read(&setting, "sendgrid://KEY@api.sendgrid.com", &[])?;
                let base = parts.base(&parts.host)?;
                let channel = SendGrid::new(self.client.clone(), &base, parts.user.into(), self.tracks_opens);
                Ok(Provider::new(named("sendgrid", "second_sendgrid"), channel, self.rate))
            }
            "ses" => {
                let form = "ses://KEY_ID:SECRET@REGION?configuration_set=NAME";
                let mut parts = Parts::read(&setting, form, &["configuration_set"])?;
                let set = parts.options.remove("configuration_set");
                let (signer, base, host) = parts.amazon("email", "ses")?;
                let channel = Ses::new(self.client.clone(), (base, host), signer, set);
                Ok(Provider::new(named("ses", "second_ses"), channel, self.rate))
            }
            _ => {
                let channel = Smtp::new(setting.name, setting.url)?;
                Ok(Provider::new(named("smtp", "second_smtp"), channel, self.rate))
            }
        }
    }
}

impl To<'_> {
    /// Who takes short messages at a URL.
    ///
    /// # Errors
    /// A sentence for the operator, which does not repeat the URL.
    pub fn text(&self, setting: Setting<'_>) -> Result<Provider<Text>, String> {
        let named = |first, second| if setting.is_second { second } else { first };
        match setting.url.split(':').next().unwrap_or_default() {
            "twilio" => {
                let form = "twilio://ACCOUNT:TOKEN@api.twilio.com?from=NUMBER";
                let mut parts = Parts::read(&setting, form, &["from", "service"])?;
                let base = parts.base(&parts.host)?;
                let sender = match (parts.options.remove("from"), parts.options.remove("service")) {
                    (Some(from), None) => Sender::From(from),
                    (None, Some(service)) => Sender::Service(service),
                    _ => return Err(parts.wrong()),
                };
                let told_at = (!self.link_url.is_empty())
                    .then(|| format!("{}{TWILIO}", self.link_url.trim_end_matches('/')));
                let account = (parts.user, parts.password.into());
                let channel = Twilio::new(self.client.clone(), &base, account, sender, told_at);
                Ok(Provider::new(named("twilio", "second_twilio"), channel, self.rate))
            }
            "sns" => {
                let form = "sns://KEY_ID:SECRET@REGION?sender_id=NAME";
                let mut parts = Parts::read(&setting, form, &["sender_id"])?;
                let sender = parts.options.remove("sender_id");
                let (signer, base, host) = parts.amazon("sns", "sns")?;
                let channel = Sns::new(self.client.clone(), (base, host), signer, sender);
                Ok(Provider::new(named("sns", "second_sns"), channel, self.rate))
            }
            _ => Err(format!("{} must begin with twilio:// or sns://", setting.name)),
        }
    }
}

/// The token of an account at Twilio, with which it signs what it tells; none when the URL is another vendor's.
#[must_use]
pub fn twilio_token(url: &str) -> Option<Secret> {
    let url = Url::parse(url).ok().filter(|url| url.scheme() == "twilio")?;
    let token = percent_decode_str(url.password()?).decode_utf8().ok()?;
    Some(Secret::from(token.into_owned()))
}

/// A vendor's URL, taken apart.
struct Parts {
    setting: &'static str,
    form: &'static str,
    user: String,
    password: String,
    host: String,
    endpoint: Option<String>,
    options: BTreeMap<String, String>,
}

impl Parts {
    /// Takes a URL apart that has a form, with a password where the form has one, and none but these options.
    fn read(setting: &Setting<'_>, form: &'static str, options: &[&str]) -> Result<Self, String> {
        let wrong = || format!("{} must be of the form {form}", setting.name);
        let url = Url::parse(setting.url).map_err(|_| wrong())?;
        let decoded =
            |text: &str| percent_decode_str(text).decode_utf8().map(String::from).map_err(|_| wrong());
        let mut found: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
        let parts = Self {
            setting: setting.name,
            form,
            user: decoded(url.username())?,
            password: decoded(url.password().unwrap_or_default())?,
            host: url.host_str().unwrap_or_default().to_owned(),
            endpoint: found.remove("endpoint").map(|url| url.trim_end_matches('/').to_owned()),
            options: found,
        };
        let has_password = form.split('@').next().is_some_and(|user| user.matches(':').count() == 2);
        let is_right = !parts.user.is_empty()
            && has_password != parts.password.is_empty()
            && !parts.host.is_empty()
            && url.path().trim_end_matches('/').is_empty()
            && parts.options.keys().all(|name| options.contains(&name.as_str()));
        if is_right { Ok(parts) } else { Err(wrong()) }
    }

    fn wrong(&self) -> String {
        format!("{} must be of the form {}", self.setting, self.form)
    }

    /// Where requests to a host go, without a slash at the end.
    fn base(&self, host: &str) -> Result<String, String> {
        let base = self.endpoint.clone().unwrap_or_else(|| format!("https://{host}"));
        let is_right = Url::parse(&base).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        if is_right { Ok(base) } else { Err(self.wrong()) }
    }

    /// The key, and where a service of Amazon's is in the region that the host names, with its own host.
    fn amazon(self, subdomain: &str, service: &'static str) -> Result<(Signer, String, String), String> {
        let region = self.host.clone();
        if !region.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
            return Err(self.wrong());
        }
        let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        let base = self.base(&format!("{subdomain}.{region}.{domain}"))?;
        let url = Url::parse(&base).map_err(|_| self.wrong())?;
        let host = match (url.host_str(), url.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (Some(host), None) => host.to_owned(),
            (None, _) => return Err(self.wrong()),
        };
        let signer = Signer { key_id: self.user, secret: self.password.into(), region, service };
        Ok((signer, base, host))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(url: &str, form: &'static str, options: &[&str]) -> Result<Parts, String> {
        Parts::read(&Setting { name: "mail_url", is_second: false, url }, form, options)
    }

    const SENDGRID: &str = "sendgrid://KEY@api.sendgrid.com";
    const SES: &str = "ses://KEY_ID:SECRET@REGION";

    #[test]
    fn a_url_names_the_key_and_the_place() {
        let sendgrid = parts("sendgrid://SG.a-b_c.d@api.eu.sendgrid.com", SENDGRID, &[]).unwrap();
        assert_eq!(sendgrid.user, "SG.a-b_c.d");
        assert_eq!(sendgrid.base(&sendgrid.host).unwrap(), "https://api.eu.sendgrid.com");
        let ses = parts("ses://AKIA:a%2Fb+c%3D@eu-west-1?configuration_set=x", SES, &["configuration_set"])
            .unwrap();
        assert_eq!(ses.options["configuration_set"], "x");
        let (signer, base, host) = ses.amazon("email", "ses").unwrap();
        assert_eq!((signer.key_id.as_str(), signer.secret.expose()), ("AKIA", "a/b+c="));
        assert_eq!(
            (base.as_str(), host.as_str()),
            ("https://email.eu-west-1.amazonaws.com", "email.eu-west-1.amazonaws.com")
        );
        let (_, base, _) = parts("ses://a:b@cn-north-1", SES, &[]).unwrap().amazon("sns", "sns").unwrap();
        assert_eq!(base, "https://sns.cn-north-1.amazonaws.com.cn");
        let mocked = parts("ses://a:b@eu-west-1?endpoint=http://127.0.0.1:5000/", SES, &[]).unwrap();
        let (_, base, host) = mocked.amazon("email", "ses").unwrap();
        assert_eq!((base.as_str(), host.as_str()), ("http://127.0.0.1:5000", "127.0.0.1:5000"));
    }

    #[test]
    fn what_is_missing_or_too_much_is_refused_without_showing_the_key() {
        for url in [
            "sendgrid://api.sendgrid.com",
            "sendgrid://geheim@",
            "sendgrid://geheim@host/path",
            "sendgrid://geheim:word@host",
            "sendgrid://geheim@host?colour=red",
        ] {
            let error = parts(url, SENDGRID, &[]).err().unwrap();
            assert_eq!(error, "mail_url must be of the form sendgrid://KEY@api.sendgrid.com", "{url}");
        }
        assert!(parts("ses://AKIA@eu-west-1", SES, &[]).is_err());
        assert!(parts("ses://a:b@Ä", SES, &[]).and_then(|parts| parts.amazon("email", "ses")).is_err());
        let elsewhere = parts("ses://a:b@eu-west-1?endpoint=ftp://host", SES, &[]).unwrap();
        assert!(elsewhere.amazon("email", "ses").is_err());
    }
}
