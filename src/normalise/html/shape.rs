//! The first pass: well-nested tags of the policy only, at most [`DEPTH`] deep, each in a place where the
//! HTML parser leaves it, with absolute addresses.

use super::policy;
use super::scan::{Scanner, Token};
use crate::normalise::url::resolve;
use ::url::Url;

mod embed;
mod picture;
mod reference;

pub(super) use reference::{decode, references};

/// Deepest nesting that is kept; deeper tags are left out, their text is not.
const DEPTH: usize = 100;
/// Most characters in one run of text that the serialiser escapes: for each it looks through the rest of the run
/// (html5ever 0.40, `write_escaped`), so a longer run is parted by a `<wbr>`, which shows nothing.
const ESCAPES: usize = 500;
/// Longest attribute that is kept, in bytes, besides addresses; for the same reason.
const ATTRIBUTE: usize = 4000;

/// The most bytes that all addresses together may grow by when they become absolute; further ones are left out.
const GROWTH: usize = 2 << 20;

/// Foreign HTML in shape for ammonia; `page` is where links to a place in the text itself lead.
pub(super) fn shape(html: &str, base: &Url, page: &Url) -> String {
    let mut shaper = Shaper {
        base,
        page,
        out: String::with_capacity(html.len()),
        open: Vec::new(),
        escapes: 0,
        growth: 0,
        skipping: None,
        picture: Picture::Elsewhere,
        object: None,
    };
    for token in Scanner::new(html) {
        match token {
            Token::Text(text) => shaper.text(text),
            Token::Start { name, attributes } => shaper.start(&name, &attributes),
            Token::End(name) => shaper.end(&name),
        }
    }
    shaper.end_picture();
    shaper.pop_to(0);
    shaper.out
}

struct Shaper<'a> {
    base: &'a Url,
    page: &'a Url,
    out: String,
    open: Vec<&'static str>,
    /// Characters since the last tag that the serialiser escapes.
    escapes: usize,
    growth: usize,
    /// An element that goes with its content, and how often it is nested in itself.
    skipping: Option<(String, usize)>,
    picture: Picture,
    /// What the object around embeds: an `embed` inside it mostly repeats it.
    object: Option<Url>,
}

/// Where the walk is as to `picture`.
enum Picture {
    Elsewhere,
    /// Inside one that has shown nothing yet, with the address of its first usable source.
    Open(Option<Url>),
}

const VOID: &[&str] = &["br", "col", "hr", "img", "source", "wbr"];
/// Where the search for an open element ends: what is outside a cell cannot be closed from inside.
const CELLS: &[&str] = &["td", "th", "caption", "table"];

/// Obsolete and form elements that stand on their own lines become `div`, so that words do not run together.
fn renamed(name: &str) -> &str {
    match name {
        "center" | "form" | "fieldset" | "hgroup" | "nav" | "option" => "div",
        "menu" | "dir" => "ul",
        "strike" => "s",
        "tt" => "code",
        name => name,
    }
}

