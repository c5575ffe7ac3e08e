//! What a seed draws: hosts, streams, addresses, a configuration, and what happens when.

use crate::rng::Rng;
use crate::source::{Article, Dates, Form, Host, Outage, Source, Span, Stream, Trouble, Wait};
use chrono::{DateTime, TimeDelta, Utc};
use std::fmt::Write as _;

/// One channel of feeds.yaml.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is drawn by itself")]
pub(crate) struct ChannelSpec {
    pub(crate) sources: Vec<usize>,
    pub(crate) every: Option<&'static str>,
    /// Reads the other markup too.
    pub(crate) both_layouts: bool,
    pub(crate) article: bool,
    pub(crate) ignores_robots: bool,
    pub(crate) language: &'static str,
    pub(crate) there: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct FeedSpec {
    pub(crate) channels: Vec<usize>,
    pub(crate) inner: Vec<usize>,
    pub(crate) limit: usize,
}

/// The drawn feeds.yaml.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub(crate) channels: Vec<ChannelSpec>,
    pub(crate) feeds: Vec<FeedSpec>,
}

/// What happens to the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// The process dies after so many more steps.
    Crash(u64),
    /// The process is asked to stop, and is started again.
    Stop,
    /// feeds.yaml is edited.
    Edit,
    /// A mistake is written into feeds.yaml.
    Mistake,
    /// The clock is set by so many seconds.
    Step(i64),
    /// The machine sleeps for so many seconds.
    Sleep(i64),
    /// The same after so many more steps, mostly in the middle of a poll.
    Doze(u64, i64),
    /// The ledger fails for so many seconds.
    StoreFails(i64, Failing),
    /// There is no network for so many seconds.
    Cut(i64, Outage),
}

/// How the ledger fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failing {
    /// Nothing is written.
    Before,
    /// It is written, and the answer is an error all the same.
    After,
    /// Nothing can be read.
    Reads,
    /// Documents get no stamps.
    Stamps,
    /// Nothing works.
    All,
}

/// Everything that a seed draws.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) hosts: Vec<Host>,
    pub(crate) streams: Vec<Stream>,
    pub(crate) sources: Vec<Source>,
    pub(crate) layout: Layout,
    pub(crate) events: Vec<(DateTime<Utc>, Event)>,
    pub(crate) end: DateTime<Utc>,
}

const EVERY: [Option<&str>; 8] = [None, None, None, Some("15m"), Some("30m"), Some("1h"), Some("3h"), Some("5m")];

struct Draw<'a> {
    rng: &'a mut Rng,
    began: DateTime<Utc>,
    end: DateTime<Utc>,
}

pub(crate) fn draw(rng: &mut Rng, began: DateTime<Utc>, days: Option<u32>) -> Script {
    let days = days.map_or_else(|| rng.pick(&[1, 1, 2, 2, 3, 4, 10]), i64::from);
    let end = began + TimeDelta::days(days);
    let mut draw = Draw { rng, began, end };
    let hosts: Vec<_> = (0..draw.rng.between(2, 5)).map(|n| draw.host(n)).collect();
    let streams: Vec<_> = (0..draw.rng.between(2, 5)).map(|_| draw.stream()).collect();
    let count = draw.rng.between(3, 8);
    let mut sources: Vec<Source> = Vec::new();
    for n in 0..count {
        let source = draw.source(n, &hosts, &streams);
        sources.push(source);
    }
    let layout = draw.layout(&sources);
    let events = draw.events();
    // A clock that is behind takes what came out since for new (docs/simulation.md), if every name has changed since the
    // source was last read, which may be long before.
    let set_back = |(_, event): &&(_, Event)| matches!(event, Event::Step(seconds) if *seconds < -300);
    if let Some((behind, _)) = events.iter().filter(set_back).min_by_key(|(at, _)| *at) {
        // The links of a page are all its names.
        let every_name =
            |source: &Source| if source.form == Form::Page { source.links_change } else { source.ids_change };
        let late = |source: &&mut Source| every_name(source).is_some_and(|at| at + TimeDelta::hours(12) > *behind);
        for source in sources.iter_mut().filter(late) {
            source.links_change = None;
        }
    }
    Script { hosts, streams, sources, layout, events, end }
}

