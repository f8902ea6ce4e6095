//! lockstep
fn main() {}
