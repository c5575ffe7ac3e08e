//! One form of percent-encoding (RFC 3986 section 6.2.2).

/// Decodes what need not be encoded, encodes what must be, with upper-case digits. `query`: `+` means a space.
pub(super) fn percent(text: &str, query: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < bytes.len() {
        let (byte, taken) =
            match (bytes[at], bytes.get(at + 1).copied().and_then(hex), bytes.get(at + 2).copied().and_then(hex)) {
                (b'%', Some(high), Some(low)) => (high * 16 + low, 3),
                (b'+', ..) if query => (b' ', 1),
                (byte, ..) => (byte, 1),
            };
        push(&mut out, byte, query);
        at += taken;
    }
    out
}

fn push(out: &mut String, byte: u8, query: bool) {
    let plain = byte.is_ascii_alphanumeric()
        || b"-._~!$'()*,:@".contains(&byte)
        // `;` opens a parameter of a segment, and `+ & =` mean something in a query.
        || !query && b"&=+".contains(&byte)
        || query && byte == b'/';
    if plain {
        out.push(char::from(byte));
    } else {
        const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
        out.push('%');
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok())
}
