//! The second factor's codes: of an app (TOTP, RFC 6238: SHA-1, 6 digits, 30 s, one step early or late), and on paper.

use jiff::Timestamp;
use kernel::{Email, OrganizationId, UserId};
use platform::http::Problem;
use rand::Rng as _;
use sha2::{Digest as _, Sha256};
use totp_rs::{Builder, Totp};

/// Bytes of a secret: as many as RFC 4226 recommends (section 4, R6).
pub const SECRET: usize = 20;
/// Recovery codes of an account.
pub const CODES: usize = 10;
/// Letters of a recovery code: 16 of 32, which are 80 bits.
const CODE: usize = 16;
/// Letters and digits that nobody mistakes for one another: 32 of them.
const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// The codes of a secret.
///
/// # Errors
/// 500 when the secret is too short.
pub fn totp(secret: &[u8]) -> Result<Totp, Problem> {
    builder(secret).build().map_err(|error| Problem::internal(&error))
}

fn builder(secret: &[u8]) -> Builder {
    Builder::new().with_secret(secret.to_vec())
}

/// What an app reads as a QR code.
///
/// # Errors
/// 500 when it cannot be written.
pub fn url(secret: &[u8], organization: &str, email: &Email) -> Result<String, Problem> {
    // A colon parts issuer and account.
    let issuer = format!("Reservas {}", organization.replace(':', " "));
    let account = email.as_str().replace(':', " ");
    let totp = builder(secret).with_issuer(Some(issuer)).with_account_name(account).build();
    totp.and_then(|totp| totp.to_url()).map_err(|error| Problem::internal(&error))
}

/// The step of a code that is right at this time; a later one than that of the last code that was taken.
///
/// # Errors
/// 500 when the secret is too short.
pub fn step(secret: &[u8], code: &str, last: i64, now: Timestamp) -> Result<Option<i64>, Problem> {
    let seconds = u64::try_from(now.as_second()).unwrap_or(0);
    let step = totp(secret)?.check(code, seconds).and_then(|step| i64::try_from(step).ok());
    Ok(step.filter(|step| *step > last))
}

/// A new secret.
#[must_use]
pub fn secret() -> [u8; SECRET] {
    rand::random()
}

/// New recovery codes: `ABCD-EFGH-JKLM-NPQR`.
#[must_use]
pub fn recovery_codes() -> Vec<String> {
    let mut random = rand::rng();
    let mut code = || {
        let letters: Vec<u8> =
            (0..CODE).filter_map(|_| LETTERS.get(random.random_range(0..LETTERS.len())).copied()).collect();
        let groups = letters.chunks(4).map(|group| String::from_utf8_lossy(group).into_owned());
        groups.collect::<Vec<_>>().join("-")
    };
    (0..CODES).map(|_| code()).collect()
}

/// What is kept of a recovery code, however it is typed.
#[must_use]
pub fn recovery_hash(organization: OrganizationId, user: UserId, code: &str) -> [u8; 32] {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    let hash = Sha256::new().chain_update(organization.0.as_bytes()).chain_update(user.0.as_bytes());
    hash.chain_update(plain.to_ascii_uppercase()).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of RFC 6238, appendix B.
    const RFC: &[u8] = b"12345678901234567890";

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn codes_are_those_of_the_rfc() {
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (2_000_000_000, "279037")] {
            assert_eq!(step(RFC, code, 0, at(seconds)).unwrap(), Some(seconds / 30), "{seconds}");
        }
    }

    #[test]
    fn a_code_counts_once_and_a_step_early_or_late() {
        let last = step(RFC, "287082", 0, at(59)).unwrap().unwrap();
        assert_eq!(step(RFC, "287082", last, at(59)).unwrap(), None);
        assert_eq!(step(RFC, "287082", 0, at(89)).unwrap(), Some(1));
        assert_eq!(step(RFC, "287082", 0, at(29)).unwrap(), Some(1));
        for (code, seconds) in
            [("287082", 90), ("287083", 59), ("", 59), ("28708", 59), ("2870821", 59), ("２87082", 59)]
        {
            assert_eq!(step(RFC, code, 0, at(seconds)).unwrap(), None, "{code} at {seconds}");
        }
    }

    #[test]
    fn recovery_codes_are_read_however_they_are_typed() {
        let codes = recovery_codes();
        assert_eq!((codes.len(), codes[0].len()), (CODES, 19));
        let (organization, user) = (OrganizationId::mint(), UserId::mint());
        let hash = |code: &str| recovery_hash(organization, user, code);
        assert_eq!(hash(&codes[0]), hash(&format!(" {} ", codes[0].to_lowercase().replace('-', " "))));
        assert_ne!(hash(&codes[0]), hash(&codes[1]));
        assert_ne!(hash(&codes[0]), recovery_hash(organization, UserId::mint(), &codes[0]));
    }

    #[test]
    fn apps_can_read_the_url() {
        let url = url(RFC, "TU: Wien", &"ada@example.com".parse().unwrap()).unwrap();
        assert!(url.starts_with("otpauth://totp/Reservas%20TU%20%20Wien:ada"), "{url}");
        assert!(url.contains("secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"), "{url}");
    }
}
