//! Everything that can happen to the dashboard.

use contract::alert::Alert;
use contract::eeg::{End, Samples, State, Stimulation};
use contract::spread::Spread;
use contract::venue::VenueHealth;
use crossterm::event::Event;

use crate::log::NewLines;
pub use crate::model::life::{Feed, Link};
pub use crate::model::order::Ordered;

/// Something that happened. Times are nanoseconds since 1970 on our clock.
#[derive(Debug, Clone)]
pub enum Message<'a> {
    /// A window was closed; with when its record came.
    Spread(&'a Spread<'a>, i64),
    /// A venue told how it fares; with when its record came.
    Venue(&'a VenueHealth<'a>, i64),
    /// The newest state of an episode.
    Alert(&'a Alert<'a>),
    /// An episode of this id was deleted.
    AlertGone(&'a str),
    /// A block of EEG samples; with when its record came.
    Samples(&'a Samples<'a>, i64),
    /// An order for the twin of a session, whoever gave it.
    Stimulation(&'a Stimulation<'a>),
    /// A session of EEG ended; with when its record came.
    SessionEnd(&'a End<'a>, i64),
    /// A window of EEG; with when its record came.
    State(&'a State<'a>, i64),
    /// An order given here was sent, or was not.
    Ordered(Ordered),
    /// A record could not be read: where it stood, and why.
    Unreadable(String),
    /// How the reading fares.
    Feed(Feed),
    /// Lines of the log of this process.
    Log(NewLines),
    /// Our clock. Comes before each frame; what may change only once a second (the order of a list) does so here.
    Time(i64),
    /// A key, the mouse, or another size.
    Input(Event),
    /// A frame was drawn.
    Drawn,
}
