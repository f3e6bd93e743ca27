//! Who is invited to a booking. Pure.

use std::collections::BTreeSet;

use garde::Validate;
use kernel::UserId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Somebody who is invited: a user, or somebody outside by their address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Guest {
    /// A user of the organization; they see the booking.
    #[garde(skip)]
    pub user_id: Option<UserId>,
    /// The address of somebody else: at most 254 characters.
    #[garde(email, length(max = 254))]
    #[schema(max_length = 254, example = "grace@example.com")]
    pub email: Option<String>,
    /// What they are called, beside an address: at most 200 characters.
    #[garde(length(chars, min = 1, max = 200))]
    #[schema(max_length = 200, example = "Grace")]
    pub name: Option<String>,
}

/// What is wrong with a list of guests, by the place of the first that is.
///
/// # Errors
/// One that is both user and address, or neither, or a user with a name; one that is named twice.
pub fn check(guests: &[Guest]) -> Result<(), (usize, &'static str, &'static str)> {
    let mut seen = BTreeSet::new();
    for (place, guest) in guests.iter().enumerate() {
        let key = match (guest.user_id, &guest.email, &guest.name) {
            (Some(user), None, None) => user.to_string(),
            (None, Some(email), _) => email.to_lowercase(),
            _ => return Err((place, "one_of", "A guest is either a user_id, or an email with a name.")),
        };
        if !seen.insert(key) {
            return Err((place, "repeated", "The guest stands here twice."));
        }
    }
    Ok(())
}
