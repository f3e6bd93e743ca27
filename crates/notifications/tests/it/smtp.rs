//! Mail by SMTP: to the real server of the test command, and to servers that refuse, break off or say nothing.

use std::fs;
use std::time::Duration;

use contracts::bookings::BookingConfirmed;
use notifications::channel::{Channel as _, Smtp};
use notifications::delivery::Outcome;
use serde_json::Value;
use testkit::Person;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::world::{World, booking, envelope};

pub async fn book(world: &World) -> Person {
    let ada = world.person("Ada");
    let event = BookingConfirmed { before: None, booking: booking(&ada), reason: None };
    world.hear(&envelope(ada.organization, &event)).await;
    ada
}

pub async fn delivery(world: &World, person: &Person) -> Value {
    world.notifications(person).await[0]["deliveries"][0].clone()
}

/// A server that answers each command by `answer`, on a free port.
pub async fn server(answer: impl Fn(&str) -> Option<String> + Clone + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(converse(stream, answer.clone()));
        }
    });
    url
}

pub async fn converse(stream: TcpStream, answer: impl Fn(&str) -> Option<String>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 ready\r\n").await?;
    let mut line = String::new();
    while stream.read_line(&mut line).await? > 0 {
        let Some(text) = answer(line.trim()) else {
            return std::future::pending().await;
        };
        stream.write_all(format!("{text}\r\n").as_bytes()).await?;
        line.clear();
    }
    Ok(())
}

#[tokio::test]
async fn a_mail_arrives_at_the_real_server() {
    let world = World::with_smtp(&testkit::variable("TEST_SMTP_URL")).await;
    let ada = book(&world).await;
    let bob = book(&world).await;
    assert_eq!(world.deliver().await, 2);
    let delivery = delivery(&world, &ada).await;
    assert_eq!(delivery["channel"], "email");
    assert_eq!(delivery["status"], "sent", "{delivery}");
    assert_eq!(delivery["attempts"], 1);
    for person in [&ada, &bob] {
        let folder = format!("{}/new", testkit::variable("TEST_MAILDIR"));
        let to = format!("{}@example.com", person.user);
        let mails =
            fs::read_dir(folder).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
        let mails: Vec<_> = mails.filter(|mail| mail.contains(&to)).collect();
        assert_eq!(mails.len(), 1);
        assert!(mails[0].contains("text/calendar; charset=utf-8; method=REQUEST"), "{}", mails[0]);
    }
}

#[tokio::test]
async fn a_connection_refused_is_tried_again_and_nothing_is_lost() {
    // A port that nobody listens on: taken, and given back.
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let world = World::with_smtp(&format!("smtp://127.0.0.1:{port}")).await;
    let ada = book(&world).await;
    assert_eq!(world.deliver().await, 1);
    let first = delivery(&world, &ada).await;
    assert_eq!((&first["status"], &first["attempts"]), (&"queued".into(), &1.into()));
    assert!(first["error"].as_str().unwrap().contains("onnection"), "{first}");
    assert_eq!(world.deliver().await, 0, "not before its time");

    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(converse(stream, accept_all()));
        }
    });
    world.wait_for_retry();
    assert_eq!(world.deliver().await, 1);
    let second = delivery(&world, &ada).await;
    assert_eq!((&second["status"], &second["attempts"]), (&"sent".into(), &2.into()));
    assert!(second["error"].is_null() && second["sent_at"].is_string());
}

/// A server that takes everything; it knows the end of the data by its dot.
pub fn accept_all() -> impl Fn(&str) -> Option<String> + Clone + Send + 'static {
    let in_data = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    move |line| {
        use std::sync::atomic::Ordering::SeqCst;
        match line {
            "DATA" => {
                in_data.store(true, SeqCst);
                Some("354 go on".into())
            }
            "." => {
                in_data.store(false, SeqCst);
                Some("250 queued as 1".into())
            }
            // A line of the mail itself gets an empty continuation, which no client waits for.
            _ if in_data.load(SeqCst) => Some("250-".into()),
            _ => Some("250 ok".into()),
        }
    }
}

#[tokio::test]
async fn a_mailbox_that_does_not_exist_fails_at_once_and_its_address_is_not_kept() {
    let url = server(|line| match line.strip_prefix("RCPT TO:") {
        Some(address) => Some(format!("550 5.1.1 no such mailbox {}", address.to_uppercase())),
        None => Some("250 ok".into()),
    })
    .await;
    let world = World::with_smtp(&url).await;
    let ada = book(&world).await;
    assert_eq!(world.deliver().await, 1);
    let delivery = delivery(&world, &ada).await;
    assert_eq!(delivery["status"], "failed");
    let error = delivery["error"].as_str().unwrap();
    assert!(
        error.contains("550") && error.contains("[address]") && !error.contains("example.com"),
        "{error}"
    );
    world.wait_for_retry();
    assert_eq!(world.deliver().await, 0);
}

#[tokio::test]
async fn a_server_that_refuses_us_is_tried_until_the_last_attempt() {
    let url = server(|line| {
        Some(if line.starts_with("MAIL") { "530 5.7.0 log in first" } else { "250 ok" }.into())
    })
    .await;
    let world = World::with(|config| {
        config.mail_url = url.into();
        config.max_attempts = 2;
    })
    .await;
    let ada = book(&world).await;
    assert_eq!(world.deliver().await, 1);
    assert_eq!(delivery(&world, &ada).await["status"], "queued");
    world.wait_for_retry();
    assert_eq!(world.deliver().await, 1);
    let last = delivery(&world, &ada).await;
    assert_eq!((&last["status"], &last["attempts"]), (&"failed".into(), &2.into()));
}

#[tokio::test]
async fn a_late_answer_is_never_taken_for_that_to_the_next_mail() {
    // Silent after the first mail's recipient; other mails are refused by the same server.
    let first = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let url = server(move |line| {
        if line.starts_with("RCPT") {
            if first.swap(false, std::sync::atomic::Ordering::SeqCst) {
                return None;
            }
            return Some("550 no".into());
        }
        Some("250 ok".into())
    })
    .await;
    let smtp = Smtp::new("mail_url", &url).unwrap().with_limit(Duration::from_millis(200));
    let mail = mail();
    assert!(matches!(smtp.send(&mail).await, Outcome::Unsure(answer) if answer.contains("did not answer")));
    assert!(matches!(smtp.send(&mail).await, Outcome::Permanent(answer) if answer.contains("550")));
}

pub fn mail() -> notifications::mail::Mail {
    let head = notifications::mail::Head {
        organization: kernel::OrganizationId::mint(),
        delivery: kernel::DeliveryId::mint(),
        subject: "x",
        correlation_id: "the-request",
        email: &"ada@example.com".parse().unwrap(),
        name: "Ada",
    };
    let page =
        notifications::templates::Rendered { subject: "x".into(), text: "x".into(), html: "<p>x</p>".into() };
    let sender = "Reservas <reservas@localhost>".parse().unwrap();
    notifications::mail::write_page(&head, &page, &sender, "2026-03-02T08:00:00Z".parse().unwrap()).unwrap()
}
