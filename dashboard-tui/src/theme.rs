//! Tones, and what they look like. Colour never carries a meaning alone: words and signs beside it say the same.

use ratatui::style::{Color, Modifier, Style};

use crate::config::Colour;

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Tone {
    /// Ordinary.
    #[default]
    Plain,
    /// Beside the point: heads, units, borders.
    Dim,
    /// A title.
    Title,
    /// Above zero, up, delivered.
    Good,
    /// Above the threshold.
    Best,
    /// Doubtful: stale, late, pending.
    Warn,
    /// Wrong: down, crossed, refused.
    Bad,
    /// Must be seen at once.
    Loud,
    /// On purpose, but must not be forgotten: paused.
    Notice,
    /// The chosen row or tab.
    Chosen,
    /// A line in a chart that is not the main one.
    Second,
}

/// How tones look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Theme {
    colour: Colour,
}

impl Theme {
    pub(crate) fn new(colour: Colour) -> Self {
        Self { colour }
    }

    /// The style of a tone.
    pub(crate) fn style(self, tone: Tone) -> Style {
        let modifiers = match tone {
            Tone::Plain | Tone::Good | Tone::Second => Modifier::empty(),
            Tone::Dim => Modifier::DIM,
            Tone::Title | Tone::Best => Modifier::BOLD,
            Tone::Warn | Tone::Bad if self.colour == Colour::Off => Modifier::BOLD,
            Tone::Warn | Tone::Bad => Modifier::empty(),
            Tone::Chosen => Modifier::REVERSED,
            Tone::Loud | Tone::Notice => Modifier::REVERSED.union(Modifier::BOLD),
        };
        let style = Style::new().add_modifier(modifiers);
        if self.colour == Colour::Off {
            return style;
        }
        match tone {
            Tone::Plain | Tone::Title | Tone::Chosen => style,
            // A grey of its own is readable where "dim" is not.
            Tone::Dim => Style::new().fg(Color::DarkGray),
            Tone::Good | Tone::Best => style.fg(Color::Green),
            Tone::Warn | Tone::Notice => style.fg(Color::Yellow),
            Tone::Bad | Tone::Loud => style.fg(Color::Red),
            Tone::Second => style.fg(Color::Blue),
        }
    }
}
