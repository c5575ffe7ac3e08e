//! Base64 (RFC 4648 section 4), as Atom 0.3 and binary Atom content use it.

/// Decodes base64, white space ignored, padding optional; `None` when it is not base64 or not UTF-8 text.
pub(super) fn text(encoded: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(encoded.len() / 4 * 3 + 3);
    let (mut bits, mut count) = (0u32, 0u32);
    for byte in encoded.bytes().filter(|b| !b.is_ascii_whitespace()) {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => continue,
            _ => return None,
        };
        bits = bits << 6 | u32::from(digit);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count).to_le_bytes()[0]);
            bits &= (1 << count) - 1;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn decodes_what_is_text() {
        let check = |encoded: &str, expected: Option<&str>| assert_eq!(super::text(encoded).as_deref(), expected);
        check("PHA+5bel5Lq6PC9wPg==", Some("<p>工人</p>"));
        check(" PHA+\n5bel5Lq6PC9wPg ", Some("<p>工人</p>"));
        check("", Some(""));
        check("not base64!", None);
        check("/////w==", None);
    }
}
