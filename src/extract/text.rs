//! From nodes to text for people: white space, lines, sentences.

use super::dom::{Node, Step};

/// Elements that are never text for people.
pub(super) const UNREAD: [&str; 8] = ["script", "style", "template", "noscript", "svg", "math", "select", "textarea"];

/// Elements that begin and end a line.
pub(super) const BLOCKS: [&str; 34] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "br",
    "center",
    "dd",
    "div",
    "dl",
    "dt",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "table",
    "td",
    "th",
    "tr",
    "ul",
];

/// The text below a node on one line: ASCII white space squeezed, ends trimmed. U+3000 and no-break spaces
/// inside stay, since Chinese pages set text with them.
pub(super) fn plain(node: Node<'_>) -> String {
    squeeze(&raw(node, usize::MAX))
}

/// The same, or where it has more than `most` visible characters, at least that many and one of them.
pub(super) fn beginning(node: Node<'_>, most: usize) -> String {
    squeeze(&raw(node, most))
}

/// The lines below a node as a reader sees them, without empty ones.
pub(super) fn lines(node: Node<'_>) -> Vec<String> {
    raw(node, usize::MAX).split('\n').map(squeeze).filter(|line| !line.is_empty()).collect()
}

/// The text, up to where it has more than `most` visible characters.
fn raw(node: Node<'_>, most: usize) -> String {
    let mut out = String::new();
    let mut visible = 0;
    let mut walk = node.walk();
    while visible <= most
        && let Some(step) = walk.next()
    {
        let (Step::Enter(at) | Step::Leave(at)) = step;
        if at.is_element() {
            let name = at.name();
            if matches!(step, Step::Enter(_)) && UNREAD.contains(&&*name) {
                walk.skip_children(has_children(at));
            } else if BLOCKS.contains(&&*name) {
                out.push('\n');
            }
        } else if matches!(step, Step::Enter(_)) {
            // A line break in the source is a space; only elements make lines.
            at.with_text(|text| {
                out.extend(text.chars().map(|c| if c.is_ascii_whitespace() { ' ' } else { c }));
                visible += if most < usize::MAX { text.chars().filter(|c| !is_blank(*c)).count() } else { 0 };
            });
        }
    }
    out
}

/// Whether a walk steps into the node's children next.
pub(super) fn has_children(node: Node<'_>) -> bool {
    node.walk().nth(1).is_some_and(|step| matches!(step, Step::Enter(_)))
}

/// Squeezes runs of ASCII white space and trims the ends.
pub(super) fn squeeze(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in trim(text).chars() {
        if !c.is_ascii_whitespace() {
            out.push(c);
        } else if !out.ends_with(' ') {
            out.push(' ');
        }
    }
    out
}

/// Trims white space of every kind, also U+3000, no-break, zero-width and byte order marks, at the ends only.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(is_blank)
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200B}'..='\u{200D}' | '\u{2060}' | '\u{FEFF}')
}

/// The most characters of a summary.
const SUMMARY: usize = 150;

/// The first paragraphs as a summary of at most 150 characters, cut at the end of a sentence.
pub(super) fn summary(paragraphs: &[String]) -> Option<String> {
    let mut text = String::new();
    for line in paragraphs.iter().map(|line| trim(line)).filter(|line| !line.is_empty() && !is_credit(line)) {
        if !text.is_empty() && text.chars().count() + line.chars().count() > SUMMARY {
            break;
        }
        text.push_str(line);
        if text.chars().count() >= SUMMARY / 2 {
            break;
        }
    }
    (!text.is_empty()).then(|| cut(&text, SUMMARY))
}

/// Lines such as `图片来源:新华社` or `编辑:柳阳` say who, not what.
fn is_credit(line: &str) -> bool {
    let start: String = line.chars().take(8).collect();
    ["图片来源", "来源", "编辑", "责任编辑", "图/"].iter().any(|word| start.starts_with(word))
}

/// Cuts at the last sentence end within `most` characters, else at `most` with an ellipsis.
fn cut(text: &str, most: usize) -> String {
    let Some((limit, _)) = text.char_indices().nth(most) else { return text.to_owned() };
    let head = &text[..limit];
    let ends = |c: char| matches!(c, '。' | '！' | '？' | '!' | '?' | '…' | '；');
    if let Some((at, end)) = head.char_indices().rev().find(|(_, c)| ends(*c)) {
        let mut stop = at + end.len_utf8();
        while let Some(quote) = head[stop..].chars().next().filter(|c| matches!(c, '”' | '’' | '」' | '』' | '）'))
        {
            stop += quote.len_utf8();
        }
        return head[..stop].to_owned();
    }
    let mut kept: Vec<char> = head.chars().take(most - 1).collect();
    // Never between a character and its mark, selector or joiner.
    let joins =
        |c: char| matches!(c, '\u{300}'..='\u{36F}' | '\u{FE00}'..='\u{FE0F}' | '\u{200D}' | '\u{1F3FB}'..='\u{1F3FF}');
    let mut next = head.chars().nth(most - 1);
    while next.is_some_and(joins) || kept.last() == Some(&'\u{200D}') {
        next = kept.pop();
    }
    kept.into_iter().chain(std::iter::once('…')).collect()
}
