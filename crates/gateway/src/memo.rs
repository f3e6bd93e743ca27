//! What is looked up once and is the same ever after, such as the metric of an endpoint and a status.

use std::sync::{PoisonError, RwLock};

/// Values by keys that there are only a few of, so that to compare them is cheaper than to hash them.
pub struct Memo<K, V>(RwLock<Vec<(K, V)>>);

impl<K, V> Default for Memo<K, V> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<K: PartialEq, V: Clone> Memo<K, V> {
    /// The value of `key`, made the first time it is asked for.
    pub fn get(&self, key: K, make: impl FnOnce() -> V) -> V {
        let find =
            |all: &[(K, V)]| all.iter().find(|(known, _)| *known == key).map(|(_, value)| value.clone());
        if let Some(value) = find(&self.0.read().unwrap_or_else(PoisonError::into_inner)) {
            return value;
        }
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        // Another may have made it meanwhile.
        find(&all).unwrap_or_else(|| {
            let value = make();
            all.push((key, value.clone()));
            value
        })
    }
}
