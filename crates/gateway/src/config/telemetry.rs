//! The namespace `telemetry/opentelemetry`: where spans are sent, where metrics are shown, and which spans are made.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::section::Section;

/// Where the original shows metrics when the file names no port.
const PROMETHEUS_PORT: u16 = 9090;
/// The collector's port for OTLP over HTTP.
const OTLP_PORT: u16 = 4318;
/// Paths without spans when the file names none.
const QUIET: [&str; 4] = ["/__health", "/__debug/", "/__echo/", "/__stats/"];

/// What is sent and shown of what the gateway does.
#[derive(Debug, Clone, PartialEq)]
pub struct Telemetry {
    /// `service.name` of the spans, `gateway` when absent.
    pub service_name: String,
    /// `service.version` of the spans.
    pub service_version: String,
    /// The share of traces that are kept, 0 to 1; 1 when absent.
    pub sample_rate: f64,
    /// The collector that spans are sent to.
    pub collector: Option<String>,
    /// Addresses where `/metrics` is shown.
    pub prometheus: Vec<SocketAddr>,
    /// What spans are made of.
    pub layers: Layers,
}

/// Which spans are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layers {
    /// One for each request.
    pub global: bool,
    /// Whether the client's `traceparent` is gone on with.
    pub propagation: bool,
    /// One for each call to a backend.
    pub backend: bool,
    /// Paths without any; what ends with `/` covers what is below.
    pub skip_paths: Vec<String>,
}

impl Default for Layers {
    fn default() -> Self {
        let skip_paths = QUIET.iter().map(|path| (*path).to_owned()).collect();
        Self { global: true, propagation: true, backend: true, skip_paths }
    }
}

impl Layers {
    /// Whether a request of this path has no span.
    pub fn skips(&self, path: &str) -> bool {
        !self.global
            || self
                .skip_paths
                .iter()
                .any(|skip| path == skip || skip.ends_with('/') && path.starts_with(skip.as_str()))
    }
}

impl Telemetry {
    /// Reads the namespace.
    pub fn read(section: Section<'_>) -> Self {
        let sample_rate = section.number("trace_sample_rate").unwrap_or(1.0);
        if sample_rate > 1.0 {
            section.error("trace_sample_rate", "must be from 0 to 1");
        }
        // Says how often metrics are pushed, and none are.
        section.integer("metric_reporting_period");
        let mut read = Self {
            service_name: section.string("service_name").unwrap_or_else(|| "gateway".into()),
            service_version: section.string("service_version").unwrap_or_default(),
            sample_rate: sample_rate.min(1.0),
            collector: None,
            prometheus: Vec::new(),
            layers: section.section("layers").map(layers).unwrap_or_default(),
        };
        if let Some(paths) = section.strings("skip_paths").filter(|paths| !paths.is_empty()) {
            read.layers.skip_paths = paths;
        }
        match section.section("exporters") {
            Some(exporters) => read.exporters(exporters),
            None => section.error("exporters", "is needed: `otlp`, `prometheus` or both"),
        }
        section.finish();
        read
    }

    fn exporters(&mut self, section: Section<'_>) {
        let mut names = Vec::new();
        for exporter in section.sections("otlp") {
            name(&exporter, &mut names);
            if let Some(collector) = otlp(exporter) {
                if self.collector.is_some() {
                    section.unsupported("otlp", "spans are sent to one collector; let it pass them on");
                }
                self.collector = Some(collector);
            }
        }
        for exporter in section.sections("prometheus") {
            name(&exporter, &mut names);
            self.prometheus.extend(prometheus(exporter));
        }
        section.finish();
    }
}

fn name(exporter: &Section<'_>, names: &mut Vec<String>) {
    match exporter.string("name") {
        Some(name) if names.contains(&name) => exporter.error("name", format!("`{name}` is there twice")),
        Some(name) => names.push(name),
        None => exporter.error("name", "is needed"),
    }
}

fn otlp(section: Section<'_>) -> Option<String> {
    let port = port(&section, OTLP_PORT);
    let host = section.string("host").unwrap_or_else(|| {
        section.error("host", "is needed");
        String::new()
    });
    let on = !section.flag("disable_traces");
    if !section.flag("use_http") {
        section.unsupported(
            "use_http",
            "OTLP over gRPC is not supported: say `\"use_http\": true` and the collector's port for HTTP, 4318",
        );
    }
    if !section.flag("disable_metrics") {
        section.unsupported(
            "disable_metrics",
            "metrics are not pushed: say `\"disable_metrics\": true`, and show them with `prometheus`",
        );
    }
    section.finish();
    let with_scheme = if host.contains("://") { host } else { format!("http://{host}") };
    on.then(|| format!("{with_scheme}:{port}"))
}

fn prometheus(section: Section<'_>) -> Option<SocketAddr> {
    let port = port(&section, PROMETHEUS_PORT);
    let ip = section.string("listen_ip").unwrap_or_default();
    let address = if ip.is_empty() { Ok(IpAddr::V4(Ipv4Addr::UNSPECIFIED)) } else { ip.parse::<IpAddr>() };
    if address.is_err() {
        section.error("listen_ip", format!("`{ip}` is not an address"));
    }
    for key in ["process_metrics", "go_metrics"] {
        if section.flag(key) {
            section.unsupported(key, "is not supported: there are the gateway's own metrics only");
        }
    }
    let on = !section.flag("disable_metrics");
    section.finish();
    address.ok().filter(|_| on).map(|address| SocketAddr::new(address, port))
}

