//! TLS towards clients and backends.

use std::sync::Arc;
use std::time::Duration;

use gateway::{Gateway, Options};
use http::{Request, StatusCode, Version};
use http_body_util::Empty;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use rustls::version::{TLS12, TLS13};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::certificates::Authority;
use crate::client::get;
use crate::gateway::Running;
use crate::passing::file;

type Encrypted = TlsStream<TcpStream>;

async fn connect(running: &Running, config: &Arc<ClientConfig>, name: &str) -> std::io::Result<Encrypted> {
    let stream = TcpStream::connect(running.address).await?;
    let name = ServerName::try_from(name.to_owned()).unwrap();
    TlsConnector::from(Arc::clone(config)).connect(name, stream).await
}

fn shown(stream: &Encrypted) -> Vec<u8> {
    stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
}

/// Asks for the gateway's health over HTTP/1.1; with TLS 1.3 a client's certificate is refused only now.
async fn health(stream: &mut Encrypted) -> std::io::Result<String> {
    stream.write_all(b"GET /__health HTTP/1.1\r\nHost: x\r\n\r\n").await?;
    let mut buffer = vec![0; 4096];
    let count = stream.read(&mut buffer).await?;
    Ok(String::from_utf8_lossy(&buffer[..count]).into_owned())
}

async fn serve(tls: Value) -> Running {
    let mut routes = file(vec![]);
    routes["tls"] = tls;
    Running::start(&routes).await
}

#[tokio::test]
async fn the_name_decides_which_certificate_is_shown() {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().unwrap());
    let (first, second) = (authority.issue("one.example", 2099), authority.issue("*.two.example", 2099));
    let keys = json!([first.write(folder.path(), "first"), second.write(folder.path(), "second")]);
    let running = serve(json!({"keys": keys, "min_version": "TLS12"})).await;
    for versions in [&TLS12, &TLS13] {
        let client = authority.client(&[versions], &[], None);
        for (name, expected) in [("one.example", &first), ("a.two.example", &second), ("127.0.0.1", &first)] {
            let mut stream = connect(&running, &client, name).await.unwrap();
            assert_eq!(shown(&stream), expected.der.to_vec(), "{name}");
            assert!(health(&mut stream).await.unwrap().starts_with("HTTP/1.1 200"));
        }
    }
}

#[tokio::test]
async fn old_versions_are_refused_unless_asked_for() {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().unwrap());
    let key = authority.issue("one.example", 2099).write(folder.path(), "one");
    let running = serve(key).await;
    let old = authority.client(&[&TLS12], &[], None);
    assert!(connect(&running, &old, "one.example").await.is_err());
    let new = authority.client(&[&TLS13], &[], None);
    assert!(connect(&running, &new, "one.example").await.is_ok(), "`public_key` beside `tls` still works");
}

#[tokio::test]
async fn http_2_is_agreed_on_in_the_handshake() {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().unwrap());
    let keys = json!([authority.issue("one.example", 2099).write(folder.path(), "one")]);
    let running = serve(json!({"keys": keys})).await;
    let client = authority.client(&[&TLS13], &["h2", "http/1.1"], None);
    let stream = connect(&running, &client, "one.example").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::builder().uri("https://one.example/__health");
    let answer = sender.send_request(request.body(Empty::<bytes::Bytes>::new()).unwrap()).await.unwrap();
    assert_eq!((answer.status(), answer.version()), (StatusCode::OK, Version::HTTP_2));
}

#[tokio::test]
async fn clients_show_a_certificate_when_they_must() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root.pem");
    std::fs::write(&root, &authority.pem).unwrap();
    let keys = json!([authority.issue("one.example", 2099).write(folder.path(), "one")]);
    let running = serve(json!({
        "keys": keys, "enable_mtls": true, "disable_system_ca_pool": true, "ca_certs": [root],
    }))
    .await;
    let (known, unknown) = (authority.issue("client", 2099), stranger.issue("client", 2099));
    for (certificate, fine) in [(Some(&known), true), (Some(&unknown), false), (None, false)] {
        let client = authority.client(&[&TLS13], &[], certificate);
        let answer = match connect(&running, &client, "one.example").await {
            Ok(mut stream) => health(&mut stream).await,
            Err(error) => Err(error),
        };
        assert_eq!(answer.is_ok_and(|text| text.starts_with("HTTP/1.1 200")), fine);
    }
}

