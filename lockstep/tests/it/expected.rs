//! What the pure machine makes of a partition of `ticks`, to hold the topics to.

use crate::fixture::{Room, run_well};

/// What `lockstep window --from` makes of a partition, line by line.
pub(crate) struct Expected {
    pub(crate) spreads: Vec<Vec<u8>>,
    pub(crate) late: Vec<Vec<u8>>,
    pub(crate) dead: Vec<Vec<u8>>,
}

/// Dumps the lines into a file, and runs `lockstep window --from` on it.
pub(crate) fn expected(room: &Room, partition: i32, ticks: &[Vec<u8>]) -> Expected {
    let path = |name: &str| room.path(&format!("{name}-{partition}"));
    let mut dump = Vec::new();
    for line in ticks {
        dump.extend_from_slice(line);
        dump.push(b'\n');
    }
    std::fs::write(path("ticks"), dump).unwrap();
    let files = [
        ("--from", "ticks"),
        ("--out", "spreads"),
        ("--late", "late"),
        ("--dead-letters", "dead"),
    ];
    let args = files
        .iter()
        .flat_map(|(option, name)| [(*option).into(), path(name).into_os_string()]);
    run_well(std::iter::once("window".into()).chain(args));
    let lines = |name| -> Vec<Vec<u8>> {
        let bytes = std::fs::read(path(name)).unwrap();
        let lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec);
        lines.filter(|line| !line.is_empty()).collect()
    };
    Expected {
        spreads: lines("spreads"),
        late: lines("late"),
        dead: lines("dead"),
    }
}

/// The first difference, if there is one.
pub(crate) fn same(expected: &[Vec<u8>], found: &[Vec<u8>]) -> Result<(), String> {
    let show = |line: Option<&Vec<u8>>| line.map(|line| String::from_utf8_lossy(line).into_owned());
    for place in 0..expected.len().max(found.len()) {
        let (expected_line, found_line) = (expected.get(place), found.get(place));
        if expected_line != found_line {
            return Err(format!(
                "place {place} of {} expected and {} found:\n  expected {:?}\n  found    {:?}",
                expected.len(),
                found.len(),
                show(expected_line),
                show(found_line)
            ));
        }
    }
    Ok(())
}
