//! Changes inside an entry's sanitised text: for rules. What comes out is still to be sanitised again.

use super::dom::{Node, Page, Selector, Step};
use super::html::{VOID, escape};
use super::image;
use super::text::BLOCKS;
use crate::model::Image;
use url::Url;

/// What became of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edited {
    /// There was nothing to change.
    Same,
    /// Neither words nor pictures would be left.
    Empty,
    /// It goes past a safety limit of the DOM, so that a part of it would be lost.
    Limit,
    /// The new text.
    Changed(String),
}

/// Where a text ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// In bytes of the words that [`cut`] shows, between characters.
    pub at: usize,
    /// Whether `…` takes the place of what is gone.
    pub ellipsis: bool,
}

/// Elements that show something without words.
const MEDIA: [&str; 5] = ["img", "video", "audio", "source", "hr"];

/// Whether something in the text matches a CSS selector; what stands behind a safety limit is not looked at.
#[must_use]
pub fn selects(html: &str, css: &str) -> bool {
    let Ok(selector) = Selector::new(css) else { return false };
    let page = Page::parse(html);
    body(&page).is_some_and(|body| body.has(&selector))
}

/// The text without the elements that match a CSS selector.
#[must_use]
pub fn without(html: &str, css: &str) -> Edited {
    let Ok(selector) = Selector::new(css) else { return Edited::Same };
    edited(html, |page| {
        let Some(body) = body(page) else { return false };
        let found = body.select(&selector);
        if page.overspent().is_some() {
            return false;
        }
        // In order: what stands in an element that went is gone with it.
        for node in &found {
            node.remove();
        }
        !found.is_empty()
    })
}

/// The text without a picture, and without the elements that held nothing else.
#[must_use]
pub fn without_picture(html: &str, url: &str) -> Edited {
    let Ok(images) = Selector::new("img") else { return Edited::Same };
    edited(html, |page| {
        let Some(body) = body(page) else { return false };
        let is_it = |node: &Node<'_>| node.attribute("src").is_some_and(|src| src == url);
        let found: Vec<_> = body.select(&images).into_iter().filter(is_it).collect();
        for image in &found {
            let mut top = *image;
            // Four are more than a picture in a link in a figure needs; a bound keeps the search short.
            for _ in 0..4 {
                match top.parent() {
                    Some(parent) if !parent.is(body) && holds_only(parent, *image) => top = parent,
                    _ => break,
                }
            }
            top.remove();
        }
        !found.is_empty()
    })
}

/// Whether an element holds nothing but a picture and its caption.
fn holds_only(node: Node<'_>, image: Node<'_>) -> bool {
    let mut caption = 0;
    for (index, step) in node.walk().enumerate() {
        let (Step::Enter(at) | Step::Leave(at)) = step;
        let name = at.name();
        let entering = matches!(step, Step::Enter(_));
        if index > 64 || entering && MEDIA.contains(&&*name) && !at.is(image) {
            return false;
        }
        if &*name == "figcaption" {
            caption = if entering { caption + 1 } else { caption - 1 };
        }
        let mut words = false;
        at.with_text(|text| words = !text.trim().is_empty());
        if words && caption == 0 {
            return false;
        }
    }
    true
}

/// The pictures of a text, in order, none twice.
#[must_use]
pub fn pictures(html: &str, base: &Url) -> Vec<Image> {
    let page = Page::parse(html);
    body(&page).map(|body| image::all(body, base)).unwrap_or_default()
}

/// A picture as a paragraph of its own.
#[must_use]
pub fn picture(image: &Image) -> String {
    let mut out = "<p><img src=\"".to_owned();
    escape(&image.url, &mut out);
    out.push('"');
    if let Some(alt) = &image.alt {
        out.push_str(" alt=\"");
        escape(alt, &mut out);
        out.push('"');
    }
    out + "></p>"
}

/// The text with every piece of its words put through `change`; attributes stay.
#[must_use]
pub fn map_text(html: &str, mut change: impl FnMut(&str) -> String) -> Edited {
    let page = Page::parse(html);
    if page.limit.is_some() {
        return Edited::Limit;
    }
    let Some(body) = body(&page) else { return Edited::Same };
    let (mut out, mut changed) = (Writer::default(), false);
    for step in inside(body) {
        match step {
            Step::Enter(node) if node.is_element() => out.open(node),
            Step::Leave(node) if node.is_element() => out.close(node),
            Step::Enter(node) => node.with_text(|text| {
                let new = change(text);
                changed |= new != text;
                out.text(&new);
            }),
            Step::Leave(_) => {}
        }
    }
    if changed { Edited::Changed(out.finish()) } else { Edited::Same }
}

/// The text up to where `find` says, in its words: line breaks stand between paragraphs. `None`: all of it.
#[must_use]
pub fn cut(html: &str, find: impl FnOnce(&str) -> Option<Cut>) -> Edited {
    let page = Page::parse(html);
    if page.limit.is_some() {
        return Edited::Limit;
    }
    let Some(body) = body(&page) else { return Edited::Same };
    let mut words = String::new();
    for step in inside(body) {
        step_of(step, |text| words.push_str(text));
    }
    // Where the first paragraph begins is not between paragraphs.
    let shown = words.trim_start();
    let before = words.len() - shown.len();
    let Some(cut) = find(shown).map(|cut| Cut { at: cut.at + before, ..cut }) else { return Edited::Same };
    let (mut out, mut done) = (Writer::default(), 0);
    for step in inside(body) {
        let is_text = matches!(step, Step::Enter(node) if !node.is_element());
        if let (Step::Enter(node), false) = (step, is_text) {
            out.open(node);
        } else if let (Step::Leave(node), true) = (step, node_of(step).is_element()) {
            out.close(node);
        }
        let mut over = false;
        step_of(step, |text| {
            if is_text {
                let left = cut.at.saturating_sub(done).min(text.len());
                out.text(&text[..text.floor_char_boundary(left)]);
            }
            done += text.len();
            over = done >= cut.at;
        });
        if over {
            break;
        }
    }
    if cut.ellipsis {
        out.trim();
        out.text("…");
    }
    if out.shown { Edited::Changed(out.finish()) } else { Edited::Empty }
}

