//! Any bytes as a path.
#![no_main]

use std::sync::LazyLock;

#[path = "../properties.rs"]
#[expect(dead_code, reason = "the other target asks the rest")]
mod properties;

static GATEWAY: LazyLock<gateway::Gateway> = LazyLock::new(properties::routes);

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        properties::path(&GATEWAY, text);
    }
});
