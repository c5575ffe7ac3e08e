//! Reads an external feed.

use super::errand::{self, Errand, Page};
use super::further::Joined;
use super::listing::{Desk, Listing, Read, already_read, failed};
use super::rests::asked;
use crate::config::Origin;
use crate::model::{Flaw, FlawCode, ParsedFeed};
use crate::net::Accept;
use crate::store::StoreError;
use crate::{decode, extract, parse};
use std::sync::Arc;
use url::Url;

/// Reads an external feed.
pub(super) async fn read(
    desk: &Desk<'_>,
    errand: &mut Errand<'_>,
    flaws: &mut Vec<Flaw>,
) -> Result<Listing, StoreError> {
    let Origin::Feed { url: address } = &desk.channel.origin else {
        return Ok(Listing::Nothing { url: None, status: None, retry_after: None, gone: false });
    };
    let (url, asked) = (address.url(), asked(Some(desk.state), address));
    let page = match errand.get(&asked, Accept::Feed, desk.trust).await {
        Ok(page) => page,
        Err(error) => {
            flaws.push(errand::flaw(&error));
            return Ok(failed(&url, &error, error.status == Some(410)));
        }
    };
    if already_read(desk, &page) {
        return Ok(Listing::Unchanged {
            url,
            status: page.status,
            fresh_for: page.fresh_for,
            moved: page.moved.clone(),
        });
    }
    let (parsed, found) = parse_feed(errand, Arc::clone(&page), url.clone()).await;
    flaws.extend(found);
    let Some(parsed) = parsed else {
        return Ok(Listing::Nothing { url: Some(url), status: Some(page.status), retry_after: None, gone: false });
    };
    // A feed that has lost all its entries is a fault more often than not. What was known before it still is, so that
    // the next request is conditional too.
    let spoilt = parsed.entries.is_empty() && desk.state.usual_entries > 0;
    if !spoilt {
        errand.used(&asked);
    }
    Ok(Listing::Read(Box::new(Read {
        address: url,
        url: page.url.clone(),
        status: page.status,
        hash: if spoilt { desk.state.read_hash.clone() } else { page.hash.clone() },
        fresh_for: page.fresh_for,
        moved: page.moved.clone(),
        joined: Joined::alone(parsed),
    })))
}

async fn parse_feed(errand: &Errand<'_>, page: Arc<Page>, asked: Url) -> (Option<ParsedFeed>, Vec<Flaw>) {
    let address = page.url.to_string();
    let parse = move || {
        let decoded = decode::decode(&page.body, page.content_type.as_deref());
        let (mut parsed, found) = parse::feed(&decoded.text);
        let mut flaws = decoded.flaws;
        flaws.extend(found);
        if let Some(feed) = parsed.as_mut().filter(|_| parse::ends_inside_entry(&decoded.text)) {
            // Half an entry would make a known one look edited; the next poll brings the whole.
            feed.entries.pop();
            flaws.push(Flaw::new(
                FlawCode::Malformed,
                "the document breaks off inside its last entry, which was left out",
            ));
        }
        if parsed.is_none() {
            for link in parse::discover(&decoded.text, &page.url) {
                flaws.push(Flaw::new(FlawCode::NotAFeed, format!("the page announces the feed {}", link.url)));
            }
            flaws.extend(extract::wall(&decoded.text, &page.url, &asked));
        }
        (parsed, flaws)
    };
    errand.readers.read("parse", &address, parse).await
}
