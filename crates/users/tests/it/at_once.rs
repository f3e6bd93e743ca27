//! What happens while something else does: imports, changes of role, the feed of what was revoked, what has run out.

use std::time::Duration;

use jiff::SignedDuration;
use kernel::{Role, SessionId};
use platform::auth::revocations::Worth;
use platform::db::Tx;
use serde_json::{Value, json};
use users::store::leftovers;
use uuid::Uuid;

use crate::sessions::elsewhere;
use crate::{SignedIn, Users, user};

impl Users {
    /// A transaction that has changed a row of the first organization and did not end yet.
    async fn held(&self, change: &'static str, id: &str) -> Tx {
        let mut tx = self.context.db.begin(self.first.organization_id).await.unwrap();
        let done = sqlx::query(change).bind(id.parse::<Uuid>().unwrap()).execute(&mut *tx).await.unwrap();
        assert_eq!(done.rows_affected(), 1);
        tx
    }

    /// Until somebody waits for a lock.
    async fn somebody_waits(&self) {
        let waiting = "select exists (select from pg_stat_activity
                       where datname = current_database() and wait_event_type = 'Lock')";
        let mut tick = tokio::time::interval(Duration::from_millis(5));
        for _ in 0..2000 {
            tick.tick().await;
            if sqlx::query_scalar::<_, bool>(waiting).fetch_one(&mut self.owner().await).await.unwrap() {
                return;
            }
        }
        unreachable!("nobody waits for a lock");
    }

    fn import_csv(&self, who: &SignedIn, query: &str, file: String) -> testkit::Call {
        self.by(who, "POST", &format!("/api/v1/users/import{query}")).body("text/csv", file)
    }

    async fn count(&self, table: &str) -> i64 {
        let mut tx = self.context.db.begin(self.first.organization_id).await.unwrap();
        let query = sqlx::AssertSqlSafe(format!("select count(*) from users.{table}"));
        sqlx::query_scalar(query).fetch_one(&mut *tx).await.unwrap()
    }
}

const TOUCH: &str = "update users.account set name = name where id = $1";

#[tokio::test]
async fn a_dry_run_waits_for_nobody() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let bob = users.someone(&admin, "bob@example.com", Role::User).await;
    let held = users.held(TOUCH, &bob.id).await;
    let file = "email,active\nbob@example.com,false\n".to_owned();
    let report = users.import_csv(&admin, "?dry_run=true", file).send().await.expect(200).json();
    assert_eq!(report["lines"][0]["outcome"], "updated");
    held.commit().await.unwrap();
}

#[tokio::test]
async fn a_dry_run_tells_who_would_be_the_last_administrator() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let eve = users.someone(&admin, "eve@example.com", Role::Admin).await;
    let lines = (0..1000).map(|n| format!("p{n}@example.com,P,user\n")).collect::<String>();
    let file = format!(
        "email,name,role\neve@example.com,,user\n{lines}admin@example.com,,user\nz@example.com,Z,admin\n"
    );
    let dry = users.import_csv(&admin, "?dry_run=true", file.clone()).send().await.expect(200).json();
    assert_eq!(dry["totals"], json!({"created": 1001, "updated": 1, "unchanged": 0, "invalid": 1}));
    let real = users.import_csv(&eve, "", file).send().await.expect(200).json();
    assert_eq!(real["totals"], dry["totals"], "across the lines of one transaction");
    let outcomes = |report: &Value| -> Vec<Value> {
        report["lines"].as_array().unwrap().iter().map(|line| line["outcome"].clone()).collect()
    };
    assert_eq!(outcomes(&real), outcomes(&dry));
    assert_eq!(real["lines"][1001]["errors"][0]["code"], "last_administrator");
    assert_eq!(users.event_types().await.len(), 1002);
}

#[tokio::test]
async fn whom_a_slow_import_closes_out_is_out_everywhere() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let bob = users.someone(&admin, "bob@example.com", Role::User).await;
    let (verifier, revocations) = elsewhere(&users).await;
    verifier.verify(&bob.access).await.unwrap();
    let held = users.held(TOUCH, &bob.id).await;
    let file = "email,active\nbob@example.com,false\n".to_owned();
    let import = tokio::spawn(users.import_csv(&admin, "", file).send());
    users.somebody_waits().await;
    users.clock.advance(SignedDuration::from_mins(2));
    revocations.step(users.now()).await.unwrap();
    held.commit().await.unwrap();
    import.await.unwrap().expect(200);
    revocations.step(users.now()).await.unwrap();
    assert_eq!(verifier.verify(&bob.access).await.unwrap_err().code, "session_ended");
    assert_eq!(users.event_types().await, ["user.changed", "session.ended"]);
}

