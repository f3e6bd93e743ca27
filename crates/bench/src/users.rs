//! The user service: sign-ins and registrations against what bcrypt allows, tokens verified, and wrong tokens.

mod wrong;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use futures_util::future::try_join_all;
use jsonwebtoken::DecodingKey;
use kernel::{OrganizationId, Role, SystemClock};
use platform::auth::{Keys, Verifier};
use platform::http::client::client;
use serde_json::json;
use testkit::{Issuer, Person};

use crate::Outcome;
use crate::client::Client;
use crate::load::{Ask, drive};
use crate::replica::Replica;
use crate::stage::{Stage, Tuning};
use crate::table::Report;

/// Everybody's password.
const PASSWORD: &str = "correct horse battery staple";
/// The service's work per hash, as it is set up.
const COST: u32 = 12;
/// Hashes at the same time, as it is set up.
const AT_ONCE: usize = 2;

/// How much.
#[derive(Debug, Clone, Args)]
pub struct Flags {
    /// Seconds of each kind of load.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Clients at once.
    #[arg(long, default_value_t = 16)]
    clients: usize,
    /// Accounts, each of which two register at once.
    #[arg(long, default_value_t = 40)]
    accounts: usize,
    /// Wrong tokens.
    #[arg(long, default_value_t = 10_000)]
    wrong: usize,
}

impl Default for Flags {
    fn default() -> Self {
        Self { seconds: 10, clients: 16, accounts: 40, wrong: 10_000 }
    }
}

/// Measures.
pub async fn run(flags: &Flags, tuning: &Tuning) -> Outcome<Report> {
    let stage = Stage::start(1, tuning).await?;
    let users = Replica::start_users(stage.folder(), &stage.url()?, PASSWORD).await?;
    let alone = stage.alone()?;
    let time = Duration::from_secs(flags.seconds);
    let mut report = Report {
        title: "The user service".to_owned(),
        how: vec![
            stage.settings().await?,
            format!("bcrypt of cost {COST}, {AT_ONCE} at once; {} clients", flags.clients),
        ],
        head: vec!["what", "a second", "of the ceiling", "answers"],
        ..Report::default()
    };
    let row = |what: &str, rate: f64, of: String, count: u64| {
        vec![what.to_owned(), format!("{rate:.1}"), of, count.to_string()]
    };
    let share = |rate: f64, ceiling: f64| format!("{:.2}", rate / ceiling);

    let (count, rate) = register(&users, flags).await?;
    let kept = stage.number("select count(*) from users.account where email like 'person%'").await?;
    if (count, kept) != (2 * flags.accounts as u64, flags.accounts as i64) {
        report.faults.push(format!(
            "{count} of {} registrations of {} accounts succeeded, and {kept} are there",
            2 * flags.accounts,
            flags.accounts
        ));
    }
    let before = ceiling(time)?;
    let answers = drive(&[users.port()], flags.clients, time, sign_ins(flags.accounts)).await?;
    // The machine's speed drifts: what it could do is what it could before and after, taken together.
    let ceiling = f64::midpoint(before, ceiling(time)?);
    if answers.count(200) != answers.times.count() as u64 {
        report.faults.push(format!(
            "of {} sign-ins, {} succeeded: {:?}",
            answers.times.count(),
            answers.count(200),
            answers.odd
        ));
    }
    report.rows.push(row("bcrypt alone", ceiling, share(ceiling, ceiling), 0));
    report.rows.push(row(
        "sign-ins",
        answers.rate(200),
        share(answers.rate(200), ceiling),
        answers.count(200),
    ));
    report.rows.push(row("registrations", rate, share(rate, ceiling), count));

    let (verified, bare) = (verifications(&stage.issuer, time).await?, signatures(&stage.issuer, time)?);
    report.rows.push(row("tokens verified on one core", verified, share(verified, bare), 0));
    report.rows.push(row("of which the signature alone", bare, share(bare, bare), 0));
    let refused = wrong::tokens(&stage, flags.wrong, &mut report.faults).await?;
    report.rows.push(row("wrong tokens refused", 0.0, String::new(), refused));
    drop(alone);
    users.stop().await?;
    stage.stop().await?;
    Ok(report)
}

