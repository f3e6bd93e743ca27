//! Secrets in the database: sealed, also those from before; of no use without the keys, which follow one another.

use kernel::Role;
use platform::sealing::at_rest::{Resealed, Unready};
use platform::sealing::{Keyring, Place};
use platform::service::Context;
use serde_json::json;
use sqlx::{PgConnection, Row as _};
use users::store::sealed::{self, SEALED};

use crate::second_factor::{code, enable};
use crate::{PASSWORD, SignedIn, Users, config, router};

/// The installation with other keys.
fn with(users: &Users, keys: &[&platform::config::Secret]) -> Context {
    let text: Vec<_> = keys.iter().map(|key| key.expose()).collect();
    let keyring = Keyring::parse(&platform::config::Secret::from(text.join(","))).unwrap();
    Context { keyring, ..users.context.clone() }
}

async fn refused(context: &Context) -> String {
    users::start(context.clone(), config()).await.unwrap_err()
}

/// Every sealed value, as it stands in the database.
async fn values(users: &Users) -> Vec<Vec<u8>> {
    let statement = "select secret from users.totp union all select private_key from users.signing_key";
    let rows = sqlx::query(statement).fetch_all(&mut users.owner().await).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// Signs in with a code of the app, at a service with these keys.
async fn sign_in(users: &Users, context: &Context, email: &str, secret: &str, steps: i64) -> u16 {
    let routes = context.complete(router(context.clone()).await);
    let call =
        |path: &str, body| testkit::Call::new(routes.clone(), http::Method::POST, path).json(body).send();
    let body = json!({"organization": "default", "email": email, "password": PASSWORD});
    let challenge = call("/api/v1/auth/login", body).await.problem(403, "second_factor_required");
    let code = code(users, secret, steps);
    let body = json!({"challenge": challenge["challenge"], "code": code});
    call("/api/v1/auth/second-factor", body).await.status.as_u16()
}

async fn run(connection: &mut PgConnection, statement: &'static str) {
    sqlx::raw_sql(statement).execute(connection).await.unwrap();
}

/// Makes the database look as it did before there were sealed values.
async fn unseal(users: &Users, admin: &SignedIn) {
    let (keyring, mut owner) = (&users.context.keyring, users.owner().await);
    run(
        &mut owner,
        "alter table users.totp drop constraint totp_secret_is_sealed;
         alter table users.signing_key drop constraint signing_key_is_sealed;
         delete from users.sealing_key",
    )
    .await;
    let place = sealed::totp(users.first.organization_id, admin.id.parse().unwrap());
    let row = sqlx::query("select secret from users.totp").fetch_one(&mut owner).await.unwrap();
    let plain = keyring.open(&place, row.get(0)).unwrap();
    sqlx::query("update users.totp set secret = $1").bind(plain.expose()).execute(&mut owner).await.unwrap();
    let row =
        sqlx::query("select id, private_key from users.signing_key").fetch_one(&mut owner).await.unwrap();
    let place = Place { column: "users.signing_key.private_key", organization: None, row: row.get(0) };
    let plain = keyring.open(&place, row.get(1)).unwrap();
    let update = sqlx::query("update users.signing_key set private_key = $1").bind(plain.expose());
    update.execute(&mut owner).await.unwrap();
}

#[tokio::test]
async fn no_secret_stands_there_to_be_read_or_can_be_written_so() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let (secret, _) = enable(&users, &admin).await;
    let plain = totp_rs::Secret::try_from_base32(&secret).unwrap().as_bytes().to_vec();
    let (values, mark) = (values(&users).await, users.context.keyring.mark().unwrap());
    assert_eq!(values.len(), 2);
    for value in values {
        assert!(value.starts_with(&mark) && !value.windows(plain.len()).any(|part| part == plain));
    }
    let mut owner = users.owner().await;
    let totp = sqlx::query("update users.totp set secret = $1").bind(&plain).execute(&mut owner).await;
    assert!(totp.unwrap_err().to_string().contains("totp_secret_is_sealed"));
    let der = [0x30_u8; 48];
    let key = sqlx::query("update users.signing_key set private_key = $1").bind(&der[..]);
    assert!(key.execute(&mut owner).await.unwrap_err().to_string().contains("signing_key_is_sealed"));
}