/// When there is no network. Drawn apart, so that all the rest of a seed is as it is without.
pub(crate) fn cuts(seed: u64, script: &mut Script, began: DateTime<Utc>) {
    let mut rng = Rng::new(seed ^ 0xc07);
    let mut draw = Draw { rng: &mut rng, began, end: script.end };
    for _ in 0..draw.rng.pick(&[0, 0, 1, 2]) {
        let at = draw.instant();
        let minutes = draw.rng.pick(&[2, 40, 120, 600]);
        let how = draw.rng.pick(&[Outage::NoName, Outage::NoName, Outage::NoAnswer]);
        script.events.push((at, Event::Cut(minutes * 60, how)));
    }
    script.events.sort_by_key(|(at, _)| *at);
}

/// Some of those that change their ids or links give no dates either: then only what they say tells that these are the
/// articles of before. Drawn apart, too, and where there is enough to tell it by: some articles, of which few are new when
/// it is looked at next, and none was corrected meanwhile.
pub(crate) fn undated(seed: u64, script: &mut Script) {
    let mut rng = Rng::new(seed ^ 0xda7e);
    for source in &mut script.sources {
        let Some(change) = source.ids_change.into_iter().chain(source.links_change).min() else { continue };
        let articles = &mut script.streams[source.stream].articles;
        let some = articles.iter().filter(|article| article.at <= change).count() >= 6;
        let later = articles.iter().filter(|article| article.at > change - TimeDelta::hours(12)).count();
        let shrinks = source.troubles.iter().any(|(_, trouble)| *trouble == Trouble::Shrunk);
        if some && source.window >= 8 && later * 2 <= source.window && !shrinks && rng.percent(60) {
            source.dates = Dates::Absent;
            for article in articles {
                article.edited = None;
            }
        }
    }
}

/// Half of the times that the machine sleeps it does so in the middle of something. Drawn apart, too.
pub(crate) fn dozes(seed: u64, script: &mut Script) {
    let mut rng = Rng::new(seed ^ 0x51ee);
    for (_, event) in &mut script.events {
        if let Event::Sleep(seconds) = *event
            && rng.percent(50)
        {
            *event = Event::Doze(rng.below(40), seconds);
        }
    }
}

