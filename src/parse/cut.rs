//! Whether a document breaks off inside its last entry: what was read of that entry is a part of it.

/// Whether the document ends before its last entry does. Such an entry is not what its author wrote: recording it
/// would make a known entry look edited. A maker that closes no entry but the document itself is not meant.
pub fn ends_inside_entry(text: &str) -> bool {
    let text = text.trim_end();
    if text.trim_start_matches(['\u{FEFF}', ' ', '\t', '\r', '\n']).starts_with(['{', '[']) {
        return !text.ends_with(['}', ']']);
    }
    let (mut open, mut inside) = (false, false);
    for start in memchr::memchr_iter(b'<', text.as_bytes()) {
        let rest = &text[start + 1..];
        let (end, rest) = rest.strip_prefix('/').map_or((false, rest), |rest| (true, rest));
        match local_name(rest) {
            "item" | "entry" => inside = !end,
            "rss" | "feed" | "RDF" | "rdf" => open = !end,
            _ => {}
        }
    }
    open && inside
}

/// The name of a tag without its prefix.
fn local_name(tag: &str) -> &str {
    let end = tag.bytes().take(40).position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b':' | b'-' | b'_')));
    let name = end.map_or("", |end| &tag[..end]);
    name.rsplit_once(':').map_or(name, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_tells() {
        for (text, cut) in [
            ("<rss><channel><item><title>a</title></item></channel></rss>\n", false),
            ("<rss><channel><item><title>a</title></item></channel>", false),
            ("<rss><channel><item><title>a</title></item><item><title>b", true),
            ("<rss><channel><item><title>a</title></item><item", false),
            ("<rss><channel><item><title>a<item><title>b</channel></rss><!-- cached -->", false),
            ("<feed><entry><title>a</title></entry><entry/></feed>", false),
            ("<feed><a:entry xmlns:a='x'><title>中", true),
            ("<rdf:RDF><item><title>a", true),
            ("<rdf:RDF><items><rdf:Seq/></items><item></item></rdf:RDF>", false),
            ("{\"items\":[{\"id\":\"1\"}]}", false),
            ("\u{FEFF} {\"items\":[{\"id\":\"1\"", true),
            ("", false),
            ("<", false),
            ("</", false),
            ("<rss><item>&lt;/item>", true),
        ] {
            assert_eq!(ends_inside_entry(text), cut, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_answered(text in "(<|/|>|rss|item|中|:|\\{|\\}| )*") {
            ends_inside_entry(&text);
        }
    }
}
