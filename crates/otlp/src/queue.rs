//! Between a span's end and the collector: a bounded queue, batches, and counts of what was lost.
//!
//! Not the SDK's own processor: it has a thread for each service and tells what it dropped only in a log line at its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanExporter as _, SpanProcessor};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio_util::sync::CancellationToken;

/// Spans that wait at most; about 1 KiB each.
const WAITING: usize = 4096;
/// Spans of one batch at most.
const BATCH: usize = 512;
/// How long a batch waits to become full.
const DELAY: Duration = Duration::from_secs(1);

/// What became of the spans that have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// The collector took them.
    pub sent: u64,
    /// The queue was full, or closed.
    pub dropped: u64,
    /// The collector was away or refused them.
    pub failed: u64,
}

#[derive(Debug, Default)]
struct Tally {
    sent: AtomicU64,
    dropped: AtomicU64,
    failed: AtomicU64,
    failing: AtomicBool,
}

/// Takes spans that have ended.
#[derive(Debug)]
pub struct Queue {
    sender: Sender<SpanData>,
    tally: Arc<Tally>,
}

impl SpanProcessor for Queue {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() && self.sender.try_send(span).is_err() {
            self.tally.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// The other end: the task that sends.
pub struct Sending {
    tally: Arc<Tally>,
    stop: CancellationToken,
    done: CancellationToken,
}

impl Sending {
    /// What became of the spans so far.
    pub fn counts(&self) -> Counts {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let Tally { sent, dropped, failed, .. } = &*self.tally;
        Counts { sent: read(sent), dropped: read(dropped), failed: read(failed) }
    }

    /// Sends what waits and ends, within `limit`.
    pub async fn finish(&self, limit: Duration) {
        self.stop.cancel();
        if tokio::time::timeout(limit, self.done.cancelled()).await.is_err() {
            tracing::warn!("the last spans could not be sent within {} s", limit.as_secs());
        }
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Starts the task that sends.
///
/// # Errors
/// Outside of Tokio.
pub fn start(exporter: SpanExporter) -> Result<(Queue, Sending), String> {
    let runtime = Handle::try_current().map_err(|_| "traces need a running Tokio".to_owned())?;
    let (sender, receiver) = mpsc::channel(WAITING);
    let tally = Arc::new(Tally::default());
    let sending =
        Sending { tally: Arc::clone(&tally), stop: CancellationToken::new(), done: CancellationToken::new() };
    let done = sending.done.clone().drop_guard();
    let work = run(exporter, receiver, Arc::clone(&tally), sending.stop.clone());
    runtime.spawn(async move {
        work.await;
        drop(done);
    });
    Ok((Queue { sender, tally }, sending))
}

async fn run(
    exporter: SpanExporter,
    mut receiver: Receiver<SpanData>,
    tally: Arc<Tally>,
    stop: CancellationToken,
) {
    let mut batch = Vec::new();
    while gather(&mut receiver, &mut batch, &stop).await {
        send(&exporter, std::mem::take(&mut batch), &tally).await;
    }
}

/// Waits for spans, and a moment for more of them; false when there will be none any more.
async fn gather(
    receiver: &mut Receiver<SpanData>,
    batch: &mut Vec<SpanData>,
    stop: &CancellationToken,
) -> bool {
    let fill = async {
        let mut deadline = None;
        while batch.len() < BATCH {
            let room = BATCH - batch.len();
            let next = receiver.recv_many(batch, room);
            let received = match deadline {
                None => next.await,
                Some(at) => tokio::time::timeout_at(at, next).await.unwrap_or(0),
            };
            if received == 0 {
                return;
            }
            deadline.get_or_insert_with(|| tokio::time::Instant::now() + DELAY);
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = fill => return !batch.is_empty(),
    }
    receiver.close();
    let room = BATCH.saturating_sub(batch.len()).max(1);
    receiver.recv_many(batch, room).await;
    !batch.is_empty()
}

async fn send(exporter: &SpanExporter, batch: Vec<SpanData>, tally: &Tally) {
    let count = batch.len() as u64;
    match exporter.export(batch).await {
        Ok(()) => {
            tally.sent.fetch_add(count, Ordering::Relaxed);
            if tally.failing.swap(false, Ordering::Relaxed) {
                tracing::info!("spans are taken by the collector again");
            }
        }
        Err(error) => {
            tally.failed.fetch_add(count, Ordering::Relaxed);
            // Once for a time without collector: a line for every batch would drown the others.
            if !tally.failing.swap(true, Ordering::Relaxed) {
                tracing::warn!(%error, "spans cannot be sent to the collector");
            }
        }
    }
}
