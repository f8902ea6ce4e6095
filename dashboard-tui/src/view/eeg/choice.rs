//! Which session is looked at, as pairs are chosen: by arrows, by search, or by name from the start.

use std::sync::Arc;

use crossterm::event::KeyCode;

use super::heading::Place;
use crate::model::Model;
use crate::model::session::Session;
use crate::view::list::moved;

/// The choice.
#[derive(Debug, Default)]
pub(in crate::view) struct Choice {
    /// Looked for until it comes, or another is chosen.
    wanted: Option<String>,
    chosen: Option<Arc<str>>,
    pub(in crate::view) filter: String,
}

impl Choice {
    pub(in crate::view) fn new(wanted: Option<String>) -> Self {
        Self {
            wanted,
            ..Self::default()
        }
    }

    /// The sessions that pass the search, by name.
    pub(in crate::view) fn listed<'a>(&self, model: &'a Model) -> Vec<&'a Arc<Session>> {
        let filter = self.filter.to_lowercase();
        let passes = |session: &&Arc<Session>| {
            filter.is_empty() || session.name.to_lowercase().contains(&filter)
        };
        model.sessions.iter().filter(passes).collect()
    }

    /// Where the chosen one stands among them; at the first where it is not among them.
    pub(in crate::view) fn row(&self, listed: &[&Arc<Session>]) -> usize {
        let is_chosen = |session: &&Arc<Session>| Some(&session.name) == self.chosen.as_ref();
        listed.iter().position(is_chosen).unwrap_or(0)
    }

    /// The session that is shown.
    pub(in crate::view) fn session<'a>(&self, model: &'a Model) -> Option<&'a Session> {
        let listed = self.listed(model);
        let session = *listed.get(self.row(&listed))?;
        Some(session)
    }

    /// What the heading says of it.
    pub(in crate::view) fn place(&self, row: usize, n: usize) -> Place<'_> {
        let awaited = self.wanted.as_deref();
        Place { row, n, awaited }
    }

    pub(in crate::view) fn choose(&mut self, name: &Arc<str>) {
        self.chosen = Some(Arc::clone(name));
        self.wanted = None;
    }

    /// The chosen session's name, once one is chosen.
    pub(in crate::view) fn name(&self) -> Option<Arc<str>> {
        self.chosen.clone()
    }

    /// The one that was asked for may have come.
    pub(in crate::view) fn refresh(&mut self, model: &Model) {
        let found = self.wanted.as_deref().and_then(|wanted| {
            let mut all = model.sessions.iter();
            all.find(|session| session.name.eq_ignore_ascii_case(wanted))
        });
        if let Some(session) = found {
            self.choose(&session.name);
        }
    }

    /// A key, if it moves within lists.
    pub(in crate::view) fn key(&mut self, key: KeyCode, height: usize, model: &Model) {
        let listed = self.listed(model);
        let row = moved(self.row(&listed), listed.len(), height, key);
        if let Some(session) = row.and_then(|row| listed.get(row)) {
            self.choose(&session.name);
        }
    }
}
