//! The published cases of the original, which are data beside the project: read where they are, never copied.

use std::path::{Path, PathBuf};

use gateway::Gateway;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::backend::Backend;
use crate::client::{self, Reply};
use crate::gateway::{Running, compatible};

/// A case in the published form.
pub struct Case {
    name: String,
    case: Value,
}

impl Case {
    /// The cases of a folder, by name.
    pub fn read_all(folder: &Path) -> Vec<Self> {
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files.iter().map(|file| Self::read(file)).collect()
    }

    fn read(file: &Path) -> Self {
        let text = std::fs::read_to_string(file).unwrap();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let case = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        Self { name, case }
    }

    /// The same with the address of the backend, where the case speaks of `BACKEND`.
    pub fn with_backend(self, address: &str) -> Self {
        let text = self.case.to_string().replace("BACKEND", address);
        Self { case: serde_json::from_str(&text).unwrap(), ..self }
    }

    /// Asks, and lists what is not as the case says; `place` replaces the address in the case.
    pub async fn run(&self, place: Option<&str>) -> Vec<String> {
        let (input, out) = (&self.case["in"], &self.case["out"]);
        let url = input["url"].as_str().unwrap();
        let url = place.map_or_else(|| url.to_owned(), |place| url.replace("localhost:8080", place));
        let headers: Vec<(&str, &str)> = input["header"]
            .as_object()
            .map(|all| all.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect())
            .unwrap_or_default();
        let body = match &input["body"] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let reply = client::follow(input["method"].as_str().unwrap(), &url, &headers, &body).await;
        self.compare(&reply, out, place)
    }

    fn compare(&self, reply: &Reply, out: &Value, place: Option<&str>) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut note = |what: String| wrong.push(format!("{}: {what}", self.name));
        if Some(u64::from(reply.status.as_u16())) != out["status_code"].as_u64() {
            note(format!("status {} instead of {}", reply.status, out["status_code"]));
        }
        for (name, wanted) in out["header"].as_object().into_iter().flatten() {
            let wanted: Vec<&str> =
                wanted.as_array().unwrap().iter().map(|value| value.as_str().unwrap()).collect();
            let wanted = if wanted == [""] { Vec::new() } else { wanted };
            let given: Vec<&str> =
                reply.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect();
            if given != wanted {
                note(format!("{name} is {given:?} instead of {wanted:?}"));
            }
        }
        if !out["schema"].is_null() {
            if !fits(&reply.json(), &out["schema"]) {
                note(format!("{} does not fit the schema", reply.body));
            }
            return wrong;
        }
        let same = match &out["body"] {
            Value::Null => true,
            Value::String(text) => {
                let text = place.map_or_else(|| text.clone(), |place| text.replace("localhost:8080", place));
                reply.body == text
            }
            value => {
                let text = value.to_string();
                let text = place.map_or_else(|| text.clone(), |place| text.replace("localhost:8080", place));
                reply.json() == serde_json::from_str::<Value>(&text).unwrap()
            }
        };
        if !same {
            note(format!("body is {} instead of {}", reply.body, out["body"]));
        }
        wrong
    }
}

/// As much of JSON schema as the cases use.
fn fits(value: &Value, schema: &Value) -> bool {
    let right_type = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        _ => true,
    };
    let required = schema["required"].as_array().into_iter().flatten();
    let complete = required.into_iter().all(|name| value.get(name.as_str().unwrap()).is_some());
    let members = schema["properties"].as_object().into_iter().flatten();
    right_type
        && complete
        && members.into_iter().all(|(name, schema)| value.get(name).is_none_or(|value| fits(value, schema)))
}

/// The published cases name ports 8080 and 8081, so this test needs both.
#[tokio::test(flavor = "multi_thread")]
async fn published_cases() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/gateway-conformance");
    if !folder.exists() {
        return;
    }
    let gateway =
        Gateway::load(&folder.join("gateway.json"), compatible()).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(gateway.port(), 8080);
    let _running = Running::serve(gateway, bind("127.0.0.1:8080").await);
    let _backend = Backend::start_on(bind("127.0.0.1:8081").await);
    let cases = Case::read_all(&folder.join("specs"));
    assert_eq!(cases.len(), 19);
    let mut wrong = Vec::new();
    for case in &cases {
        wrong.extend(case.run(Some("localhost:8080")).await);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn bind(address: &str) -> TcpListener {
    TcpListener::bind(address).await.unwrap_or_else(|error| panic!("{address}: {error}"))
}
