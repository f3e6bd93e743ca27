//! `reservas gateway`: the command lines that operators know, what `check` says, and a file that changes while it runs.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

fn file(name: &str, text: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn reservas() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reservas"));
    command.env_clear().stdin(Stdio::null());
    command
}

fn check(path: &PathBuf, more: &[&str]) -> Output {
    reservas().args(["gateway", "check", "-c"]).arg(path).args(more).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn check_says_everything_that_is_wrong_with_its_place_and_fails() {
    let wrong = file(
        "wrong.json",
        "{\n \"version\": 3,\n \"timeouts\": \"1s\",\n \"endpoints\": [\n  {\"endpoint\": \"a\", \"backend\": []}\n ]\n}",
    );
    let told = check(&wrong, &[]);
    let lines: Vec<String> = text(&told.stderr).lines().map(str::to_owned).collect();
    assert_eq!(told.status.code(), Some(1));
    assert_eq!(
        lines,
        [
            format!("reservas: the route file is wrong: {}", wrong.display()),
            "3:2 timeouts: `timeouts` is not known or not supported here; did you mean `timeout`?".to_owned(),
            "5:16 endpoints[0].endpoint: `a` must begin with a slash".to_owned(),
            "5:32 endpoints[0].backend: an endpoint needs a backend".to_owned(),
        ]
    );
}

#[test]
fn check_warns_and_succeeds() {
    let writes = r#"{"version": 3, "oops": 1, "endpoints": [{"endpoint": "/a", "method": "POST",
        "backend": [{"host": ["http://b"], "url_pattern": "/"}]}]}"#;
    let told = check(&file("writes.json", writes), &["--lenient"]);
    let said = text(&told.stdout);
    assert_eq!(told.status.code(), Some(0), "{}", text(&told.stderr));
    assert!(said.contains("1:16 oops:") && said.contains("endpoints[0].method: a write that is not `no-op`"));
    assert!(said.ends_with("the route file is right\n"), "{said}");
    assert_eq!(check(&PathBuf::from("/no/such/file"), &[]).status.code(), Some(1));
    assert_eq!(reservas().args(["gateway", "check", "--nonsense"]).output().unwrap().status.code(), Some(2));
}

struct Running(Child, u16);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Running {
    fn start(path: &PathBuf) -> Self {
        let mut command = reservas();
        command.args(["gateway", "run", "-d", "-c"]).arg(path).arg("--lenient");
        command.env("RESERVAS_GATEWAY_LISTEN", "127.0.0.1:0").env("RUST_LOG", "off").stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let line = out.lines().map(Result::unwrap).find(|line| line.starts_with("gateway listens")).unwrap();
        let port = line.rsplit(':').next().unwrap().parse().unwrap();
        Self(child, port)
    }

    /// The status of each answer, on one connection, until the last is so; the test's own time limit ends it when it
    /// never is.
    fn until(&self, path: &str, status: u16) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.1)).unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        loop {
            write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
            let mut head = Vec::new();
            while !head.ends_with(&[String::from("\r\n")]) {
                let mut line = String::new();
                assert_ne!(reader.read_line(&mut line).unwrap(), 0, "the connection was closed");
                head.push(line);
            }
            let length = head
                .iter()
                .find_map(|line| line.to_lowercase().strip_prefix("content-length:").map(str::to_owned));
            let mut body = vec![0; length.unwrap().trim().parse().unwrap()];
            reader.read_exact(&mut body).unwrap();
            if head[0].split(' ').nth(1).unwrap() == status.to_string() {
                return;
            }
        }
    }

    fn status(&self, path: &str) -> u16 {
        let mut stream = TcpStream::connect(("127.0.0.1", self.1)).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }
}

fn with_health(path: &str) -> String {
    format!(r#"{{"version": 3, "endpoints": [], "extra_config": {{"router": {{"health_path": "{path}"}}}}}}"#)
}

#[test]
fn a_changed_file_is_in_force_without_a_restart_and_a_wrong_one_is_not() {
    let path = file("changing.json", &with_health("/first"));
    let running = Running::start(&path);
    assert_eq!((running.status("/first"), running.status("/__debug/x")), (200, 200));

    std::fs::write(&path, with_health("/second")).unwrap();
    running.until("/second", 200);
    assert_eq!(running.status("/first"), 404);

    std::fs::write(&path, "{").unwrap();
    kill(Pid::from_raw(running.0.id().try_into().unwrap()), Signal::SIGHUP).unwrap();
    assert_eq!(running.status("/second"), 200);

    std::fs::write(&path, with_health("/third")).unwrap();
    kill(Pid::from_raw(running.0.id().try_into().unwrap()), Signal::SIGHUP).unwrap();
    running.until("/third", 200);
    assert_eq!(running.status("/second"), 404);
}