/// What bcrypt alone comes to a second, on as many threads as the service uses.
fn ceiling(time: Duration) -> Outcome<f64> {
    let hash = bcrypt::hash(PASSWORD, COST)?;
    let started = Instant::now();
    let threads: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let hash = hash.clone();
            std::thread::spawn(move || {
                let mut count = 0_u32;
                while started.elapsed() < time {
                    count += u32::from(bcrypt::verify(PASSWORD, &hash).unwrap_or(false));
                }
                count
            })
        })
        .collect();
    let mut count = 0;
    for thread in threads {
        count += thread.join().map_err(|_| "a thread ended badly")?;
    }
    Ok(f64::from(count) / started.elapsed().as_secs_f64())
}

/// Each account is registered by two at once, who hear the same: how many were answered so, and how many answers a second.
async fn register(users: &Replica, flags: &Flags) -> Outcome<(u64, f64)> {
    let started = Instant::now();
    let (port, total) = (users.port(), 2 * flags.accounts);
    let next = Arc::new(AtomicU64::new(0));
    let clients = (0..flags.clients).map(|_| {
        let next = next.clone();
        tokio::spawn(async move {
            let mut client = Client::connect(port).await?;
            let mut statuses = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= total as u64 {
                    return Ok::<_, Box<dyn std::error::Error + Send + Sync>>(statuses);
                }
                let body = json!({ "email": email(number / 2), "name": "Ada", "password": PASSWORD });
                statuses.push(client.post("/api/v1/auth/register", "", None, body.to_string()).await?.status);
            }
        })
    });
    let mut statuses = Vec::new();
    for part in try_join_all(clients).await? {
        statuses.extend(part?);
    }
    let took = started.elapsed().as_secs_f64();
    let made = statuses.iter().filter(|&&status| status == 201).count();
    Ok((made as u64, statuses.len() as f64 / took))
}

fn email(number: u64) -> String {
    format!("person{number}@example.com")
}

/// Sign-ins of one account after the other.
fn sign_ins(accounts: usize) -> impl Fn() -> Ask + Send + Sync + 'static {
    let next = AtomicU64::new(0);
    move || {
        let number = next.fetch_add(1, Ordering::Relaxed) % accounts as u64;
        let body = json!({ "email": email(number), "password": PASSWORD }).to_string();
        Ask { path: "/api/v1/auth/login".into(), token: None, post: Some((String::from("none"), body)) }
    }
}

fn token(issuer: &Issuer) -> String {
    issuer.token(&Person::new(OrganizationId::mint(), Role::User))
}

/// Tokens that a verifier takes a second, one after the other.
async fn verifications(issuer: &Issuer, time: Duration) -> Outcome<f64> {
    let keys = Keys::at(format!("{}/.well-known/jwks.json", issuer.base()), client(Duration::from_secs(5))?);
    let verifier = Verifier::new(Arc::new(keys), Arc::new(SystemClock));
    let tokens: Vec<_> = (0..1000).map(|_| token(issuer)).collect();
    let (started, mut count) = (Instant::now(), 0_u32);
    while started.elapsed() < time {
        for token in &tokens {
            verifier.verify(token).await.map_err(|problem| problem.detail)?;
            count += 1;
        }
    }
    Ok(f64::from(count) / started.elapsed().as_secs_f64())
}

/// Signatures checked a second, without anything around it.
fn signatures(issuer: &Issuer, time: Duration) -> Outcome<f64> {
    let token = token(issuer);
    let (message, signature) = token.rsplit_once('.').ok_or("no token")?;
    let key: DecodingKey = issuer.public_key();
    let (started, mut count) = (Instant::now(), 0_u32);
    while started.elapsed() < time {
        let algorithm = jsonwebtoken::Algorithm::EdDSA;
        if !jsonwebtoken::crypto::verify(signature, message.as_bytes(), &key, algorithm)? {
            return Err("a good signature was refused".into());
        }
        count += 1;
    }
    Ok(f64::from(count) / started.elapsed().as_secs_f64())
}
