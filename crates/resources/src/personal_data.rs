//! What this service holds about a person: nothing but the events that they caused.

use platform::personal_data::Part;

/// Beside the events.
pub const PARTS: &[Part] = &[];
