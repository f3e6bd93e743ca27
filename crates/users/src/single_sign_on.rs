//! Single sign-on through an identity provider (OpenID Connect Core 1.0), as far as it is decided without asking anybody.

pub mod browser;
pub mod discovery;
pub mod id_token;
pub mod mapping;
pub mod person;
pub mod provider;
pub mod refusal;
pub mod return_to;

use jiff::SignedDuration;

/// How long somebody may take at the provider.
pub const FLOW: SignedDuration = SignedDuration::from_mins(10);
/// How long the code works that a client exchanges for tokens.
pub const CODE: SignedDuration = SignedDuration::from_mins(1);
/// How far the provider's clock may be off.
pub const LEEWAY: SignedDuration = SignedDuration::from_mins(1);
/// Sign-ins of an organization that are on their way at most; the oldest are forgotten.
pub const MOST_FLOWS: i64 = 20_000;
/// Scopes that are asked for at most.
pub const MOST_SCOPES: usize = 20;
/// Groups of a provider that give a role or stand for a group at most, for each of the two.
pub const MOST_MAPPINGS: usize = 500;
/// Addresses to which browsers may be sent at most.
pub const MOST_RETURN_TO: usize = 20;
/// Characters of an issuer, a client's id, a claim's name, an address, a group of a provider at most.
pub const LONGEST: usize = 512;
