//! Why a file is not a recording.

/// Why a file gave no recording. All of these are the file's fault.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Nothing stands in it.
    #[error("the file is empty")]
    Empty,
    /// Neither text nor EDF nor BDF.
    #[error(
        "the file is neither text nor EDF/BDF: byte {at} is 0x{byte:02x}; expected an OpenBCI or BrainFlow text file, CSV, EDF or BDF"
    )]
    Binary {
        /// Where the first impossible byte stands, from 0.
        at: usize,
        /// It.
        byte: u8,
    },
    /// It could not be unpacked.
    #[error("the file could not be unpacked as {packing}")]
    Packed {
        /// `gzip` or `zstd`.
        packing: &'static str,
        /// What the unpacker says.
        #[source]
        source: std::io::Error,
    },
    /// It unpacks to more than is taken.
    #[error("the file unpacks to more than {limit} bytes")]
    TooLarge {
        /// The limit, bytes.
        limit: usize,
    },
    /// No row of numbers.
    #[error("no row of numbers in the file{}", .first.as_ref().map(|fault| format!("; {fault}")).unwrap_or_default())]
    NoNumbers {
        /// The first row that could not be taken.
        first: Option<RowFault>,
    },
    /// The rows hold no channel.
    #[error("row {row} has {fields} fields, which leaves no channel of EEG: {expected}")]
    NoChannels {
        /// Line of the file, from 1.
        row: usize,
        /// How many it has.
        fields: usize,
        /// What was looked for.
        expected: String,
    },
    /// Too few samples to say anything.
    #[error("only {n_samples} usable samples; at least {least} are needed")]
    TooShort {
        /// How many there are.
        n_samples: usize,
        /// How many it takes.
        least: usize,
    },
    /// More rows are unreadable than readable.
    #[error("{bad} of {rows} rows cannot be read; {first}")]
    MostlyBad {
        /// Rows that could not be taken.
        bad: usize,
        /// Rows.
        rows: usize,
        /// The first of them.
        first: RowFault,
    },
    /// The file says no sampling rate, nor does the caller.
    #[error("the file does not say its sampling rate; give it with --rate, in hertz")]
    NoRate,
    /// A sampling rate that cannot be.
    #[error("the sampling rate `{text}`{} is not a number of hertz in {}..={}", .row.map(|row| format!(" in row {row}")).unwrap_or_default(), crate::source::recording::MIN_RATE_HZ, crate::source::recording::MAX_RATE_HZ)]
    Rate {
        /// Line of the file, from 1; none where it was an option.
        row: Option<usize>,
        /// As it stands there.
        text: String,
    },
    /// A BrainFlow file of an unknown board.
    #[error(
        "{fields} tab-separated columns belong to no board known here (Cyton 24, Daisy 32, Ganglion 15, synthetic 32); name it with --board"
    )]
    UnknownBoard {
        /// Columns found.
        fields: usize,
    },
    /// An EDF or BDF file that is not what the specification says.
    #[error("not a readable EDF/BDF file: {what} at byte {at}")]
    Edf {
        /// What is wrong.
        what: String,
        /// Where, from 0.
        at: usize,
    },
}

/// Why one row gave no sample.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("row {row}: {reason}")]
pub struct RowFault {
    /// Line of the file, from 1.
    pub row: usize,
    /// What is wrong with it.
    pub reason: String,
}
