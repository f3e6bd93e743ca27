//! The seeds of the fuzz targets, and what they found once, in every run of the tests; `make fuzz` looks for more.

use std::path::{Path, PathBuf};

#[path = "../../fuzz/properties.rs"]
mod properties;

fn seeds(folder: &str) -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .filter(|file| file.is_file())
        .map(|file| (file.clone(), String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned()))
        .collect()
}

#[tokio::test]
async fn seeds_of_route_files() {
    let all = [seeds("fuzz/seeds/route_file"), seeds("tests/cases"), seeds("../../deploy")].concat();
    assert!(all.len() >= 5);
    for (file, text) in all {
        println!("{}", file.display());
        properties::route_file(&text);
    }
}

#[tokio::test]
async fn seeds_of_paths() {
    let (all, gateway) = (seeds("fuzz/seeds/path"), properties::routes());
    assert!(all.len() >= 5);
    for (file, text) in all {
        println!("{}", file.display());
        properties::path(&gateway, &text);
    }
}
