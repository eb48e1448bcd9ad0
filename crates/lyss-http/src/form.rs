//! Forms: read only as far as the field that names the model. What came before it is held, on disk where it is much; the
//! rest passes to the vendor as it arrives.

use std::io::SeekFrom;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::web::{Bytes, Payload};
use futures_util::stream::{self, Stream, StreamExt};
use lyss_adapters::Fault;
use lyss_adapters::multipart::{FormError, FormWatch, ModelField};
use lyss_domain::FaultKind;
use lyss_proxy::{RestOfBody, Upload, UploadBody, UploadError};
use tokio::fs::File;
use tokio::io::{AsyncSeekExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio_util::io::ReaderStream;

use crate::body::{BodyLimits, too_large};

/// Held in memory while the model is looked for.
const MAX_HELD_BYTES: usize = 256 << 10;
/// Pieces under way between the caller's connection and the vendor's.
const PIECES: usize = 4;

/// True for a body that is a form.
pub(crate) fn is_form(request: &HttpRequest) -> bool {
    let kind = request.headers().get(CONTENT_TYPE).map(|value| value.as_bytes());
    kind.is_some_and(|kind| kind.to_ascii_lowercase().starts_with(b"multipart/form-data"))
}

/// Reads up to the model's name. `usual`: the model where the form names none.
pub(crate) async fn read(
    request: &HttpRequest,
    payload: Payload,
    limits: BodyLimits,
    usual: Option<&str>,
) -> Result<(String, Upload), Fault> {
    let headers = request.headers();
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let content_type =
        kind.parse().map_err(|_| Fault::bad_request("The Content-Type cannot be read.", None))?;
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > limits.max_bytes as u64) {
        return Err(too_large(limits.max_bytes));
    }
    let mut source = Source { payload, limits, read: 0 };
    let mut watch = FormWatch::new(kind).map_err(unreadable)?;
    let mut held = Held::default();
    let (model, model_at) = loop {
        let Some(piece) = source.next().await? else { return Err(unreadable(watch.finish())) };
        let found = watch.feed(&piece);
        held.push(piece).await?;
        match (found, usual) {
            (Ok(None), _) => {}
            (Ok(Some(ModelField { model, at })), _) => break (model, Some(at)),
            (Err(FormError::NoModel), Some(usual)) => break (usual.to_owned(), None),
            (Err(error), _) => return Err(unreadable(error)),
        }
    };
    let body = held.into_body(source, length).await?;
    Ok((model, Upload { content_type, model_at, body }))
}

fn unreadable(error: FormError) -> Fault {
    Fault::bad_request(error.to_string(), Some("model"))
}

/// The caller's connection, with its limits.
struct Source {
    payload: Payload,
    limits: BodyLimits,
    read: usize,
}

impl Source {
    async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        let silence: Duration = self.limits.timeout;
        let next = tokio::time::timeout(silence, self.payload.next()).await.map_err(|_| {
            let message = "The request body did not go on in time.";
            Fault { status: 408, ..Fault::new(FaultKind::BadRequest, message) }
        })?;
        let Some(piece) = next else { return Ok(None) };
        let piece = piece.map_err(|_| Fault::bad_request("The request body could not be read.", None))?;
        self.read += piece.len();
        if self.read > self.limits.max_bytes {
            return Err(too_large(self.limits.max_bytes));
        }
        Ok(Some(piece))
    }

    /// The rest of the body, in the hands of a task of the caller's own thread.
    fn pass(mut self) -> impl Stream<Item = Result<Bytes, UploadError>> + Send + 'static {
        let (to, from) = mpsc::channel(PIECES);
        actix_web::rt::spawn(async move {
            loop {
                let piece = match self.next().await {
                    Ok(Some(piece)) => Ok(piece),
                    Ok(None) => return,
                    Err(_) => Err(UploadError),
                };
                let is_over = piece.is_err();
                // Nobody reads on where the vendor has answered, or is no longer asked.
                if to.send(piece).await.is_err() || is_over {
                    return;
                }
            }
        });
        stream::unfold(from, async |mut from| Some((from.recv().await?, from)))
    }
}

/// What came before the model's name.
#[derive(Default)]
struct Held {
    pieces: Vec<Bytes>,
    bytes: usize,
    /// Where pieces beyond the bound went; unlinked, so it is gone with its last reader.
    file: Option<File>,
}

impl Held {
    async fn push(&mut self, piece: Bytes) -> Result<(), Fault> {
        if self.file.is_none() && self.bytes + piece.len() <= MAX_HELD_BYTES {
            self.bytes += piece.len();
            self.pieces.push(piece);
            return Ok(());
        }
        if self.file.is_none() {
            let file = tokio::task::spawn_blocking(tempfile::tempfile).await;
            self.file = Some(File::from_std(file.map_err(unspoolable)?.map_err(unspoolable)?));
        }
        match &mut self.file {
            Some(file) => file.write_all(&piece).await.map_err(unspoolable),
            None => Ok(()),
        }
    }

    /// A body that has come whole by now is held; any other one passes.
    async fn into_body(self, source: Source, length: Option<u64>) -> Result<UploadBody, Fault> {
        let is_whole = self.file.is_none() && length == Some(source.read as u64);
        if is_whole {
            return Ok(UploadBody::Whole(self.pieces.concat().into()));
        }
        let memory = stream::iter(self.pieces.into_iter().map(Ok));
        let rest = source.pass();
        let stream = match self.file {
            None => memory.chain(rest).boxed(),
            Some(mut file) => {
                file.flush().await.map_err(unspoolable)?;
                file.seek(SeekFrom::Start(0)).await.map_err(unspoolable)?;
                let disk =
                    ReaderStream::with_capacity(file, 64 << 10).map(|read| read.map_err(|_| UploadError));
                memory.chain(disk).chain(rest).boxed()
            }
        };
        Ok(UploadBody::passing(RestOfBody { stream, length }))
    }
}

fn unspoolable(error: impl std::fmt::Display) -> Fault {
    tracing::error!(%error, "a form could not be kept on disk");
    Fault::new(FaultKind::Internal, "The service could not keep this form while it looked for its model.")
}
