//! The body of an answer: read whole within its limits, and unpacked.

use super::client::Client;
use super::coding;
use super::dial::late;
use super::error::{self, Failure};
use super::room::{SMALL, Waited};
use super::types::FetchErrorKind::{Body, Empty, TooLarge};
use super::types::Request;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use hyper::http::{HeaderMap, header};
use tokio::time::timeout;

/// Bodies above this size on the wire are unpacked on a thread where they delay nobody.
const APART: usize = 8 * 1024;

impl Client {
    /// The whole body, unpacked.
    pub(super) async fn body(
        &self,
        mut body: Incoming,
        headers: &HeaderMap,
        request: &Request,
        waited: &Waited,
    ) -> Result<Bytes, Failure> {
        let limit = request.limit;
        if body.size_hint().lower() > limit as u64 {
            return Err(coding::too_large(limit));
        }
        let mut wire = BytesMut::new();
        loop {
            let frame = match timeout(self.deadlines.idle, body.frame()).await {
                Ok(Some(frame)) => frame.map_err(|failed| broken_off(&failed))?,
                Ok(None) => break,
                Err(_) => return Err(late("the body did not go on", self.deadlines.idle)),
            };
            if let Ok(data) = frame.into_data() {
                let length = wire.len() + data.len();
                if length > limit {
                    return Err(coding::too_large(limit));
                }
                if length > SMALL {
                    self.room.admit(&request.berth, waited).await;
                }
                wire.extend_from_slice(&data);
            }
        }
        let body = self.unpacked(wire.freeze(), headers, request, waited).await?;
        if body.is_empty() {
            return Err(Failure::new(Empty, "the server sent nothing; check the address in a browser"));
        }
        Ok(body)
    }

    /// Unpacks a body; one that turns out to be large only when there is room for it.
    async fn unpacked(
        &self,
        wire: Bytes,
        headers: &HeaderMap,
        request: &Request,
        waited: &Waited,
    ) -> Result<Bytes, Failure> {
        let labels =
            headers.get_all(header::CONTENT_ENCODING).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
        let labels = labels.collect::<Vec<_>>().join(",");
        if labels.is_empty() {
            return coding::decode("", wire, request.limit);
        }
        match unpack(&labels, wire.clone(), request.limit.min(SMALL)).await {
            Err(failure) if failure.kind == TooLarge && request.limit > SMALL => {
                self.room.admit(&request.berth, waited).await;
                unpack(&labels, wire, request.limit).await
            }
            unpacked => unpacked,
        }
    }
}

/// Unpacks a body; large ones on a thread of their own.
async fn unpack(labels: &str, wire: Bytes, limit: usize) -> Result<Bytes, Failure> {
    if wire.len() < APART && limit <= SMALL {
        return coding::decode(labels, wire, limit);
    }
    let labels = labels.to_owned();
    let task = tokio::task::spawn_blocking(move || coding::decode(&labels, wire, limit));
    task.await.unwrap_or_else(|error| Err(Failure::new(Body, format!("the body could not be unpacked ({error})"))))
}

fn broken_off(failed: &hyper::Error) -> Failure {
    let told = error::find(failed).map_or_else(|told| told, |failure| failure.message);
    Failure::new(Body, format!("the body broke off ({told}); none of it was used, it is tried again later"))
}
