//! A start that cannot succeed says in one line why and what to do, and ends with an error.

use std::process::Output;

use nix::sys::signal::Signal;

use crate::installation::{Installation, command, folder, free_ports};

/// Starts, and gives the one line that it ends with.
async fn refused(settings: &[(&str, &str)]) -> String {
    let own: Vec<_> =
        settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    line_of(command(&["all"], &own).output().await.unwrap())
}

fn line_of(output: Output) -> String {
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert_eq!(text.trim().lines().count(), 1, "{text}");
    assert!(text.starts_with("reservas: ") && !text.contains("panicked"), "{text}");
    text
}

#[tokio::test]
async fn a_port_or_a_folder_in_use_is_named() {
    let installation = Installation::start(&[]).await;
    let (other, port) = (folder(), installation.port.to_string());
    let line =
        refused(&[("RESERVAS_PORT_BASE", &port), ("RESERVAS_DATA_DIR", other.path().to_str().unwrap())])
            .await;
    assert!(line.contains(&port) && line.contains("RESERVAS_PORT_BASE"), "{line}");
    let (ports, data) = (free_ports().to_string(), installation.data());
    let line =
        refused(&[("RESERVAS_PORT_BASE", &ports), ("RESERVAS_DATA_DIR", data.to_str().unwrap())]).await;
    assert!(line.contains(data.to_str().unwrap()), "{line}");
}

#[tokio::test]
async fn a_broken_data_folder_is_named() {
    let folder = folder();
    let data = folder.path().join("data");
    std::fs::create_dir_all(data.join("postgres")).unwrap();
    std::fs::write(data.join("postgres/PG_VERSION"), "garbage").unwrap();
    let ports = free_ports().to_string();
    let here = [("RESERVAS_PORT_BASE", ports.as_str()), ("RESERVAS_DATA_DIR", data.to_str().unwrap())];
    let line = refused(&here).await;
    assert!(line.contains(data.to_str().unwrap()), "{line}");
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let line = refused(&[here[0], ("RESERVAS_DATA_DIR", file.to_str().unwrap())]).await;
    assert!(line.contains(file.to_str().unwrap()), "{line}");
}

#[tokio::test]
async fn an_unreachable_database_is_named() {
    let folder = folder();
    let ports = free_ports().to_string();
    let here =
        [("RESERVAS_PORT_BASE", ports.as_str()), ("RESERVAS_DATA_DIR", folder.path().to_str().unwrap())];
    for url in ["postgres://nobody:word@127.0.0.1:9/reservas", "not a url"] {
        let line = refused(&[here[0], here[1], ("DATABASE_URL", url)]).await;
        assert!(line.contains("DATABASE_URL") && !line.contains("word"), "{line}");
    }
}

#[tokio::test]
async fn wrong_settings_are_named() {
    for (name, value, part) in [
        ("RESERVAS_COLOR", "blue", "RESERVAS_COLOR"),
        ("RESERVAS_PORT_BASE", "70000", "port_base"),
        ("RESERVAS_PORT_BASE", "http", "a whole number"),
        ("REDIS_URL", "http://127.0.0.1", "REDIS_URL"),
        ("RUST_LOG", "a=b=c", "RUST_LOG"),
    ] {
        let (folder, ports) = (folder(), free_ports().to_string());
        let mut settings = vec![
            ("RESERVAS_DATA_DIR", folder.path().to_str().unwrap()),
            ("RESERVAS_PORT_BASE", ports.as_str()),
        ];
        settings.retain(|(other, _)| *other != name);
        settings.push((name, value));
        let line = refused(&settings).await;
        assert!(line.contains(part), "{line}");
    }
}

#[tokio::test]
async fn the_settings_in_force_are_shown_without_secrets() {
    let settings = [("DATABASE_URL".to_owned(), "postgres://me:hunter2@db/reservas".to_owned())];
    let output = command(&["config", "--port-base", "9000"], &settings).output().await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success() && text.contains("port_base = 9000") && !text.contains("hunter2"),
        "{text}"
    );
}

#[tokio::test]
async fn the_sealing_key_is_for_its_owner_alone_and_a_lost_one_is_named() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut installation = Installation::on_database().await;
    let (file, kept) = (installation.data().join("sealing-keys"), installation.folder.path().join("kept"));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    // A new key before the old one, and everything sealed with it.
    let new = installation.say(&["admin", "keys", "generate"]).await;
    let old = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{new}{old}")).unwrap();
    installation.stop(Signal::SIGTERM).await;
    installation.restart().await;
    let said = installation.say(&["admin", "keys", "reseal"]).await;
    assert!(said.starts_with("sealed anew: 1\nnothing is sealed with the key "), "{said}");
    std::fs::write(&file, new).unwrap();
    installation.stop(Signal::SIGTERM).await;
    installation.restart().await;
    installation.admin().await;
    installation.stop(Signal::SIGTERM).await;
    std::fs::rename(&file, &kept).unwrap();
    let line = line_of(installation.try_restart().await);
    assert!(line.contains("RESERVAS_SEALING_KEY_FILE") && line.contains("backup"), "{line}");
    std::fs::rename(&kept, &file).unwrap();
    installation.restart().await;
    installation.admin().await;
}
