//! Scripted sources for rehearsals. What a source answers depends on its number, the virtual time and the seed alone.

use crate::doctor::Asked;
use crate::model::Hints;
use chrono::{DateTime, TimeDelta, Utc, Weekday};
use std::fmt::Write as _;
use std::time::Duration;

/// How many kinds of sources there are; source `n` is of kind `n % KINDS`.
pub(super) const KINDS: u32 = 20;
/// Well-behaved sources share so many hosts; those that tell others to wait have one of their own, and a neighbour.
const HOSTS: u32 = 50;

/// The sources.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sources {
    pub(super) seed: u64,
    pub(super) began: DateTime<Utc>,
}

/// What is sent.
#[derive(Debug, Default)]
pub(super) struct Reply {
    /// 0: the connection is closed without a word.
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, Vec<u8>)>,
    pub(super) body: String,
    /// What the request amounts to, for the judge.
    pub(super) asked: Asked,
}

/// The address of a source.
pub(super) fn address(n: u32) -> String {
    let host = match n % KINDS {
        // Neighbours of those that say 429 and 503.
        8 | 9 => format!("busy{}", n / KINDS % HOSTS),
        10..=17 => format!("odd{}", n % HOSTS),
        _ => format!("good{}", n % HOSTS),
    };
    format!("http://{host}.test/feeds/{n}")
}

/// How often a source is asked by feeds.yaml; `None`: as is learnt.
pub(super) fn every(n: u32) -> Option<&'static str> {
    match n % KINDS {
        3 | 14 | 19 => None,
        2 | 11 => Some("1h"),
        5 => Some("30m"),
        _ => Some("15m"),
    }
}

impl Sources {
    /// A number from 0 to 999 that chance gives source `n` for an hour.
    fn chance(self, n: u32, now: DateTime<Utc>) -> u64 {
        let hour = u64::try_from((now - self.began).num_hours()).unwrap_or_default();
        // SplitMix64.
        let mut x = self.seed ^ (u64::from(n) << 32) ^ hour.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (x ^ (x >> 31)) % 1000
    }

    /// Answers a request for `host` and `path`.
    pub(super) fn answer(self, now: DateTime<Utc>, host: &str, path: &str, headers: Vec<(String, Vec<u8>)>) -> Reply {
        let asked = Asked {
            at: now,
            url: format!("http://{host}{path}"),
            host: format!("{host}:80"),
            headers: Some(headers),
            ..Asked::default()
        };
        let place = path.strip_prefix("/feeds/").or(path.strip_prefix("/moved/"));
        let Some(n) = place.and_then(|n| n.parse::<u32>().ok()) else {
            return Reply { asked, ..Reply::default() }.with_status(404);
        };
        let days = (now - self.began).num_days();
        let (chance, moved) = (self.chance(n, now), path.starts_with("/moved/"));
        let reply = Reply { asked, ..Reply::default() };
        match n % KINDS {
            7 if chance < 100 => reply.with_status(500),
            8 if chance < 20 => reply.waiting(503, "7200", Duration::from_hours(2)),
            8 if (20..25).contains(&chance) => {
                let until = now + TimeDelta::hours(5);
                reply.waiting(503, &until.format("%a, %d %b %Y %H:%M:%S GMT").to_string(), Duration::from_hours(5))
            }
            9 if chance < 10 => reply.with_status(429),
            9 if (10..13).contains(&chance) => reply.waiting(429, "99999999", Duration::from_secs(99_999_999)),
            10 if days >= 5 => reply.with_status(404),
            11 if days >= 7 => reply.with_status(410),
            12 if days >= 3 && !moved => reply.leading(301, &format!("http://{host}/moved/{n}")),
            13 if !moved => reply.leading(302, &format!("http://{host}/moved/{n}")),
            14 if days >= 9 => reply.with_status(304),
            15 if chance < 100 => reply.with_status(0),
            16 if chance < 100 => reply.with_body("<title>Log in</title><form><input type=password></form>".to_owned()),
            17 if days >= 4 && !moved => reply.leading(308, &format!("http://new{}.test/moved/{n}", n % HOSTS)),
            18 if chance < 50 => reply.with_body("<rss><chan".to_owned()),
            kind => self.feed(n, kind, now, reply),
        }
    }

