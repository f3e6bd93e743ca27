//! Hosts that a DNS server names: a real one, in this process.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use gateway::{Gateway, Options};
use hickory_server::Server;
use hickory_server::proto::rr::rdata::{A, SOA, SRV};
use hickory_server::proto::rr::{LowerName, Name, RData, Record, RecordType, RrKey};
use hickory_server::store::in_memory::InMemoryZoneHandler;
use hickory_server::zone_handler::{AxfrPolicy, Catalog, ZoneType};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::net::{TcpListener, UdpSocket};

use crate::client::get;
use crate::gateway::Running;
use crate::passing::file;
use crate::scripted::{Scripted, answer, at};

/// Seconds that an answer may be kept.
const TTL: u32 = 1;

/// A DNS server for the zone `internal.`.
struct Zone {
    address: SocketAddr,
    records: Arc<InMemoryZoneHandler>,
    server: Server<Catalog>,
}

fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

impl Zone {
    async fn start() -> Self {
        let origin = name("internal.");
        let records: InMemoryZoneHandler =
            InMemoryZoneHandler::empty(origin.clone(), ZoneType::Primary, AxfrPolicy::Deny);
        let soa = SOA::new(name("ns.internal."), name("admin.internal."), 1, 60, 60, 60, 1);
        records.upsert(Record::from_rdata(origin.clone(), TTL, RData::SOA(soa)), 1).await;
        let records = Arc::new(records);
        let mut catalog = Catalog::new();
        catalog.upsert(LowerName::new(&origin), vec![records.clone()]);
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let mut server = Server::new(catalog);
        server.register_socket(socket);
        Self { address, records, server }
    }

    async fn add(&self, of: &str, data: RData) {
        self.records.upsert(Record::from_rdata(name(of), TTL, data), 1).await;
    }

    async fn remove(&self, of: &str, kind: RecordType) {
        self.records.records_mut().await.remove(&RrKey::new(LowerName::new(&name(of)), kind));
    }
}

fn discovered(hosts: &[String], path: &str) -> Value {
    let mut endpoint = at(hosts, "GET", path, json!({}));
    endpoint["backend"][0]["sd"] = "dns".into();
    endpoint
}

async fn told(text: &'static str, address: &str) -> Scripted {
    let listener = TcpListener::bind(address).await.unwrap();
    Scripted::on(listener, move |_, _| Box::pin(std::future::ready(answer(200, &[], text))))
}

#[tokio::test]
async fn addresses_are_followed_and_the_last_ones_stay_when_the_dns_fails() {
    let first = told("first", "127.0.0.1:0").await;
    let port = first.address.port();
    let second = told("second", &format!("127.0.0.2:{port}")).await;
    let mut zone = Zone::start().await;
    zone.add("users.internal.", RData::A(A(Ipv4Addr::new(127, 0, 0, 1)))).await;
    let host = format!("users.internal:{port}");
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("discovery.json");
    let endpoint = discovered(std::slice::from_ref(&host), "/x");
    std::fs::write(&path, file(vec![endpoint.clone()]).to_string()).unwrap();
    let options = Options { dns: Some(zone.address), ..Options::default() };
    let gateway = Gateway::load(&path, options).unwrap();
    let running = Running::serve(gateway.clone(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    assert_eq!(get(&running.url("/x")).await.body, "first");
    assert_eq!(first.last()["host"], host.as_str());

    zone.remove("users.internal.", RecordType::A).await;
    zone.add("users.internal.", RData::A(A(Ipv4Addr::new(127, 0, 0, 2)))).await;
    while get(&running.url("/x")).await.body != "second" {}
    assert!(gateway.metrics().contains(&format!("healthy{{host=\"http://{}\"}} 1", second.address)));

    zone.server.shutdown_gracefully().await.unwrap();
    let unknown = discovered(&["_http._tcp.other.internal".into()], "/unknown");
    std::fs::write(&path, file(vec![endpoint, unknown]).to_string()).unwrap();
    gateway.reload(&path).unwrap();
    assert_eq!(
        get(&running.url("/unknown")).await.status,
        StatusCode::BAD_GATEWAY,
        "the DNS does not answer"
    );
    assert_eq!(get(&running.url("/x")).await.body, "second");
}

#[tokio::test]
async fn services_are_asked_in_turn_by_priority_on_their_own_ports() {
    let zone = Zone::start().await;
    let (a, b, spare) =
        (told("a", "127.0.0.1:0").await, told("b", "127.0.0.1:0").await, told("spare", "127.0.0.1:0").await);
    for (host, backend, priority) in [("a", &a, 1), ("b", &b, 1), ("spare", &spare, 2)] {
        let host = format!("{host}.internal.");
        zone.add(&host, RData::A(A(Ipv4Addr::LOCALHOST))).await;
        let service = SRV::new(priority, 10, backend.address.port(), name(&host));
        zone.add("_http._tcp.users.internal.", RData::SRV(service)).await;
    }
    let routes = file(vec![discovered(&["_http._tcp.users.internal".into()], "/x")]);
    let options = Options { dns: Some(zone.address), ..Options::default() };
    let running = Running::start_with(&routes.to_string(), options).await;
    for _ in 0..6 {
        assert_eq!(get(&running.url("/x")).await.status, StatusCode::OK);
    }
    assert_eq!((a.seen("/x"), b.seen("/x"), spare.seen("/x")), (3, 3, 0));
    assert_eq!(a.last()["host"], format!("a.internal:{}", a.address.port()).as_str());
}