#[tokio::test]
async fn what_stands_there_from_before_is_sealed_at_the_start_and_goes_on() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let (secret, _) = enable(&users, &admin).await;
    unseal(&users, &admin).await;
    let (mark, context) = (users.context.keyring.mark().unwrap(), users.context.clone());
    assert!(values(&users).await.iter().all(|value| !value.starts_with(&mark)));
    // Replicas that start at once take turns.
    let starts = [(); 3].map(|()| tokio::spawn(users::start(context.clone(), config())));
    for start in starts {
        drop(start.await.unwrap().unwrap());
    }
    assert!(values(&users).await.iter().all(|value| value.starts_with(&mark)));
    assert_eq!(sign_in(&users, &context, "admin@example.com", &secret, 1).await, 200);
    users.by(&admin, "GET", "/api/v1/me").send().await.expect(200);
    assert_eq!(users.event_types().await, ["session.started"]);
}

#[tokio::test]
async fn without_the_keys_in_use_nothing_starts_and_the_missing_one_is_named() {
    let users = Users::start().await;
    let used = users.context.keyring.ids()[0].to_string();
    let (other, none) = (Keyring::generate(), Keyring::default());
    let line = refused(&with(&users, &[&other])).await;
    assert!(line.contains(&used) && line.contains("RESERVAS_SEALING_KEYS"), "{line}");
    assert!(!line.contains(other.expose()), "{line}");
    let line = refused(&Context { keyring: none, ..users.context.clone() }).await;
    assert!(line.contains("RESERVAS_SEALING_KEYS"), "{line}");
}

#[tokio::test]
async fn of_replicas_with_different_keys_one_begins() {
    let users = Users::start().await;
    run(&mut users.owner().await, "delete from users.sealing_key; delete from users.signing_key").await;
    let tries: Vec<_> = (0..4)
        .map(|_| {
            let context = with(&users, &[&Keyring::generate()]);
            tokio::spawn(async move { SEALED.prepare(&context).await })
        })
        .collect();
    let mut refused = 0;
    for one in tries {
        refused += usize::from(matches!(one.await.unwrap(), Err(Unready::Keys(_))));
    }
    assert_eq!(refused, 3);
}

#[tokio::test]
async fn one_key_follows_another_and_the_old_one_can_be_taken_away() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let (secret, _) = enable(&users, &admin).await;
    // In another organization as well, out of reach of the first one's transactions.
    users.organization("other").await;
    let theirs = users.sign_in_at("other", "admin@example.com", PASSWORD).await;
    enable(&users, &theirs).await;
    let (new, old) = (Keyring::generate(), users.context.keyring.ids()[0].to_string());
    assert!(matches!(SEALED.reseal(&with(&users, &[&new])).await, Err(Unready::Keys(_))));
    let both = with(&users, &[&new, &users.sealing_key]);
    assert_eq!(sign_in(&users, &both, "admin@example.com", &secret, 1).await, 200);
    let done = SEALED.reseal(&both).await.unwrap();
    assert_eq!(done, Resealed { values: 3, retired: [old].into() });
    assert_eq!(SEALED.reseal(&both).await.unwrap(), Resealed { values: 0, retired: [].into() });
    let alone = with(&users, &[&new]);
    users.clock.advance(jiff::SignedDuration::from_secs(60));
    assert_eq!(sign_in(&users, &alone, "admin@example.com", &secret, 0).await, 200);
    assert!(refused(&users.context).await.contains(&alone.keyring.ids()[0].to_string()));
    assert_eq!(users.event_types().await, ["session.started", "session.started"]);
}

#[tokio::test]
async fn a_secret_that_is_moved_to_another_account_opens_nothing() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let bob = users.someone(&admin, "bob@example.com", Role::User).await;
    enable(&users, &admin).await;
    let (secret, _) = enable(&users, &bob).await;
    let statement =
        "update users.totp t set secret = o.secret from users.totp o where o.user_id = $1 and t.user_id = $2";
    let (bob, victim): (uuid::Uuid, uuid::Uuid) = (bob.id.parse().unwrap(), admin.id.parse().unwrap());
    let moved =
        sqlx::query(statement).bind(bob).bind(victim).execute(&mut users.owner().await).await.unwrap();
    assert_eq!(moved.rows_affected(), 1);
    let context = users.context.clone();
    assert_eq!(sign_in(&users, &context, "admin@example.com", &secret, 1).await, 500);
    assert_eq!(sign_in(&users, &context, "bob@example.com", &secret, 1).await, 200);
    assert_eq!(users.event_types().await, ["session.started"]);
}
