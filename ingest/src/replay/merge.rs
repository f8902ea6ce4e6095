//! Several captures as one, by receipt.

use super::{Input, InputReport, ReplayReport};
use crate::capture::CapturedFrame;

/// Readers, each standing at its next usable line.
pub(super) struct Merge {
    sources: Vec<Source>,
    /// The one whose line was handed out last and has to move on.
    moved: Option<usize>,
    bytes_total: Option<u64>,
}

struct Source {
    input: Input,
    /// Receipt of the line it stands at; nothing at its end.
    head_ns: Option<i64>,
    report: InputReport,
}

/// A frame, and how far all inputs are.
pub(super) struct Next<'a> {
    pub(super) frame: CapturedFrame<'a>,
    pub(super) bytes_read: u64,
    pub(super) bytes_total: Option<u64>,
}

impl Merge {
    pub(super) fn new(inputs: Vec<Input>) -> Self {
        let bytes_total = inputs.iter().map(|input| input.size).sum();
        let sources = inputs.into_iter().map(|input| Source {
            report: InputReport::new(&input.name),
            input,
            head_ns: None,
        });
        Self {
            sources: sources.collect(),
            moved: None,
            bytes_total,
        }
    }

    /// The next frame; faults on the way to it go to `report`.
    pub(super) fn next(&mut self, report: &mut ReplayReport) -> Option<Next<'_>> {
        match self.moved.take() {
            Some(moved) => self.sources[moved].move_on(report),
            None => {
                for source in &mut self.sources {
                    source.move_on(report);
                }
            }
        }
        let heads = self.sources.iter().enumerate();
        let (_, first) = heads
            .filter_map(|(at, source)| Some((source.head_ns?, at)))
            .min()?;
        self.moved = Some(first);
        let bytes_read = self.bytes_read();
        let frame = self.sources[first].input.reader.current();
        let frame = frame.expect("a source stands at a line only once it was read");
        Some(Next {
            frame,
            bytes_read,
            bytes_total: self.bytes_total,
        })
    }

    /// Puts what is known of the inputs into `report`; gives the bytes read and their total.
    pub(super) fn finish(self, report: &mut ReplayReport) -> (u64, Option<u64>) {
        let bytes_read = self.bytes_read();
        report.inputs = self.sources.into_iter().map(Source::report).collect();
        (bytes_read, self.bytes_total)
    }

    fn bytes_read(&self) -> u64 {
        self.sources
            .iter()
            .map(|source| source.input.reader.bytes_read())
            .sum()
    }
}

impl Source {
    /// Goes to the next line that can be used.
    fn move_on(&mut self, report: &mut ReplayReport) {
        let before_ns = self.head_ns.take();
        while let Some(filled) = self.input.reader.fill() {
            let read = filled.and_then(|()| self.input.reader.current());
            match read {
                Ok(frame) => {
                    self.report.frames += 1;
                    if before_ns.is_some_and(|before_ns| frame.received_ns < before_ns) {
                        self.report.stamps_back += 1;
                    }
                    self.head_ns = Some(frame.received_ns);
                    return;
                }
                Err(fault) => {
                    self.report.faults += 1;
                    self.report.ends_early |= fault.is_end();
                    report.fault(&self.input.name, fault);
                }
            }
        }
    }

    fn report(self) -> InputReport {
        InputReport {
            lines: self.input.reader.lines(),
            bytes: self.input.reader.bytes_read(),
            ..self.report
        }
    }
}
