//! What a client can find out of the server (RFC 7643, sections 5 to 7; RFC 7644, section 4).

use serde_json::{Value, json};

use super::{ENTERPRISE, GROUP, MOST_RESULTS, USER};

/// What of SCIM there is.
#[must_use]
pub fn provider() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": {"supported": true},
        "bulk": {"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": true, "maxResults": MOST_RESULTS},
        "changePassword": {"supported": false},
        "sort": {"supported": false},
        "etag": {"supported": true},
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "Bearer token",
            "description": "client_id.client_secret of an API key with users.manage and groups.manage, or its access token",
            "specUri": "https://www.rfc-editor.org/info/rfc6750",
            "primary": true
        }],
        "meta": {"resourceType": "ServiceProviderConfig", "location": "/scim/v2/ServiceProviderConfig"}
    })
}

/// The sorts of resources.
#[must_use]
pub fn resource_types() -> Vec<Value> {
    let one = |name: &str, endpoint: &str, schema: &str, extensions: Value| {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
            "id": name, "name": name, "description": name, "endpoint": endpoint, "schema": schema,
            "schemaExtensions": extensions,
            "meta": {"resourceType": "ResourceType", "location": format!("/scim/v2/ResourceTypes/{name}")}
        })
    };
    vec![
        one("User", "/Users", USER, json!([{"schema": ENTERPRISE, "required": false}])),
        one("Group", "/Groups", GROUP, json!([])),
    ]
}

/// A plain attribute: text, read and written.
fn text(name: &str, description: &str) -> Value {
    json!({
        "name": name, "type": "string", "multiValued": false, "description": description, "required": false,
        "caseExact": false, "mutability": "readWrite", "returned": "default", "uniqueness": "none"
    })
}

/// An attribute with some facts of its own.
fn with(mut attribute: Value, facts: Value) -> Value {
    if let (Some(attribute), Value::Object(facts)) = (attribute.as_object_mut(), facts) {
        attribute.extend(facts);
    }
    attribute
}

fn schema(id: &str, name: &str, description: &str, attributes: Value) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
        "id": id, "name": name, "description": description, "attributes": attributes,
        "meta": {"resourceType": "Schema", "location": format!("/scim/v2/Schemas/{id}")}
    })
}

fn reference(to: &str) -> Value {
    let facts =
        json!({"type": "reference", "referenceTypes": [to], "caseExact": true, "mutability": "readOnly"});
    with(text("$ref", "Where it is."), facts)
}

fn user() -> Value {
    let read_only = |attribute: Value| with(attribute, json!({"mutability": "readOnly"}));
    let names = json!([
        read_only(text("formatted", "The displayName.")),
        text("givenName", "The given name."),
        text("familyName", "The family name.")
    ]);
    let emails = json!([
        with(text("value", "The address; the primary one is kept."), json!({"required": true})),
        read_only(text("type", "work.")),
        with(read_only(text("primary", "true.")), json!({"type": "boolean"}))
    ]);
    let groups = json!([
        with(read_only(text("value", "The group's id.")), json!({"caseExact": true})),
        reference("Group"),
        read_only(text("type", "direct."))
    ]);
    let complex = |name: &str, description: &str, parts: Value, many: bool| {
        with(text(name, description), json!({"type": "complex", "subAttributes": parts, "multiValued": many}))
    };
    let user_name = text("userName", "The name to be known by; an address, or emails has one.");
    let attributes = json!([
        with(user_name, json!({"required": true, "uniqueness": "server"})),
        text("displayName", "How to address the person."),
        complex("name", "The parts of the name.", names, false),
        text("title", "The title; the attribute title for rules of groups."),
        text("userType", "The sort of user; the attribute user_type for rules of groups."),
        text("preferredLanguage", "The language (BCP 47)."),
        text("timezone", "The zone (IANA)."),
        with(text("active", "Whether they may sign in."), json!({"type": "boolean"})),
        complex("emails", "The one address.", emails, true),
        read_only(complex("groups", "The groups they are in.", groups, true))
    ]);
    schema(USER, "User", "An account", attributes)
}

fn enterprise() -> Value {
    let names = ["employeeNumber", "costCenter", "organization", "division", "department"];
    let attributes = names.map(|name| text(name, "An attribute for rules of groups."));
    schema(ENTERPRISE, "EnterpriseUser", "What an organization knows of a user", json!(attributes))
}

fn group() -> Value {
    let immutable = |attribute: Value| with(attribute, json!({"mutability": "immutable"}));
    let members = json!([
        with(immutable(text("value", "The user's id.")), json!({"caseExact": true})),
        with(immutable(reference("User")), json!({"mutability": "immutable"})),
        with(immutable(text("type", "User.")), json!({"canonicalValues": ["User"]})),
        with(text("display", "The user's displayName."), json!({"mutability": "readOnly"}))
    ]);
    let facts = json!({"type": "complex", "multiValued": true, "subAttributes": members});
    let attributes = json!([
        with(text("displayName", "The name."), json!({"required": true, "uniqueness": "server"})),
        with(text("members", "Who is in it by hand."), facts)
    ]);
    schema(GROUP, "Group", "Users gathered for access, approval, quotas and prices", attributes)
}

/// The schemas of all resources.
#[must_use]
pub fn schemas() -> Vec<Value> {
    vec![user(), enterprise(), group()]
}
