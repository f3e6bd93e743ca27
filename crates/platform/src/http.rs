//! What every HTTP service shares: problems, extractors, correlation ids, entity tags, pages, the server itself.

pub mod client;
pub mod correlation;
pub mod etag;
pub mod extract;
pub mod outward;
pub mod page;
pub mod problem;
pub mod seats;
pub mod serve;
pub mod stack;

pub use correlation::Correlation;
pub use etag::{ETag, IfMatch};
pub use extract::{Json, Path, Query};
pub use page::{Page, PageQuery};
pub use problem::{Fault, FieldError, Problem};
