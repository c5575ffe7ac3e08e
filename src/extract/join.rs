//! An article's pages → its entry.

use super::article::Article;
use super::html::escape;
use super::text::{summary, trim};
use crate::model::{Category, Enclosure, Image, ParsedEntry, Source, Text};

/// Puts what an article's pages say, first page first, into the entry that a list gave. What the list knows
/// stays unless the article knows it better: date, source, names and full text come from the article; the
/// summary only if the list had none; the title only if the list had none or had cut it.
pub fn join(entry: &mut ParsedEntry, pages: &[Article]) {
    let Some(first) = pages.first() else { return };
    entry.article_read = true;
    if let Some(title) = &first.title
        && refines(entry.title.as_ref(), title)
    {
        entry.title = Some(Text::plain(title.as_str()));
    }
    if let Some(date) = &first.date
        && !entry.dates.contains(date)
    {
        entry.dates.insert(0, date.clone());
    }
    if let Some(source) = pages.iter().find_map(|page| page.source.clone()) {
        entry.source = Some(Source { title: source, ..Source::default() });
    }
    if !first.authors.is_empty() {
        entry.authors.clone_from(&first.authors);
    }
    // The editor stands below the last page.
    if let Some(editor) = pages.iter().rev().find_map(|page| page.editor.clone()) {
        entry.contributors = vec![editor];
    }
    for term in first.categories.iter().filter(|term| !term.is_empty()) {
        if !entry.categories.iter().any(|known| known.term == *term) {
            entry.categories.push(Category { term: term.clone(), ..Category::default() });
        }
    }
    for image in pages.iter().flat_map(|page| &page.images) {
        if !entry.images.iter().any(|known| known.url == image.url) {
            entry.images.push(image.clone());
        }
    }
    if first.comic {
        enclose(entry, &first.images);
    }
    let body = content(pages);
    if !body.is_empty() {
        entry.content = Some(Text::html(body));
    }
    if entry.summary.is_none() {
        let lines: Vec<String> = pages.iter().flat_map(|page| page.paragraphs.iter().cloned()).take(12).collect();
        entry.summary = first.summary.clone().or_else(|| summary(&lines)).map(Text::plain);
    }
}

/// A comic whose own page has not been read: the picture that the list shows is the entry, as enclosure and
/// as content.
pub fn comic(entry: &mut ParsedEntry) {
    let images = entry.images.clone();
    enclose(entry, &images);
    if entry.content.is_none() && !images.is_empty() {
        let mut content = String::new();
        for image in &images {
            picture(image, &mut content);
        }
        entry.content = Some(Text::html(content));
    }
}

/// The text of all pages. A picture that stands outside the body, as in some comics, is put before it.
fn content(pages: &[Article]) -> String {
    let mut out = String::new();
    for page in pages {
        if page.comic {
            for image in page.images.iter().filter(|image| !page.body.contains(&escaped(&image.url))) {
                picture(image, &mut out);
            }
        }
        if !out.is_empty() && !page.body.is_empty() {
            out.push('\n');
        }
        out.push_str(&page.body);
    }
    out
}

fn picture(image: &Image, out: &mut String) {
    let alt = image.alt.as_deref().unwrap_or_default();
    out.extend(["<p><img src=\"", &escaped(&image.url), "\" alt=\"", &escaped(alt), "\"></p>"]);
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    escape(text, &mut out);
    out
}

fn enclose(entry: &mut ParsedEntry, images: &[Image]) {
    for image in images {
        if !entry.enclosures.iter().any(|known| known.url == image.url) {
            let media_type = media_type(&image.url);
            entry.enclosures.push(Enclosure { url: image.url.clone(), media_type, ..Enclosure::default() });
        }
    }
}

/// The media type that a picture's file name tells.
fn media_type(url: &str) -> Option<String> {
    let path = url.split(['?', '#']).next()?;
    let kind = match path.rsplit('.').next()?.to_ascii_lowercase().as_str() {
        "jpg" | "jpeg" => "jpeg",
        "png" => "png",
        "gif" => "gif",
        "webp" => "webp",
        "avif" => "avif",
        "bmp" => "bmp",
        _ => return None,
    };
    Some(format!("image/{kind}"))
}

/// Whether the article's title is the list's in full.
fn refines(listed: Option<&Text>, title: &str) -> bool {
    let Some(listed) = listed else { return true };
    let cut = trim(&listed.value);
    let stem = trim(cut.trim_end_matches(['…', '.', '⋯']));
    stem.len() < cut.len() && !stem.is_empty() && title.starts_with(stem) && title.len() > stem.len()
}
