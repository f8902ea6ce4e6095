//! Band power over the head, seen from above, the nose on top; where the channels' names are no places, on a plain ring.
//!
//! Places follow the names of the 10-20 system and its finer kin: letters from front to back, odd numbers left, even ones right,
//! `z` in the middle. Absent: interpolation; between electrodes nothing was measured.

use std::f64::consts::{PI, TAU};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::silent;
use crate::model::session::Session;
use crate::theme::Tone;
use crate::view::Look;
use crate::view::dots::Dots;
use crate::view::eeg::{number, sign, titled};
use crate::view::scale::{bar, count, whole};

/// More electrodes than these are shown by their signs.
const MOST_NAMES: usize = 32;
/// How far out the outermost electrodes lie, of the head's radius.
const RIM: f64 = 0.86;

/// Where an electrode of this name lies: right and front are positive, the head's radius is 1.
fn site(name: &str) -> Option<(f64, f64)> {
    let name = name.trim().to_ascii_lowercase();
    // As they were called before 1991.
    let name = match name.as_str() {
        "t3" => "t7",
        "t4" => "t8",
        "t5" => "p7",
        "t6" => "p8",
        other => other,
    };
    let behind = name.find(|c: char| c.is_ascii_digit() || c == 'z')?;
    let (row, column) = name.split_at(behind);
    let front = match row {
        "fp" => 0.8,
        "af" => 0.62,
        "f" => 0.42,
        "fc" | "ft" => 0.21,
        "c" | "t" => 0.0,
        "cp" | "tp" => -0.21,
        "p" => -0.42,
        "po" => -0.62,
        "o" => -0.8,
        _ => return None,
    };
    if column == "z" {
        return Some((0.0, front));
    }
    let number: u32 = column
        .parse()
        .ok()
        .filter(|number| (1..=10).contains(number))?;
    let is_left = number % 2 == 1;
    let steps = f64::from(number.div_ceil(2) * 2 - 1);
    // 7 and 8 lie on the rim; at front and back 1 and 2 do already.
    let rim = (RIM * RIM - front * front).max(0.0).sqrt();
    let out = if row == "fp" || row == "o" {
        rim * steps.min(3.0)
    } else {
        (rim * steps / 7.0).min(1.0)
    };
    Some((if is_left { -out } else { out }, front))
}

/// Where each of the channels lies; none where it is not known. All on a ring where fewer than half are known.
fn sites(session: &Session) -> (Vec<Option<(f64, f64)>>, &'static str) {
    let n = session.n_channels();
    let known: Vec<Option<(f64, f64)>> = (0..n).map(|at| site(session.channel(at))).collect();
    if known.iter().flatten().count() * 2 >= n {
        return (known, "head from above");
    }
    let ring = (0..n).map(|at| {
        let turn = PI / 2.0 - TAU * count(at) / count(n);
        Some((RIM * turn.cos(), RIM * turn.sin()))
    });
    (ring.collect(), "ring (names are no places)")
}

/// Draws it.
pub(super) fn draw(session: &Session, buffer: &mut Buffer, area: Rect, look: &Look<'_>) {
    let Some(state) = session
        .newest
        .as_ref()
        .filter(|_| area.height > 6 && area.width >= 14)
    else {
        silent(buffer, area, "head", "none", look);
        return;
    };
    let power = |at: usize| {
        state
            .band_power_uv2
            .get(at)
            .map_or(f64::NAN, |figure| figure.0)
    };
    let strongest = (0..session.n_channels()).map(power).fold(0.0, f64::max);
    let (sites, form) = sites(session);
    let homeless = sites.iter().filter(|site| site.is_none()).count();
    let without = if homeless > 0 {
        format!(", {homeless} without a place")
    } else {
        String::new()
    };
    let title = format!(
        "{form}: band power, █ {} µV²{without}",
        number(strongest, 1)
    );
    let inner = titled(buffer, area, &title, look);
    let mut dots = Dots::new(usize::from(inner.width), usize::from(inner.height));
    let radius = (count(dots.width().min(dots.height())) / 2.0 - 1.0).max(1.0);
    let middle = (count(dots.width()) / 2.0, count(dots.height()) / 2.0);
    for step in 0..240_u32 {
        let turn = f64::from(step) / 240.0 * TAU;
        let x = whole((middle.0 + turn.cos() * radius).round());
        let y = whole((middle.1 - turn.sin() * radius).round());
        dots.set(x, y, Tone::Dim);
    }
    dots.draw(buffer, inner, look);
    let nose = inner.x + inner.width / 2;
    buffer.set_stringn(
        nose.saturating_sub(1),
        inner.y,
        "╱╲",
        2,
        look.style(Tone::Dim),
    );
    for (at, (right, front)) in sites
        .iter()
        .enumerate()
        .filter_map(|(at, site)| Some((at, (*site)?)))
    {
        let share = power(at) / strongest;
        let (glyph, tone) = match share {
            share if !share.is_finite() => ("✗", Tone::Bad),
            share if share >= 2.0 / 3.0 => (bar(share), Tone::Best),
            share if share >= 1.0 / 3.0 => (bar(share), Tone::Good),
            share => (bar(share), Tone::Second),
        };
        // Names stand beside each other as long as there are few.
        let label = if sites.len() <= MOST_NAMES {
            format!("{}{glyph}", session.short(at, 4))
        } else {
            format!("{}{glyph}", sign(at))
        };
        let x = whole((middle.0 + right * radius) / 2.0).saturating_sub(label.chars().count() / 2);
        let y = whole((middle.1 - front * radius) / 4.0);
        let place = u16::try_from(x).ok().zip(u16::try_from(y).ok());
        let Some((x, y)) = place.filter(|(x, y)| *x < inner.width && *y < inner.height) else {
            continue;
        };
        let room = usize::from(inner.width - x);
        buffer.set_stringn(inner.x + x, inner.y + y, label, room, look.style(tone));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_places() {
        for (name, side, way) in [
            ("Fp1", -1.0, 1.0),
            ("O2", 1.0, -1.0),
            ("T3", -1.0, 0.0),
            ("C4", 1.0, 0.0),
            ("Pz", 0.0, -1.0),
        ] {
            let (right, front) = site(name).unwrap();
            let sign = |value: f64| {
                if value.abs() < 1e-9 {
                    0.0
                } else {
                    value.signum()
                }
            };
            assert!(
                (sign(right) - side).abs() < 1e-9 && (sign(front) - way).abs() < 1e-9,
                "{name}: {right} {front}"
            );
            assert!(right.hypot(front) <= 1.0);
        }
        assert_eq!(site("T5"), site("p7"));
        for name in ["", "E12", "ch1", "Fp", "Cz9", "C99", "µ1", "日本"] {
            assert_eq!(site(name), None, "{name}");
        }
    }
}
