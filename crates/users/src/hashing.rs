//! Hashing of passwords with bcrypt: off the async threads, few at once, and a bounded number waiting.

use std::sync::Arc;

use kernel::Email;
use platform::config::Secret;
use platform::http::{Fault as _, Problem};
use tokio::sync::Semaphore;

use crate::config::Config;
use crate::error::Error;
use crate::password::{self, BEST_OF_EIGHT, Demand, bcrypt_input};

/// Salt and digest that nobody knows a password for, checked where there is no account: that takes as long.
const NOBODY: &str = "nobodynobodynobodynobuYjQz9Zn8mVqk1sVxW3hE5tR7yU9iO1u";

/// Hashes and checks passwords.
#[derive(Debug, Clone)]
pub struct Passwords {
    cost: u32,
    alone: Demand,
    /// Where there is a second factor.
    with_another: Demand,
    /// One for each hash that runs or waits.
    places: Arc<Semaphore>,
    /// One for each that runs.
    running: Arc<Semaphore>,
}

impl Passwords {
    /// With the service's settings, which have been checked.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let (at_once, queue) = (config.hashing_at_once as usize, config.hashing_queue as usize);
        Self {
            cost: config.bcrypt_cost,
            alone: Demand { length: config.password_min_length as usize, score: config.password_score },
            with_another: Demand {
                length: config.password_min_length_with_second_factor as usize,
                score: config.password_score.min(BEST_OF_EIGHT),
            },
            places: Arc::new(Semaphore::new(at_once + queue)),
            running: Arc::new(Semaphore::new(at_once)),
        }
    }

    /// Refuses a new password that breaks a rule.
    ///
    /// # Errors
    /// 422 for the field at `pointer`.
    pub fn check(&self, pointer: &str, password: &Secret, email: &Email, name: &str) -> Result<(), Problem> {
        self.check_beside(false, pointer, password, email, name)
    }

    /// The same, where the account may have a second factor.
    ///
    /// # Errors
    /// 422 for the field at `pointer`.
    pub fn check_beside(
        &self,
        second_factor: bool,
        pointer: &str,
        password: &Secret,
        email: &Email,
        name: &str,
    ) -> Result<(), Problem> {
        let demand = if second_factor { self.with_another } else { self.alone };
        password::check(password.expose(), demand, email, name)
            .map_err(|weakness| Problem::invalid_field(pointer, weakness.code(), weakness.to_string()))
    }

    /// The hash of a password, salted.
    ///
    /// # Errors
    /// 503 when too many are waiting.
    pub async fn hash(&self, password: &Secret) -> Result<String, Problem> {
        let (input, cost) = (bcrypt_input(password.expose()), self.cost);
        self.run(move || bcrypt::non_truncating_hash(input.expose(), cost)).await
    }

    /// Whether a password is the one of a hash; without a hash it is not, after the same time.
    ///
    /// # Errors
    /// 503 when too many are waiting.
    pub async fn verify(&self, password: &Secret, hash: Option<String>) -> Result<bool, Problem> {
        let is_known = hash.is_some();
        let hash = hash.unwrap_or_else(|| format!("$2b${:02}${NOBODY}", self.cost));
        let input = bcrypt_input(password.expose());
        let is_right = self.run(move || bcrypt::non_truncating_verify(input.expose(), &hash)).await?;
        Ok(is_known && is_right)
    }

    /// Whether a hash was made with less work than is demanded now.
    #[must_use]
    pub fn is_outdated(&self, hash: &str) -> bool {
        hash.parse::<bcrypt::HashParts>().is_ok_and(|parts| parts.get_cost() < self.cost)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, bcrypt::BcryptError> + Send + 'static,
    ) -> Result<T, Problem> {
        let Ok(place) = self.places.clone().try_acquire_owned() else {
            return Err(busy());
        };
        let turn = self.running.clone().acquire_owned().await.map_err(|error| Problem::internal(&error))?;
        // The work keeps its turn when the client goes away meanwhile: a thread cannot be stopped.
        let done = tokio::task::spawn_blocking(move || {
            let result = work();
            drop((place, turn));
            result
        });
        let result = done.await.map_err(|error| Problem::internal(&error))?;
        result.map_err(|error| Problem::internal(&error))
    }
}

fn busy() -> Problem {
    Problem::unavailable(Error::HashingBusy.code(), &Error::HashingBusy.to_string(), 1)
}

#[cfg(test)]
mod tests {
    use kernel::Kind;

    use super::*;

    fn passwords(config: Config) -> Passwords {
        Passwords::new(&Config { bcrypt_cost: 4, ..config })
    }

    #[tokio::test]
    async fn long_passwords_are_never_cut() {
        let passwords = passwords(Config::default());
        for base in ["a".repeat(71), "a".repeat(72), "a".repeat(200), "x\0".repeat(8)] {
            let hash = passwords.hash(&Secret::from(base.clone())).await.unwrap();
            assert!(passwords.verify(&Secret::from(base.clone()), Some(hash.clone())).await.unwrap());
            assert!(!passwords.verify(&Secret::from(format!("{base}b")), Some(hash)).await.unwrap());
        }
    }

    #[tokio::test]
    async fn without_an_account_the_same_work_is_done() {
        let passwords = passwords(Config::default());
        assert!(!passwords.verify(&Secret::from("correct horse".to_owned()), None).await.unwrap());
        let cost: bcrypt::HashParts = format!("$2b$04${NOBODY}").parse().unwrap();
        assert_eq!(cost.get_cost(), 4);
    }

    #[tokio::test]
    async fn who_finds_the_queue_full_is_sent_away() {
        let passwords = passwords(Config { hashing_at_once: 1, hashing_queue: 0, ..Config::default() });
        let taken = passwords.places.clone().try_acquire_owned().unwrap();
        let problem = passwords.hash(&Secret::default()).await.unwrap_err();
        assert_eq!((problem.code, problem.kind), ("hashing_busy", Kind::Unavailable));
        drop(taken);
        assert!(passwords.hash(&Secret::default()).await.is_ok());
    }
}
