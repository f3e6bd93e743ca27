//! Undoing gzip while a body streams, for backends that compress because the gateway asked for it.

use std::io::Write as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use flate2::write::GzDecoder;
use hyper::body::{Body, Frame};

use crate::body::{BoxError, ResponseBody};

/// So much is decompressed at a time: a small chunk can become a thousand times as much.
const STEP: usize = 4096;

/// A body that arrives compressed and leaves plain.
pub struct Gunzip {
    inner: ResponseBody,
    /// What arrived and was not decompressed yet.
    pending: Bytes,
    decoder: Option<GzDecoder<Vec<u8>>>,
}

impl Gunzip {
    /// Around a compressed body.
    pub fn new(inner: ResponseBody) -> Self {
        Self { inner, pending: Bytes::new(), decoder: Some(GzDecoder::new(Vec::new())) }
    }

    fn feed(&mut self, chunk: &[u8]) -> Result<Bytes, BoxError> {
        let decoder = self.decoder.as_mut().ok_or("data after the end of the compressed body")?;
        decoder.write_all(chunk)?;
        Ok(std::mem::take(decoder.get_mut()).into())
    }

    fn finish(&mut self) -> Result<Bytes, BoxError> {
        match self.decoder.take() {
            Some(decoder) => Ok(decoder.finish()?.into()),
            None => Ok(Bytes::new()),
        }
    }
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
