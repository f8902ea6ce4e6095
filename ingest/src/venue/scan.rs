//! The short way through a frame that is written as it always is.
//!
//! Venues write their frames by machine: the same keys in the same order, no spaces, no escapes. [`Scan`] reads such a
//! frame piece by piece; at the first thing that is otherwise it says `None`, and the frame is read by serde_json instead.
//! It takes nothing that serde_json would refuse or read otherwise. What it saves is what lets exact decimals and times
//! stay within the budget of `docs/benchmarks.md`.

use std::borrow::Cow;

use super::Str;

/// What is left of a frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scan<'a>(&'a str);

impl<'a> Scan<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self(text)
    }

    /// Exactly this.
    #[inline]
    pub(super) fn literal(&mut self, literal: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(literal)?;
        Some(())
    }

    /// This or nothing; whether it was there.
    #[inline]
    pub(super) fn maybe(&mut self, literal: &str) -> bool {
        self.literal(literal).is_some()
    }

    /// The rest of a JSON string without escapes, and its closing quotation mark.
    #[inline]
    pub(super) fn text(&mut self) -> Option<Str<'a>> {
        let special = |&byte: &u8| byte == b'"' || byte == b'\\' || byte < b' ';
        let end = self.0.as_bytes().iter().position(special)?;
        let (text, rest) = self.0.split_at(end);
        self.0 = rest.strip_prefix('"')?;
        Some(Str(Cow::Borrowed(text)))
    }

    /// A whole number from 0 to that of 18 digits, as JSON writes it.
    #[inline]
    pub(super) fn number(&mut self) -> Option<u64> {
        let bytes = self.0.as_bytes();
        let mut value = 0_u64;
        let mut length = 0;
        while let Some(digit @ b'0'..=b'9') = bytes.get(length) {
            value = value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            length += 1;
        }
        let leads_with_zero = length > 1 && bytes[0] == b'0';
        // A point or an exponent would make another number of it.
        let goes_on = matches!(bytes.get(length), Some(b'.' | b'e' | b'E'));
        if length == 0 || length > 18 || leads_with_zero || goes_on {
            return None;
        }
        self.0 = self.0.split_at(length).1;
        Some(value)
    }

    /// The same, signed.
    #[inline]
    pub(super) fn signed(&mut self) -> Option<i64> {
        self.number().and_then(|number| i64::try_from(number).ok())
    }

    /// `true` or `false`.
    #[inline]
    pub(super) fn truth(&mut self) -> Option<bool> {
        if self.maybe("true") {
            return Some(true);
        }
        self.literal("false").map(|()| false)
    }

    /// Nothing is left.
    #[inline]
    pub(super) fn end(self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_text_is_read_as_serde_json_reads_it_or_not_at_all(text in "[a-z\"\\\\\u{1}é\u{1f600}]{0,9}\"?") {
            let mut scan = Scan::new(&text);
            if let Some(read) = scan.text() {
                let json = format!("\"{}\"", &text[..text.len() - scan.0.len() - 1]);
                prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), &*read);
            }
        }

        #[test]
        fn a_number_is_read_as_serde_json_reads_it_or_not_at_all(text in "-?[0-9]{0,21}(\\.[0-9])?(e[0-9])?") {
            let mut scan = Scan::new(&text);
            if let Some(read) = scan.number() {
                prop_assert_eq!(serde_json::from_str::<u64>(&text).ok(), Some(read));
            }
        }
    }
}
