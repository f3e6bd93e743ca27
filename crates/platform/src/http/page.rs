//! Lists by pages: `limit`, an opaque `cursor`, and `{ items, next_cursor }`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::Kind;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use utoipa::{IntoParams, ToSchema};

use super::Problem;

/// Items of a page when the caller does not say.
pub const DEFAULT_LIMIT: i64 = 50;
/// Items of a page at most.
pub const MAX_LIMIT: i64 = 200;

/// The two parameters of every list.
///
/// Lists with filters repeat the two fields: serde cannot flatten and refuse unknown fields at once.
#[derive(Debug, Clone, Default, Deserialize, garde::Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Items on the page: 1 to 200, 50 when absent.
    #[garde(range(min = 1, max = MAX_LIMIT))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<i64>,
    /// `next_cursor` of the page before.
    #[garde(length(max = 1024))]
    pub cursor: Option<String>,
}

impl PageQuery {
    /// How many items to answer.
    #[must_use]
    pub fn limit(&self) -> i64 {
        self.limit.unwrap_or(DEFAULT_LIMIT)
    }

    /// The key after which the page starts.
    ///
    /// # Errors
    /// 400 when the cursor is none of ours.
    pub fn after<K: DeserializeOwned>(&self) -> Result<Option<K>, Problem> {
        let Some(cursor) = &self.cursor else {
            return Ok(None);
        };
        let key = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|json| serde_json::from_slice(&json).ok());
        key.map(Some).ok_or_else(|| {
            Problem::new(Kind::Malformed, "invalid_cursor", "The cursor is not one that we gave.")
        })
    }
}

/// A page of a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Page<T> {
    /// The items, in the list's stated order.
    pub items: Vec<T>,
    /// What to send as `cursor` for the next page; null on the last.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// A page out of `limit + 1` rows read: the extra one only tells that there is more.
    pub fn of<K: Serialize>(mut items: Vec<T>, limit: i64, key: impl Fn(&T) -> K) -> Self {
        let limit = usize::try_from(limit).unwrap_or(0);
        let more = items.len() > limit;
        items.truncate(limit);
        let last = items.last().filter(|_| more);
        let next_cursor = last
            .and_then(|item| serde_json::to_vec(&key(item)).ok())
            .map(|json| URL_SAFE_NO_PAD.encode(json));
        Self { items, next_cursor }
    }
}
