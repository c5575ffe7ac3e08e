//! Content codings: bodies are unpacked in bounded memory, whole or not at all. Pure.

use super::error::Failure;
use super::types::FetchErrorKind::{Body, TooLarge};
use bytes::Bytes;
use flate2::bufread::{DeflateDecoder, GzDecoder, ZlibDecoder};
use std::io::{self, BufRead, Read};

/// Beyond this many unpacked bytes the ratio counts.
const RATIO_FROM: usize = 1 << 20;
/// The most unpacked bytes for one byte on the wire.
const RATIO: usize = 100;
/// The most codings on top of each other.
const LAYERS: usize = 2;
/// The most gzip members in one body (RFC 1952 section 2.2); real bodies have one.
const MEMBERS: usize = 1000;
/// The largest zstd window, as a power of two: 8 MiB (RFC 9659).
const ZSTD_WINDOW: u32 = 23;
const BUFFER: usize = 16 * 1024;

/// One content coding (RFC 9110 section 8.4.1, RFC 7932, RFC 8878).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

/// Unpacks a body that came with these `Content-Encoding`s (in the order of the header: the last one is
/// undone first). At most `limit` bytes come out. A body that is plainly text in spite of its label is taken as it is.
///
/// # Errors
/// `TooLarge` past the limit or the ratio; `Body` for broken, truncated or unknown codings.
pub(super) fn decode(encoding: &str, wire: Bytes, limit: usize) -> Result<Bytes, Failure> {
    let labels: Vec<&str> = encoding
        .split(',')
        .map(str::trim)
        .filter(|label| !label.is_empty() && !label.eq_ignore_ascii_case("identity"))
        .collect();
    if labels.len() > LAYERS {
        let message = format!("the body is packed {} times over, which no honest server does", labels.len());
        return Err(Failure::new(Body, message));
    }
    if labels.is_empty() {
        return if wire.len() > limit { Err(too_large(limit)) } else { Ok(wire) };
    }
    // Kept only where it may be wanted: packed data shows at its first bytes, and goes once it is unpacked.
    let as_it_is = (wire.len() <= limit && plain(&wire)).then(|| wire.clone());
    let codings = labels.iter().copied().map(known).collect::<Result<Vec<_>, _>>();
    match (codings.and_then(|codings| unpack(&codings, wire, limit)), as_it_is) {
        (Err(failure), Some(wire)) if failure.kind == Body => Ok(wire),
        (result, _) => result,
    }
}

fn known(label: &str) -> Result<Coding, Failure> {
    match label.to_ascii_lowercase().as_str() {
        "gzip" | "x-gzip" => Ok(Coding::Gzip),
        "deflate" => Ok(Coding::Deflate),
        "br" => Ok(Coding::Brotli),
        "zstd" => Ok(Coding::Zstd),
        other => Err(Failure::new(
            Body,
            format!("the body is packed as {other:?}, which was not asked for and cannot be unpacked"),
        )),
    }
}

/// Undoes one coding after the other, each to its end, so that every checksum is checked. There are never more than two
/// of the bodies in memory.
fn unpack(codings: &[Coding], wire: Bytes, limit: usize) -> Result<Bytes, Failure> {
    let most = limit.min(wire.len().saturating_mul(RATIO).max(RATIO_FROM));
    let mut body = wire;
    for coding in codings.iter().rev() {
        let mut unpacked = Vec::with_capacity(most.min(body.len().saturating_mul(4)));
        let read = layer(*coding, &body).and_then(|inner| Capped { inner, left: most }.read_to_end(&mut unpacked));
        body = match read {
            Ok(_) => unpacked.into(),
            Err(error) if matches!(error.get_ref(), Some(inner) if inner.is::<OverCap>()) => {
                return Err(if most < limit { bomb() } else { too_large(limit) });
            }
            Err(error) => return Err(broken(*coding, &error)),
        };
    }
    Ok(body)
}

