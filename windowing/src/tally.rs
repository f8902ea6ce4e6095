//! Counts of what a job gave, kept beside any outlet.

use std::sync::{Arc, Mutex, PoisonError};

use crate::dataflow::{BoxError, Outlet, Results};
use crate::spread::Settings;
use crate::work::Work;

/// A tally that several workers share.
pub struct SharedTally<W: Work = Settings>(Arc<Mutex<W::Tally>>);

impl<W: Work> Default for SharedTally<W> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<W: Work> Clone for SharedTally<W> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<W: Work> SharedTally<W> {
    /// What was counted so far.
    #[must_use]
    pub fn get(&self) -> W::Tally {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// An outlet whose results are counted on their way.
pub struct Tallied<O, W: Work = Settings> {
    inner: O,
    tally: SharedTally<W>,
    on_new_name: Arc<dyn Fn(&str) + Send + Sync>,
}

impl<O: Outlet<W>, W: Work> Tallied<O, W> {
    /// Counts into `tally` and calls `on_new_name` once for each name (venue, session) that any partition hears of.
    pub fn new(
        inner: O,
        tally: &SharedTally<W>,
        on_new_name: Arc<dyn Fn(&str) + Send + Sync>,
    ) -> Self {
        Self {
            inner,
            tally: tally.clone(),
            on_new_name,
        }
    }
}

impl<O: Outlet<W>, W: Work> Outlet<W> for Tallied<O, W> {
    fn accept(&mut self, results: &mut Results<W>) -> Result<(), BoxError> {
        let new = {
            let mut tally = self.tally.0.lock().unwrap_or_else(PoisonError::into_inner);
            W::count(&mut tally, results)
        };
        for name in new {
            (self.on_new_name)(&name);
        }
        self.inner.accept(results)
    }

    fn wants_state(&mut self, partition: i32) -> bool {
        self.inner.wants_state(partition)
    }

    fn wants_look(&mut self) -> Vec<i32> {
        self.inner.wants_look()
    }

    fn finish(&mut self) -> Result<(), BoxError> {
        self.inner.finish()
    }
}
