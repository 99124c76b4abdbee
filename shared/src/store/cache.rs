//! What was read lately, and may be a minute old. What this process writes, it forgets at once.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long another process's change may stay unseen.
const ENTRY_MAX_AGE: Duration = Duration::from_mins(1);

/// Things kept at most; a process that meets more starts over.
const ENTRIES_MAX: usize = 10_000;

/// Things read lately, by their keys.
pub(super) struct Cache<K, V>(Mutex<Cached<K, V>>);

struct Cached<K, V> {
    things: HashMap<K, (Instant, V)>,
    /// Grows with every write, so that a read begun before one is not kept after it.
    writes: u64,
}

impl<K, V> Default for Cache<K, V> {
    fn default() -> Self {
        Self(Mutex::new(Cached { things: HashMap::new(), writes: 0 }))
    }
}

impl<K: Eq + Hash, V: Clone> Cache<K, V> {
    fn with<T>(&self, look: impl FnOnce(&mut Cached<K, V>) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What is known of it and still fresh, and how many writes there were before this look.
    pub(super) fn get(&self, key: &K, now: Instant) -> (Option<V>, u64) {
        self.with(|cached| {
            let fresh =
                cached.things.get(key).filter(|(read_at, _)| now.saturating_duration_since(*read_at) < ENTRY_MAX_AGE);
            (fresh.map(|(_, thing)| thing.clone()), cached.writes)
        })
    }

    /// Keeps what was read, unless something was written since the look.
    pub(super) fn keep(&self, key: K, thing: V, writes_before: u64, now: Instant) {
        self.with(|cached| {
            if cached.things.len() >= ENTRIES_MAX {
                cached.things.clear();
            }
            if cached.writes == writes_before {
                cached.things.insert(key, (now, thing));
            }
        });
    }

    fn forget(&self, is_meant: impl Fn(&K) -> bool) {
        self.with(|cached| {
            cached.writes = cached.writes.wrapping_add(1);
            cached.things.retain(|key, _| !is_meant(key));
        });
    }

    /// Forgets what is meant when the write that is about to begin is over, however it ends.
    pub(super) fn forget_after<F: Fn(&K) -> bool>(&self, is_meant: F) -> Forget<'_, K, V, F> {
        Forget { cache: self, is_meant }
    }
}

/// Forgets when it goes.
#[must_use = "it forgets when it goes"]
pub(super) struct Forget<'a, K: Eq + Hash, V: Clone, F: Fn(&K) -> bool> {
    cache: &'a Cache<K, V>,
    is_meant: F,
}

impl<K: Eq + Hash, V: Clone, F: Fn(&K) -> bool> Drop for Forget<'_, K, V, F> {
    fn drop(&mut self) {
        self.cache.forget(&self.is_meant);
    }
}
