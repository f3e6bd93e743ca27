//! Hashing of passwords with bcrypt: off the async threads, few at once, and a bounded number waiting.

use std::sync::Arc;

use kernel::Email;
use platform::config::Secret;
use platform::http::{Fault as _, Problem};
use tokio::sync::Semaphore;

use crate::config::Config;
use crate::error::Error;
use crate::password::{self, BEST_OF_EIGHT, Demand, Weighed, bcrypt_input, bcrypt_inputs};

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
    pub async fn check(
        &self,
        pointer: &str,
        password: &Secret,
        email: &Email,
        name: &str,
    ) -> Result<(), Problem> {
        self.check_beside(false, pointer, password, email, name).await
    }

    /// The same, where the account may have a second factor.
    ///
    /// # Errors
    /// 422 for the field at `pointer`.
    pub async fn check_beside(
        &self,
        second_factor: bool,
        pointer: &str,
        password: &Secret,
        email: &Email,
        name: &str,
    ) -> Result<(), Problem> {
        let weighed = self.weigh(password, email, name).await?;
        self.demand(second_factor, pointer, &weighed)
    }

    /// Weighs a new password, which takes a while and is bounded as hashing is; [`Passwords::demand`] takes none.
    ///
    /// # Errors
    /// 503 when too many are waiting.
    pub async fn weigh(&self, password: &Secret, email: &Email, name: &str) -> Result<Weighed, Problem> {
        let (password, email, name) = (password.clone(), email.clone(), name.to_owned());
        self.run(move || password::weigh(password.expose(), &email, &name)).await
    }

    /// Refuses what does not weigh enough for an account that has a second factor or has none.
    ///
    /// # Errors
    /// 422 for the field at `pointer`.
    pub fn demand(&self, second_factor: bool, pointer: &str, weighed: &Weighed) -> Result<(), Problem> {
        let demand = if second_factor { self.with_another } else { self.alone };
        weighed
            .meets(demand)
            .map_err(|weakness| Problem::invalid_field(pointer, weakness.code(), weakness.to_string()))
    }

    /// The hash of a password, salted.
    ///
    /// # Errors
    /// 503 when too many are waiting.
    pub async fn hash(&self, password: &Secret) -> Result<String, Problem> {
        let (input, cost) = (bcrypt_input(password.expose()), self.cost);
        let hash = self.run(move || bcrypt::non_truncating_hash(input.expose(), cost)).await?;
        hash.map_err(|error| Problem::internal(&error))
    }

    /// Whether a password is the one of a hash; without a hash it is not, after the same time.
    ///
    /// # Errors
    /// 503 when too many are waiting.
    pub async fn verify(&self, password: &Secret, hash: Option<String>) -> Result<bool, Problem> {
        let is_known = hash.is_some();
        let hash = hash.unwrap_or_else(|| format!("$2b${:02}${NOBODY}", self.cost));
        let (inputs, cost) = (bcrypt_inputs(password.expose()), self.cost);
        let verified = self.run(move || verify(&inputs, &hash, cost)).await?;
        Ok(verified.map_err(|error| Problem::internal(&error))? && is_known)
    }

    /// Whether a hash was made with less work than is demanded now.
    #[must_use]
    pub fn is_outdated(&self, hash: &str) -> bool {
        hash.parse::<bcrypt::HashParts>().is_ok_and(|parts| parts.get_cost() < self.cost)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
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
        done.await.map_err(|error| Problem::internal(&error))
    }
}

/// Whether one of the inputs is right; the same work for every hash where none is, whatever work the hash was made with.
fn verify(inputs: &[Secret], hash: &str, cost: u32) -> Result<bool, bcrypt::BcryptError> {
    for input in inputs {
        if bcrypt::non_truncating_verify(input.expose(), hash)? {
            return Ok(true);
        }
        for cost in missing(hash, cost) {
            bcrypt::non_truncating_verify(input.expose(), &format!("$2b${cost:02}${NOBODY}"))?;
        }
    }
    Ok(false)
}

/// What is to be done beside a hash of less work, to come to that of `cost`: each step of the cost doubles the work, so that
/// 10 and then 10 and 11 take as long as 12.
fn missing(hash: &str, cost: u32) -> std::ops::Range<u32> {
    hash.parse::<bcrypt::HashParts>().map_or(cost..cost, |parts| parts.get_cost()..cost)
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

    #[test]
    fn a_hash_of_less_work_is_made_up_for() {
        let work = |cost: u32| 1_u64 << cost;
        for old in 4..=12 {
            let hash = format!("$2b${old:02}${NOBODY}");
            let done: u64 = work(old) + missing(&hash, 12).map(work).sum::<u64>();
            assert_eq!(done, work(12), "{old}");
        }
        assert!(missing(&format!("$2b$13${NOBODY}"), 12).is_empty() && missing("none", 12).is_empty());
    }

    #[tokio::test]
    async fn one_password_is_one_however_its_letters_are_put_together() {
        let passwords = passwords(Config::default());
        let (composed, apart) = ("Bl\u{fc}hende B\u{e4}ume", "Blu\u{308}hende Ba\u{308}ume");
        let right = async |typed: &str, hash: &str| {
            passwords.verify(&Secret::from(typed.to_owned()), Some(hash.to_owned())).await.unwrap()
        };
        let hash = passwords.hash(&Secret::from(apart.to_owned())).await.unwrap();
        assert!(right(composed, &hash).await && right(apart, &hash).await);
        // One that was made before passwords were normalized opens as it was typed then.
        let old = bcrypt::non_truncating_hash(apart, 4).unwrap();
        assert!(right(apart, &old).await && !right("Bluhende Baume", &old).await);
    }

    #[tokio::test]
    async fn weighing_waits_its_turn() {
        let passwords = passwords(Config { hashing_at_once: 1, hashing_queue: 0, ..Config::default() });
        let taken = passwords.places.clone().try_acquire_owned().unwrap();
        let (password, email) = (Secret::from("correct horse battery staple".to_owned()), "a@b.example");
        let email = email.parse().unwrap();
        let problem = passwords.check("/password", &password, &email, "Ada").await.unwrap_err();
        assert_eq!(problem.code, "hashing_busy");
        drop(taken);
        assert!(passwords.check("/password", &password, &email, "Ada").await.is_ok());
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
