//! A cache of values that may be up to a minute old. A write by this process removes its entries at once.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The maximum time for which the cache misses a write by another process.
const ENTRY_AGE_MAX: Duration = Duration::from_mins(1);

/// Above this number of entries, the cache is emptied.
const ENTRIES_MAX: usize = 10_000;

/// Values that were read recently, by key.
pub(super) struct Cache<K, V>(Mutex<Entries<K, V>>);

struct Entries<K, V> {
    by_key: HashMap<K, (Instant, V)>,
    /// The number of writes so far. A read that began before a write is not cached after that write.
    writes: u64,
}

impl<K, V> Default for Cache<K, V> {
    fn default() -> Self {
        Self(Mutex::new(Entries { by_key: HashMap::new(), writes: 0 }))
    }
}

impl<K: Eq + Hash, V: Clone> Cache<K, V> {
    fn with_entries<T>(&self, operation: impl FnOnce(&mut Entries<K, V>) -> T) -> T {
        operation(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The value of a key unless it is too old, and the number of writes so far.
    pub(super) fn get(&self, key: &K, now: Instant) -> (Option<V>, u64) {
        self.with_entries(|entries| {
            let entry = entries.by_key.get(key);
            let fresh = entry.filter(|(read_at, _)| now.saturating_duration_since(*read_at) < ENTRY_AGE_MAX);
            (fresh.map(|(_, value)| value.clone()), entries.writes)
        })
    }

    /// Caches a value that was read after `writes_before` writes, unless there was another write since.
    pub(super) fn insert(&self, key: K, value: V, writes_before: u64, now: Instant) {
        self.with_entries(|entries| {
            if entries.by_key.len() >= ENTRIES_MAX {
                entries.by_key.clear();
            }
            if entries.writes == writes_before {
                entries.by_key.insert(key, (now, value));
            }
        });
    }

    fn remove(&self, is_stale: impl Fn(&K) -> bool) {
        self.with_entries(|entries| {
            entries.writes = entries.writes.wrapping_add(1);
            entries.by_key.retain(|key, _| !is_stale(key));
        });
    }

    /// Removes the entries of a write when the guard is dropped: after the write, whether or not it succeeds.
    pub(super) fn remove_after<F: Fn(&K) -> bool>(&self, is_stale: F) -> RemoveOnDrop<'_, K, V, F> {
        RemoveOnDrop { cache: self, is_stale }
    }
}

/// Removes entries from a cache when it is dropped.
#[must_use = "the entries are removed when this is dropped"]
pub(super) struct RemoveOnDrop<'a, K: Eq + Hash, V: Clone, F: Fn(&K) -> bool> {
    cache: &'a Cache<K, V>,
    is_stale: F,
}

impl<K: Eq + Hash, V: Clone, F: Fn(&K) -> bool> Drop for RemoveOnDrop<'_, K, V, F> {
    fn drop(&mut self) {
        self.cache.remove(&self.is_stale);
    }
}