#[tokio::test]
async fn a_token_minted_while_a_role_is_taken_away_counts_no_more() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let eve = users.someone(&admin, "eve@example.com", Role::Admin).await;
    let (_, revocations) = elsewhere(&users).await;
    let mut tx = users.context.db.begin(users.first.organization_id).await.unwrap();
    let session = sqlx::query_scalar::<_, Uuid>("select id from users.session where user_id = $1");
    let session = session.bind(eve.id.parse::<Uuid>().unwrap()).fetch_one(&mut *tx).await.unwrap();
    drop(tx);
    // As a refresh does, which has read the role that is about to change.
    let held = users.held("update users.session set agent = agent where id = $1", &session.to_string()).await;
    let before = users.by(&admin, "GET", &user(&eve.id)).send().await.expect(200);
    let change = users.by(&admin, "PATCH", &user(&eve.id)).json(json!({"role": "user"}));
    let change = tokio::spawn(change.header("if-match", before.header("etag")).send());
    users.somebody_waits().await;
    users.clock.advance(SignedDuration::from_secs(5));
    let minted = users.now().as_second();
    held.commit().await.unwrap();
    change.await.unwrap().expect(200);
    revocations.step(users.now()).await.unwrap();
    let session = SessionId(session);
    assert_eq!(revocations.find(session, minted), Some(Worth::Outdated));
    assert_eq!(revocations.find(session, minted + 1), None);
    assert_eq!(users.event_types().await, ["user.changed"]);
}

#[tokio::test]
async fn all_that_ended_at_one_instant_is_told() {
    let users = Users::start().await;
    let (_, revocations) = elsewhere(&users).await;
    let ids: Vec<Uuid> = (0..20_050).map(|_| SessionId::mint().0).collect();
    let mut tx = users.context.db.begin(users.first.organization_id).await.unwrap();
    sqlx::query(
        "insert into users.session (organization_id, id, user_id, created_at, expires_at, ended_at, last_seen_at,
                                    idle_until, remembered, authenticated_at, second_factor)
         select $1, id, $2, $3, $3 + interval '1 day', $3, $3, $3, false, $3, false from unnest($4::uuid[]) as t (id)",
    )
    .bind(users.first.organization_id.0)
    .bind(users.first.user_id.0)
    .bind(jiff_sqlx::ToSqlx::to_sqlx(users.now()))
    .bind(&ids)
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    for _ in 0..2 {
        revocations.step(users.now()).await.unwrap();
        let told = ids.iter().filter(|id| revocations.find(SessionId(**id), 0) == Some(Worth::Ended)).count();
        assert_eq!(told, ids.len());
    }
}

#[tokio::test]
async fn what_has_run_out_is_deleted_and_nothing_else() {
    let users = Users::start().await;
    let admin = users.admin().await;
    users.refresh(&admin.refresh).send().await.expect(200);
    let invitation = json!({"email": "bob@example.com", "name": "Bob", "role": "user"});
    users.by(&admin, "POST", "/api/v1/invitations").json(invitation).send().await.expect(201);
    assert_eq!(users.event_types().await, ["invitation.created", "letter.requested"]);
    let mut tx = users.context.db.begin(users.first.organization_id).await.unwrap();
    sqlx::query(
        "insert into users.spent_challenge (organization_id, challenge, expires_at) values ($1, '\\x00000000000000000000000000000000', $2)",
    )
    .bind(users.first.organization_id.0)
    .bind(jiff_sqlx::ToSqlx::to_sqlx(users.now()))
    .execute(&mut *tx)
    .await
    .unwrap();
    sqlx::query(
        "insert into users.sign_on_flow (organization_id, id, purpose, stage, hash, issuer, remember, second_factor, created_at, expires_at)
         values ($1, gen_random_uuid(), 'sign_in', 'asked', sha256('x'), 'https://id.example.com', false, false, $2, $2)",
    )
    .bind(users.first.organization_id.0)
    .bind(jiff_sqlx::ToSqlx::to_sqlx(users.now()))
    .execute(&mut *tx)
    .await
    .unwrap();
    tx.commit().await.unwrap();
    let prune = async || leftovers::prune(&users.context.db, users.now()).await.unwrap();
    prune().await;
    assert_eq!((users.count("spent_challenge").await, users.count("sign_on_flow").await), (1, 1));
    assert_eq!(
        (users.count("session").await, users.count("refresh_token").await, users.count("invitation").await),
        (1, 2, 1)
    );
    users.clock.advance(SignedDuration::from_hours(24 * 2));
    prune().await;
    assert_eq!(
        (users.count("session").await, users.count("refresh_token").await, users.count("invitation").await),
        (0, 0, 1)
    );
    assert_eq!((users.count("spent_challenge").await, users.count("sign_on_flow").await), (0, 0));
    users.clock.advance(SignedDuration::from_hours(24 * 7));
    prune().await;
    assert_eq!((users.count("invitation").await, users.count("letter").await), (0, 0));
}

#[tokio::test]
async fn a_session_is_continued_thirty_times_a_minute_at_most() {
    let users = Users::start().await;
    let mut token = users.admin().await.refresh;
    for _ in 1..30 {
        let next = users.refresh(&token).send().await.expect(200).json();
        token = next["refresh_token"].as_str().unwrap().to_owned();
    }
    users.refresh(&token).send().await.problem(429, "too_many_refreshes");
    users.clock.advance(SignedDuration::from_mins(1));
    users.refresh(&token).send().await.expect(200);
}

#[tokio::test]
async fn of_invitations_of_one_address_at_once_the_last_counts() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let invite = || {
        let body = json!({"email": "bob@example.com", "name": "Bob", "role": "user"});
        users.by(&admin, "POST", "/api/v1/invitations").json(body)
    };
    let calls: Vec<_> = (0..6).map(|_| tokio::spawn(invite().send())).collect();
    for call in calls {
        call.await.unwrap().expect(201);
    }
    let list = users.by(&admin, "GET", "/api/v1/invitations").send().await.expect(200).json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    assert_eq!(users.event_types().await.len(), 12, "an invitation and a letter each");
}
