//! The many ways to write one number.
//!
//! In: hundredths and the number of a way. Out: a decimal of the contract, the same number or one a hair above it.

/// A number and how it is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Number {
    pub(crate) hundredths: i64,
    pub(crate) writing: usize,
}

impl Number {
    /// The decimal.
    pub(crate) fn text(self) -> String {
        let (whole, rest) = (self.hundredths / 100, self.hundredths % 100);
        match self.writing {
            0 => format!("{whole}.{rest:02}"),
            1 => format!("{whole:04}.{rest:02}000"),
            2 if rest == 0 => whole.to_string(),
            // Twenty-five digits and more, equal in value or one unit of the last place above.
            3 => format!("{whole}.{rest:02}{:022}", 0),
            4 => format!("{whole}.{rest:02}{:022}", 1),
            5 => format!("{whole:025}.{rest:02}"),
            // Little enough above to vanish in six decimals of a basis point, or just not to.
            6 => format!("{whole}.{rest:02}000000{}", 4 + rest % 4),
            // Far from any market, but the same on both sides of a quote now and then.
            7 => format!("{whole}{rest:02}0000.0"),
            8 => format!("0.000{whole:05}{rest:02}"),
            _ => format!("{whole}.{rest:02}0"),
        }
    }
}
