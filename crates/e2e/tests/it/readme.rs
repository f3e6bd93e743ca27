//! The commands of the README's first page, typed as a new user would.

use std::path::Path;

use tokio::process::Command;

use crate::installation::{ADMIN, Installation, PASSWORD};
use crate::journey::{import, search};

/// The commands: the one block of shell.
fn commands() -> String {
    let readme = include_str!("../../../../README.md");
    readme.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap().to_owned()
}

#[tokio::test]
async fn the_commands_of_the_readme_do_what_it_says() {
    let installation = Installation::start(&[]).await;
    // A person is slower than a test: what follows an import has followed before the search is typed.
    import(&installation).await;
    search(&installation.admin().await).await;
    let commands = commands()
        .replace("localhost:8080", &format!("127.0.0.1:{}", installation.port))
        .replace("admin@localhost.localdomain", ADMIN);
    let mut shell = Command::new("bash");
    shell.args(["-euo", "pipefail", "-c", &commands]).env("PASSWORD", PASSWORD).kill_on_drop(true);
    shell.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
    let output = shell.output().await.unwrap();
    let (said, erred) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{erred}");
    for part in [
        "\"unchanged\"",
        "\"slot_taken\"",
        "\"alternatives\"",
        "reservas.booking.moved.v1",
        "\"Not needed any more\"",
    ] {
        assert!(said.contains(part), "{part} is missing in {said}");
    }
}
