//! Finds packets in a stream of bytes that may lose, gain and flip some.
//!
//! A packet has no checksum, so what can be asked of a candidate is little: its first byte, its last, the first byte of the
//! next one behind it, and an id that follows. In step, a packet is taken when it and the byte behind it are right; the wait for
//! that byte is one packet, 4 ms at 250 Hz. Out of step, every position is tried, inside the bytes that failed as well, and a
//! candidate is taken when the packet behind it is right too and its id follows. Nothing is thrown away but the bytes
//! before the candidate that is taken.
//!
//! **What no decoder can see**: a byte flipped within the readings. It changes one packet's reading and nothing else; such
//! packets are taken for good, one for each flip that hits one of the 24 bytes of readings, the auxiliary bytes, or a last byte that
//! thereby becomes another kind's. A flipped id costs its packet.

use std::collections::VecDeque;

use super::packet::{LENGTH, Packet, START, is_stop};

/// What the stream held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A packet. Its id is as it was sent; who reads it sees losses as jumps.
    Packet(Packet),
    /// Bytes that belong to no packet: `n` of them since the packet before.
    Passed(usize),
}

/// How far an id may be from the one expected when the stream is found again: what a burst of faults may have cost.
const NEAR: u8 = 32;
/// Bytes held at most: enough to look two packets ahead. What is beyond was asked of already.
const CAPACITY: usize = 4 * LENGTH;

/// A decoder; one per stream.
#[derive(Debug, Clone, Default)]
pub struct Decoder {
    held: VecDeque<u8>,
    /// The id that would follow; `None` before the first packet.
    expected: Option<u8>,
    in_step: bool,
    passed: usize,
}

/// What can be said of a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Packet,
    No,
    /// More bytes are needed to say.
    Wait,
}

impl Decoder {
    /// A decoder of a stream that may begin anywhere in a packet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes bytes, gives what is sure by then.
    pub fn push(&mut self, bytes: &[u8], mut event: impl FnMut(Event)) {
        for &byte in bytes {
            self.held.push_back(byte);
            self.settle(false, &mut event);
            debug_assert!(
                self.held.len() <= CAPACITY,
                "every position is settled in time"
            );
        }
    }

    /// The stream rests or has ended: a whole packet at its end is given without the byte behind it.
    pub fn flush(&mut self, mut event: impl FnMut(Event)) {
        self.settle(true, &mut event);
    }

    fn settle(&mut self, at_rest: bool, event: &mut impl FnMut(Event)) {
        while !self.held.is_empty() {
            match self.verdict(at_rest) {
                Verdict::Wait => return,
                Verdict::No => {
                    self.held.pop_front();
                    self.passed += 1;
                    self.in_step = false;
                }
                Verdict::Packet => {
                    if self.passed > 0 {
                        event(Event::Passed(std::mem::take(&mut self.passed)));
                    }
                    let mut bytes = [0; LENGTH];
                    for (slot, byte) in bytes.iter_mut().zip(self.held.drain(..LENGTH)) {
                        *slot = byte;
                    }
                    let packet = Packet::read(&bytes).expect("first and last byte were looked at");
                    self.expected = Some(packet.id.wrapping_add(1));
                    self.in_step = true;
                    event(Event::Packet(packet));
                }
            }
        }
    }

    fn verdict(&self, at_rest: bool) -> Verdict {
        match self.framed(0) {
            Verdict::Packet => {}
            other => return other,
        }
        match self.held.get(LENGTH) {
            None if at_rest => return self.alone(),
            None => return Verdict::Wait,
            Some(&START) => {}
            Some(_) => return Verdict::No,
        }
        if self.in_step && self.expected == self.held.get(1).copied() {
            return Verdict::Packet;
        }
        // Out of step, or its id does not follow: the packet behind it must be right as well.
        match self.framed(LENGTH) {
            Verdict::Packet => {}
            Verdict::Wait if at_rest => return self.alone(),
            other => return other,
        }
        let id = self.held[1];
        let ahead = self.held[LENGTH + 1].wrapping_sub(id);
        let near = self
            .expected
            .is_none_or(|expected| id.wrapping_sub(expected) <= NEAR);
        // The id behind it is ahead of it: else one of the two was flipped on the way.
        if ahead == 1 || (near && (1..=NEAR).contains(&ahead)) {
            Verdict::Packet
        } else {
            Verdict::No
        }
    }

    /// First and last byte of a packet at `at`.
    fn framed(&self, at: usize) -> Verdict {
        match (self.held.get(at), self.held.get(at + LENGTH - 1)) {
            (Some(&START), Some(&stop)) if is_stop(stop) => Verdict::Packet,
            (Some(&START), None) | (None, _) => Verdict::Wait,
            _ => Verdict::No,
        }
    }

    /// Whether a packet with nothing behind it is one: only where its id follows.
    fn alone(&self) -> Verdict {
        if self.held.get(1).copied() == self.expected {
            Verdict::Packet
        } else {
            Verdict::Wait
        }
    }
}

#[cfg(test)]
mod tests;