fn layer(coding: Coding, packed: &[u8]) -> io::Result<Box<dyn Read + '_>> {
    Ok(match coding {
        Coding::Gzip => Box::new(Members { decoder: Some(GzDecoder::new(packed)), left: MEMBERS }),
        // "deflate" is the zlib format (RFC 9110 section 8.4.1.2), but some servers send it bare.
        Coding::Deflate => match packed {
            [method, check, ..] if method & 15 == 8 && u16::from_be_bytes([*method, *check]) % 31 == 0 => {
                Box::new(ZlibDecoder::new(packed))
            }
            _ => Box::new(DeflateDecoder::new(packed)),
        },
        Coding::Brotli => Box::new(brotli::Decompressor::new(packed, BUFFER)),
        Coding::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(packed)?;
            decoder.window_log_max(ZSTD_WINDOW)?;
            Box::new(decoder)
        }
    })
}

/// Reads gzip members one after the other; after the last only zero bytes may follow (padding).
struct Members<R: BufRead> {
    /// `None` after the last member.
    decoder: Option<GzDecoder<R>>,
    left: usize,
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(mut decoder) = self.decoder.take() {
            let read = decoder.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                self.decoder = Some(decoder);
                return Ok(read);
            }
            let mut rest = decoder.into_inner();
            if only_padding(&mut rest)? {
                break;
            }
            self.left = self.left.checked_sub(1).ok_or_else(|| io::Error::other("too many gzip members"))?;
            self.decoder = Some(GzDecoder::new(rest));
        }
        Ok(0)
    }
}

/// Whether nothing but zero bytes is left; they are consumed.
fn only_padding(rest: &mut impl BufRead) -> io::Result<bool> {
    loop {
        let buffer = rest.fill_buf()?;
        let (all, zeros) = (buffer.len(), buffer.iter().take_while(|byte| **byte == 0).count());
        rest.consume(zeros);
        if zeros < all || all == 0 {
            return Ok(all == 0);
        }
    }
}

/// Lets `left` bytes through and fails on the next one.
struct Capped<R> {
    inner: R,
    left: usize,
}

/// What [`Capped`] fails with.
#[derive(Debug, thiserror::Error)]
#[error("more than allowed")]
struct OverCap;

impl<R: Read> Read for Capped<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // One byte more than allowed is asked for, to tell "exactly full" from "too much".
        let room = buffer.len().min(self.left.saturating_add(1));
        let read = self.inner.read(&mut buffer[..room])?;
        self.left = self.left.checked_sub(read).ok_or_else(|| io::Error::other(OverCap))?;
        Ok(read)
    }
}

/// Whether a body is plainly a document and not packed at all. Packed data may begin with `[` by chance
/// (brotli), but then holds control characters or is not UTF-8. GBK pages under a wrong label are
/// recognised by the missing control characters and their first tag.
fn plain(wire: &[u8]) -> bool {
    let text = wire.strip_prefix(b"\xef\xbb\xbf").unwrap_or(wire).trim_ascii_start();
    let control = |byte: &u8| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b);
    if wire.iter().any(control) {
        return false;
    }
    let tag = matches!(text, [b'<', b'!' | b'?' | b'a'..=b'z' | b'A'..=b'Z', ..]);
    tag || matches!(text, [b'{' | b'[', ..]) && std::str::from_utf8(text).is_ok()
}

fn broken(coding: Coding, error: &io::Error) -> Failure {
    let why = if error.kind() == io::ErrorKind::UnexpectedEof {
        "ends early".to_owned()
    } else {
        format!("is broken ({error})")
    };
    Failure::new(
        Body,
        format!("the {coding:?} packing of the body {why}; none of it was used, it is tried again later"),
    )
}

/// A body past the limit.
pub(super) fn too_large(limit: usize) -> Failure {
    let message =
        format!("the body is larger than {limit} bytes; none of it was used; check that the address is right");
    Failure::new(TooLarge, message)
}

fn bomb() -> Failure {
    let message = format!(
        "the body unpacks to more than {RATIO} times its size, which looks like an attack; none of it was used"
    );
    Failure::new(TooLarge, message)
}
