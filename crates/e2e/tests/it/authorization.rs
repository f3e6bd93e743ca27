//! Every operation of the document has a row: who may call it, and that nobody else may.

use std::collections::{BTreeMap, BTreeSet};

use kernel::Role::{self, Admin, Manager, User};
use serde_json::{Value, json};

use crate::client::{Client, Reply};
use crate::installation::Installation;
use crate::journey::afternoon;

/// An id that nothing has, for what the world holds none of.
const NOBODYS: &str = "01936f6e-0000-7000-8000-000000000000";

/// The least role that may call an operation; none for what is public. Written by hand, not read from the code.
const ROWS: &[(&str, Option<Role>)] = &[
    ("register", None),
    ("login", None),
    ("refresh", None),
    ("logout", None),
    ("get_key_set", None),
    ("second_factor_login", None),
    ("forgot_password", None),
    ("reset_password", None),
    ("issue_token", None),
    ("begin_passkey_login", None),
    ("passkey_login", None),
    ("show_verify_email", None),
    ("show_confirm_email", None),
    ("show_accept_invitation", None),
    ("show_reset_password", None),
    ("begin_step_up", Some(User)),
    ("begin_passkey", Some(User)),
    ("add_passkey", Some(User)),
    ("list_passkeys", Some(User)),
    ("remove_passkey", Some(User)),
    ("start_single_sign_on", None),
    ("finish_single_sign_on", None),
    ("redeem_single_sign_on", None),
    ("step_up_single_sign_on", Some(User)),
    ("link_single_sign_on", Some(User)),
    ("get_single_sign_on", Some(Admin)),
    ("put_single_sign_on", Some(Admin)),
    ("delete_single_sign_on", Some(Admin)),
    ("unlink_single_sign_on", Some(Admin)),
    ("step_up", Some(User)),
    ("list_sessions", Some(User)),
    ("end_session", Some(User)),
    ("end_other_sessions", Some(User)),
    ("start_totp", Some(User)),
    ("confirm_totp", Some(User)),
    ("replace_recovery_codes", Some(User)),
    ("disable_second_factor", Some(User)),
    ("get_sign_in_policy", Some(Manager)),
    ("put_sign_in_policy", Some(Admin)),
    ("list_api_keys", Some(User)),
    ("create_api_key", Some(User)),
    ("revoke_api_key", Some(User)),
    ("create_service_account", Some(Admin)),
    ("get_me", Some(User)),
    ("update_me", Some(User)),
    ("delete_me", Some(User)),
    ("export_me", Some(User)),
    ("export_user", Some(Admin)),
    ("change_email", Some(User)),
    ("confirm_email", None),
    ("change_password", Some(User)),
    ("verify_email", None),
    ("resend_verification", None),
    ("accept_invitation", None),
    ("list_invitations", Some(Admin)),
    ("create_invitation", Some(Admin)),
    ("revoke_invitation", Some(Admin)),
    ("get_organization", Some(Admin)),
    ("update_organization", Some(Admin)),
    ("list_users", Some(Manager)),
    ("get_user", Some(Manager)),
    ("create_user", Some(Admin)),
    ("import_users", Some(Admin)),
    ("export_users", Some(Admin)),
    ("update_user", Some(Admin)),
    ("delete_user", Some(Admin)),
    ("list_resource_types", Some(User)),
    ("create_resource_type", Some(Manager)),
    ("get_resource_type", Some(User)),
    ("list_locations", Some(User)),
    ("create_location", Some(Manager)),
    ("get_location", Some(User)),
    ("list_amenities", Some(User)),
    ("create_amenity", Some(Manager)),
    ("get_amenity", Some(User)),
    ("list_resources", Some(User)),
    ("create_resource", Some(Manager)),
    ("get_resource", Some(User)),
    ("update_resource", Some(Manager)),
    ("retire_resource", Some(Manager)),
    ("import_resources", Some(Manager)),
    ("list_bookings", Some(User)),
    ("create_booking", Some(User)),
    ("get_booking", Some(User)),
    ("move_booking", Some(User)),
    ("confirm_booking", Some(User)),
    ("cancel_booking", Some(User)),
    ("check_in", Some(User)),
    ("check_out", Some(User)),
    ("get_booking_history", Some(User)),
    ("search_availability", Some(User)),
    ("get_free_busy", Some(User)),
    ("get_rules", Some(User)),
    ("list_rule_versions", Some(Manager)),
    ("get_effective_policy", Some(User)),
    ("put_rules", Some(Manager)),
    ("update_booking", Some(User)),
    ("reinstate_booking", Some(User)),
    ("transfer_booking", Some(User)),
    ("swap_bookings", Some(User)),
    ("approve_booking", Some(User)),
    ("reject_booking", Some(User)),
    ("list_approvals", Some(User)),
    ("list_delegations", Some(User)),
    ("create_delegation", Some(User)),
    ("end_delegation", Some(User)),
    ("list_blackouts", Some(User)),
    ("create_blackout", Some(Manager)),
    ("remove_blackout", Some(Manager)),
    ("list_series", Some(User)),
    ("create_series", Some(User)),
    ("preview_series", Some(User)),
    ("get_series", Some(User)),
    ("change_series", Some(User)),
    ("cancel_series", Some(User)),
    ("list_waitlist", Some(User)),
    ("join_waitlist", Some(User)),
    ("leave_waitlist", Some(User)),
    ("get_next_free", Some(User)),
    ("get_calendar", Some(User)),
    ("watch_live", Some(User)),
    ("try_policy", Some(User)),
    ("get_credits", Some(User)),
    ("grant_credit", Some(Manager)),
    ("list_groups", Some(Manager)),
    ("create_group", Some(Admin)),
    ("delete_group", Some(Admin)),
    ("put_group_rule", Some(Admin)),
    ("delete_group_rule", Some(Admin)),
    ("add_member", Some(Admin)),
    ("remove_member", Some(Admin)),
    ("list_conflicts", Some(Manager)),
    ("resolve_conflict", Some(Manager)),
    ("get_audit", Some(Admin)),
    ("get_users_audit", Some(Admin)),
    ("get_resources_audit", Some(Admin)),
    ("get_report", Some(Manager)),
    ("list_notifications", Some(User)),
    ("get_notification_statistics", Some(Admin)),
    ("watch_notifications", Some(User)),
    ("get_unread", Some(User)),
    ("mark_read", Some(User)),
    ("list_dead_letters", Some(Admin)),
    ("replay_dead_letters", Some(Admin)),
    ("replay_dead_letter", Some(Admin)),
    ("list_attempts", Some(Admin)),
    ("list_suppressions", Some(Admin)),
    ("add_suppression", Some(Admin)),
    ("remove_suppression", Some(Admin)),
    ("list_message_templates", Some(Admin)),
    ("get_message_template", Some(Admin)),
    ("put_message_template", Some(Admin)),
    ("remove_message_template", Some(Admin)),
    ("preview_message_template", Some(Admin)),
    ("test_message_template", Some(Admin)),
    ("get_preferences", Some(User)),
    ("put_preferences", Some(User)),
    ("get_preference_rules", Some(Admin)),
    ("put_preference_rules", Some(Admin)),
    ("unsubscribe", None),
    ("hear_sendgrid", None),
    ("hear_ses", None),
    ("hear_twilio", None),
    ("get_phone", Some(User)),
    ("put_phone", Some(User)),
    ("remove_phone", Some(User)),
    ("verify_phone", Some(User)),
    ("list_devices", Some(User)),
    ("add_device", Some(User)),
    ("remove_device", Some(User)),
    ("get_web_push_key", Some(User)),
    ("list_webhooks", Some(Admin)),
    ("create_webhook", Some(Admin)),
    ("get_webhook", Some(Admin)),
    ("update_webhook", Some(Admin)),
    ("remove_webhook", Some(Admin)),
    ("rotate_webhook_secret", Some(Admin)),
    ("test_webhook", Some(Admin)),
    ("list_webhook_deliveries", Some(Admin)),
    ("get_webhook_delivery", Some(Admin)),
    ("redeliver_webhook", Some(Admin)),
    ("get_schedule", Some(User)),
    ("get_dashboard", Some(User)),
    ("get_resource_page", Some(User)),
];

