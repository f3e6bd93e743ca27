//! Server-sent events over real HTTP, read one by one.

use serde_json::Value;

use crate::{Person, TestApp};

/// A stream that is being read.
#[derive(Debug)]
pub struct EventStream {
    response: reqwest::Response,
    text: String,
}

/// An event of a stream.
#[derive(Debug)]
pub struct Told {
    /// Its type.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// Its data; null when that is no JSON.
    pub data: Value,
}

impl TestApp {
    /// The service on a port of its own: its address.
    ///
    /// # Panics
    /// When there is no port.
    pub async fn serve(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (router, shutdown) = (self.router.clone(), self.context.shutdown.clone());
        tokio::spawn(platform::http::serve::serve(router, listener, shutdown));
        url
    }
}

impl EventStream {
    /// Opens a stream, after the last event that came.
    ///
    /// # Panics
    /// When there is none.
    pub async fn open(app: &TestApp, person: &Person, url: &str, last: Option<&str>) -> Self {
        Self::with_token(app, &app.issuer.token(person), url, last).await
    }

    /// The same with a token of one's own.
    ///
    /// # Panics
    /// When there is none.
    pub async fn with_token(app: &TestApp, token: &str, url: &str, last: Option<&str>) -> Self {
        let mut request = app.context.client.get(url).bearer_auth(token);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status().as_u16(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, text: String::new() }
    }

    /// The next event; none when the stream has ended.
    ///
    /// # Panics
    /// When what comes is no text.
    pub async fn next(&mut self) -> Option<Told> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let line = event.lines().find_map(|line| line.strip_prefix(name));
                    line.map(|value| value.trim_start_matches([':', ' ']).to_owned()).unwrap_or_default()
                };
                let told = Told {
                    kind: field("event"),
                    id: field("id"),
                    data: serde_json::from_str(&field("data")).unwrap_or_default(),
                };
                self.text = rest.to_owned();
                return Some(told);
            }
            let chunk = self.response.chunk().await.ok()??;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The next event, which is of a type.
    ///
    /// # Panics
    /// When it is of another, or there is none.
    pub async fn expect(&mut self, kind: &str) -> Told {
        let told = self.next().await.unwrap();
        assert_eq!(told.kind, kind, "{told:?}");
        told
    }
}
