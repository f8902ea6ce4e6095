//! Texts that borrow from the frame, and fields that must say one thing.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use serde::de::{self, Deserialize, Deserializer, Visitor};

/// A JSON string; borrows from the frame unless it holds an escape. Unlike `Cow` it does so inside `Option` and `Vec` too.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Str<'a>(pub Cow<'a, str>);

impl Deref for Str<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Str<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Cow<'de, str>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Cow::Borrowed(text))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Cow::Owned(text.to_owned()))
            }
        }
        deserializer.deserialize_str(Text).map(Str)
    }
}

/// Whether a field is there at all, whatever it holds; `null` counts. Twice is an error of shape, so that no frame can be
/// one thing at its beginning and another at its end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Present(pub(crate) bool);

impl<'de> Deserialize<'de> for Present {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        de::IgnoredAny::deserialize(deserializer).map(|_| Self(true))
    }
}

/// A field that must read as one text; any other is an error of shape.
pub trait Fixed {
    /// The text.
    const TEXT: &'static str;
}

/// Makes a type for a field that must read as the text given.
macro_rules! fixed {
    ($name:ident, $text:literal) => {
        #[doc = concat!("The field that must read `", $text, "`.")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) struct $name;
        impl $crate::venue::Fixed for $name {
            const TEXT: &'static str = $text;
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::venue::text::expect::<Self, D>(deserializer).map(|()| Self)
            }
        }
    };
}
pub(crate) use fixed;

pub(crate) fn expect<'de, F: Fixed, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    struct Is(&'static str);
    impl Visitor<'_> for Is {
        type Value = ();
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "the text \"{}\"", self.0)
        }
        fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
            if text == self.0 {
                Ok(())
            } else {
                Err(E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
    }
    deserializer.deserialize_str(Is(F::TEXT))
}
