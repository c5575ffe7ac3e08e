//! Character references: made well-formed in text, decoded in addresses.

/// Writes text whose every `&` opens a character reference: the parser takes quadratic time over others.
pub(in crate::normalise::html) fn references(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let name = &rest[..rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '#').unwrap_or(rest.len())];
        let ended = rest[name.len()..].starts_with(';');
        // The commonest that are written without their semicolon, as the standard reads them.
        let bare = matches!(name, "nbsp" | "amp" | "lt" | "gt" | "quot" | "copy" | "reg" | "middot")
            || numeric(name).is_some();
        if ended && (2..=32).contains(&name.len()) {
            out.push('&');
        } else if bare && !ended {
            out.push('&');
            out.push_str(name);
            out.push(';');
            rest = &rest[name.len()..];
        } else {
            out.push_str("&amp;");
        }
    }
    out.push_str(rest);
}

/// An address with its character references decoded: the numeric ones and those that addresses are written with.
pub(in crate::normalise::html) fn decode(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        let behind = &rest[at + 1..];
        let name = &behind[..behind.find(|c: char| !c.is_ascii_alphanumeric() && c != '#').unwrap_or(behind.len())];
        let decoded = match name {
            "amp" | "AMP" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            "nbsp" => Some('\u{A0}'),
            "colon" => Some(':'),
            "sol" => Some('/'),
            "Tab" => Some('\t'),
            "NewLine" => Some('\n'),
            "equals" => Some('='),
            "quest" => Some('?'),
            "num" => Some('#'),
            "period" => Some('.'),
            "lowbar" => Some('_'),
            "percnt" => Some('%'),
            _ => numeric(name),
        };
        rest = if let Some(c) = decoded {
            out.push(c);
            let behind = &behind[name.len()..];
            behind.strip_prefix(';').unwrap_or(behind)
        } else {
            out.push('&');
            behind
        };
    }
    out + rest
}

fn numeric(name: &str) -> Option<char> {
    let digits = name.strip_prefix('#')?;
    let code = match digits.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16).ok()?,
        None => digits.parse().ok()?,
    };
    char::from_u32(code)
}
