//! Tests of windowing from outside: lines in, lines out.
//!
//! `reference` is the slow reading of the design; `agreement` holds the product to it, first on streams small enough to
//! work out by hand, then on those of `generator`. `broker` takes those through Kafka and timely.

mod agreement;
mod broker;
mod generator;
mod line;
mod reference;
mod restored;