fn port(section: &Section<'_>, standard: u16) -> u16 {
    match section.integer("port").map(u16::try_from) {
        None => standard,
        Some(Ok(port)) if port > 0 => port,
        Some(_) => {
            section.error("port", "must be from 1 to 65535");
            standard
        }
    }
}

fn layers(section: Section<'_>) -> Layers {
    let mut layers = Layers::default();
    let refuse = |section: &Section<'_>, keys: &[&str], why: &str| {
        for key in keys.iter().filter(|key| section.flag(key)) {
            section.unsupported(key, why);
        }
    };
    let counted = "is not supported: metrics are always counted";
    let headers = "is not supported: headers hold secrets";
    let detail = "is not supported";
    if let Some(global) = section.section("global") {
        layers.global = !global.flag("disable_traces");
        layers.propagation = !global.flag("disable_propagation");
        refuse(&global, &["disable_metrics"], counted);
        refuse(&global, &["report_headers"], headers);
        global.finish();
    }
    if let Some(proxy) = section.section("proxy") {
        // There is no span between the request's and those of its backends, so there is none to leave out.
        proxy.flag("disable_traces");
        refuse(&proxy, &["disable_metrics"], counted);
        refuse(&proxy, &["report_headers"], headers);
        proxy.finish();
    }
    if let Some(backend) = section.section("backend") {
        if let Some(metrics) = backend.section("metrics") {
            refuse(&metrics, &["disable_stage"], counted);
            refuse(&metrics, &["read_payload", "detailed_connection"], detail);
            metrics.flag("round_trip");
            metrics.finish();
        }
        if let Some(traces) = backend.section("traces") {
            let stage = !traces.flag("disable_stage");
            layers.backend = stage && traces.maybe_flag("round_trip").unwrap_or(true);
            refuse(&traces, &["read_payload", "detailed_connection"], detail);
            refuse(&traces, &["report_headers"], headers);
            traces.finish();
        }
        backend.finish();
    }
    section.finish();
    layers
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    fn file(telemetry: &str) -> String {
        format!(
            "{{\"version\": 3, \"endpoints\": [], \"extra_config\": {{\"telemetry/opentelemetry\":\n{telemetry}\n}}}}"
        )
    }

    #[test]
    fn what_is_sent_and_shown_is_read() {
        let text = r#"{"service_name": "edge", "service_version": "7", "trace_sample_rate": 0.25,
            "exporters": {"otlp": [{"name": "a", "host": "collector", "port": 4319, "use_http": true, "disable_metrics": true}],
                          "prometheus": [{"name": "b", "port": 9091, "listen_ip": "127.0.0.1"}, {"name": "c", "disable_metrics": true}]},
            "layers": {"global": {"disable_propagation": true}, "proxy": {"disable_traces": true}, "backend": {"traces": {"round_trip": false}}}}"#;
        let read = parse(&file(text), false).unwrap().root.telemetry.unwrap();
        assert_eq!((read.service_name.as_str(), read.service_version.as_str()), ("edge", "7"));
        assert!((read.sample_rate - 0.25).abs() < f64::EPSILON);
        assert_eq!(read.collector.as_deref(), Some("http://collector:4319"));
        assert_eq!(read.prometheus, ["127.0.0.1:9091".parse().unwrap()]);
        assert!(read.layers.global && !read.layers.propagation && !read.layers.backend);
        assert!(
            read.layers.skips("/__debug/x") && read.layers.skips("/__health") && !read.layers.skips("/x")
        );
    }

    #[test]
    fn what_is_not_supported_is_refused_by_name_and_place() {
        let text = r#"{"trace_sample_rate": 2, "exporters": {
"otlp": [{"name": "a", "host": "c"},
         {"name": "a", "host": "d", "use_http": true, "disable_metrics": true, "custom_reporting_period": 3}],
"prometheus": [{"name": "p", "go_metrics": true, "port": 0}]},
"layers": {"global": {"report_headers": true}, "backend": {"metrics": {"static_attributes": []}}}}"#;
        let errors = parse(&file(text), false).unwrap_err().to_string();
        for expected in [
            "2:23 extra_config.telemetry/opentelemetry.trace_sample_rate: must be from 0 to 1",
            "3:10 extra_config.telemetry/opentelemetry.exporters.otlp[0].use_http: OTLP over gRPC",
            "3:10 extra_config.telemetry/opentelemetry.exporters.otlp[0].disable_metrics: metrics are not pushed",
            "4:19 extra_config.telemetry/opentelemetry.exporters.otlp[1].name: `a` is there twice",
            "4:80 extra_config.telemetry/opentelemetry.exporters.otlp[1].custom_reporting_period: `custom",
            "exporters.otlp: spans are sent to one collector",
            "exporters.prometheus[0].go_metrics: is not supported",
            "exporters.prometheus[0].port: must be from 1",
            "layers.global.report_headers: is not supported: headers hold secrets",
            "layers.backend.metrics.static_attributes: `static_attributes` is not known",
        ] {
            assert!(errors.contains(expected), "{expected}\n{errors}");
        }
        assert!(parse(&file("{}"), false).unwrap_err().to_string().contains("exporters: is needed"));
    }
}
