//! Any bytes as a route file.
#![no_main]

#[path = "../properties.rs"]
#[expect(dead_code, reason = "the other target asks the rest")]
mod properties;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        properties::route_file(text);
    }
});
