//! A body that leaves compressed while it streams: what the backend has sent so far is never held back.

use std::io::Write;
use std::pin::Pin;
use std::task::{Context, Poll};

use brotli::CompressorWriter;
use bytes::Bytes;
use flate2::write::GzEncoder;
use hyper::body::{Body, Frame};

use super::accept::Coding;
use crate::body::{BoxError, ResponseBody};

/// Beyond this, brotli takes much longer for little (0 to 11).
const BROTLI_QUALITY: u32 = 4;
/// Bits of brotli's window: 512 KiB for each answer on its way.
const BROTLI_WINDOW: u32 = 19;
/// What brotli collects before it compresses, in bytes.
const BROTLI_BUFFER: usize = 8192;
/// Beyond this, gzip takes longer for little (1 to 9).
const GZIP_LEVEL: u32 = 4;

enum Encoder {
    Brotli(Box<CompressorWriter<Vec<u8>>>),
    Gzip(GzEncoder<Vec<u8>>),
}

impl Encoder {
    fn new(coding: Coding) -> Self {
        match coding {
            Coding::Brotli => Self::Brotli(Box::new(CompressorWriter::new(
                Vec::new(),
                BROTLI_BUFFER,
                BROTLI_QUALITY,
                BROTLI_WINDOW,
            ))),
            Coding::Gzip => Self::Gzip(GzEncoder::new(Vec::new(), flate2::Compression::new(GZIP_LEVEL))),
        }
    }

    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::Brotli(writer) => writer.as_mut(),
            Self::Gzip(writer) => writer,
        }
    }

    fn take(&mut self) -> Bytes {
        let written = match self {
            Self::Brotli(writer) => writer.get_mut(),
            Self::Gzip(writer) => writer.get_mut(),
        };
        std::mem::take(written).into()
    }

    fn finish(self) -> Result<Bytes, BoxError> {
        match self {
            Self::Brotli(writer) => Ok(writer.into_inner().into()),
            Self::Gzip(writer) => Ok(writer.finish()?.into()),
        }
    }
}

/// The body.
pub struct Compressed {
    inner: ResponseBody,
    encoder: Option<Encoder>,
    /// Whether the encoder holds something that was not sent.
    held: bool,
}

impl Compressed {
    /// Around a plain body.
    pub fn new(inner: ResponseBody, coding: Coding) -> Self {
        Self { inner, encoder: Some(Encoder::new(coding)), held: false }
    }

    fn write(&mut self, chunk: &[u8]) -> Result<Bytes, BoxError> {
        let encoder = self.encoder.as_mut().ok_or("data after the end of the body")?;
        encoder.writer().write_all(chunk)?;
        self.held = true;
        Ok(encoder.take())
    }

    fn flush(&mut self) -> Result<Bytes, BoxError> {
        self.held = false;
        let Some(encoder) = self.encoder.as_mut() else { return Ok(Bytes::new()) };
        encoder.writer().flush()?;
        Ok(encoder.take())
    }
}

impl Body for Compressed {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        loop {
            let written = match Pin::new(&mut self.inner).poll_frame(cx) {
                Poll::Pending if self.held => self.flush(),
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => match self.encoder.take() {
                    Some(encoder) => encoder.finish(),
                    None => return Poll::Ready(None),
                },
                Poll::Ready(Some(Err(error))) => Err(error),
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(chunk) => self.write(&chunk),
                    // Trailers come after the data, of which the end is still to be written.
                    Err(_) => continue,
                },
            };
            match written {
                Ok(bytes) if bytes.is_empty() => {}
                other => return Poll::Ready(Some(other.map(Frame::data))),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.encoder.is_none()
    }
}
