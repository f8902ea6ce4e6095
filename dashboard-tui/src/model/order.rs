//! What became of an order that was given at the keyboard.

/// An order for a twin was handed to the broker, or was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ordered {
    /// The name of the stimulation.
    pub id: String,
    /// Delivered, or why not.
    pub outcome: Result<(), String>,
}
