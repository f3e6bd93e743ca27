//! Undoing gzip while a body streams, for backends that compress because the gateway asked for it.

use std::io::Write as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use hyper::body::{Body, Frame};

use crate::body::{BoxError, ResponseBody};

/// So much is decompressed at a time: a small chunk can become a thousand times as much. In bytes.
const STEP: usize = 4096;
/// An answer that becomes larger than this many times what arrived is no answer but a bomb: gzip reaches a thousand on
/// zeros, honest answers stay below a hundred.
const MAX_RATIO: u64 = 200;
/// Smaller answers may be as repetitive as they like. In bytes.
const UNSUSPICIOUS: u64 = 1024 * 1024;
/// No answer becomes larger than this many bytes, whatever its ratio.
const MAX_PLAIN: u64 = 1024 * 1024 * 1024;

/// A compressed answer that becomes too large to be honest.
#[derive(Debug)]
pub struct Bomb;

impl std::fmt::Display for Bomb {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "the compressed answer becomes too large: more than {MAX_RATIO} times what arrived")
    }
}

impl std::error::Error for Bomb {}

/// A body that arrives compressed and leaves plain.
pub struct Gunzip {
    inner: ResponseBody,
    /// What arrived and was not decompressed yet.
    pending: Bytes,
    decoder: Option<MultiGzDecoder<Vec<u8>>>,
    arrived: u64,
    left: u64,
}

impl Gunzip {
    /// Around a compressed body.
    pub fn new(inner: ResponseBody) -> Self {
        let decoder = Some(MultiGzDecoder::new(Vec::new()));
        Self { inner, pending: Bytes::new(), decoder, arrived: 0, left: 0 }
    }

    fn feed(&mut self, chunk: &[u8]) -> Result<Bytes, BoxError> {
        let decoder = self.decoder.as_mut().ok_or("data after the end of the compressed body")?;
        decoder.write_all(chunk)?;
        let plain = Bytes::from(std::mem::take(decoder.get_mut()));
        self.arrived = self.arrived.saturating_add(size(chunk));
        self.weigh(plain)
    }

    fn finish(&mut self) -> Result<Bytes, BoxError> {
        match self.decoder.take() {
            Some(decoder) => {
                let plain = decoder.finish()?.into();
                self.weigh(plain)
            }
            None => Ok(Bytes::new()),
        }
    }

    fn weigh(&mut self, plain: Bytes) -> Result<Bytes, BoxError> {
        self.left = self.left.saturating_add(size(&plain));
        let suspicious = self.left > UNSUSPICIOUS && self.left > self.arrived.saturating_mul(MAX_RATIO);
        if suspicious || self.left > MAX_PLAIN {
            self.decoder = None;
            tracing::warn!(
                arrived = self.arrived,
                plain = self.left,
                "a compressed answer was cut: it grows too much"
            );
            return Err(Bomb.into());
        }
        Ok(plain)
    }
}

fn size(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

impl Body for Gunzip {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        loop {
            let plain = if self.pending.is_empty() {
                match ready!(Pin::new(&mut self.inner).poll_frame(cx)) {
                    None => match self.finish() {
                        Ok(rest) if rest.is_empty() => return Poll::Ready(None),
                        other => other,
                    },
                    Some(Err(error)) => Err(error),
                    Some(Ok(frame)) => match frame.into_data() {
                        Ok(chunk) => {
                            self.pending = chunk;
                            continue;
                        }
                        Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                    },
                }
            } else {
                let step = self.pending.len().min(STEP);
                let chunk = self.pending.split_to(step);
                self.feed(&chunk)
            };
            match plain {
                Ok(bytes) if bytes.is_empty() => {}
                other => return Poll::Ready(Some(other.map(Frame::data))),
            }
        }
    }
}
