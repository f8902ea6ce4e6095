//! Counts of what a partition has seen.

/// What a partition has seen so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Quotes admitted, late ones included.
    pub quotes: u64,
    /// Trades admitted, late ones included.
    pub trades: u64,
    /// Rates admitted.
    pub rates: u64,
    /// Marks.
    pub marks: u64,
    /// Statuses.
    pub statuses: u64,
    /// Ticks that came too late.
    pub late: u64,
    /// Rates that came too late and were ignored.
    pub rates_ignored: u64,
    /// Records that could not be read or admitted.
    pub dead: u64,
    /// Windows closed, records or not.
    pub windows: u64,
}

impl std::ops::AddAssign for Counters {
    fn add_assign(&mut self, other: Self) {
        self.quotes += other.quotes;
        self.trades += other.trades;
        self.rates += other.rates;
        self.marks += other.marks;
        self.statuses += other.statuses;
        self.late += other.late;
        self.rates_ignored += other.rates_ignored;
        self.dead += other.dead;
        self.windows += other.windows;
    }
}
