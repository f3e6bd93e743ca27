//! Accounts out of a CSV file.

use kernel::Role;
use serde_json::{Value, json};

use crate::{SignedIn, Users, user};

impl Users {
    fn import(&self, who: &SignedIn, query: &str, file: impl Into<Vec<u8>>) -> testkit::Call {
        self.by(who, "POST", &format!("/api/v1/users/import{query}")).body("text/csv", file.into())
    }

    async fn imported(&self, who: &SignedIn, query: &str, file: &str) -> Value {
        self.import(who, query, file).send().await.expect(200).json()
    }
}

fn outcomes(report: &Value) -> Vec<(u64, &str)> {
    let lines = report["lines"].as_array().unwrap().iter();
    lines.map(|line| (line["line"].as_u64().unwrap(), line["outcome"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn valid_lines_go_in_and_the_others_are_named() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let file = "\u{feff}Email;Name;Role;Time_Zone;Shoe size\r\n\
        Ada@example.com;\"Lovelace; Ada \"\"A\"\"\";manager;Europe/London;38\r\n\
        nobody;X;boss;Europe/Atlantis;1\r\n\
        ada@EXAMPLE.com;Ada again;;;\r\n\
        bob@example.com;;;;\r\n\
        carl@example.com;Carl\r\n\
        dora@example.com;\"Dora\nMary\";;;\r\n\
        eve@example.com;Eve;;;\r\n";
    let dry = users.imported(&admin, "?dry_run=true", file).await;
    let expected = [
        (2, "created"),
        (3, "invalid"),
        (4, "invalid"),
        (5, "invalid"),
        (6, "invalid"),
        (7, "invalid"),
        (9, "created"),
    ];
    assert_eq!(outcomes(&dry), expected, "{dry:#}");
    assert_eq!(users.event_types().await, [""; 0]);
    let report = users.imported(&admin, "", file).await;
    assert_eq!(outcomes(&report), expected);
    assert_eq!(report["totals"], json!({"created": 2, "updated": 0, "unchanged": 0, "invalid": 5}));
    assert_eq!(report["unused_columns"], json!(["shoe size"]));
    let codes = |line: usize| -> Vec<(String, String)> {
        let errors = report["lines"][line]["errors"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        errors.map(|error| (text(&error["pointer"]), text(&error["code"]))).collect()
    };
    let pair = |pointer: &str, code: &str| (pointer.to_owned(), code.to_owned());
    assert_eq!(codes(1).len(), 3, "every cell that is wrong is named");
    assert_eq!(codes(2), [pair("/email", "duplicate_email")]);
    assert_eq!(codes(3), [pair("/name", "required")]);
    assert_eq!(codes(4), [pair("/", "wrong_cell_count")]);
    assert_eq!(codes(5), [pair("/name", "invalid_value")]);
    assert_eq!(users.event_types().await, ["user.created", "user.created"]);
    let ada = user(report["lines"][0]["id"].as_str().unwrap());
    let ada = users.by(&admin, "GET", &ada).send().await.expect(200).json();
    let said = (&ada["name"], &ada["role"], &ada["time_zone"], &ada["email_verified"]);
    assert_eq!(
        said,
        (&json!("Lovelace; Ada \"A\""), &json!("manager"), &json!("Europe/London"), &json!(true))
    );
}

#[tokio::test]
async fn a_line_with_a_known_address_changes_the_account() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let ada = users.someone(&admin, "ada@example.com", Role::User).await;
    let file = "email,name,role,active\nada@example.com,Ada King,manager,\nadmin@example.com,,user,\n";
    let report = users.imported(&admin, "", file).await;
    assert_eq!(outcomes(&report), [(2, "updated"), (3, "invalid")], "{report:#}");
    assert_eq!(report["lines"][1]["errors"][0]["code"], "last_administrator");
    let events = users.events().await;
    assert_eq!(
        events.iter().map(|event| event.data["fields"].clone()).collect::<Vec<_>>(),
        [json!(["name", "role"])]
    );
    let again = users.imported(&admin, "", "email,name\nada@example.com,Ada King\n").await;
    assert_eq!(outcomes(&again), [(2, "unchanged")]);
    let closed = users.imported(&admin, "", "email,active\nada@example.com,false\n").await;
    assert_eq!(outcomes(&closed), [(2, "updated")]);
    assert_eq!(users.event_types().await, ["user.changed", "session.ended"]);
    users.refresh(&ada.refresh).send().await.problem(401, "invalid_refresh_token");
}

#[tokio::test]
async fn a_file_that_cannot_be_read_changes_nothing() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let manager = users.someone(&admin, "m@example.com", Role::Manager).await;
    users
        .import(&admin, "", b"email,name\na@example.com,J\xfcrgen\n".to_vec())
        .send()
        .await
        .problem(422, "not_utf8");
    users.import(&admin, "", "name\nAda\n").send().await.problem(422, "invalid_input");
    users.import(&admin, "?dryrun=1", "email\n").send().await.problem(400, "invalid_query");
    users.import(&manager, "", "email\n").send().await.problem(403, "permission_required");
    let json = users.by(&admin, "POST", "/api/v1/users/import").json(json!([]));
    json.send().await.problem(415, "unsupported_media_type");
    let long: String = std::iter::once("email,name\n".to_owned())
        .chain((0..100_001).map(|n| format!("u{n}@example.com,U\n")))
        .collect();
    users.import(&admin, "", long).send().await.problem(422, "too_many_lines");
    let large = users.import(&admin, "", vec![b'a'; 16 * 1024 * 1024 + 1]);
    large.send().await.problem(413, "body_too_large");
}

#[tokio::test]
async fn a_large_file_goes_in_whole() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let file: String = std::iter::once("email,name\n".to_owned())
        .chain((0..2500).map(|n| format!("u{n}@example.com,User {n}\n")))
        .collect();
    let report = users.imported(&admin, "", &file).await;
    assert_eq!(report["totals"]["created"], 2500);
    assert_eq!(users.events().await.len(), 2500);
    let again = users.imported(&admin, "", &file).await;
    assert_eq!(again["totals"]["unchanged"], 2500);
}

#[tokio::test]
async fn groups_come_by_their_names_and_an_export_reads_back() {
    let users = Users::start().await;
    let admin = users.admin().await;
    let [physics, odd] = [users.group(&admin, "Physics").await, users.group(&admin, "A;B").await];
    users.event_types().await;
    let file =
        "email,name,groups\nada@example.com,=Ada,physics; A;;B \nbob@example.com,Bob,Physics;Chemistry\n";
    let dry = users.imported(&admin, "?dry_run=true", file).await;
    let report = users.imported(&admin, "", file).await;
    assert_eq!((outcomes(&dry), outcomes(&report)), (vec![(2, "created"), (3, "invalid")], outcomes(&dry)));
    assert_eq!(report["lines"][1]["errors"][0]["code"], "unknown_group");
    let created = users.events().await.remove(0);
    let both: std::collections::BTreeSet<&str> = [physics.as_str(), odd.as_str()].into();
    assert_eq!(created.data["account"]["groups"], json!(both));
    let export = async || users.by(&admin, "GET", "/api/v1/users/export").send().await.expect(200);
    let exported = export().await;
    assert_eq!(exported.header("content-type"), "text/csv; charset=utf-8");
    let text = String::from_utf8(exported.body.to_vec()).unwrap();
    assert!(text.starts_with("email,name,role,locale,time_zone,active,groups\n"), "{text}");
    assert!(
        text.lines()
            .any(|line| line.starts_with("ada@example.com,'=Ada,user,")
                && line.ends_with(",true,A;;B;Physics")),
        "{text}"
    );
    let again = users.imported(&admin, "", &text).await;
    assert_eq!(again["totals"], json!({"created": 0, "updated": 0, "unchanged": 2, "invalid": 0}));
    // The cell has all groups by hand; an empty one leaves them.
    users.imported(&admin, "", "email,groups\nada@example.com,Physics\n").await;
    let told = users.events().await.pop().unwrap();
    assert_eq!(
        (&told.data["fields"], &told.data["after"]["groups"]),
        (&json!(["groups"]), &json!([physics]))
    );
    let kept = users.imported(&admin, "", "email,groups\nada@example.com,\n").await;
    assert_eq!(outcomes(&kept), [(2, "unchanged")]);
    users.events().await;
}
