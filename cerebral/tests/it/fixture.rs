//! Where the test data is.

use std::io::Write;
use std::path::{Path, PathBuf};

/// The bytes of a file of the test data; `None`, told loudly, where the data is absent.
pub(crate) fn test_data(name: &Path) -> Option<Vec<u8>> {
    let root = std::env::var_os("LOCKSTEP_TEST_DATA").map(PathBuf::from);
    let root = root.unwrap_or_else(|| PathBuf::from("../shared"));
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let path = workspace.join(root).join(name);
    if !path.parent().is_some_and(Path::is_dir) {
        let _ = writeln!(std::io::stderr(), "SKIPPED: no {}", path.display());
        return None;
    }
    Some(std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}
