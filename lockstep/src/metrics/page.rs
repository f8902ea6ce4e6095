//! Figures as the text that Prometheus reads. In: names, labels, values, in any order. Out: one page, families sorted.

use std::collections::BTreeMap;

use contract::timings::Timings;
use prometheus::proto::{
    Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType,
};
use prometheus::{Encoder, TextEncoder};

/// A page in the making.
#[derive(Default)]
pub(crate) struct Page(BTreeMap<&'static str, MetricFamily>);

/// Labels of a sample.
pub(crate) type Labels<'a> = &'a [(&'a str, &'a str)];

impl Page {
    /// Adds a sample of something that only grows; its name ends in `_total`.
    pub(crate) fn counter(
        &mut self,
        name: &'static str,
        help: &str,
        labels: Labels<'_>,
        count: u64,
    ) {
        let mut counter = Counter::default();
        counter.set_value(float(count));
        let mut metric = Metric::from_label(pairs(labels));
        metric.set_counter(counter);
        self.add(name, help, MetricType::COUNTER, metric);
    }

    /// Adds a sample of something that rises and falls.
    pub(crate) fn gauge(&mut self, name: &'static str, help: &str, labels: Labels<'_>, value: f64) {
        let mut gauge = Gauge::default();
        gauge.set_value(value);
        let mut metric = Metric::from_label(pairs(labels));
        metric.set_gauge(gauge);
        self.add(name, help, MetricType::GAUGE, metric);
    }

    /// Adds a histogram; its name ends in `_seconds`.
    pub(crate) fn timings(
        &mut self,
        name: &'static str,
        help: &str,
        labels: Labels<'_>,
        timings: &Timings,
    ) {
        let bucket = |(bound, count): (std::time::Duration, u64)| {
            let mut bucket = Bucket::default();
            bucket.set_upper_bound(bound.as_secs_f64());
            bucket.set_cumulative_count(count);
            bucket
        };
        let mut histogram = Histogram::default();
        histogram.set_bucket(timings.within().map(bucket).collect());
        histogram.set_sample_count(timings.count());
        histogram.set_sample_sum(timings.sum().as_secs_f64());
        let mut metric = Metric::from_label(pairs(labels));
        metric.set_histogram(histogram);
        self.add(name, help, MetricType::HISTOGRAM, metric);
    }

    fn add(&mut self, name: &'static str, help: &str, kind: MetricType, metric: Metric) {
        let family = self.0.entry(name).or_insert_with(|| {
            let mut family = MetricFamily::default();
            family.set_name(name.to_owned());
            family.set_help(help.to_owned());
            family.set_field_type(kind);
            family
        });
        family.mut_metric().push(metric);
    }

    /// The page's text.
    pub(crate) fn text(self) -> Result<String, prometheus::Error> {
        let families: Vec<MetricFamily> = self.0.into_values().collect();
        let mut text = Vec::new();
        TextEncoder::new().encode(&families, &mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

fn pairs(labels: Labels<'_>) -> Vec<LabelPair> {
    let pair = |&(name, value): &(&str, &str)| {
        let mut pair = LabelPair::default();
        pair.set_name(name.to_owned());
        pair.set_value(value.to_owned());
        pair
    };
    labels.iter().map(pair).collect()
}

/// A count as Prometheus keeps it.
#[expect(
    clippy::as_conversions,
    reason = "exact below 2^53, and no counter gets there"
)]
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}

/// Nanoseconds as seconds.
#[expect(
    clippy::as_conversions,
    reason = "a time of today keeps its microseconds"
)]
pub(crate) fn seconds(ns: i64) -> f64 {
    ns as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn samples_of_a_name_stand_together_whoever_adds_them() {
        let mut page = Page::default();
        page.counter("b_total", "Counts b.", &[("stage", "x")], 3);
        page.gauge("a_seconds", "How long.", &[], seconds(1_500_000_000));
        page.counter("b_total", "Counts b.", &[("stage", "a \"y\"\n")], 4);
        assert_eq!(
            page.text().unwrap(),
            "# HELP a_seconds How long.\n# TYPE a_seconds gauge\na_seconds 1.5\n\
             # HELP b_total Counts b.\n# TYPE b_total counter\nb_total{stage=\"x\"} 3\nb_total{stage=\"a \\\"y\\\"\\n\"} 4\n"
        );
    }

    #[test]
    fn timings_are_a_histogram_with_an_infinite_class() {
        let mut timings = Timings::default();
        timings.add(Duration::from_millis(3));
        timings.add(Duration::from_secs(3_600));
        let mut page = Page::default();
        page.timings("t_seconds", "Times.", &[], &timings);
        let text = page.text().unwrap();
        for line in [
            "t_seconds_bucket{le=\"0.002\"} 0",
            "t_seconds_bucket{le=\"0.005\"} 1",
            "t_seconds_bucket{le=\"60\"} 1",
            "t_seconds_bucket{le=\"+Inf\"} 2",
            "t_seconds_sum 3600.003",
            "t_seconds_count 2",
        ] {
            assert!(text.lines().any(|other| other == line), "{line} in\n{text}");
        }
    }
}
