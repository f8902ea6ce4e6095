//! Text from outside, made to be shown and to do nothing: no mention, no link, no markup, no change of direction.

/// The text within so many UTF-16 units, with an ellipsis where it was cut.
#[must_use]
pub fn cut(text: &str, most: usize) -> String {
    if units(text) <= most {
        return text.to_owned();
    }
    let mut left = most.saturating_sub(1);
    let mut kept = String::new();
    for c in text.chars() {
        let Some(rest) = left.checked_sub(c.len_utf16()) else {
            break;
        };
        left = rest;
        kept.push(c);
    }
    // A lone backslash would take the ellipsis for what it escapes.
    if kept.chars().rev().take_while(|c| *c == '\\').count() % 2 == 1 {
        kept.pop();
    }
    kept.push('\u{2026}');
    kept
}

/// Length in UTF-16 units.
#[must_use]
pub fn units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// Without control characters, line breaks and marks that change the direction of writing or are not seen.
#[must_use]
pub fn plain(text: &str) -> String {
    let is_unseen = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
            || matches!(c, '\u{61c}' | '\u{ad}' | '\u{e0000}'..='\u{e007f}')
    };
    let replaced = |c| if is_unseen(c) { '\u{fffd}' } else { c };
    text.chars().map(replaced).collect()
}

/// Plain, with every character that markup could begin with behind a backslash, within so many units. Empty text becomes
/// a dash, since Discord takes no empty field.
#[must_use]
pub fn shown(text: &str, most: usize) -> String {
    let text = plain(text);
    if text.trim().is_empty() {
        return "-".to_owned();
    }
    let mut out = String::new();
    let mut left = most;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let is_markup = matches!(
            c,
            '\\' | '*'
                | '_'
                | '~'
                | '|'
                | '`'
                | '>'
                | '<'
                | '#'
                | '@'
                | '['
                | ']'
                | '('
                | ')'
                | ':'
        );
        let needed = c.len_utf16() + usize::from(is_markup);
        // One unit stays free for the ellipsis, unless this is the end.
        let room = if rest.peek().is_some() {
            left.saturating_sub(1)
        } else {
            left
        };
        if needed > room {
            out.push('\u{2026}');
            break;
        }
        left -= needed;
        if is_markup {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ordinary_names_stay_as_they_are() {
        for name in ["BTC-USD", "coinbase", "1000SATS-USDT", "ETH/BTC"] {
            assert_eq!(shown(name, 60), name);
        }
        assert_eq!(shown("binance_us", 60), "binance\\_us");
    }

    #[test]
    fn mentions_links_and_markup_do_nothing() {
        assert_eq!(shown("@everyone", 60), "\\@everyone");
        assert_eq!(shown("<@123>", 60), "\\<\\@123\\>");
        assert_eq!(shown("https://x.org", 60), "https\\://x.org");
        assert_eq!(
            shown("**b** `c` ||d||", 60),
            "\\*\\*b\\*\\* \\`c\\` \\|\\|d\\|\\|"
        );
        assert_eq!(
            shown("a\nb\u{202e}c\u{0}", 60),
            "a\u{fffd}b\u{fffd}c\u{fffd}"
        );
        assert_eq!((shown("", 5).as_str(), shown("  ", 5).as_str()), ("-", "-"));
    }

    proptest! {
        #[test]
        fn nothing_is_longer_than_it_may_be(text in "\\PC{0,80}", most in 1..60_usize) {
            prop_assert!(units(&shown(&text, most)) <= most);
            prop_assert!(units(&cut(&text, most)) <= most);
            prop_assert!(!shown(&text, most).is_empty());
        }

        #[test]
        fn no_markup_stands_without_its_backslash(text in "[\\\\*_~|`><#@()\\[\\]:a-c]{0,60}", most in 1..60_usize) {
            let out = shown(&text, most);
            let mut chars = out.chars();
            while let Some(c) = chars.next() {
                if c == '\\' {
                    prop_assert!(chars.next().is_some(), "{out}");
                } else {
                    prop_assert!(!"*_~|`><#@[]():".contains(c), "{out}");
                }
            }
        }
    }
}
