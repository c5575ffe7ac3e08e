//! Bytes → text: which charset, and which characters XML allows.
//!
//! Order of belief: byte order mark, UTF-16 without one, what the bytes themselves prove, the header,
//! the XML declaration, the HTML `meta`, and statistics last. What the bytes prove beats every label,
//! since labels lie: of 90 saved Chinese pages 9 said gb2312 and were UTF-8.

mod declared;
mod text;

#[cfg(test)]
mod tests;

pub use text::looks_binary;

use crate::model::{Flaw, FlawCode};
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, GB18030, GBK, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// Text with the charset that it was read in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The text, without a byte order mark.
    pub text: String,
    /// The charset that was used, as the WHATWG Encoding Standard names it; GBK and GB2312 are read as `gb18030`.
    pub charset: &'static str,
    /// What was wrong: [`FlawCode::CharsetMismatch`] and [`FlawCode::CharsetErrors`].
    pub flaws: Vec<Flaw>,
}

/// Decodes a page, a JSON list or an XML feed. `content_type` is the header's value as sent. Never fails:
/// bytes that fit nowhere become U+FFFD and a flaw.
#[must_use]
pub fn decode(bytes: &[u8], content_type: Option<&str>) -> Decoded {
    if let Some((encoding, bom)) = Encoding::for_bom(bytes) {
        return finish(&bytes[bom..], encoding, None);
    }
    if let Some(encoding) = utf16_without_bom(bytes) {
        return finish(bytes, encoding, None);
    }
    let declared = declared_encoding(bytes, content_type);
    finish(bytes, choose(bytes, declared), declared)
}

/// The best label of header, XML declaration and `meta`. A header that says ISO-8859-1 is a server's
/// default more often than the truth, so a label inside the document beats it.
fn declared_encoding(bytes: &[u8], content_type: Option<&str>) -> Option<&'static Encoding> {
    let header = content_type.and_then(declared::in_content_type);
    if let Some(encoding) = header
        && encoding != WINDOWS_1252
    {
        return Some(encoding);
    }
    declared::in_xml_declaration(bytes).or_else(|| declared::in_meta(bytes)).or(header)
}

fn choose(bytes: &[u8], declared: Option<&'static Encoding>) -> &'static Encoding {
    let proof = Utf8Proof::of(bytes);
    match declared {
        Some(encoding) if encoding == UTF_8 => {
            if proof.plausible() {
                UTF_8
            } else {
                other_than_utf8(bytes)
            }
        }
        Some(encoding) if is_gb(encoding) => {
            // One or two GBK characters can pass as two-byte UTF-8; three bytes in step cannot.
            if proof.clean && proof.long > 0 { UTF_8 } else { GB18030 }
        }
        // Text in a single-byte charset has letters of UTF-8 by accident once; not everywhere, and nothing else.
        Some(encoding) if encoding.is_single_byte() => {
            if proof.clean && proof.multi > 0 {
                UTF_8
            } else {
                encoding
            }
        }
        Some(encoding) => {
            let fits = encoding.decode_without_bom_handling_and_without_replacement(bytes).is_some();
            if proof.clean && proof.long > 0 && !fits { UTF_8 } else { encoding }
        }
        None if proof.clean => UTF_8,
        None => {
            if proof.plausible() && proof.long > 0 {
                UTF_8
            } else {
                other_than_utf8(bytes)
            }
        }
    }
}

/// Statistics, for bytes that are not UTF-8. A wrong UTF-8 label on a Chinese page nearly always hides GBK,
/// so GB18030 is taken when it fits without an error and the detector saw anything East Asian or nothing.
fn other_than_utf8(bytes: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    let guess = detector.guess(None, Utf8Detection::Deny);
    if is_gb(guess) { GB18030 } else { guess }
}

fn is_gb(encoding: &'static Encoding) -> bool {
    encoding == GBK || encoding == GB18030
}

/// What the bytes say about being UTF-8.
struct Utf8Proof {
    /// No invalid sequence; a sequence cut off by the end of the body is not one.
    clean: bool,
    /// Sequences of three or four bytes.
    long: usize,
    /// Multi-byte sequences of any length.
    multi: usize,
    /// Invalid sequences.
    bad: usize,
}

impl Utf8Proof {
    fn of(bytes: &[u8]) -> Self {
        let mut proof = Self { clean: true, long: 0, multi: 0, bad: 0 };
        for chunk in bytes.utf8_chunks() {
            let (mut long, mut multi) = (0, 0);
            for byte in chunk.valid().bytes() {
                multi += usize::from(byte >= 0xC2);
                long += usize::from(byte >= 0xE0);
            }
            proof.multi += multi;
            proof.long += long;
            proof.bad += usize::from(!chunk.invalid().is_empty());
        }
        proof.clean = proof.bad == 0 || (proof.bad == 1 && ends_cut(bytes));
        proof
    }

    /// UTF-8, perhaps with some broken characters: a page in another charset has far more of them.
    fn plausible(&self) -> bool {
        self.clean || self.multi >= self.bad.saturating_mul(10)
    }
}

/// Whether the only thing wrong is a sequence that the end of the body cuts off.
fn ends_cut(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

/// UTF-16 shows in its zero bytes: markup and JSON begin with ASCII.
fn utf16_without_bom(bytes: &[u8]) -> Option<&'static Encoding> {
    let window = &bytes[..bytes.len().min(256)];
    if window.len() < 4 {
        return None;
    }
    let zeros = |offset: usize| window.iter().skip(offset).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    match (window[0], window[1]) {
        (0, first) if first != 0 && odd == 0 && even >= window.len() / 8 => Some(UTF_16BE),
        (first, 0) if first != 0 && even == 0 && odd >= window.len() / 8 => Some(UTF_16LE),
        _ => None,
    }
}

fn finish(bytes: &[u8], used: &'static Encoding, declared: Option<&'static Encoding>) -> Decoded {
    let (text, had_errors) = used.decode_without_bom_handling(bytes);
    let mut flaws = Vec::new();
    if let Some(declared) = declared
        && declared != used
        && !(is_gb(declared) && is_gb(used))
    {
        let detail = format!("declared {}, read as {}", declared.name(), used.name());
        flaws.push(Flaw::new(FlawCode::CharsetMismatch, detail));
    }
    if had_errors {
        let count = text.matches('\u{FFFD}').count();
        flaws.push(Flaw::new(FlawCode::CharsetErrors, format!("{count} invalid sequences in {}", used.name())));
    }
    Decoded { text: text.into_owned(), charset: used.name(), flaws }
}
