//! Our own cases in the form of the published ones, with a route file of their own beside them.

use std::path::Path;

use crate::backend::Backend;
use crate::conformance::Case;
use crate::gateway::{Running, compatible};

#[tokio::test]
async fn own_cases() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let backend = Backend::start().await;
    let text = std::fs::read_to_string(folder.join("gateway.json")).unwrap();
    let text = text.replace("127.0.0.1:8081", &backend.address.to_string());
    let running = Running::start_with(&text, compatible()).await;
    let mut wrong = Vec::new();
    for case in Case::read_all(&folder.join("specs")) {
        wrong.extend(
            case.with_backend(&backend.address.to_string()).run(Some(&running.address.to_string())).await,
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
