//! A backend that answers as a test says, and remembers what it was asked.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use gateway::{ResponseBody, boxed};
use http::{HeaderMap, Request, Response};
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub type Answer = Response<ResponseBody>;

/// A running backend.
#[derive(Clone)]
pub struct Scripted {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<(String, HeaderMap)>>>,
}

impl Scripted {
    /// Answers on a free port.
    pub async fn start<F>(answer: F) -> Self
    where
        F: Fn(&str, &HeaderMap) -> BoxFuture<'static, Answer> + Send + Sync + 'static,
    {
        Self::on(TcpListener::bind("127.0.0.1:0").await.unwrap(), answer)
    }

    /// Answers on a listener.
    pub fn on<F>(listener: TcpListener, answer: F) -> Self
    where
        F: Fn(&str, &HeaderMap) -> BoxFuture<'static, Answer> + Send + Sync + 'static,
    {
        let backend = Self { address: listener.local_addr().unwrap(), asked: Arc::default() };
        let (asked, answer) = (Arc::clone(&backend.asked), Arc::new(answer));
        tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else { continue };
                let (asked, answer) = (Arc::clone(&asked), Arc::clone(&answer));
                let service = service_fn(move |request: Request<hyper::body::Incoming>| {
                    let path = request.uri().to_string();
                    asked.lock().unwrap().push((path.clone(), request.headers().clone()));
                    let answer = answer(&path, request.headers());
                    async move { Ok::<_, Infallible>(answer.await) }
                });
                let connection = hyper::server::conn::http1::Builder::new();
                tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
            }
        });
        backend
    }

    /// Its base address.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How often it was asked for a path.
    pub fn seen(&self, path: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|(asked, _)| asked == path).count()
    }

    /// The headers of the last request.
    pub fn last(&self) -> HeaderMap {
        self.asked.lock().unwrap().last().unwrap().1.clone()
    }

    /// Waits until it was asked so often for a path.
    pub async fn until_seen(&self, path: &str, times: usize) {
        while self.seen(path) < times {
            tokio::task::yield_now().await;
        }
    }
}

/// An answer with headers.
pub fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
    let mut builder = Response::builder().status(status);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(boxed(Full::new(body.into()))).unwrap()
}

/// A `no-op` endpoint at these hosts.
pub fn at(hosts: &[String], method: &str, path: &str, extra: Value) -> Value {
    json!({
        "endpoint": path, "method": method, "output_encoding": "no-op",
        "input_headers": ["*"], "input_query_strings": ["*"],
        "backend": [{"host": hosts, "url_pattern": path, "encoding": "no-op", "extra_config": extra}],
    })
}
