//! Representations, validators, Link headers.

use super::{sample, site};
use crate::render::{Document, Encoding, Form, RSS_TYPE, links, links_of, rss};
use std::collections::HashSet;
use std::io::Read;

fn document(text: &str) -> Document {
    let at = sample::instant("2026-11-23T15:41:16.789+08:00").to_utc();
    Document::new(text.to_owned(), RSS_TYPE, "zh-CN", at, None)
}

fn decoded(encoding: Encoding, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    match encoding {
        Encoding::Identity => out.extend_from_slice(bytes),
        Encoding::Gzip => drop(flate2::read::GzDecoder::new(bytes).read_to_end(&mut out).unwrap()),
        Encoding::Brotli => brotli::BrotliDecompress(&mut &bytes[..], &mut out).unwrap(),
        Encoding::Zstd => out = zstd::bulk::decompress(bytes, 1 << 20).unwrap(),
    }
    out
}

#[test]
fn every_coding_holds_the_same_text_under_its_own_etag() {
    let text = rss(&sample::feed(20), &site());
    let document = document(&text);
    assert_eq!(document.representations.iter().map(|one| one.encoding).collect::<Vec<_>>(), Encoding::ALL);
    let etags: HashSet<_> = document.representations.iter().map(|one| one.etag.as_str()).collect();
    assert_eq!(etags.len(), 4);
    for one in &document.representations {
        assert_eq!(decoded(one.encoding, &one.bytes), text.as_bytes());
        assert!(one.encoding == Encoding::Identity || one.bytes.len() < text.len() / 2, "{:?}", one.encoding);
        let inner = one.etag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).unwrap();
        assert!(inner.starts_with(document.hash()) && inner.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
    }
    assert_eq!(document, self::document(&text), "equal text gives equal bytes");
    assert_eq!(document.last_modified.timestamp_subsec_nanos(), 0);
    assert_ne!(document.hash(), self::document("else").hash());
}

#[test]
fn the_fingerprint_is_the_sha_256_of_the_identity_bytes() {
    let empty = document("");
    assert_eq!(empty.hash(), "e3b0c44298fc1c149afbf4c8996fb924");
    assert_eq!(empty.representations.len(), 1, "nothing is smaller than nothing");
    assert_eq!(empty.representations[0].etag, "\"e3b0c44298fc1c149afbf4c8996fb924\"");
    assert_eq!(document("{}").representations.len(), 1, "a coding that does not help is left out");
}

#[test]
fn the_link_header_names_every_form_from_base_url() {
    let feed = sample::feed(1);
    let base = "https://feeds.example.org/heliu/feeds/shiping";
    let alternate = |ending: &str, kind: &str| format!("<{base}{ending}>; rel=\"alternate\"; type=\"{kind}\"");
    let all = [
        ("", "text/html"),
        (".rss", "application/rss+xml"),
        (".atom", "application/atom+xml"),
        (".json", "application/feed+json"),
    ];
    assert_eq!(links(&feed, &site()), all.map(|(ending, kind)| alternate(ending, kind)).join(", "));
    let own = links_of(&feed, &site(), Form::Atom);
    assert!(own.starts_with(&format!("<{base}.atom>; rel=\"self\"; type=\"application/atom+xml\", ")), "{own}");
    assert_eq!((own.matches("rel=\"self\"").count(), own.matches("rel=\"alternate\"").count()), (1, 3));
}

#[test]
fn a_plain_document_is_the_same_document_before_it_is_compressed() {
    let text = "<rss>".repeat(500);
    let at = chrono::DateTime::from_timestamp(1_793_577_600, 0).unwrap();
    let whole = Document::new(text.clone(), "text/plain", "en", at, None);
    let plain = Document::plain(text.clone(), "text/plain", "en", at, None);
    assert_eq!((plain.representations.len(), plain.representations[0].bytes.len()), (1, text.len()));
    assert_eq!((plain.pressed(), whole.pressed()), (whole.clone(), whole.clone()));
    assert!(plain.is_of(&whole) && !plain.is_of(&Document::plain("other", "text/plain", "en", at, None)));
    assert!(!plain.is_of(&Document { link: Some("<x>".to_owned()), ..whole }));
}
