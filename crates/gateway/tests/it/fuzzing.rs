//! The seeds of the fuzz targets, and what they found once, in every run of the tests; `make fuzz` looks for more.

use std::path::Path;

#[path = "../../fuzz/properties.rs"]
mod properties;

/// The texts of the files in a folder.
fn seeds(folder: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let texts = files.filter(|file| file.is_file()).map(|file| std::fs::read(file).unwrap());
    texts.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect()
}

#[tokio::test]
async fn seeds_of_route_files() {
    let all = [seeds("fuzz/seeds/route_file"), seeds("tests/cases"), seeds("../../deploy")].concat();
    assert!(all.len() >= 5);
    all.iter().for_each(|text| properties::route_file(text));
}

#[tokio::test]
async fn seeds_of_paths() {
    let (all, gateway) = (seeds("fuzz/seeds/path"), properties::routes());
    assert!(all.len() >= 5);
    all.iter().for_each(|text| properties::path(&gateway, text));
}
