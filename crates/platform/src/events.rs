//! Events: written in the transaction of the change, published as a feed over HTTP, consumed exactly once in effect.

pub mod append;
pub mod audit;
pub mod consume;
pub mod envelope;
pub mod feed;
pub mod follow;
pub mod history;
pub mod progress;

pub use append::{Origin, append};
pub use consume::{Consumer, Handle};
pub use envelope::Envelope;
pub use feed::Feed;
pub use follow::Follower;
pub use progress::Progress;
