//! The OpenAPI document says of every operation what its clients need.

use serde_json::Value;

/// Operations that take no token.
const PUBLIC: [&str; 22] = [
    "register",
    "login",
    "second_factor_login",
    "begin_passkey_login",
    "passkey_login",
    "show_verify_email",
    "show_confirm_email",
    "show_accept_invitation",
    "show_reset_password",
    "refresh",
    "logout",
    "forgot_password",
    "reset_password",
    "issue_token",
    "get_key_set",
    "verify_email",
    "resend_verification",
    "accept_invitation",
    "confirm_email",
    "start_single_sign_on",
    "finish_single_sign_on",
    "redeem_single_sign_on",
];

#[test]
fn every_operation_is_described() {
    let document = serde_json::to_value(users::openapi()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let operations: Vec<&Value> =
        paths.values().flat_map(|path| path.as_object().unwrap().values()).collect();
    assert_eq!(operations.len(), 74);
    for operation in operations {
        let id = operation["operationId"].as_str().unwrap();
        assert!(operation["summary"].is_string() && operation["tags"].is_array(), "{id}");
        assert_eq!(operation.get("x-permission").is_none(), PUBLIC.contains(&id), "{id}");
    }
    assert!(!document.to_string().contains("/internal/"));
}

#[test]
fn limits_stand_in_the_document() {
    let document = serde_json::to_value(users::openapi()).unwrap();
    let password = &document["components"]["schemas"]["Register"]["properties"]["password"];
    assert_eq!((&password["maxLength"], &password["type"]), (&256.into(), &"string".into()), "{password}");
}
