//! What this service holds about a person: the events that they caused, and the groups they are in.

use platform::personal_data::Part;

/// Beside the events.
pub const PARTS: &[Part] = &[Part {
    name: "account",
    statement: "select version, groups from resources.account where organization_id = $1 and id = $2",
}];
