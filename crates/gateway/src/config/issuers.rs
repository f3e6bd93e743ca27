//! The list `_reservas/issuers`: others, beside the one of `auth/validator`, whose tokens are good for an endpoint.

use super::section::Section;
use super::validator::Validator;

/// Where the list stands.
const NAME: &str = "_reservas/issuers";
/// Issuers of one endpoint at most; each has keys that are fetched and kept.
const MAX_ISSUERS: usize = 16;

/// Reads the list. An entry has the keys of `auth/validator`; what it leaves out is as there, but for the keys.
pub fn read(extra: &Section<'_>, first: Option<&Validator>) -> Vec<Validator> {
    let entries = extra.sections(NAME);
    if entries.is_empty() {
        return Vec::new();
    }
    let first_issuer = first.and_then(|first| first.issuer.clone());
    if first_issuer.is_none() {
        // Under a gateway that does not know this list, the endpoint must not be open.
        extra.error(NAME, "needs an `auth/validator` with an `issuer`: it is the first of the list");
    }
    if entries.len() > MAX_ISSUERS {
        extra.error(NAME, format!("has more than {MAX_ISSUERS} entries"));
    }
    let mut known = vec![first_issuer];
    let mut all = Vec::new();
    for (index, entry) in entries.into_iter().enumerate() {
        let Some(read) = Validator::read_like(entry, first) else { continue };
        if read.issuer.is_none() || known.contains(&read.issuer) {
            extra.error(NAME, format!("entry {index} needs an `issuer` that no other has"));
        }
        known.push(read.issuer.clone());
        all.push(read);
    }
    all
}
