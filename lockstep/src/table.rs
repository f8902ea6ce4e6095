//! The closing table, for people on stderr or for programs as one line of JSON.

use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use dashboard_tui::text::grouped;
use serde_json::{Map, Value};

/// Rows of name and value, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Summary {
    rows: Vec<(&'static str, String)>,
    json: Map<String, Value>,
}

impl Summary {
    /// Adds a count.
    pub(crate) fn count(&mut self, name: &'static str, count: u64) {
        self.rows.push((name, grouped(count)));
        self.json.insert(key(name), count.into());
    }

    /// Adds a count with words about it.
    pub(crate) fn count_of(&mut self, name: &'static str, count: u64, parts: &[(String, u64)]) {
        let told: Vec<String> = parts
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(part, count)| format!("{part} {}", grouped(*count)))
            .collect();
        let text = if told.is_empty() {
            grouped(count)
        } else {
            format!("{} ({})", grouped(count), told.join(", "))
        };
        self.rows.push((name, text));
        self.json.insert(key(name), count.into());
        let parts: Map<String, Value> = parts
            .iter()
            .map(|(part, count)| (part.clone(), (*count).into()))
            .collect();
        self.json.insert(format!("{}_by", key(name)), parts.into());
    }

    /// Adds a time from the start; `never` where it did not come.
    pub(crate) fn after(&mut self, name: &'static str, time: Option<Duration>) {
        let text = time.map_or_else(
            || "never".to_owned(),
            |time| format!("{:.1} s after the start", time.as_secs_f64()),
        );
        self.rows.push((name, text));
        let seconds = time.map_or(Value::Null, |time| time.as_secs_f64().into());
        self.json.insert(format!("{}_s", key(name)), seconds);
    }

    /// Adds words.
    pub(crate) fn say(&mut self, name: &'static str, text: &str) {
        self.rows.push((name, text.to_owned()));
        self.json.insert(key(name), text.into());
    }

    /// Adds how long it took and how many things a second that makes.
    pub(crate) fn pace(&mut self, elapsed: Duration, things: u64, of: &'static str) {
        let seconds = elapsed.as_secs_f64();
        #[expect(
            clippy::as_conversions,
            reason = "a rate for people; counts beyond 2^53 do not occur"
        )]
        let per_second = things as f64 / seconds.max(1e-9);
        self.rows.push(("time", format!("{seconds:.3} s")));
        self.rows.push(("rate", format!("{per_second:.0} {of}/s")));
        self.json.insert("seconds".to_owned(), seconds.into());
        self.json
            .insert(format!("{of}_per_second"), per_second.into());
    }

    /// The table.
    pub(crate) fn table(&self) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        for (name, value) in &self.rows {
            table.add_row([*name, value.as_str()]);
        }
        if let Some(column) = table.column_mut(0) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table.to_string()
    }

    /// One line of JSON.
    pub(crate) fn json(&self) -> String {
        Value::Object(self.json.clone()).to_string()
    }
}

fn key(name: &str) -> String {
    name.replace([' ', '-'], "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_for_people_and_plain_for_programs() {
        let mut summary = Summary::default();
        summary.count("frames", 1_234_567);
        summary.count_of(
            "spreads",
            12,
            &[("ok".to_owned(), 12), ("stale".to_owned(), 0)],
        );
        assert!(summary.table().contains("1,234,567"));
        assert!(summary.table().contains("12 (ok 12)"));
        assert_eq!(
            summary.json(),
            r#"{"frames":1234567,"spreads":12,"spreads_by":{"ok":12,"stale":0}}"#
        );
        assert_eq!(
            (grouped(0), grouped(999), grouped(1_000)),
            ("0".into(), "999".into(), "1,000".into())
        );
    }
}