struct Operation {
    id: String,
    method: String,
    path: String,
}

/// The operations of the document that the gateway serves.
async fn operations(client: &Client) -> Vec<Operation> {
    let document = client.get("/api/openapi.json").await.expect(200);
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(|(method, operation)| Operation {
            id: operation["operationId"].as_str().unwrap().to_owned(),
            method: method.to_uppercase(),
            path: path.clone(),
        })
    });
    operations.collect()
}

/// Two organizations, the first with something of everything.
struct World {
    installation: Installation,
    /// By role, in the first organization.
    people: BTreeMap<Role, Client>,
    /// The administrator of the second.
    stranger: Client,
    /// An id of the first organization for each collection with ids in its paths.
    ids: BTreeMap<&'static str, String>,
}

impl World {
    async fn start() -> Self {
        let installation = Installation::on_database().await;
        let admin = installation.admin().await;
        let password = "a password of many words";
        let manager = json!({ "email": "manager@example.com", "password": password, "name": "Manager", "role": "manager" });
        let manager_id =
            admin.post("/api/v1/users", manager).await.expect(201)["id"].as_str().unwrap().to_owned();
        let manager = installation.client().sign_in("manager@example.com", password).await;
        let user = installation.client().register("user@example.com", "User").await;
        let (email, password) = installation.create_organization("beta").await;
        let credentials = json!({ "email": email, "password": password, "organization": "beta" });
        let stranger = installation.client().sign_in_with(credentials).await;
        let create = async |collection: &str, body: Value| {
            let created = admin.post(&format!("/api/v1/{collection}"), body).await.expect(201);
            created["id"].as_str().unwrap().to_owned()
        };
        let kind = create("resource-types", json!({ "name": "room" })).await;
        let amenity = create("amenities", json!({ "name": "projector" })).await;
        let location = create("locations", json!({ "name": "Campus", "kind": "site" })).await;
        let room = json!({ "name": "Ada", "type": "room", "seats": 8, "time_zone": "Europe/Lisbon" });
        let room = create("resources", room).await;
        let booking =
            json!({ "resource_id": room, "starts_at": afternoon("14:00"), "ends_at": afternoon("15:00") });
        let booking =
            user.post("/api/v1/bookings", booking).await.expect(201)["id"].as_str().unwrap().to_owned();
        let ids = BTreeMap::from([
            ("users", manager_id),
            ("resource-types", kind),
            ("amenities", amenity),
            ("locations", location),
            ("resources", room),
            ("bookings", booking),
        ]);
        Self {
            installation,
            people: BTreeMap::from([(User, user), (Manager, manager), (Admin, admin)]),
            stranger,
            ids,
        }
    }

