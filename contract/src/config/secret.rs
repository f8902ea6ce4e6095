//! Properties for librdkafka, of which some are secrets.
//!
//! In: the checked `[kafka.properties]`. Out: [`Properties`], whose `Debug` shows no secret. What a
//! property means is librdkafka's affair.

use std::collections::BTreeMap;
use std::fmt;

/// What stands where a secret would.
pub(super) const MASK: &str = "***";

/// Parts of a name that tell a secret. Rather one masked in vain than one shown.
const TELLTALES: [&str; 8] = [
    "password",
    "passphrase",
    "secret",
    "token",
    "credential",
    "jaas",
    "oauthbearer.config",
    "ssl.key",
];

/// Whether the value of the librdkafka property `name` must not be shown. A file's location is none.
pub(super) fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    !name.ends_with(".location")
        && (TELLTALES.iter().any(|part| name.contains(part)) || name.ends_with(".pem"))
}

/// The properties handed to librdkafka as they stand, by name. Secrets are masked in `Debug`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Properties(BTreeMap<String, String>);

impl Properties {
    /// Every property with its value in the clear, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The value of one property in the clear.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every property, by name, with `***` for each secret.
    pub fn masked(&self) -> impl Iterator<Item = (&str, &str)> {
        self.iter()
            .map(|(name, value)| (name, if is_secret(name) { MASK } else { value }))
    }
}

impl FromIterator<(String, String)> for Properties {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

impl fmt::Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.masked()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_keys_and_tokens_are_secrets_and_places_are_not() {
        for name in [
            "sasl.password",
            "ssl.key.password",
            "ssl.key.pem",
            "ssl.keystore.password",
            "sasl.oauthbearer.client.secret",
            "SASL.PASSWORD",
            "sasl.oauthbearer.config",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in [
            "sasl.username",
            "security.protocol",
            "ssl.ca.location",
            "ssl.key.location",
            "linger.ms",
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }
}
