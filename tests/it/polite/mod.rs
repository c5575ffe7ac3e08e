//! What sources notice of Heliu: when it asks, when it does not, and what it says when it asks.

mod articles;
mod further;
mod gone;
mod herd;
mod hints;
mod hosts;
mod ledger;
mod moves;
mod rhythm;

use crate::kit::{Answer, Origin, Site};
use chrono::TimeDelta;
use heliu::worker::Clock as _;
use std::fmt::Write as _;

/// A feeds.yaml with these channels (name, the rest of it; every `.test/` gets the port) and one feed of all of them.
fn config(origin: &Origin, channels: &[(&str, &str)]) -> String {
    let mut text = "service: { title: t, base_url: 'http://127.0.0.1:8080/', allow_networks: [127.0.0.0/8] }\nlayouts:\n  list: { entry: li, title: a, link: a @href }\nchannels:\n".to_owned();
    for (name, rest) in channels {
        let _ = writeln!(text, "  {name}: {{ {} }}", rest.replace(".test/", &format!(".test:{}/", origin.port())));
    }
    let names: Vec<_> = channels.iter().map(|(name, _)| *name).collect();
    let _ = writeln!(text, "feeds:\n  all: {{ channels: [{}] }}", names.join(", "));
    text
}

/// A feed with so many entries.
fn rss(entries: usize) -> Answer {
    let mut body =
        "<rss version=\"2.0\"><channel><title>t</title><link>http://a.test/</link><description>d</description>"
            .to_owned();
    for n in (0..entries).rev() {
        let _ = write!(body, "<item><guid>{n}</guid><title>No {n}</title><link>http://a.test/{n}</link></item>");
    }
    Answer::new(200, "application/rss+xml", body + "</channel></rss>").with_etag()
}

/// Lets days go by, with a restart at every tenth poll.
async fn live_on(mut site: Site, days: i64) -> Site {
    let end = site.clock.now() + TimeDelta::days(days);
    let mut polls = 0;
    while let Some(due) = site.service.next_due().filter(|due| *due < end) {
        site.clock.advance((due - site.clock.now()).max(TimeDelta::zero()));
        site.poll().await;
        polls += 1;
        if polls % 10 == 0 {
            site = site.restart().await;
        }
    }
    let left = (end - site.clock.now()).max(TimeDelta::zero());
    site.clock.advance(left);
    site.restart().await
}
