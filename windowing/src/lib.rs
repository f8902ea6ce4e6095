//! windowing
