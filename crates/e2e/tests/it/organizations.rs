//! `reservas org`, on a server of the operator's and on the private one, while it runs and while it does not.

use nix::sys::signal::Signal;
use serde_json::json;

use crate::installation::{Installation, command, folder};

async fn commands_work(installation: &Installation) {
    let (email, password) = installation.create_organization("beta").await;
    let credentials = json!({ "email": email, "password": password, "organization": "beta" });
    let client = installation.client();
    client.post("/api/v1/auth/login", credentials.clone()).await.expect(200);
    let listed = installation.org(&["list"]).await.unwrap();
    let lines: Vec<_> = listed.lines().collect();
    assert!(lines.len() == 2 && lines[0].starts_with("beta ") && lines[0].contains(" active "), "{listed}");
    installation.org(&["disable", "beta"]).await.unwrap();
    client.post("/api/v1/auth/login", credentials.clone()).await.problem(401, "invalid_credentials");
    assert!(installation.org(&["list"]).await.unwrap().contains(" disabled "));
    installation.org(&["enable", "beta"]).await.unwrap();
    client.post("/api/v1/auth/login", credentials).await.expect(200);
    installation.org(&["hosts", "beta", "beta.example.edu"]).await.unwrap();
    assert!(installation.org(&["list"]).await.unwrap().contains(" beta.example.edu"));
    for (arguments, part) in [
        (vec!["hosts", "beta", "Beta:8080"], "host names"),
        (vec!["disable", "nowhere"], "There is no such organization."),
        (vec!["create", "beta", "--name", "B", "--admin-email", "a@example.com"], "slug"),
        (vec!["create", "No!", "--name", "B", "--admin-email", "a@example.com"], "A slug is"),
        (vec!["create", "gamma", "--name", "B", "--admin-email", "nobody"], "e-mail"),
    ] {
        let said = installation.org(&arguments).await.unwrap_err();
        assert!(said.trim().lines().count() == 1 && said.contains(part), "{said}");
    }
}

#[tokio::test]
async fn organizations_are_managed_on_a_server_of_the_operators() {
    commands_work(&Installation::on_database().await).await;
}

#[tokio::test]
async fn organizations_are_managed_on_the_private_server() {
    let mut installation = Installation::start(&[]).await;
    commands_work(&installation).await;
    installation.stop(Signal::SIGTERM).await;
    assert!(installation.org(&["list"]).await.unwrap().contains("beta"));
    installation.restart().await;
    assert!(installation.org(&["list"]).await.unwrap().contains("beta"));
}

#[tokio::test]
async fn where_there_is_no_installation_one_line_says_so() {
    let folder = folder();
    let data = folder.path().join("data");
    let environment = [("RESERVAS_DATA_DIR".to_owned(), data.to_str().unwrap().to_owned())];
    let output = command(&["org", "list"], &environment).output().await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.trim().lines().count() == 1, "{said}");
    assert!(said.contains("DATABASE_URL") && said.contains(data.to_str().unwrap()), "{said}");
    assert!(!data.exists());
}
