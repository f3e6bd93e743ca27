//! What no passkey opens: other pages, other accounts, other organizations, what was shown before, what nobody verified.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use kernel::Role;
use serde_json::{Value, json};

use crate::device::{Device, HERE};
use crate::{PASSWORD, SignedIn, Users};

const REFUSED: (u16, &str) = (401, "invalid_passkey");

async fn refused(users: &Users, ceremony: &Value, credential: &Value) {
    users.show(ceremony, credential).send().await.problem(REFUSED.0, REFUSED.1);
}

#[tokio::test]
async fn an_answer_counts_once_however_many_show_it() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let (mut device, _) = users.enrol(&admin).await;
    let (ceremony, options) = users.begin_login().await;
    let signed = device.sign(HERE, &options);
    let calls = [(); 4].map(|()| tokio::spawn(users.show(&ceremony, &signed).send()));
    let mut taken = 0;
    for call in calls {
        taken += u32::from(call.await.unwrap().status == 200);
    }
    assert_eq!((taken, users.event_types().await), (1, vec!["session.started".to_owned()]));
    refused(&users, &ceremony, &signed).await;
    // Nor is a registration taken again.
    let mut device = Device::new();
    let (ceremony, options) = users.begin_passkey(&admin).await;
    let made = device.make(HERE, &options);
    users.add(&admin, &ceremony, &made).send().await.expect(201);
    users.add(&admin, &ceremony, &made).send().await.problem(REFUSED.0, REFUSED.1);
    assert_eq!(users.event_types().await, ["user.second_factor_changed"]);
    // Nor a passkey that an account has, to another challenge.
    let (ceremony, options) = users.begin_passkey(&admin).await;
    let known = options["excludeCredentials"].as_array().unwrap();
    assert_eq!(known.len(), 2);
    let id = device.passkey().id;
    let mut copy = Device::new();
    let made = copy.make_as(id, HERE, &options);
    users.add(&admin, &ceremony, &made).send().await.problem(409, "passkey_taken");
}

#[tokio::test]
async fn an_answer_is_to_its_challenge_for_five_minutes() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let (mut device, _) = users.enrol(&admin).await;
    let (ceremony, options) = users.begin_login().await;
    let (another, _) = users.begin_login().await;
    let signed = device.sign(HERE, &options);
    refused(&users, &another, &signed).await;
    let text = ceremony.as_str().unwrap();
    for tampered in [json!("x"), json!(format!("{}A", &text[..text.len() - 1])), json!(&text[4..])] {
        refused(&users, &tampered, &signed).await;
    }
    users.clock.advance(SignedDuration::from_mins(5));
    refused(&users, &ceremony, &signed).await;
}

#[tokio::test]
async fn another_page_or_another_name_is_refused() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let (mut device, _) = users.enrol(&admin).await;
    // A page below ours may ask for our passkeys; we do not take what it gets.
    let (ceremony, options) = users.begin_login().await;
    let signed = device.sign("https://evil.booking.example.edu", &options);
    refused(&users, &ceremony, &signed).await;
    let (ceremony, mut options) = users.begin_login().await;
    options["rpId"] = json!("example.edu");
    let signed = device.sign(HERE, &options);
    refused(&users, &ceremony, &signed).await;
    let mut device = Device::new();
    let (ceremony, options) = users.begin_passkey(&admin).await;
    let made = device.make("https://evil.booking.example.edu", &options);
    users.add(&admin, &ceremony, &made).send().await.problem(REFUSED.0, REFUSED.1);
    let (ceremony, mut options) = users.begin_passkey(&admin).await;
    options["rp"]["id"] = json!("example.edu");
    let made = device.make(HERE, &options);
    users.add(&admin, &ceremony, &made).send().await.problem(REFUSED.0, REFUSED.1);
}

#[tokio::test]
async fn without_a_finger_nothing_is_taken() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let mut careless = Device::unverified();
    let (ceremony, mut options) = users.begin_passkey(&admin).await;
    options["authenticatorSelection"]["userVerification"] = json!("discouraged");
    let made = careless.make(HERE, &options);
    users.add(&admin, &ceremony, &made).send().await.problem(REFUSED.0, REFUSED.1);
    let (mut device, _) = users.enrol(&admin).await;
    careless.take_from(&mut device);
    let (ceremony, mut options) = users.begin_login().await;
    options["userVerification"] = json!("discouraged");
    let signed = careless.sign(HERE, &options);
    refused(&users, &ceremony, &signed).await;
}

#[tokio::test]
async fn a_copy_shows_by_its_counter() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let (mut device, _) = users.enrol(&admin).await;
    for _ in 0..3 {
        users.sign_in_with(&mut device).await.expect(200);
    }
    device.passkey().counter = 1;
    users.sign_in_with(&mut device).await.problem(REFUSED.0, REFUSED.1);
    device.passkey().counter = 100;
    users.sign_in_with(&mut device).await.expect(200);
    assert_eq!(users.event_types().await, ["session.started"; 4]);
}