impl Draw<'_> {
    fn instant(&mut self) -> DateTime<Utc> {
        self.began + TimeDelta::seconds(self.rng.between(0, (self.end - self.began).num_seconds()))
    }

    fn span(&mut self) -> Span {
        let from = self.instant();
        let minutes = self.rng.pick(&[5, 40, 120, 600, 2000]);
        (from, from + TimeDelta::minutes(minutes))
    }

    fn host(&mut self, n: i64) -> Host {
        // The last two are one site.
        let name = if n >= 3 { format!("h{n}.shared.test") } else { format!("www.host{n}.test") };
        let robots = self.rng.pick(&[
            None,
            None,
            Some("User-agent: *\nDisallow: /private/\n"),
            Some("User-agent: *\nCrawl-delay: 3\n"),
        ]);
        let outages = (0..self.rng.pick(&[0, 0, 1, 2]))
            .map(|_| (self.span(), self.rng.pick(&[Outage::NoName, Outage::Refused, Outage::NoAnswer])))
            .collect();
        Host { name, robots, outages }
    }

    fn stream(&mut self) -> Stream {
        let gap = self.rng.pick(&[40, 120, 400, 1200, 4000]);
        let mut articles = Vec::new();
        let mut at = self.began - TimeDelta::minutes(gap * self.rng.between(2, 12));
        while at < self.end && articles.len() < 60 {
            let edited = self.rng.percent(8).then(|| at + TimeDelta::minutes(self.rng.between(30, 900)));
            articles.push(Article { at, edited });
            at += TimeDelta::seconds(60 * gap * self.rng.between(5, 200) / 100 + self.rng.between(1, 59));
        }
        Stream { articles }
    }

    fn source(&mut self, n: i64, hosts: &[Host], streams: &[Stream]) -> Source {
        let host = self.rng.place(hosts.len());
        let form = self.rng.pick(&[Form::Rss, Form::Rss, Form::Atom, Form::Json, Form::Page, Form::Page, Form::Page]);
        let is_feed = form != Form::Page;
        let troubles = (0..self.rng.pick(&[0, 1, 2, 4])).map(|_| (self.span(), self.trouble(n, hosts, form))).collect();
        let rare = |rng: &mut Rng, at| rng.percent(8).then_some(at);
        let (first, second) = (self.instant(), self.instant());
        let ids_change = rare(self.rng, first).filter(|_| is_feed);
        // Some change everything at once.
        let both = ids_change.filter(|_| self.rng.percent(50));
        let links_change = both.or_else(|| rare(self.rng, second));
        let honest = ids_change.is_some() || links_change.is_some();
        let dates = if honest { Dates::Honest } else { self.rng.pick(&DATES) };
        Source {
            host,
            path: format!("/list/{n}"),
            form,
            stream: self.rng.place(streams.len()),
            window: self.rng.pick(&[4, 8, 12]),
            etag: self.rng.percent(70),
            last_modified: self.rng.percent(60),
            dates: if form == Form::Page && dates == Dates::OfRequest { Dates::Honest } else { dates },
            noise: self.rng.percent(10),
            max_age: self.rng.percent(20).then(|| self.rng.pick(&[60, 3600, 20_000])),
            ttl: self.rng.percent(15).then(|| self.rng.pick(&[30, 120])),
            skips_nights: self.rng.percent(8),
            troubles,
            ids_change,
            links_change,
        }
    }

    fn trouble(&mut self, n: i64, hosts: &[Host], form: Form) -> Trouble {
        let wait = self.rng.pick(&[
            Wait::Untold,
            Wait::Seconds(120),
            Wait::Seconds(7200),
            Wait::Seconds(36_000),
            Wait::Until(5400),
        ]);
        let other = &hosts[self.rng.place(hosts.len())].name;
        match self.rng.below(20) {
            0 => Trouble::Status(500, Wait::Untold),
            1 => Trouble::Status(404, Wait::Untold),
            2 => Trouble::Status(410, Wait::Untold),
            3 | 4 => Trouble::Status(429, wait),
            5 | 6 => Trouble::Status(503, wait),
            7 => Trouble::Hang,
            8 => Trouble::HangUp,
            9 => Trouble::Cut,
            10 => Trouble::Stall,
            11 => Trouble::Garbage,
            12 if form == Form::Page => Trouble::Markup,
            12 => Trouble::Empty,
            13 => Trouble::ErrorPage,
            14 => Trouble::Shrunk,
            15 => Trouble::Stuck,
            16 => Trouble::Flood,
            17 => Trouble::Redirect(302, format!("http://{other}/moved/{n}")),
            _ => Trouble::Redirect(301, format!("http://{other}/moved/{n}")),
        }
    }

    fn layout(&mut self, sources: &[Source]) -> Layout {
        let mut channels = Vec::new();
        for n in 0..self.rng.between(3, 10) {
            let first = if n < 3 && self.rng.percent(80) {
                usize::try_from(n).unwrap_or(0).min(sources.len() - 1)
            } else {
                self.rng.place(sources.len())
            };
            let mut own = vec![first];
            // A second address that shows the same, as portals have.
            let alike = |source: &Source| {
                source.form == Form::Page && source.dates == Dates::Honest && source.links_change.is_none()
            };
            let is_twin = |other: &usize| {
                let (one, two) = (&sources[first], &sources[*other]);
                *other != first && alike(one) && alike(two) && one.stream == two.stream
            };
            if let Some(twin) = (0..sources.len()).find(is_twin).filter(|_| self.rng.percent(50)) {
                own.push(twin);
            }
            channels.push(ChannelSpec {
                every: self.rng.pick(&EVERY),
                both_layouts: self.rng.percent(30),
                article: sources[first].form == Form::Page && self.rng.percent(25),
                ignores_robots: self.rng.percent(30),
                language: "zh-CN",
                there: self.rng.percent(90) || n < 2,
                sources: own,
            });
        }
        let all: Vec<usize> = (0..channels.len()).collect();
        let mut feeds: Vec<_> =
            all.iter().map(|n| FeedSpec { channels: vec![*n], inner: Vec::new(), limit: 100 }).collect();
        feeds.push(FeedSpec { channels: all.clone(), inner: Vec::new(), limit: self.rng.pick(&[10, 40, 200]) });
        if self.rng.percent(50) {
            let inner = vec![self.rng.place(all.len()), all.len()];
            feeds.push(FeedSpec { channels: vec![0], inner, limit: 60 });
        }
        Layout { channels, feeds }
    }

    fn events(&mut self) -> Vec<(DateTime<Utc>, Event)> {
        let mut events = Vec::new();
        for _ in 0..self.rng.between(2, 9) {
            let at = self.instant();
            let event = match self.rng.below(14) {
                0..=3 => Event::Crash(self.rng.below(60)),
                4 => Event::Stop,
                5 | 6 => Event::Edit,
                7 => Event::Mistake,
                8 => Event::Step(self.rng.pick(&[-30, 30, -120, 120, -3600, 3600, 86_400, -86_400, 315_360_000])),
                9 => Event::Sleep(self.rng.pick(&[120, 3600, 28_800])),
                _ => {
                    let seconds = self.rng.pick(&[600, 3600, 14_400]);
                    let kinds = [Failing::Before, Failing::After, Failing::Reads, Failing::Stamps, Failing::All];
                    Event::StoreFails(seconds, self.rng.pick(&kinds))
                }
            };
            events.push((at, event));
        }
        events.sort_by_key(|(at, _)| *at);
        events
    }
}

