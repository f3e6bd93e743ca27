//! Short messages by Amazon SNS: the operation `Publish` of its API, version 2010-03-31, to a telephone number.

use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use reqwest::Client;
use url::form_urlencoded;

use super::http::{Answer, LIMIT, ask};
use super::sigv4::{Request, Signer};
use super::{Channel, Sending};
use crate::delivery::{Outcome, Way};
use crate::sms::Text;

/// An account at Amazon, in a region.
#[derive(Debug)]
pub struct Sns {
    client: Client,
    base: String,
    host: String,
    signer: Signer,
    sender_id: Option<String>,
    limit: Duration,
}

impl Sns {
    /// The account of a key, at an address such as `https://sns.eu-west-1.amazonaws.com`, of that host. The sender's id is
    /// shown in countries that allow one.
    #[must_use]
    pub fn new(
        client: Client,
        (base, host): (String, String),
        signer: Signer,
        sender_id: Option<String>,
    ) -> Self {
        Self { client, base, host, signer, sender_id, limit: LIMIT }
    }

    async fn attempt(&self, text: &Text) -> Outcome {
        const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";
        let body = self.body(text);
        let request = Request { host: &self.host, path: "/", content_type: FORM, body: body.as_bytes() };
        let signed = self.signer.sign(&request, text.at);
        let request = self.client.post(format!("{}/", self.base)).header(CONTENT_TYPE, FORM);
        let request = request.header(HOST, &self.host).header("x-amz-date", signed.date);
        match ask(request.header(AUTHORIZATION, signed.authorization).body(body), self.limit).await {
            Ok(answer) => outcome(&answer),
            Err(outcome) => outcome,
        }
    }

    fn body(&self, text: &Text) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("Action", "Publish").append_pair("Version", "2010-03-31");
        form.append_pair("PhoneNumber", text.to.as_str()).append_pair("Message", &text.body);
        // Not an advertisement: such messages go first.
        let sender = self.sender_id.as_deref().map(|id| ("AWS.SNS.SMS.SenderID", id));
        let attributes = [Some(("AWS.SNS.SMS.SMSType", "Transactional")), sender];
        for (place, (name, value)) in attributes.into_iter().flatten().enumerate() {
            let entry = format!("MessageAttributes.entry.{}", place + 1);
            form.append_pair(&format!("{entry}.Name"), name);
            form.append_pair(&format!("{entry}.Value.DataType"), "String");
            form.append_pair(&format!("{entry}.Value.StringValue"), value);
        }
        form.finish()
    }
}

impl Channel<Text> for Sns {
    fn way(&self) -> Way {
        Way::Sms
    }

    fn send<'a>(&'a self, text: &'a Text) -> Sending<'a> {
        Box::pin(self.attempt(text))
    }
}

/// The text of an element of the answer, which is XML without any of one name twice.
fn element<'a>(body: &'a str, name: &str) -> &'a str {
    let rest = body.split_once(&format!("<{name}>")).map_or("", |(_, rest)| rest);
    rest.split_once('<').map_or("", |(text, _)| text)
}

fn outcome(answer: &Answer) -> Outcome {
    let [id, code, message] = ["MessageId", "Code", "Message"].map(|name| element(&answer.body, name));
    let said = [answer.status.as_str(), id, code, message].join(" ");
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    match code {
        "Throttling" | "ThrottledException" | "Throttled" => answer.busy(said),
        "InvalidParameter" if message.to_lowercase().contains("phone") => Outcome::NoSuchAddress(said),
        _ => answer.outcome(said),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_is_found_or_empty() {
        let body = "<R><MessageId>a-1</MessageId><Code>Throttling</Code></R>";
        assert_eq!((element(body, "MessageId"), element(body, "Code")), ("a-1", "Throttling"));
        assert_eq!(element(body, "Message"), "");
    }
}
