//! A chosen row in a list that is shown page by page, so that nothing moves under the eye. Pure arithmetic.

use crossterm::event::KeyCode;

/// The first row of the page that holds the chosen one.
pub(crate) fn page_start(chosen: usize, height: usize) -> usize {
    chosen / height.max(1) * height.max(1)
}

/// The row chosen after a key, if the key moves within lists. `n` rows, of which `height` are seen.
pub(crate) fn moved(chosen: usize, n: usize, height: usize, code: KeyCode) -> Option<usize> {
    let to = match code {
        KeyCode::Up | KeyCode::Char('k') => chosen.saturating_sub(1),
        KeyCode::Down | KeyCode::Char('j') => chosen.saturating_add(1),
        KeyCode::PageUp => chosen.saturating_sub(height.max(1)),
        KeyCode::PageDown => chosen.saturating_add(height.max(1)),
        KeyCode::Home | KeyCode::Char('g') => 0,
        KeyCode::End | KeyCode::Char('G') => usize::MAX,
        _ => return None,
    };
    Some(to.min(n.saturating_sub(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chosen_row_stays_within_the_list_and_on_its_page() {
        assert_eq!(moved(0, 3, 10, KeyCode::Up), Some(0));
        assert_eq!(moved(2, 3, 10, KeyCode::Down), Some(2));
        assert_eq!(moved(0, 0, 0, KeyCode::End), Some(0));
        assert_eq!(moved(5, 100, 10, KeyCode::PageDown), Some(15));
        assert_eq!(moved(5, 100, 10, KeyCode::Enter), None);
        assert_eq!(
            (page_start(9, 10), page_start(10, 10), page_start(7, 0)),
            (0, 10, 7)
        );
    }
}