#[tokio::test]
async fn what_is_signed_cannot_be_changed() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let (mut device, _) = users.enrol(&admin).await;
    let (ceremony, options) = users.begin_login().await;
    let signed = device.sign(HERE, &options);
    for member in ["authenticatorData", "signature", "userHandle", "clientDataJSON"] {
        let mut changed = signed.clone();
        let text = changed["response"][member].as_str().unwrap();
        let mut bytes = URL_SAFE_NO_PAD.decode(text).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        changed["response"][member] = json!(URL_SAFE_NO_PAD.encode(bytes));
        refused(&users, &ceremony, &changed).await;
    }
    for nothing in [json!({}), json!(null), json!([1]), json!({"id": "x", "response": {}})] {
        refused(&users, &ceremony, &nothing).await;
    }
    users.show(&ceremony, &signed).send().await.expect(200);
    assert_eq!(users.event_types().await, ["session.started"]);
}

/// The account's handle, as a device keeps it.
fn handle(organization: &str, user: &str) -> Vec<u8> {
    let bytes = |text: &str| text.parse::<uuid::Uuid>().unwrap().into_bytes();
    [bytes(organization), bytes(user)].concat()
}

#[tokio::test]
async fn anothers_passkey_is_no_proof_of_ones_own() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let (_, _) = users.enrol(&admin).await;
    let bob = users.someone(&admin, "bob@example.com", Role::User).await;
    let (mut his, _) = users.enrol(&bob).await;
    let first = users.login("default", "admin@example.com", PASSWORD).send().await;
    let problem = first.problem(403, "second_factor_required");
    let organization = users.first.organization_id.to_string();
    for owner in [&bob.id, &admin.id] {
        his.passkey().user_handle = handle(&organization, owner);
        let signed = his.sign(HERE, &problem["passkey"]["options"]);
        let passkey = json!({"ceremony": problem["passkey"]["ceremony"], "credential": signed});
        let body = json!({"challenge": problem["challenge"], "passkey": passkey});
        let second = users.call("POST", "/api/v1/auth/second-factor").json(body);
        second.send().await.problem(REFUSED.0, REFUSED.1);
    }
    // Nor does an answer count for another purpose or session than it was asked for.
    his.passkey().user_handle = handle(&organization, &bob.id);
    let step_up = async |who: &SignedIn, (ceremony, options): (Value, Value), device: &mut Device| {
        let signed = device.sign(HERE, &options);
        let body = json!({"passkey": {"ceremony": ceremony, "credential": signed}});
        users.by(who, "POST", "/api/v1/auth/step-up").json(body).send().await
    };
    let begun = users.begin_login().await;
    step_up(&bob, begun, &mut his).await.problem(REFUSED.0, REFUSED.1);
    let begun = users.options(users.by(&admin, "POST", "/api/v1/auth/step-up/options")).await;
    step_up(&bob, begun, &mut his).await.problem(REFUSED.0, REFUSED.1);
    let begun = users.options(users.by(&bob, "POST", "/api/v1/auth/step-up/options")).await;
    step_up(&bob, begun, &mut his).await.expect(200);
}

#[tokio::test]
async fn another_organization_has_nothing_of_it() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let (mut device, added) = users.enrol(&admin).await;
    let other = users.organization("other").await;
    let there = users.sign_in_at("other", "admin@example.com", PASSWORD).await;
    let path = format!("/api/v1/me/passkeys/{}", added["id"].as_str().unwrap());
    users.by(&there, "DELETE", &path).send().await.problem(404, "not_found");
    let list = users.by(&there, "GET", "/api/v1/me/passkeys").send().await.expect(200).json();
    assert_eq!(list["items"], json!([]));
    // The same device, told that it is of an account there.
    let mine = device.passkey().user_handle.clone();
    device.passkey().user_handle = handle(&other.organization_id.to_string(), &there.id);
    users.sign_in_with(&mut device).await.problem(REFUSED.0, REFUSED.1);
    device.passkey().user_handle = mine;
    let (ceremony, options) = users.options(users.by(&there, "POST", "/api/v1/auth/step-up/options")).await;
    let signed = device.sign(HERE, &options);
    let body = json!({"passkey": {"ceremony": ceremony, "credential": signed}});
    users.by(&there, "POST", "/api/v1/auth/step-up").json(body).send().await.problem(REFUSED.0, REFUSED.1);
}

#[tokio::test]
async fn a_closed_account_or_organization_lets_nobody_in() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let bob = users.someone(&admin, "bob@example.com", Role::User).await;
    let (mut his, _) = users.enrol(&bob).await;
    let (mut mine, _) = users.enrol(&admin).await;
    let close = users.by(&admin, "PATCH", &crate::user(&bob.id)).header("if-match", "*");
    close.json(json!({"active": false})).send().await.expect(200);
    users.sign_in_with(&mut his).await.problem(REFUSED.0, REFUSED.1);
    let events = users.event_types().await;
    assert_eq!(events, ["user.changed", "session.ended"]);
    users::set_active(&users.context, "default", false).await.unwrap();
    assert_eq!(users.event_types().await, ["organization.changed"]);
    users.sign_in_with(&mut mine).await.problem(REFUSED.0, REFUSED.1);
    let removed = users.by(&admin, "DELETE", &crate::user(&bob.id)).header("if-match", "*");
    removed.send().await.expect(204);
    let left = sqlx::query_scalar::<_, i64>("select count(*) from users.passkey where user_id = $1");
    let bob: uuid::Uuid = bob.id.parse().unwrap();
    assert_eq!(left.bind(bob).fetch_one(&mut users.owner().await).await.unwrap(), 0);
    assert_eq!(users.event_types().await, ["user.removed"]);
}
