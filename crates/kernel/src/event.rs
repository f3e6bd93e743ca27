//! What makes a type an event: a name in the past tense, and the stream it belongs to.

use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

/// Something that happened, as it crosses process boundaries.
pub trait Event: Serialize + DeserializeOwned + Send + Sync {
    /// Its name, `<product>.<noun>.<past tense>.v<number>`.
    const TYPE: &'static str;
    /// The kind of aggregate it happened to.
    const STREAM: &'static str;
    /// The aggregate it happened to.
    fn stream_id(&self) -> Uuid;
}