    /// The feed of a source, or 304.
    fn feed(self, n: u32, kind: u32, now: DateTime<Utc>, mut reply: Reply) -> Reply {
        let every = TimeDelta::hours([12, 24, 24, 72][n as usize / KINDS as usize % 4]);
        let phase = TimeDelta::minutes(i64::from(n % 720));
        let version = (now - self.began + phase).num_seconds() / every.num_seconds();
        let out = |version: i64| self.began - phase + TimeDelta::seconds(every.num_seconds() * version);
        let (tag, date) = validators(n, kind, version, out(version));
        let matches = |name: &str, value: &Option<Vec<u8>>| {
            value.is_some()
                && reply
                    .asked
                    .headers
                    .iter()
                    .flatten()
                    .any(|(known, sent)| known == name && Some(sent) == value.as_ref())
        };
        let known = matches("if-none-match", &tag) || tag.is_none() && matches("if-modified-since", &date);
        let fresh = match kind {
            2 => Some(3600),
            6 => Some(5400),
            _ => None,
        };
        let hints = hints(kind, self.began);
        reply.asked.fresh_for = fresh.map(Duration::from_secs);
        reply.headers.extend(fresh.map(|seconds| ("Cache-Control", format!("max-age={seconds}").into_bytes())));
        if known {
            return reply.with_status(304);
        }
        reply.asked.etag.clone_from(&tag);
        reply.asked.last_modified.clone_from(&date);
        reply.headers.extend(tag.map(|tag| ("ETag", tag)));
        reply.headers.extend(date.map(|date| ("Last-Modified", date)));
        let body = document(n, kind, version, out, &hints);
        reply.asked.hints = Some(hints);
        reply.with_body(body)
    }
}

impl Reply {
    fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self.asked.status = Some(status).filter(|status| *status != 0);
        self
    }

    fn with_body(mut self, body: String) -> Self {
        self.body = body;
        self.with_status(200)
    }

    fn waiting(mut self, status: u16, retry_after: &str, wait: Duration) -> Self {
        self.headers.push(("Retry-After", retry_after.as_bytes().to_vec()));
        self.asked.retry_after = Some(wait);
        self.with_status(status)
    }

    fn leading(mut self, status: u16, to: &str) -> Self {
        self.headers.push(("Location", to.as_bytes().to_vec()));
        self.asked.location = Some(to.to_owned());
        self.with_status(status)
    }
}

/// Validators as odd as they come.
fn validators(n: u32, kind: u32, version: i64, out: DateTime<Utc>) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
    let date = |form: &str| Some(out.format(form).to_string().into_bytes());
    let tag = match n / KINDS % 6 {
        0 => format!("\"{version:x}\"").into_bytes(),
        1 => format!("W/\"{version}, {n}\"").into_bytes(),
        2 => format!("unquoted-{version}").into_bytes(),
        3 => [b"\"\xe4\xff ".as_slice(), version.to_string().as_bytes(), b"\""].concat(),
        4 => format!("\"{}-{version}\"", "x".repeat(4000)).into_bytes(),
        _ => format!("\"a b  c,{version}\"").into_bytes(),
    };
    match kind {
        1 => (None, date("%a, %d %b %Y %H:%M:%S GMT")),
        2 => (Some(tag), date("%a, %d %b %Y %H:%M:%S GMT")),
        4 => (None, None),
        0 if n / KINDS % 2 == 1 => (Some(tag), Some(b"Thu, 01 Jan 1970 00:00:00 GMT".to_vec())),
        7 => (Some(tag), date("%A, %d-%b-%y at %H:%M")),
        _ => (Some(tag), None),
    }
}

fn hints(kind: u32, began: DateTime<Utc>) -> Hints {
    match kind {
        4 => Hints { ttl_minutes: Some(120), ..Hints::default() },
        5 => Hints {
            skip_hours: vec![0, 1, 2, 3, 4, 5, 16],
            skip_days: vec![Weekday::Sat, Weekday::Sun],
            ..Hints::default()
        },
        1 => Hints { period_minutes: Some(60), base: Some(began), ..Hints::default() },
        _ => Hints::default(),
    }
}

fn document(n: u32, kind: u32, version: i64, out: impl Fn(i64) -> DateTime<Utc>, hints: &Hints) -> String {
    let mut body = format!(
        "<rss version=\"2.0\" xmlns:sy=\"http://purl.org/rss/1.0/modules/syndication/\"><channel><title>Source {n}</title><link>http://s{n}.test/</link><description>Kind {kind}</description>"
    );
    // Writing to a String cannot fail.
    let _ = hints.ttl_minutes.map(|minutes| write!(body, "<ttl>{minutes}</ttl>"));
    let _ = hints.base.map(|base| {
        write!(body, "<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateBase>{}</sy:updateBase>", base.to_rfc3339())
    });
    for (around, one, all) in [
        ("skipHours", "hour", hints.skip_hours.iter().map(ToString::to_string).collect::<Vec<_>>()),
        ("skipDays", "day", hints.skip_days.iter().map(ToString::to_string).collect()),
    ] {
        let _ = write!(body, "<{around}>");
        for value in all {
            let _ = write!(body, "<{one}>{value}</{one}>");
        }
        let _ = write!(body, "</{around}>");
    }
    for version in (version - 2..=version).rev() {
        let date = out(version).to_rfc2822();
        let _ = write!(
            body,
            "<item><guid isPermaLink=\"false\">s{n}-{version}</guid><title>News {version} of {n}</title><link>http://s{n}.test/{version}</link><pubDate>{date}</pubDate></item>"
        );
    }
    body + "</channel></rss>"
}
