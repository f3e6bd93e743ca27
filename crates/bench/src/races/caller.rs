//! A client that remembers what it was told, and that a kill of a replica or of PostgreSQL does not stop.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use testkit::{Issuer, Person};
use tokio::time::{Instant, sleep};

use super::model::Model;
use crate::Outcome;
use crate::client::{Client, Reply};

/// How long to go on asking while something is down.
const PATIENCE: Duration = Duration::from_secs(60);
/// The pause before asking again.
const PAUSE: Duration = Duration::from_millis(100);

/// What all callers share.
pub struct World {
    /// Of the replicas.
    pub ports: Vec<u16>,
    /// Signs tokens.
    pub issuer: Arc<Issuer>,
    /// Whether something is killed meanwhile.
    pub kills: bool,
    /// What was acknowledged.
    pub model: Model,
}

/// A request.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Who asks.
    pub person: Person,
    /// Where.
    pub path: String,
    /// With which idempotency key.
    pub key: Option<String>,
    /// What.
    pub body: Value,
}

/// A client of one replica; of the other while that is down.
pub struct Caller {
    /// What all share.
    pub world: Arc<World>,
    replica: usize,
    client: Option<Client>,
}

impl Caller {
    /// A client of a replica.
    pub fn new(world: Arc<World>, replica: usize) -> Self {
        Self { world, replica, client: None }
    }

    /// Asks, and remembers the booking in the answer. None when nobody knows what became of it: it was cut by a kill,
    /// and has no idempotency key to ask again with.
    pub async fn ask(&mut self, ask: &Ask) -> Outcome<Option<Reply>> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let reply = self.once(ask).await;
            match reply {
                Ok(reply) if !self.is_upset(&reply) => {
                    if reply.status < 300 {
                        self.world.model.hear(&reply.json());
                    }
                    return Ok(Some(reply));
                }
                Err(error) if !self.world.kills || Instant::now() > deadline => return Err(error),
                Ok(reply) if Instant::now() > deadline => {
                    return Err(format!("still {} {}", reply.status, ask.path).into());
                }
                _ if ask.key.is_none() => return Ok(None),
                _ => {
                    self.replica += 1;
                    sleep(PAUSE).await;
                }
            }
        }
    }

    /// The booking as it is, as often asked for as it takes.
    pub async fn look(&mut self, person: &Person, id: &str) -> Outcome<Value> {
        let deadline = Instant::now() + PATIENCE;
        let path = format!("/api/v1/bookings/{id}");
        loop {
            let token = self.world.issuer.token(person);
            let reply = match self.client().await {
                Ok(client) => client.get(&path, Some(&token)).await,
                Err(error) => Err(error),
            };
            match reply {
                Ok(reply) if reply.status == 200 => {
                    self.world.model.hear(&reply.json());
                    return Ok(reply.json());
                }
                _ if self.world.kills && Instant::now() < deadline => {
                    self.client = None;
                    self.replica += 1;
                    sleep(PAUSE).await;
                }
                Ok(reply) => return Err(format!("{} {path}", reply.status).into()),
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether the answer says only that something is down, or that the first of two is still under way.
    fn is_upset(&self, reply: &Reply) -> bool {
        let in_progress = || reply.status == 409 && reply.json()["code"] == "request_in_progress";
        self.world.kills && (reply.status >= 500 || in_progress())
    }

    async fn once(&mut self, ask: &Ask) -> Outcome<Reply> {
        let token = self.world.issuer.token(&ask.person);
        let client = self.client().await?;
        let reply = client.post(&ask.path, &token, ask.key.as_deref(), ask.body.to_string()).await;
        if reply.is_err() {
            self.client = None;
        }
        reply
    }

    async fn client(&mut self) -> Outcome<&mut Client> {
        if self.client.is_none() {
            let port = self.world.ports[self.replica % self.world.ports.len()];
            self.client = Some(Client::connect(port).await?);
        }
        Ok(self.client.as_mut().ok_or("no connection")?)
    }
}
