//! OPML 2.0 (<http://opml.org/spec2.opml>): the list of the feeds, for readers that import it.

use super::text::{description, escape, feed_language, feed_title, line, rfc822};
use super::{Form, Site};
use crate::model::Feed;
use std::fmt::Write;

/// The feeds as a subscription list.
#[must_use]
pub fn opml(feeds: &[&Feed], site: &Site<'_>) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<opml version=\"2.0\">\n <head>\n");
    push(&mut out, format_args!("  <title>{}</title>\n", escape(&line(site.title))));
    if let Some(updated) = feeds.iter().map(|feed| feed.updated).max() {
        push(&mut out, format_args!("  <dateModified>{}</dateModified>\n", rfc822(updated.fixed_offset())));
    }
    push(&mut out, format_args!("  <docs>http://opml.org/spec2.opml</docs>\n </head>\n <body>\n"));
    for feed in feeds {
        let title = escape(&feed_title(feed));
        push(&mut out, format_args!("  <outline type=\"rss\" text=\"{title}\" title=\"{title}\""));
        push(&mut out, format_args!(" description=\"{}\"", escape(&description(feed))));
        push(&mut out, format_args!(" language=\"{}\"", feed_language(feed, site).to_lowercase()));
        push(&mut out, format_args!(" xmlUrl=\"{}\"", escape(&Form::Atom.address(feed, site))));
        push(&mut out, format_args!(" htmlUrl=\"{}\"/>\n", escape(&Form::Page.address(feed, site))));
    }
    out.push_str(" </body>\n</opml>\n");
    out
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing into a String cannot fail.
    let _ = out.write_fmt(text);
}
