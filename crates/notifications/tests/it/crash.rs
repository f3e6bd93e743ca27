//! Two replicas on one queue, one of which dies in the middle: nothing is lost, and a mail comes twice only where the
//! server had taken it before the dead one could write so down.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use jiff::SignedDuration;
use notifications::App;
use notifications::jobs::deliver::{Queue, deliver_due};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::deliver::tell;
use crate::world::World;

/// Mails in the queue.
const MAILS: usize = 300;
/// Mails that a replica has under way at once in one lane: four leases of four.
const UNDER_WAY: usize = 16;

/// A mail server that counts each `Message-ID` it has taken.
#[derive(Debug, Default)]
struct Sink {
    taken: Mutex<HashMap<String, usize>>,
    some: Notify,
}

impl Sink {
    async fn start() -> (String, Arc<Self>) {
        let sink = Arc::new(Self::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let shared = sink.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let sink = shared.clone();
                tokio::spawn(async move { sink.converse(stream).await });
            }
        });
        (url, sink)
    }

    async fn converse(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        stream.write_all(b"220 ready\r\n").await?;
        let (mut line, mut in_data, mut id) = (String::new(), false, String::new());
        while stream.read_line(&mut line).await? > 0 {
            let text = line.trim_end().to_owned();
            line.clear();
            if in_data {
                if let Some(found) = text.strip_prefix("Message-ID: ") {
                    id = found.to_owned();
                }
                if text != "." {
                    continue;
                }
                *self.taken.lock().unwrap().entry(std::mem::take(&mut id)).or_default() += 1;
                self.some.notify_one();
            }
            in_data = text == "DATA";
            let answer: &[u8] = if in_data { b"354 go on\r\n" } else { b"250 ok\r\n" };
            stream.write_all(answer).await?;
        }
        Ok(())
    }

    fn counts(&self) -> Vec<usize> {
        self.taken.lock().unwrap().values().copied().collect()
    }
}

async fn all_due(app: &App) {
    while deliver_due(app, Queue::Mails).await.unwrap() > 0 {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_replica_that_dies_loses_nothing() {
    let (url, sink) = Sink::start().await;
    let world = World::with_smtp(&url).await;
    let ada = world.person("Ada");
    for _ in 0..MAILS {
        tell(&world, &ada).await;
    }
    let mut config = (*world.app.config).clone();
    config.mail_url = url.into();
    let other = App::new(world.test.context.clone(), config).unwrap();
    let dying = tokio::spawn(async move { all_due(&other).await });
    let survivor = {
        let app = world.app.clone();
        tokio::spawn(async move { all_due(&app).await })
    };
    while sink.counts().len() < MAILS / 3 {
        sink.some.notified().await;
    }
    dying.abort();
    let _ = dying.await;
    survivor.await.unwrap();
    // What the dead one had taken comes back when its lease runs out; whoever finds the queue empty waits for that.
    world.test.clock.advance(SignedDuration::from_mins(5));
    all_due(&world.app).await;
    let counts = sink.counts();
    let twice = counts.iter().filter(|count| **count > 1).count();
    assert_eq!(counts.len(), MAILS, "none is lost");
    assert!(counts.iter().all(|count| *count <= 2) && twice <= UNDER_WAY, "{twice} came twice");
    let mut owner = world.test.owner().await;
    let left: i64 = sqlx::query_scalar("select count(*) from notifications.delivery where state <> 'sent'")
        .fetch_one(&mut owner)
        .await
        .unwrap();
    assert_eq!(left, 0);
}
