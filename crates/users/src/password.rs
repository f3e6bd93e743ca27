//! Passwords: what a new one must be, how a long one reaches bcrypt whole, and how one is made up.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kernel::Email;
use platform::config::Secret;
use rand::Rng as _;
use sha2::{Digest as _, Sha256};

/// Characters of a password at most.
pub const LONGEST: usize = 256;

/// bcrypt reads 72 bytes, the ending NUL among them where there is room; from here on a password is hashed first.
const BCRYPT_BYTES: usize = 72;

/// Set before what is hashed for bcrypt, so that a plain SHA-256 of a password, leaked elsewhere, opens nothing here.
const DOMAIN: &[u8] = b"reservas password\0";

/// Letters and digits that nobody mistakes for one another: 5.8 bits each.
const UNAMBIGUOUS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789";

/// Characters of a password that is made up: 140 bits.
const GENERATED: usize = 24;

/// Why a text will not do as a new password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Weakness {
    /// Fewer characters than the installation demands.
    #[error("A password has at least {0} characters.")]
    TooShort(usize),
    /// More characters than anyone types.
    #[error("A password has at most {LONGEST} characters.")]
    TooLong,
    /// What everyone knows of the person.
    #[error("A password is neither the e-mail address nor the name.")]
    Guessable,
}

impl Weakness {
    /// The stable name of the rule.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooShort(_) => "password_too_short",
            Self::TooLong => "password_too_long",
            Self::Guessable => "password_guessable",
        }
    }
}

/// Checks a new password. No rules on composition (NIST SP 800-63B-4, section 3.1.1.2): length is what counts.
///
/// # Errors
/// The first rule that it breaks.
pub fn check(password: &str, minimum: usize, email: &Email, name: &str) -> Result<(), Weakness> {
    let length = password.chars().count();
    if length < minimum {
        return Err(Weakness::TooShort(minimum));
    }
    if length > LONGEST {
        return Err(Weakness::TooLong);
    }
    let (plain, email) = (password.trim().to_lowercase(), email.as_str());
    let local = email.split('@').next().unwrap_or_default();
    if plain.contains(email) || plain == local || plain == name.trim().to_lowercase() {
        return Err(Weakness::Guessable);
    }
    Ok(())
}

/// What bcrypt is given: the password itself, or, where bcrypt would cut it or stop at a NUL, a digest of all of it.
#[must_use]
pub fn bcrypt_input(password: &str) -> Secret {
    if password.len() < BCRYPT_BYTES && !password.contains('\0') {
        return Secret::from(password.to_owned());
    }
    let digest = Sha256::new().chain_update(DOMAIN).chain_update(password).finalize();
    Secret::from(STANDARD.encode(digest))
}

/// A password for someone who has none yet.
#[must_use]
pub fn generate() -> Secret {
    let mut random = rand::rng();
    let letters = (0..GENERATED).filter_map(|_| UNAMBIGUOUS.get(random.random_range(0..UNAMBIGUOUS.len())));
    Secret::from(letters.map(|byte| char::from(*byte)).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(password: &str) -> Result<(), Weakness> {
        check(password, 15, &"ada.lovelace@example.com".parse().unwrap(), "Ada King Lovelace")
    }

    #[test]
    fn length_counts_in_characters() {
        assert_eq!(verdict("fourteen chars"), Err(Weakness::TooShort(15)));
        assert_eq!(verdict("ätzend öd übel…"), Ok(()));
        assert_eq!(verdict(&"ä".repeat(256)), Ok(()));
        assert_eq!(verdict(&"ä".repeat(257)), Err(Weakness::TooLong));
    }

    #[test]
    fn what_everyone_knows_is_no_password() {
        for password in [
            "Ada.Lovelace@example.com",
            "ada.lovelace@EXAMPLE.com1",
            "ada king lovelace",
            " Ada King Lovelace ",
        ] {
            assert_eq!(verdict(password), Err(Weakness::Guessable), "{password}");
        }
        assert_eq!(verdict("correct horse battery staple"), Ok(()));
    }

    #[test]
    fn long_passwords_and_nuls_reach_bcrypt_whole() {
        let input = |password: &str| bcrypt_input(password).expose().to_owned();
        assert_eq!(input(&"a".repeat(71)), "a".repeat(71));
        assert_eq!(input(&"a".repeat(72)).len(), 44);
        assert_ne!(input(&format!("{}x", "a".repeat(72))), input(&format!("{}y", "a".repeat(72))));
        // To bcrypt, which repeats its key with an ending NUL, these two would be the same.
        assert_ne!(input("x\0x"), input("x"));
        assert!(!input("x\0x").contains('\0'));
    }

    #[test]
    fn a_made_up_password_is_long_and_ever_another() {
        let (one, other) = (generate(), generate());
        assert_eq!(one.expose().len(), GENERATED);
        assert_ne!(one.expose(), other.expose());
        assert_eq!(verdict(one.expose()), Ok(()));
    }
}
