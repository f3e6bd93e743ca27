//! Work that goes on beside the answer, so that neither the answer nor its time shows what was found.

use std::sync::Arc;

use platform::http::{Fault as _, Problem};
use tokio::sync::Semaphore;

use crate::error::Error;

/// Wishes that are looked into at the same time; more are answered 503.
const PLACES: usize = 16;

/// The places of those who look into wishes for mails.
#[derive(Debug, Clone)]
pub struct Aside(Arc<Semaphore>);

impl Default for Aside {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(PLACES)))
    }
}

impl Aside {
    /// Starts the work and does not wait for it; what fails is in the log alone.
    ///
    /// # Errors
    /// 503 `mails_busy` when all places are taken.
    pub fn start(
        &self,
        wish: &'static str,
        work: impl Future<Output = Result<(), Problem>> + Send + 'static,
    ) -> Result<(), Problem> {
        let Ok(place) = self.0.clone().try_acquire_owned() else {
            return Err(Problem::unavailable(Error::MailsBusy.code(), &Error::MailsBusy.to_string(), 1));
        };
        tokio::spawn(async move {
            if let Err(problem) = work.await {
                tracing::warn!(wish, code = problem.code, "asked for in vain");
            }
            drop(place);
        });
        Ok(())
    }
}
