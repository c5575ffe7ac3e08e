//! A feed that is kept ready is the same as one that is made from nothing.

use super::{at, channel, record, spec};
use crate::config::{Channel, FeedSpec};
use crate::merge::{ChannelInput, Merger, feed};
use crate::model::{Feed, Record};
use proptest::collection::vec;
use proptest::prelude::*;

/// Something that happens to the ledger.
#[derive(Debug, Clone)]
enum Event {
    /// A new entry: channel, which article (entries of one article are alike), how long ago it was published.
    New(usize, u8, i64),
    /// One of the entries says something else.
    Edit(usize, usize, u8),
    /// One of the entries changed invisibly.
    Touch(usize, usize),
    /// One of the entries is gone.
    Gone(usize, usize),
    /// One of the entries was withdrawn, and is shown all the same.
    Withdrawn(usize, usize),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        8 => (0usize..3, 0u8..40, 0i64..2000).prop_map(|(place, article, ago)| Event::New(place, article, ago)),
        2 => (0usize..3, 0usize..50, 0u8..40).prop_map(|(place, which, article)| Event::Edit(place, which, article)),
        2 => (0usize..3, 0usize..50).prop_map(|(place, which)| Event::Touch(place, which)),
        1 => (0usize..3, 0usize..50).prop_map(|(place, which)| Event::Gone(place, which)),
        1 => (0usize..3, 0usize..50).prop_map(|(place, which)| Event::Withdrawn(place, which)),
    ]
}

/// What an article says: some share a page, some a title, some a text, some only themselves; titles below 6 are
/// headings that come again and again.
fn say(record: &mut Record, article: u8) {
    let text = |n: u8| {
        let word = |place: u8| char::from_u32(0x4E00 + u32::from(n) * 200 + u32::from(place)).unwrap();
        (0..90).map(word).collect::<String>()
    };
    let group = article / 4;
    record.entry.url = Some(format!("http://page.example.org/{}", if article % 4 < 2 { group } else { 100 + article }));
    record.entry.title = if article < 6 {
        "每天的新闻都在这个栏目里".to_owned()
    } else {
        format!("{}发生了什么", &text(group)[..30])
    };
    record.entry.content = (article % 4 != 1).then(|| format!("<p>{}{article}</p>", text(group)));
}

struct Ledger {
    rows: [Vec<Record>; 3],
    seq: u64,
}

impl Ledger {
    fn take(&mut self, event: &Event) {
        self.seq += 1;
        let (seq, now) = (self.seq, at(10_000 + i64::try_from(self.seq).unwrap() / 3));
        let pick = |rows: &mut Vec<Record>, which: usize| if rows.is_empty() { None } else { Some(which % rows.len()) };
        match event {
            Event::New(place, article, ago) => {
                let name = ["a", "b", "c"][*place];
                let id = if article % 7 == 0 { format!("shared:{article}") } else { format!("{name}:{seq}") };
                let mut new = record(name, &id, None, 0, seq, true);
                say(&mut new, *article);
                (new.first_seen, new.changed) = (now, now);
                new.entry.published.at = at(10_000 - ago).fixed_offset();
                if self.rows[*place].iter().all(|row| row.entry.id != new.entry.id) {
                    self.rows[*place].push(new);
                }
            }
            Event::Edit(place, which, article) => {
                let Some(at) = pick(&mut self.rows[*place], *which) else { return };
                say(&mut self.rows[*place][at], *article);
                (self.rows[*place][at].seq, self.rows[*place][at].changed) = (seq, now);
            }
            Event::Touch(place, which) => {
                let Some(at) = pick(&mut self.rows[*place], *which) else { return };
                self.rows[*place][at].seq = seq;
                self.rows[*place][at].entry.summary = Some(format!("{seq}"));
                if seq % 2 == 0 {
                    self.rows[*place][at].changed = now;
                }
            }
            Event::Gone(place, which) => {
                let Some(at) = pick(&mut self.rows[*place], *which) else { return };
                self.rows[*place].remove(at);
            }
            Event::Withdrawn(place, which) => {
                let Some(at) = pick(&mut self.rows[*place], *which) else { return };
                self.rows[*place][at].withdrawn = Some(now);
            }
        }
    }
}

/// The feed, kept ready: only what is asked for is handed over.
fn kept(merger: &mut Merger, ledger: &Ledger) -> Feed {
    let wanted = |place: usize, numbers: &[u64]| -> Vec<Record> {
        ledger.rows[place].iter().filter(|row| numbers.contains(&row.number)).cloned().collect()
    };
    for (place, rows) in ledger.rows.iter().enumerate() {
        let marks: Vec<_> = rows.iter().map(Record::mark).collect();
        let numbers = merger.look(place, &marks);
        merger.learn(place, &wanted(place, &numbers));
        assert_eq!(merger.look(place, &marks), Vec::<u64>::new(), "nothing is asked for twice");
    }
    for (place, numbers) in merger.choose() {
        merger.supply(place, &wanted(place, &numbers));
    }
    assert_eq!(merger.choose(), []);
    merger.feed(at(0))
}

fn made(spec: &FeedSpec, channels: &[Channel], ledger: &Ledger) -> Feed {
    let inputs: Vec<_> =
        channels.iter().zip(&ledger.rows).map(|(channel, rows)| ChannelInput::new(channel, rows.clone())).collect();
    feed(spec, &inputs, at(0))
}

proptest! {
    #[test]
    fn a_feed_that_is_kept_ready_is_the_same_as_one_made_from_nothing(
        events in vec(event(), 1..60), limit in 1usize..30, quota in prop::option::of(1usize..9), old in any::<bool>(),
    ) {
        let channels = ["a", "b", "c"].map(|name| channel(name, name == "b"));
        let names = channels.iter().map(|channel| channel.id.clone()).collect();
        let max_age = old.then(|| std::time::Duration::from_mins(15));
        let spec = FeedSpec { channels: names, quota, max_age, ..spec(limit) };
        let members: Vec<&Channel> = channels.iter().collect();
        let mut merger = Merger::new(&spec, &members).unwrap();
        prop_assert!(merger.is_for(&spec, &members) && !merger.is_for(&spec, &members[1..]));
        let mut ledger = Ledger { rows: Default::default(), seq: 0 };
        for event in &events {
            ledger.take(event);
            let (kept, made) = (kept(&mut merger, &ledger), made(&spec, &channels, &ledger));
            prop_assert_eq!(kept, made, "after {:?}", event);
        }
    }
}

#[test]
fn feeds_that_must_see_everything_anew_are_not_kept_ready() {
    let mut channels = ["a", "b"].map(|name| channel(name, false));
    let fit = |spec: &FeedSpec, channels: &[Channel]| Merger::new(spec, &channels.iter().collect::<Vec<_>>()).is_some();
    assert!(fit(&spec(9), &channels));
    assert!(!fit(&spec(9), &channels[..1]), "one channel needs nothing");
    assert!(!fit(&FeedSpec { feeds: vec!["x".parse().unwrap()], ..spec(9) }, &channels));
    assert!(!fit(&FeedSpec { rules: super::rules("[{ drop: { title: x } }]"), ..spec(9) }, &channels));
    assert!(fit(
        &FeedSpec { rules: super::rules("[{ prefix: channel }, { sort: { by: title } }]"), ..spec(9) },
        &channels
    ));
    channels[1].rules = super::rules("[{ limit: 3 }]");
    assert!(!fit(&spec(9), &channels));
}
