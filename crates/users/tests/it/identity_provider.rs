//! A browser that goes to and fro between the service and an identity provider.

use std::collections::BTreeMap;
use std::time::Duration;

use http::header;
use platform::http::client::client;
use testkit::Reply;

use crate::Users;

/// Where the service is for browsers.
pub const PUBLIC: &str = crate::device::HERE;
/// A browser: its cookies, by where they are from.
#[derive(Default)]
pub struct Browser {
    ours: BTreeMap<String, String>,
    theirs: BTreeMap<String, String>,
}

fn keep(cookies: &mut BTreeMap<String, String>, headers: &http::HeaderMap) {
    for value in headers.get_all(header::SET_COOKIE) {
        let pair = value.to_str().unwrap().split(';').next().unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        match value {
            "" => cookies.remove(name),
            _ => cookies.insert(name.to_owned(), value.to_owned()),
        };
    }
}

fn written(cookies: &BTreeMap<String, String>) -> String {
    cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
}

impl Browser {
    /// Opens an address of the service.
    pub async fn open(&mut self, users: &Users, address: &str) -> Reply {
        let path = address.strip_prefix(PUBLIC).unwrap_or(address);
        let reply = users.call("GET", path).header("cookie", &written(&self.ours)).send().await;
        keep(&mut self.ours, &reply.headers);
        reply
    }

    /// Goes from the start to the provider, signs in there as the query says, and gives the address it is sent back to.
    pub async fn visit(&mut self, users: &Users, start: &str, interaction: &str) -> String {
        let sent = self.open(users, start).await.expect(302);
        self.sign_in(sent.header("location"), interaction).await
    }

    /// Signs in at the provider.
    pub async fn sign_in(&mut self, address: &str, interaction: &str) -> String {
        let client = client(Duration::from_secs(30)).unwrap();
        let mut next: reqwest::Url = address.parse().unwrap();
        let mut hops = 0;
        loop {
            hops += 1;
            assert!(hops <= 10, "the provider sends from one address to another");
            if next.path().starts_with("/interaction/") {
                next.set_query(Some(interaction));
            }
            let request = client.get(next.clone()).header("cookie", written(&self.theirs));
            let response = request.send().await.unwrap();
            keep(&mut self.theirs, response.headers());
            let location = response.headers().get(header::LOCATION).cloned();
            assert!(location.is_some(), "{next}: {}", response.status());
            let location = location.unwrap();
            let location = location.to_str().unwrap();
            if location.starts_with(PUBLIC) {
                return location.to_owned();
            }
            next = next.join(location).unwrap();
        }
    }

    /// The same, and back to the service.
    pub async fn go(&mut self, users: &Users, start: &str, interaction: &str) -> Reply {
        let back = self.visit(users, start, interaction).await;
        self.open(users, &back).await
    }

    /// What it sends to the service.
    pub fn cookie(&self) -> String {
        written(&self.ours)
    }
}

/// A parameter of an address.
pub fn parameter(address: &str, name: &str) -> Option<String> {
    let url: reqwest::Url = address.parse().unwrap();
    url.query_pairs().find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
}