impl Shaper<'_> {
    fn text(&mut self, text: &str) {
        if self.skipping.is_some() {
            return;
        }
        if !text.trim_ascii().is_empty() {
            self.leave_table_gap();
        }
        // The parser drops a line break right behind <pre>.
        let text = if self.out.ends_with("<pre>") { text.trim_start_matches(['\n', '\r']) } else { text };
        if text.starts_with('<') {
            self.out.push_str("&lt;");
            return;
        }
        let mut rest = text;
        while !rest.is_empty() {
            let special = |c: char| c == '&' || ('\u{80}'..'\u{C0}').contains(&c);
            let end = rest.match_indices(special).map(|(at, _)| at).nth(ESCAPES.saturating_sub(self.escapes));
            let (run, behind) = rest.split_at(end.unwrap_or(rest.len()));
            self.escapes += run.matches(special).count();
            references(run, &mut self.out);
            rest = behind;
            if !rest.is_empty() {
                self.push("wbr", "");
            }
        }
    }

    fn start(&mut self, name: &str, attributes: &[(String, &str)]) {
        if let Some((skipped, depth)) = &mut self.skipping {
            // An svg that nobody closed must not take the rest of the article with it.
            let broken_out =
                matches!(skipped.as_str(), "svg" | "annotation" | "annotation-xml" | "select" | "datalist")
                    && matches!(
                        name,
                        "p" | "div" | "table" | "ul" | "ol" | "h1" | "h2" | "h3" | "img" | "blockquote" | "pre"
                    );
            if !broken_out {
                *depth += usize::from(name == skipped);
                return;
            }
            self.skipping = None;
        }
        match name {
            "iframe" | "embed" | "object" => self.embedded(name, attributes),
            "picture" => self.picture = Picture::Open(None),
            "source" if self.source(attributes) => return,
            _ => {}
        }
        if policy::WITH_CONTENT.contains(&name) {
            self.skipping = Some((name.to_owned(), 1));
            return;
        }
        let name = renamed(name);
        let Some(&(name, _)) = policy::element(name) else { return };
        let Some(attributes) = self.attributes(name, attributes) else { return };
        if self.open.len() + 3 > DEPTH && !VOID.contains(&name) || !self.make_room(name) {
            return;
        }
        if name == "img" {
            self.picture = Picture::Elsewhere;
        }
        self.push(name, &attributes);
    }

    fn push(&mut self, name: &'static str, attributes: &str) {
        self.escapes = 0;
        self.out.push('<');
        self.out.push_str(name);
        self.out.push_str(attributes);
        self.out.push('>');
        if !VOID.contains(&name) {
            self.open.push(name);
        }
    }

    fn end(&mut self, name: &str) {
        if let Some((skipped, depth)) = &mut self.skipping {
            if name == skipped {
                *depth -= 1;
                if *depth == 0 {
                    self.skipping = None;
                }
            }
            return;
        }
        match name {
            "picture" => self.end_picture(),
            "object" => self.object = None,
            _ => {}
        }
        let name = renamed(name);
        let stops: &[&str] = match name {
            "table" => &[],
            "tbody" | "thead" | "tfoot" | "tr" | "td" | "th" | "caption" | "colgroup" => &["table"],
            _ => CELLS,
        };
        if let Some(at) = self.find(&[name], stops) {
            self.pop_to(at);
        } else if name == "br" {
            self.push("br", "");
        }
    }

    /// The innermost open element among `names`, unless one of `stops` lies before it.
    fn find(&self, names: &[&str], stops: &[&str]) -> Option<usize> {
        let at = self.open.iter().rposition(|open| names.contains(open) || stops.contains(open))?;
        names.contains(&self.open[at]).then_some(at)
    }

    fn pop_to(&mut self, length: usize) {
        while self.open.len() > length {
            if let Some(name) = self.open.pop() {
                self.escapes = 0;
                self.out.push_str("</");
                self.out.push_str(name);
                self.out.push('>');
            }
        }
    }

    fn close(&mut self, names: &[&str], stops: &[&str]) {
        if let Some(at) = self.find(names, stops) {
            self.pop_to(at);
        }
    }

    /// Closes what the parser would close, and opens what a part of a table needs. `false`: no place for it.
    fn make_room(&mut self, name: &str) -> bool {
        match name {
            "td" | "th" | "tr" | "tbody" | "thead" | "tfoot" | "caption" | "colgroup" | "col" => {
                return self.make_table_room(name);
            }
            _ => self.leave_table_gap(),
        }
        if policy::is_block(name) {
            self.close(&["p"], CELLS);
        }
        match name {
            "li" => self.close(
                &["li"],
                &["ul", "ol", "td", "th", "caption", "blockquote", "section", "article", "details", "figure"],
            ),
            "dt" | "dd" => self.close(
                &["dt", "dd"],
                &["dl", "td", "th", "caption", "blockquote", "section", "article", "details", "figure"],
            ),
            "a" => self.close(&["a"], CELLS),
            "rt" | "rp" => self.close(&["rt", "rp"], &["ruby", "td", "th", "caption", "table"]),
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.close(&["h1", "h2", "h3", "h4", "h5", "h6"], CELLS),
            "source" => return self.find(&["audio", "video"], CELLS).is_some(),
            _ => {}
        }
        true
    }

    /// Content between the rows of a table goes into a cell of its own: the parser would move it before the table.
    fn leave_table_gap(&mut self) {
        if self.open.last() == Some(&"colgroup") {
            self.pop_to(self.open.len() - 1);
        }
        loop {
            let next = match self.open.last() {
                Some(&"table") => "tbody",
                Some(&("tbody" | "thead" | "tfoot")) => "tr",
                Some(&"tr") => "td",
                _ => return,
            };
            self.push(next, "");
        }
    }

    fn make_table_room(&mut self, name: &str) -> bool {
        let Some(table) = self.find(&["table"], &[]) else { return false };
        let sections = &["tbody", "thead", "tfoot"];
        match name {
            "td" | "th" | "tr" => {
                let section = self.find(sections, &["table"]);
                self.pop_to(match (name, self.find(&["tr"], &["table"]), section) {
                    ("td" | "th", Some(row), _) => row + 1,
                    (_, _, Some(section)) => section + 1,
                    _ => table + 1,
                });
                if self.open.last() == Some(&"table") {
                    self.push("tbody", "");
                }
                if name != "tr" && self.open.last() != Some(&"tr") {
                    self.push("tr", "");
                }
            }
            "col" => {
                if self.open.last() != Some(&"colgroup") {
                    self.pop_to(table + 1);
                    self.push("colgroup", "");
                }
            }
            _ => self.pop_to(table + 1),
        }
        true
    }

    /// The attributes that stay, as they are written; `None`: the element makes no sense without what was refused.
    fn attributes(&mut self, element: &str, given: &[(String, &str)]) -> Option<String> {
        let mut out = String::new();
        if element == "img" {
            let picture = picture::picture(given, self.base)?;
            self.grow(picture.as_str().len())?;
            write(&mut out, "src", &escaped(picture.as_str()));
        }
        if matches!(element, "audio" | "video") {
            write(&mut out, "controls", "");
        }
        let allowed = policy::attributes(element)?;
        for (name, value) in given {
            let name = name.as_str();
            if !allowed.contains(&name) && !policy::EVERYWHERE.contains(&name)
                || name == "controls"
                || (element, name) == ("img", "src")
            {
                continue;
            }
            if policy::ADDRESSES.contains(&name) {
                match self.address(element, &decode(value)) {
                    Some(address) => write(&mut out, name, &escaped(&address)),
                    None if matches!(element, "a" | "source") => return None,
                    None => {}
                }
            } else if value.len() <= ATTRIBUTE && (!matches!(name, "width" | "height") || is_size(value)) {
                write(&mut out, name, &quoted(value));
            }
        }
        (element != "a" || out.contains(" href=")).then_some(out)
    }

    fn grow(&mut self, by: usize) -> Option<()> {
        self.growth += by;
        (self.growth <= GROWTH).then_some(())
    }

    fn address(&mut self, element: &str, value: &str) -> Option<String> {
        let trimmed = value.trim();
        let lower = trimmed.get(..7).unwrap_or(trimmed).to_ascii_lowercase();
        if element == "a" && (lower.starts_with("mailto:") || lower.starts_with("tel:")) {
            return Url::parse(trimmed).ok().map(String::from);
        }
        let base = if element == "a" && trimmed.starts_with('#') { self.page } else { self.base };
        let url = String::from(resolve(base, value).ok()?);
        self.grow(url.len().saturating_sub(value.len())).map(|()| url)
    }
}

fn is_size(value: &str) -> bool {
    let digits = value.strip_suffix('%').unwrap_or(value);
    (1..=5).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
}

fn write(out: &mut String, name: &str, value: &str) {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    out.push_str(value);
    out.push('"');
}

/// A value as it was written, with its character references, for an attribute in double quotes.
fn quoted(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    references(value, &mut out);
    out.replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}
