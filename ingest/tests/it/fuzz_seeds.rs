//! Every seed and every regression of the fuzz targets, through the same functions.

use std::path::Path;

#[test]
fn every_seed_and_regression_of_every_fuzz_target_passes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    for (name, target) in ingest::fuzzing::TARGETS {
        let mut run = 0;
        for kind in ["seeds", "regressions"] {
            let files = folder.join(kind).join(name);
            for file in std::fs::read_dir(&files).unwrap() {
                let path = file.unwrap().path();
                eprintln!("{}", path.display());
                target(&std::fs::read(&path).unwrap());
                run += 1;
            }
        }
        assert!(run > 3, "{name} has no seeds");
        let source = folder.join("fuzz_targets").join(name);
        assert!(source.with_extension("rs").is_file(), "{name} is no target");
    }
}
