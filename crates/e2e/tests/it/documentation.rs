//! What the gateway shows by itself: the API's documentation, and its own metrics on another address.

use crate::client::Client;
use crate::installation::{Installation, free_ports};

#[tokio::test]
async fn the_documentation_is_served_without_anything_from_elsewhere() {
    let metrics = format!("127.0.0.1:{}", free_ports());
    let installation = Installation::on_database_with(&[("RESERVAS_GATEWAY_METRICS_LISTEN", &metrics)]).await;
    let client = installation.client();
    let document = client.get("/api/openapi.json").await.expect(200);
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let page = client.get("/api/docs/ui/").await.expect(200);
    let page = page.as_str().unwrap();
    assert!(page.contains("swagger-ui-bundle.js") && !page.contains("https://"), "{page}");
    let script = client.get("/api/docs/ui/swagger-ui-bundle.js").await.expect(200);
    assert!(script.as_str().unwrap().len() > 100_000);
    let errors = client.get("/api/docs/errors").await.expect(200);
    assert!(errors.as_str().unwrap().contains("### slot_taken"));

    // What is for operators is not shown to the world.
    for path in ["/metrics", "/health/ready", "/internal/events"] {
        client.get(path).await.problem(404, "unknown_path");
    }
    let metrics = Client::new(format!("http://{metrics}")).get("/metrics").await.expect(200);
    assert!(
        metrics.as_str().unwrap().contains("# EOF") || metrics.as_str().unwrap().contains("# TYPE"),
        "{metrics}"
    );
}
