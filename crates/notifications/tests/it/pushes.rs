//! A service with the push services of the tests, and a device of each sort.

use std::fs;

use kernel::Clock as _;
use notifications::App;
use notifications::push::vapid;
use serde_json::{Value, json};
use testkit::{ManualClock, Person, Played, PushServer};

use crate::devices::added;
use crate::world::World;

pub struct Pushes {
    pub world: World,
    pub server: Played,
    _files: tempfile::TempDir,
}

impl Pushes {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// With the credentials that the push services gave us, but for what is changed.
    pub async fn with(change: impl FnOnce(&mut notifications::push::Settings)) -> Self {
        let server = PushServer::start(ManualClock::default().now()).await;
        let files = tempfile::tempdir().unwrap();
        let write = |name: &str, text: String| {
            let path = files.path().join(name);
            fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let (account, key) = (
            write("account.json", server.given["account"].to_string()),
            write("key.p8", server.text("key").to_owned()),
        );
        let world = World::with(|config| {
            let push = &mut config.push;
            (push.fcm_account_file, push.fcm_url) = (account, server.text("url").to_owned());
            (push.apns_key_file, push.apns_url) = (key, server.text("apns_url").to_owned());
            (push.apns_key_id, push.apns_team_id) =
                (server.text("key_id").to_owned(), server.text("team").to_owned());
            push.apns_topic = server.text("topic").to_owned();
            push.web_push_key = vapid::generate().unwrap();
            push.web_push_subject = "mailto:rooms@example.edu".into();
            // The shortest there is: what hangs is waited for.
            push.timeout_seconds = 1;
            change(push);
            config.webhook_networks = "127.0.0.0/8".into();
        })
        .await;
        Self { world, server, _files: files }
    }

    pub fn app(&self) -> &App {
        &self.world.app
    }

    /// Lets time pass, here and there.
    pub async fn pass(&mut self, hours: i64) {
        self.world.test.clock.advance(jiff::SignedDuration::from_hours(hours));
        let at = self.world.test.now().as_second();
        self.server.tell(json!({ "command": "now", "at": at })).await;
    }

    /// The next answer of a service, instead of the usual one.
    pub async fn answers(&mut self, role: &str, answer: Value) {
        let mut answer = answer;
        (answer["command"], answer["role"]) = ("answer".into(), role.into());
        self.server.tell(answer).await;
    }

    /// What one of the services got since it was asked the last time.
    pub async fn got(&mut self, role: &str) -> Vec<Value> {
        let mut got = self.server.got().await;
        got.retain(|one| one["role"] == role);
        got
    }

    /// A browser that subscribes with our key, or another.
    pub async fn browser(&mut self, person: &Person, key: Option<&str>) -> (String, String) {
        let ours = self.app().pushers.web_push_key().unwrap().to_owned();
        let made = self.server.tell(json!({ "command": "subscribe", "key": key.unwrap_or(&ours) })).await;
        let device = json!({ "name": "Firefox", "provider": "web_push", "endpoint": made["endpoint"],
                             "p256dh": made["p256dh"], "auth": made["auth"] });
        (added(&self.world, person, device).await, made["path"].as_str().unwrap().to_owned())
    }

    /// A device of each sort, by the words by which its service knows it.
    pub async fn all_sorts(&mut self, person: &Person) -> [(&'static str, String); 3] {
        added(&self.world, person, phone("fcm", &android())).await;
        added(&self.world, person, phone("apns", &iphone())).await;
        let (_, path) = self.browser(person, None).await;
        [("fcm", android()), ("apns", iphone()), ("web_push", path)]
    }

    /// The deliveries of a person's latest message on their devices.
    pub async fn pushed(&self, person: &Person) -> Vec<Value> {
        let told = self.world.notifications(person).await;
        let deliveries = told[0]["deliveries"].as_array().unwrap().clone();
        deliveries.into_iter().filter(|delivery| delivery["channel"] == "push").collect()
    }
}

pub fn android() -> String {
    "fGx9:APA91b-_secret".into()
}

pub fn iphone() -> String {
    "0f".repeat(32)
}

pub fn phone(provider: &str, token: &str) -> Value {
    json!({ "name": "My telephone", "provider": provider, "token": token })
}

/// Of all attempts: provider, outcome and what was answered, oldest first.
pub async fn attempts(world: &World) -> Vec<(String, String, String)> {
    let statement = "select provider, outcome, answer from notifications.attempt where channel = 'push'
                     order by attempted_at, number, delivery_id";
    sqlx::query_as(statement).fetch_all(&mut world.test.owner().await).await.unwrap()
}
