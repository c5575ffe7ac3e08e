//! OPML 2.0 (<http://opml.org/spec2.opml>): the list of the feeds, for readers that import it.

use super::text::{description, escape, feed_language, feed_title, line, rfc822};
use super::{Form, Site};
use crate::model::Feed;
use chrono::{DateTime, Utc};
use std::fmt::Write;

/// The feeds as a subscription list. Feeds whose `updated` is the epoch were never published and give no date.
#[must_use]
pub fn opml(feeds: &[&Feed], site: &Site<'_>) -> String {
    let updated = feeds.iter().map(|feed| feed.updated).max().filter(|at| *at > DateTime::UNIX_EPOCH);
    document(site, updated, |out| {
        for feed in feeds {
            let title = escape(&feed_title(feed));
            push(out, format_args!("  <outline type=\"rss\" text=\"{title}\" title=\"{title}\""));
            push(out, format_args!(" description=\"{}\"", escape(&description(feed))));
            push(out, format_args!(" language=\"{}\"", feed_language(feed, site).to_lowercase()));
            push(out, format_args!(" xmlUrl=\"{}\"", escape(&Form::Atom.address(feed, site))));
            push(out, format_args!(" htmlUrl=\"{}\"/>\n", escape(&Form::Page.address(feed, site))));
        }
    })
}

/// External feeds that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder<'a> {
    /// What they are called together; `None`: they stand in no folder.
    pub title: Option<&'a str>,
    /// Their titles and addresses.
    pub feeds: Vec<(&'a str, &'a str)>,
}

/// What the feeds are made of.
#[must_use]
pub fn sources(folders: &[Folder<'_>], site: &Site<'_>) -> String {
    document(site, None, |out| {
        for folder in folders {
            let indent = if let Some(title) = folder.title {
                let folder = escape(&line(title));
                push(out, format_args!("  <outline text=\"{folder}\" title=\"{folder}\">\n"));
                "   "
            } else {
                "  "
            };
            for (title, address) in &folder.feeds {
                let (title, address) = (escape(&line(title)), escape(address));
                let names = format_args!("text=\"{title}\" title=\"{title}\"");
                push(out, format_args!("{indent}<outline type=\"rss\" {names} xmlUrl=\"{address}\"/>\n"));
            }
            if folder.title.is_some() {
                out.push_str("  </outline>\n");
            }
        }
    })
}

fn document(site: &Site<'_>, updated: Option<DateTime<Utc>>, body: impl FnOnce(&mut String)) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<opml version=\"2.0\">\n <head>\n");
    push(&mut out, format_args!("  <title>{}</title>\n", escape(&line(site.title))));
    if let Some(updated) = updated {
        push(&mut out, format_args!("  <dateModified>{}</dateModified>\n", rfc822(updated.fixed_offset())));
    }
    push(&mut out, format_args!("  <docs>http://opml.org/spec2.opml</docs>\n </head>\n <body>\n"));
    body(&mut out);
    out.push_str(" </body>\n</opml>\n");
    out
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing into a String cannot fail.
    let _ = out.write_fmt(text);
}