const DATES: [Dates; 7] =
    [Dates::Honest, Dates::Honest, Dates::Honest, Dates::Honest, Dates::Honest, Dates::Absent, Dates::OfRequest];

/// An edit of feeds.yaml.
pub(crate) fn edit(layout: &mut Layout, rng: &mut Rng) {
    let place = rng.place(layout.channels.len());
    let channel = &mut layout.channels[place];
    match rng.below(7) {
        0 => channel.every = rng.pick(&EVERY),
        1 => channel.both_layouts = !channel.both_layouts,
        2 => channel.language = if channel.language == "en" { "zh-CN" } else { "en" },
        3 => channel.ignores_robots = !channel.ignores_robots,
        4 | 5 => channel.there = !channel.there || place < 2,
        _ => {
            let place = rng.place(layout.feeds.len());
            layout.feeds[place].limit = rng.pick(&[10, 40, 200]);
        }
    }
}

/// The text of feeds.yaml.
pub(crate) fn yaml(layout: &Layout, sources: &[Source], hosts: &[Host]) -> String {
    let mut text = "service: { title: Simulation, base_url: 'http://127.0.0.1:8080/' }\nlayouts:\n".to_owned();
    text += "  one: { entry: li.e, title: a, link: a @href, date: .d, summary: p }\n";
    text += "  two: { entry: div.x, title: h2 > a, link: h2 > a @href, date: i, summary: q }\n";
    text += "  text: { body: div.body }\nchannels:\n";
    for (n, channel) in layout.channels.iter().enumerate().filter(|(_, channel)| channel.there) {
        let address = |source: usize| format!("'http://{}{}'", hosts[sources[source].host].name, sources[source].path);
        let is_page = sources[channel.sources[0]].form == Form::Page;
        let _ = write!(text, "  c{n}: {{ language: {}", channel.language);
        if is_page {
            let all: Vec<_> = channel.sources.iter().map(|source| address(*source)).collect();
            let layouts = if channel.both_layouts { "one, two" } else { "one" };
            let _ = write!(text, ", page: [{}], layouts: [{layouts}]", all.join(", "));
            if channel.article {
                text += ", article: text";
            }
            if channel.ignores_robots {
                text += ", robots: ignore";
            }
        } else {
            let _ = write!(text, ", feed: {}", address(channel.sources[0]));
        }
        if let Some(every) = channel.every {
            let _ = write!(text, ", every: {every}");
        }
        text += " }\n";
    }
    text += "feeds:\n";
    let is_there = |feed: &FeedSpec| feed.channels.iter().any(|channel| layout.channels[*channel].there);
    for (n, feed) in layout.feeds.iter().enumerate().filter(|(_, feed)| is_there(feed)) {
        let channels = feed.channels.iter().filter(|channel| layout.channels[**channel].there);
        let channels: Vec<_> = channels.map(|channel| format!("c{channel}")).collect();
        let _ = write!(text, "  f{n}: {{ title: F{n}, channels: [{}], limit: {}", channels.join(", "), feed.limit);
        let inner = feed.inner.iter().filter(|inner| is_there(&layout.feeds[**inner]));
        let inner: Vec<_> = inner.map(|inner| format!("f{inner}")).collect();
        if !inner.is_empty() {
            let _ = write!(text, ", feeds: [{}]", inner.join(", "));
        }
        text += " }\n";
    }
    text
}
