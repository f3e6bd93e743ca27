//! Passwords: what a new one must be, how a long one reaches bcrypt whole, and how one is made up.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kernel::Email;
use platform::config::Secret;
use rand::Rng as _;
use sha2::{Digest as _, Sha256};
use unicode_normalization::{UnicodeNormalization as _, is_nfc};
use zxcvbn::matching::patterns::MatchPattern;

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
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
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
    /// On the lists that attackers try first.
    #[error(
        "This is one of the passwords that everyone tries first. Several words that do not belong together are better."
    )]
    Common,
    /// Too easily guessed by what it is made of.
    #[error("This password is easily guessed. {0}")]
    Weak(String),
}

impl Weakness {
    /// The stable name of the rule.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooShort(_) => "password_too_short",
            Self::TooLong => "password_too_long",
            Self::Guessable => "password_guessable",
            Self::Common => "password_common",
            Self::Weak(_) => "password_weak",
        }
    }
}

/// What eight characters of no pattern come to by zxcvbn, which reckons ten tries for each: no more can be asked of them.
pub const BEST_OF_EIGHT: u8 = 2;

/// What a new password must be at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    /// Characters.
    pub length: usize,
    /// zxcvbn's score: 0 to 4.
    pub score: u8,
}

/// What a new password weighs: found once, which takes zxcvbn some milliseconds, and compared with what is demanded at no
/// cost.
#[derive(Debug, Clone)]
pub struct Weighed {
    length: usize,
    is_known: bool,
    score: u8,
    weakness: Weakness,
}

impl Weighed {
    /// Compares. No rules on composition (NIST SP 800-63B-4, section 3.1.1.2): what counts is length, and how soon it would
    /// be guessed by who knows the lists of common passwords, keyboards, dates, and the person.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn meets(&self, demand: Demand) -> Result<(), Weakness> {
        if self.length < demand.length {
            return Err(Weakness::TooShort(demand.length));
        }
        if self.length > LONGEST {
            return Err(Weakness::TooLong);
        }
        if self.is_known {
            return Err(Weakness::Guessable);
        }
        if self.score >= demand.score { Ok(()) } else { Err(self.weakness.clone()) }
    }
}

/// Weighs a new password of a person. zxcvbn reads the first hundred characters, which is what bounds its time.
#[must_use]
pub fn weigh(password: &str, email: &Email, name: &str) -> Weighed {
    let (password, email) = (normal(password), email.as_str());
    let plain = password.trim().to_lowercase();
    let local = email.split('@').next().unwrap_or_default();
    let verdict = zxcvbn::zxcvbn(&password, &[email, local, name]);
    Weighed {
        length: password.chars().count(),
        is_known: plain.contains(email) || plain == local || plain == name.trim().to_lowercase(),
        score: u8::from(verdict.score()),
        weakness: weakness(&verdict),
    }
}

/// What is weak about it, should it be.
fn weakness(verdict: &zxcvbn::Entropy) -> Weakness {
    let is_word = |found: &zxcvbn::Match| matches!(found.pattern, MatchPattern::Dictionary(_));
    if verdict.sequence().len() == 1 && verdict.sequence().iter().all(is_word) {
        return Weakness::Common;
    }
    let feedback = verdict.feedback();
    let warning = feedback.and_then(|feedback| feedback.warning()).map(|warning| warning.to_string());
    let advice = feedback.and_then(|feedback| feedback.suggestions().first()).map(ToString::to_string);
    let words: Vec<_> = warning.into_iter().chain(advice).collect();
    if words.is_empty() {
        return Weakness::Weak("Take several words that do not belong together.".into());
    }
    Weakness::Weak(words.join(" "))
}

/// The password with its letters put together (NFC): keyboards differ in whether they send `ä` as one character or as two,
/// and people cannot see it (NIST SP 800-63B-4, section 3.1.1.2).
#[must_use]
pub fn normal(password: &str) -> Cow<'_, str> {
    match is_nfc(password) {
        true => Cow::Borrowed(password),
        false => Cow::Owned(password.nfc().collect()),
    }
}

/// What bcrypt is given of a new password: the password itself, or, where bcrypt would cut it or stop at a NUL, a digest of
/// all of it.
#[must_use]
pub fn bcrypt_input(password: &str) -> Secret {
    whole(&normal(password))
}

/// What bcrypt is given of a password that is shown: as [`bcrypt_input`], and then as it was typed, where that differs, for
/// hashes that were made before passwords were normalized.
#[must_use]
pub fn bcrypt_inputs(password: &str) -> Vec<Secret> {
    match normal(password) {
        Cow::Borrowed(same) => vec![whole(same)],
        Cow::Owned(normal) => vec![whole(&normal), whole(password)],
    }
}

fn whole(password: &str) -> Secret {
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

    fn check(password: &str, demand: Demand, email: &Email, name: &str) -> Result<(), Weakness> {
        weigh(password, email, name).meets(demand)
    }

    fn verdict(password: &str) -> Result<(), Weakness> {
        let demand = Demand { length: 15, score: 3 };
        check(password, demand, &"ada.lovelace@example.com".parse().unwrap(), "Ada King Lovelace")
    }

    #[test]
    fn length_counts_in_characters() {
        assert_eq!(verdict("fourteen chars"), Err(Weakness::TooShort(15)));
        assert_eq!(verdict("ätzend öd übel…"), Ok(()));
        let long: String = "Zwölf Boxkämpfer jagen Viktor ".chars().cycle().take(256).collect();
        assert_eq!(verdict(&long), Ok(()));
        assert_eq!(verdict(&"ä".repeat(257)), Err(Weakness::TooLong));
        assert_eq!(verdict(&"a\u{308}".repeat(14)), Err(Weakness::TooShort(15)), "as people count");
    }

    #[test]
    fn what_attackers_try_first_is_refused_and_says_why() {
        let demand = Demand { length: 8, score: 3 };
        let verdict = |password| check(password, demand, &"ada@example.com".parse().unwrap(), "Ada Lovelace");
        assert_eq!(verdict("password1"), Err(Weakness::Common));
        assert_eq!(verdict("trustno1"), Err(Weakness::Common));
        for password in ["aaaaaaaaaaaaaaaa", "qwertyuiopasdfgh", "1234567890123456", "adaadaadaadaada"] {
            assert!(
                matches!(verdict(password), Err(Weakness::Weak(why)) if why.ends_with('.')),
                "{password}"
            );
        }
        for password in ["correct horse battery staple", "ätzend öd übel…"] {
            assert_eq!(verdict(password), Ok(()), "{password}");
        }
        let beside = Demand { length: 8, score: BEST_OF_EIGHT };
        let email = "ada@example.com".parse().unwrap();
        assert_eq!(check("7hV!kq2#", beside, &email, "Ada Lovelace"), Ok(()));
        assert_eq!(check("trustno1", beside, &email, "Ada Lovelace"), Err(Weakness::Common));
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