    /// Calls an operation on something of the first organization, with a body that says nothing and a version that
    /// nothing has: what may be called is refused for that, and changes nothing.
    async fn call(&self, operation: &Operation, client: &Client) -> Reply {
        let collection = operation.path.split('/').nth(3).unwrap_or_default();
        let id = self.ids.get(collection).map_or(NOBODYS, String::as_str);
        let path = operation.path.replace("{id}", id).replace("{user_id}", NOBODYS);
        // No event has this id: what would stay open is refused.
        let request = client.request(&operation.method, &path).header("last-event-id", "none");
        let mut request = request.header("if-match", "\"999\"");
        if operation.method != "GET" && operation.method != "DELETE" {
            request = request.json(&least_body(&operation.id));
        }
        client.send(request).await
    }
}

/// The least that an operation must be told before it looks at whom and what it is about.
fn least_body(operation: &str) -> Value {
    match operation {
        "put_rules" => json!({ "scope": "resource" }),
        "transfer_booking" => json!({ "user_id": NOBODYS }),
        "put_group_rule" => json!({ "email_domains": ["example.com"] }),
        "put_message_template" | "preview_message_template" => {
            json!({ "subject": "x", "text": "x", "html": "x" })
        }
        "mark_read" => json!({ "until": NOBODYS }),
        "swap_bookings" => json!({ "with": NOBODYS }),
        "resolve_conflict" => json!({ "note": "Settled" }),
        "change_series" => json!({ "title": "Team" }),
        _ => json!({}),
    }
}

#[tokio::test]
async fn every_operation_is_for_those_who_may_and_nobody_else() {
    let world = World::start().await;
    let anonymous = world.installation.client();
    let operations = operations(&anonymous).await;
    let rows: BTreeMap<_, _> = ROWS.iter().copied().collect();
    let known: BTreeSet<_> = operations.iter().map(|operation| operation.id.as_str()).collect();
    assert_eq!(known, rows.keys().copied().collect(), "each operation has a row, and each row an operation");
    for operation in &operations {
        let Some(least) = rows[operation.id.as_str()] else {
            continue;
        };
        assert_eq!(world.call(operation, &anonymous).await.status, 401, "{} without a token", operation.id);
        for (role, person) in &world.people {
            let status = world.call(operation, person).await.status.as_u16();
            if *role < least {
                assert_eq!(status, 403, "{} as {role:?}", operation.id);
            } else {
                assert!(
                    ![401, 403, 405].contains(&status) && status < 500,
                    "{} as {role:?}: {status}",
                    operation.id
                );
            }
        }
    }
}

#[tokio::test]
async fn nothing_of_one_organization_is_visible_to_another() {
    let world = World::start().await;
    let anonymous = world.installation.client();
    let window = format!("?from={}&to={}", afternoon("13:00"), afternoon("18:00"));
    for mut operation in operations(&anonymous).await {
        let names_one = operation.path.contains("{id}");
        if operation.path.ends_with("/next-free") {
            operation.path += "?duration_minutes=60";
        }
        if operation.path.ends_with("/availability") || operation.path.ends_with("/free-busy") {
            operation.path += &window;
        }
        let reply = world.call(&operation, &world.stranger).await;
        if names_one {
            reply.problem(404, "not_found");
        } else {
            let text = reply.body.to_string();
            let leaked: Vec<_> = world.ids.iter().filter(|(_, id)| text.contains(id.as_str())).collect();
            assert!(leaked.is_empty(), "{} shows {leaked:?}", operation.id);
        }
    }
    // What is unique is so within an organization: the same names again are no conflict, and no hint.
    let stranger = &world.stranger;
    stranger.post("/api/v1/resource-types", json!({ "name": "room" })).await.expect(201);
    let room = json!({ "name": "Ada", "type": "room", "seats": 8, "time_zone": "Europe/Lisbon" });
    stranger.post("/api/v1/resources", room).await.expect(201);
    let foreign = json!({ "resource_id": world.ids["resources"], "starts_at": afternoon("16:00"), "ends_at": afternoon("17:00") });
    let refused = stranger.post("/api/v1/bookings", foreign).await.problem(422, "invalid_input");
    assert_eq!(refused["errors"][0]["code"], "not_found");
    let admin = &world.people[&Admin];
    let mine: Value = admin.get("/api/v1/resources").await.expect(200);
    assert_eq!(mine["items"].as_array().unwrap().len(), 1);
}