#[tokio::test]
async fn new_certificates_are_shown_and_connections_stay() {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().unwrap());
    let keys = json!([authority.issue("one.example", 2099).write(folder.path(), "one")]);
    let running = serve(json!({"keys": keys})).await;
    let client = authority.client(&[&TLS13], &[], None);
    let mut kept = connect(&running, &client, "one.example").await.unwrap();
    assert!(health(&mut kept).await.unwrap().starts_with("HTTP/1.1 200"));
    let renewed = authority.issue("one.example", 2098);
    renewed.write(folder.path(), "one");
    let mut tick = tokio::time::interval(Duration::from_millis(50));
    while shown(&connect(&running, &client, "one.example").await.unwrap()) != renewed.der.to_vec() {
        tick.tick().await;
    }
    assert!(health(&mut kept).await.unwrap().starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_client_without_tls_is_cut_and_others_are_served() {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().unwrap());
    let keys = json!([authority.issue("one.example", 2099).write(folder.path(), "one")]);
    let running = serve(json!({"keys": keys})).await;
    let mut plain = TcpStream::connect(running.address).await.unwrap();
    plain.write_all(b"GET /__health HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    let client = authority.client(&[&TLS13], &[], None);
    assert!(health(&mut connect(&running, &client, "one.example").await.unwrap()).await.is_ok());
}

fn errors(tls: &str) -> String {
    let text = format!("{{\"version\": 3, \"endpoints\": [],\n\"tls\": {tls}\n}}");
    Gateway::parse(&text, Options::default()).err().map(|errors| errors.to_string()).unwrap_or_default()
}

#[test]
fn what_is_wrong_with_the_files_is_told_with_its_place() {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().unwrap());
    let path = |name: &str| folder.path().join(name).display().to_string();
    authority.issue("one.example", 2099).write(folder.path(), "one");
    authority.issue("two.example", 2099).write(folder.path(), "two");
    std::fs::write(path("empty"), "").unwrap();
    let pair = |certificate: &str, key: &str| {
        format!(
            "{{\"keys\": [\n{{\"public_key\": \"{}\",\n\"private_key\": \"{}\"}}]}}",
            path(certificate),
            path(key)
        )
    };
    for (certificate, key, expected) in [
        ("none.pem", "one.key", "3:16 tls.keys[0].public_key: "),
        ("none.pem", "one.key", "cannot be read: No such file"),
        ("empty", "one.key", "holds no certificate in PEM form"),
        ("one.pem", "empty", "4:16 tls.keys[0].private_key: "),
        ("one.pem", "empty", "holds no private key in PEM form"),
        ("one.pem", "two.key", "4:16 tls.keys[0].private_key: "),
        ("one.pem", "two.key", "the key does not belong to the certificate"),
    ] {
        let text = errors(&pair(certificate, key));
        assert!(text.contains(expected), "{certificate} {key}: {text}");
    }
    assert_eq!(errors(&pair("one.pem", "one.key")), "");
    let with = |more: &str| errors(&pair("one.pem", "one.key").replace("]}", &format!("], {more}}}")));
    for (more, expected) in [
        ("\"min_version\": \"TLS11\"", "`TLS11` is broken and not supported"),
        ("\"min_version\": \"TLS14\"", "`TLS14` is no version"),
        ("\"max_version\": \"TLS12\"", "below `min_version`"),
        ("\"cipher_suites\": [5]", "5 is not supported: take of ["),
        ("\"curve_preferences\": [25]", "25 is not supported: take of ["),
        ("\"enable_mtls\": true, \"disable_system_ca_pool\": true", "without roots no client could get in"),
        ("\"nonsense\": 1", "`nonsense` is not known"),
    ] {
        let text = with(more);
        assert!(text.contains(expected), "{more}: {text}");
    }
    assert!(errors("{}").contains("needs a certificate"));
    assert_eq!(errors("{\"disabled\": true, \"keys\": [{\"public_key\": \"gone\"}]}"), "");
}

#[test]
fn an_expired_certificate_is_a_warning() {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().unwrap());
    for (until, warned) in [(2021, true), (2099, false)] {
        let keys = json!([authority.issue("one.example", until).write(folder.path(), "one")]);
        let routes = json!({"version": 3, "endpoints": [], "tls": {"keys": keys}});
        let gateway = Gateway::parse(&routes.to_string(), Options::default()).unwrap();
        let text = gateway.warnings().join("\n");
        assert_eq!(text.contains("the certificate has expired"), warned, "{text}");
    }
}

#[tokio::test]
async fn backends_are_asked_as_the_file_says() {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().unwrap());
    let root = folder.path().join("root.pem");
    std::fs::write(&root, &authority.pem).unwrap();
    let keys = json!([authority.issue("one.example", 2099).write(folder.path(), "one")]);
    let own = json!({"disable_system_ca_pool": true, "ca_certs": [root]});
    let open = serve(json!({"keys": keys})).await;
    let mut mutual = own.clone();
    mutual["keys"] = keys;
    mutual["enable_mtls"] = true.into();
    let closed = serve(mutual).await;
    let written = authority.issue("client", 2099).write(folder.path(), "client");
    let certificate = json!({"certificate": written["public_key"], "private_key": written["private_key"]});
    let mut shows = own.clone();
    shows["client_certs"] = json!([certificate]);
    for (backend, client_tls, expected) in [
        (&open, own.clone(), 200),
        (&open, json!({"disable_system_ca_pool": true}), 502),
        (&open, json!({"allow_insecure_connections": true}), 200),
        (&closed, own, 502),
        (&closed, shows, 200),
    ] {
        let mut routes = file(vec![json!({
            "endpoint": "/x", "output_encoding": "no-op",
            "backend": [{"host": [format!("https://{}", backend.address)], "url_pattern": "/__health"}],
        })]);
        routes["client_tls"] = client_tls.clone();
        let front = Running::start(&routes).await;
        assert_eq!(get(&front.url("/x")).await.status.as_u16(), expected, "{client_tls}");
    }
}