fn node_of(step: Step<'_>) -> Node<'_> {
    let (Step::Enter(node) | Step::Leave(node)) = step;
    node
}

/// Hands the words of a step to `use_text`: text, or a line break where a block begins or ends.
fn step_of(step: Step<'_>, use_text: impl FnOnce(&str)) {
    let node = node_of(step);
    if !node.is_element() {
        if matches!(step, Step::Enter(_)) {
            node.with_text(use_text);
        }
    } else if BLOCKS.contains(&&*node.name()) {
        use_text("\n");
    }
}

/// Changes the DOM of a text, and writes it if `change` says that it did.
fn edited(html: &str, change: impl FnOnce(&Page) -> bool) -> Edited {
    let page = Page::parse(html);
    if page.limit.is_some() {
        return Edited::Limit;
    }
    if !change(&page) {
        return if page.overspent().is_some() { Edited::Limit } else { Edited::Same };
    }
    let Some(body) = body(&page) else { return Edited::Same };
    let mut out = Writer::default();
    for step in inside(body) {
        match step {
            Step::Enter(node) if node.is_element() => out.open(node),
            Step::Leave(node) if node.is_element() => out.close(node),
            Step::Enter(node) => node.with_text(|text| out.text(text)),
            Step::Leave(_) => {}
        }
    }
    if out.shown { Edited::Changed(out.finish()) } else { Edited::Empty }
}

fn body(page: &Page) -> Option<Node<'_>> {
    let selector = Selector::new("body").ok()?;
    page.root().first(&selector)
}

/// The steps of a walk over everything in a node, without the node.
fn inside(node: Node<'_>) -> impl Iterator<Item = Step<'_>> {
    node.walk().filter(move |step| !node_of(*step).is(node))
}

/// Writes a text. Tags are held back until something is shown in or behind them, so that a text that ends early
/// does not end in empty elements.
#[derive(Default)]
struct Writer {
    out: String,
    held: String,
    open: Vec<String>,
    /// How many of the open elements are written out.
    written: usize,
    shown: bool,
}

impl Writer {
    fn open(&mut self, node: Node<'_>) {
        let name = node.name();
        self.held.extend(["<", &name]);
        for (key, value) in node.attributes() {
            self.held.extend([" ", &key, "=\""]);
            escape(&value, &mut self.held);
            self.held.push('"');
        }
        self.held.push('>');
        if !VOID.contains(&&*name) {
            self.open.push(name.into_owned());
        }
        if MEDIA.contains(&self.last()) || MEDIA.contains(&&*node.name()) {
            self.flush();
        }
    }

    fn last(&self) -> &str {
        self.open.last().map_or("", String::as_str)
    }

    fn flush(&mut self) {
        self.out.push_str(&self.held);
        self.held.clear();
        self.written = self.open.len();
        self.shown = true;
    }

    fn text(&mut self, text: &str) {
        if text.trim().is_empty() {
            escape(text, &mut self.held);
        } else {
            self.flush();
            escape(text, &mut self.out);
        }
    }

    fn close(&mut self, node: Node<'_>) {
        let name = node.name();
        if VOID.contains(&&*name) {
            return;
        }
        self.open.pop();
        self.held.extend(["</", &name, ">"]);
        if self.written > self.open.len() {
            // It was opened in `out`: its end belongs there too.
            self.out.push_str(&self.held);
            self.held.clear();
            self.written = self.open.len();
        }
    }

    fn trim(&mut self) {
        self.out.truncate(self.out.trim_end().len());
        self.held.clear();
    }

    /// What is still held back shows nothing: it is left out, and what is open is closed.
    fn finish(mut self) -> String {
        for name in self.open.drain(..).take(self.written).collect::<Vec<_>>().into_iter().rev() {
            self.out.extend(["</", &name, ">"]);
        }
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_untouched_text_is_written_as_it_was() {
        for html in [
            "<p>a<br>b &amp; &lt;c&gt;</p>\n<ul><li value=\"2\">x</li></ul>",
            "<table><tbody><tr><td colspan=\"2\">a</td><td></td></tr></tbody></table>",
            "plain",
            "<ruby>漢<rt>かん</rt></ruby><details open=\"\"><summary>s</summary>t</details>",
        ] {
            let Edited::Changed(found) = map_text(&format!("{html}§"), |text| text.replace('§', "")) else {
                panic!()
            };
            assert_eq!(found, html);
        }
    }

    #[test]
    fn selections() {
        for (html, css, expected) in [
            ("<p>a</p>", "p", true),
            ("<p>a</p>", "body", false),
            ("<p>a</p>", "p:has(b)", false),
            ("<p><b>a</b></p>", "p:has(b)", true),
            ("x", "((", false),
            ("", "p", false),
        ] {
            assert_eq!(selects(html, css), expected, "{html} {css}");
        }
    }
}
