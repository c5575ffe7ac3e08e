//! robots.txt (RFC 9309): what it says to us, and whether an address may be fetched. Pure.
//!
//! `Crawl-delay` is no part of the RFC, but many servers say it and it costs little to listen.

use std::time::Duration;
use url::Url;

/// Our product token (RFC 9309 section 2.2.1): the name that `User-agent` lines call us by.
pub(super) const TOKEN: &str = "heliu";
/// How much of a robots.txt is read, in bytes (RFC 9309 section 2.5: at least 500 KiB).
pub(super) const READ: usize = 500 * 1024;
/// The longest `Crawl-delay` that is kept to: a longer one would mean that a list of 40 articles is never read.
pub(super) const LONGEST_DELAY: Duration = Duration::from_secs(30);

/// What a robots.txt says to us. The default allows everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Robots {
    /// Longest pattern first, `Allow` before `Disallow` where they are equally long: the first that fits decides.
    rules: Vec<Rule>,
    /// The pause between two requests, at most [`LONGEST_DELAY`].
    pub(super) delay: Option<Duration>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    /// In the normal form of [`normal`]; `*` stands for anything, `$` at the end for the end.
    pattern: String,
    allow: bool,
}

/// The lines that speak to one kind of agent.
#[derive(Debug, Default)]
struct Group {
    /// Whether the file names this agent at all.
    named: bool,
    rules: Vec<Rule>,
    delay: Option<Duration>,
}

impl Group {
    fn add(&mut self, pattern: &str, allow: bool) {
        // An empty pattern is no rule: `Disallow:` allows everything.
        if !pattern.is_empty() {
            self.rules.push(Rule { pattern: normal(pattern, false), allow });
        }
    }
}

impl Robots {
    /// Reads a robots.txt. Bytes that are not UTF-8, unknown lines and whole HTML pages do no harm. Past [`READ`]
    /// bytes nothing is read; a line that is cut there is left out.
    pub(super) fn read(body: &[u8]) -> Self {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let whole = match body.get(..READ) {
            Some(head) => &head[..head.iter().rposition(|byte| is_break(*byte)).unwrap_or(0)],
            None => body,
        };
        let (mut ours, mut everybodys) = (Group::default(), Group::default());
        // Whom the lines speak to, and whether the `User-agent` lines of this group are over.
        let (mut to_us, mut to_all, mut begun) = (false, false, false);
        for line in whole.split(|byte| is_break(*byte)) {
            let line = String::from_utf8_lossy(line);
            let line = line.split('#').next().unwrap_or_default();
            let Some((key, value)) = line.split_once(':') else { continue };
            let value = value.trim();
            match key.trim().to_ascii_lowercase().as_str() {
                "user-agent" => {
                    if std::mem::take(&mut begun) {
                        (to_us, to_all) = (false, false);
                    }
                    to_us |= token(value).eq_ignore_ascii_case(TOKEN);
                    to_all |= value == "*" || value.starts_with("* ");
                    ours.named |= to_us;
                }
                key @ ("allow" | "disallow") => {
                    begun = true;
                    for (group, wanted) in [(&mut ours, to_us), (&mut everybodys, to_all)] {
                        if wanted {
                            group.add(value, key == "allow");
                        }
                    }
                }
                "crawl-delay" => {
                    for (group, wanted) in [(&mut ours, to_us), (&mut everybodys, to_all)] {
                        if wanted {
                            group.delay = group.delay.max(seconds(value));
                        }
                    }
                }
                // Other lines, such as `Sitemap`, belong to no group and end none (section 2.2.4).
                _ => {}
            }
        }
        let Group { mut rules, delay, .. } = if ours.named { ours } else { everybodys };
        rules.sort_by(|a, b| b.pattern.len().cmp(&a.pattern.len()).then(b.allow.cmp(&a.allow)));
        rules.dedup();
        Self { rules, delay }
    }

    /// A robots.txt that closes the whole site.
    pub(super) fn closed() -> Self {
        Self::read(b"User-agent: *\nDisallow: /")
    }

    /// Whether `url` may be fetched. robots.txt itself always may (section 2.2.2).
    pub(super) fn allows(&self, url: &Url) -> bool {
        if self.rules.is_empty() || url.path() == "/robots.txt" {
            return true;
        }
        let path = match url.query() {
            Some(query) => normal(&format!("{}?{query}", url.path()), true),
            None => normal(url.path(), true),
        };
        self.rules.iter().find(|rule| fits(&rule.pattern, &path)).is_none_or(|rule| rule.allow)
    }

    /// About how many bytes this takes in memory.
    pub(super) fn weight(&self) -> usize {
        size_of::<Self>() + self.rules.iter().map(|rule| size_of::<Rule>() + rule.pattern.len()).sum::<usize>()
    }
}

fn is_break(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// The product token at the start of a `User-agent` line: `heliu/1.2 (x)` is about `heliu`.
fn token(value: &str) -> &str {
    let end = value.find(|c: char| !(c.is_ascii_alphabetic() || matches!(c, '_' | '-')));
    &value[..end.unwrap_or(value.len())]
}

/// Seconds, perhaps with a fraction; what cannot be read says nothing.
fn seconds(value: &str) -> Option<Duration> {
    let seconds: f64 = value.parse().ok().filter(|seconds: &f64| *seconds > 0.0)?;
    Some(Duration::from_secs_f64(seconds.min(LONGEST_DELAY.as_secs_f64())))
}

/// The form in which patterns and paths are compared, byte by byte (section 2.2.2): what need not be escaped is
/// not, the rest is, in upper case. In a path `*` and `$` are escaped, since in a pattern they are not themselves.
fn normal(text: &str, is_path: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_bytes();
    let escape = |out: &mut String, byte: u8| {
        const HEX: &[u8; 16] = b"0123456789ABCDEF";
        out.push('%');
        out.push(char::from(HEX[usize::from(byte >> 4)]));
        out.push(char::from(HEX[usize::from(byte & 15)]));
    };
    while let [byte, after @ ..] = rest {
        rest = after;
        if let (b'%', [a, b, behind @ ..]) = (byte, after)
            && let Some(byte) = hex(*a).zip(hex(*b)).map(|(high, low)| high << 4 | low)
        {
            rest = behind;
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
                out.push(char::from(byte));
            } else {
                escape(&mut out, byte);
            }
        } else if !byte.is_ascii_graphic() || is_path && matches!(byte, b'*' | b'$') {
            escape(&mut out, *byte);
        } else {
            out.push(char::from(*byte));
        }
    }
    out
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Whether a pattern fits the beginning of a path. Each piece between stars is looked for behind the one before,
/// leftmost first, which finds a fit if there is one, in linear time.
fn fits(pattern: &str, path: &str) -> bool {
    let (pattern, ends) = pattern.strip_suffix('$').map_or((pattern, false), |pattern| (pattern, true));
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = path.strip_prefix(first) else { return false };
    let pieces: Vec<&str> = pieces.collect();
    let Some((last, middle)) = pieces.split_last() else { return !ends || rest.is_empty() };
    for piece in middle.iter().copied().filter(|piece| !piece.is_empty()) {
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    if ends { rest.ends_with(last) } else { rest.contains(last) }
}

/// The address of the robots.txt that speaks for `url`.
pub(super) fn address(url: &Url) -> Option<Url> {
    let mut address = url.join("/robots.txt").ok()?;
    address.set_query(None);
    address.set_fragment(None);
    Some(address)
}
