//! What is asked, when, and how, and what is answered.

use super::{Answer, DAY, ENDS, FLOOR, GAP, Judge, LATE, PLAY, ROBOTS, WHOLE, host_of, interval, site};
use crate::source::{Manners, Reply};
use crate::wire::Asked;
use chrono::{DateTime, TimeDelta, Utc};
use heliu::config::Address;
use std::collections::BTreeSet;

impl Judge {
    /// A request came in.
    pub(crate) fn asked(&mut self, asked: &Asked, truth: DateTime<Utc>, wall: DateTime<Utc>) {
        self.requests += 1;
        self.judge_site(asked, truth);
        if asked.path == "/robots.txt"
            && let Some(read) = self.robots.get(&asked.host).filter(|read| truth - **read < ROBOTS)
        {
            let detail = format!("the robots.txt of {} is asked for again, it was read at {read}", asked.host);
            self.blame("robots", &detail);
        }
        let url = asked.url();
        let target = asked.path.strip_prefix("/moved/").and_then(|n| n.parse::<usize>().ok());
        let hop = self.onward.remove(&url).filter(|(_, when)| truth - *when < TimeDelta::minutes(2));
        let place = target.or_else(|| self.urls.get(&url).copied());
        if place.is_none() || hop.is_some() {
            self.judge_rest(&url, truth, wall);
        }
        let Some(place) = place else { return };
        let first = hop.as_ref().map_or_else(|| url.clone(), |(first, _)| first.clone());
        if hop.is_none() {
            self.judge_time(place, &url, truth, wall);
            self.judge_conditions(place, asked, &url, truth, wall);
        }
        let sent = [&asked.etag, &asked.since].into_iter().flatten();
        let known = self.sent.get(&(asked.host.clone(), place));
        if let Some(strange) = sent.into_iter().find(|value| known.is_none_or(|known| !known.contains(*value))) {
            let detail = format!("{url} was sent {strange}, which it never sent itself");
            self.blame("echo", &detail);
        }
        let address = &mut self.addresses[place];
        address.asked = Some(truth);
        address.wall = Some(wall);
        address.answer = Some(Answer {
            first,
            status: 0,
            conditional: asked.conditional(),
            shows: None,
            validators: false,
            fresh: None,
            retry: None,
            whole: false,
        });
    }

    /// I8: one request at a time to each site, and a pause in between.
    pub(super) fn judge_site(&mut self, asked: &Asked, truth: DateTime<Utc>) {
        let site = self.sites.entry(site(&asked.host)).or_default();
        site.open += 1;
        let early = site.ended.is_some_and(|ended| truth - ended < GAP);
        if site.open > 1 {
            self.blame("I8", &format!("{} is asked while another request to its site is under way", asked.url()));
        } else if early {
            self.blame("I8", &format!("{} is asked less than a second after its site answered", asked.url()));
        }
    }

    /// A robots.txt was sent as a whole.
    pub(crate) fn robots(&mut self, host: &str, truth: DateTime<Utc>) {
        self.robots.insert(host.to_owned(), truth);
    }

    /// The answer to a request was sent, or the connection ended.
    pub(crate) fn answered(&mut self, host: &str, truth: DateTime<Utc>) {
        let site = self.sites.entry(site(host)).or_default();
        site.open = site.open.saturating_sub(1);
        site.ended = Some(truth);
    }

    /// I1: nobody is asked earlier than was promised.
    fn judge_time(&mut self, place: usize, url: &str, truth: DateTime<Utc>, wall: DateTime<Utc>) {
        let group = self.group_at(place);
        if group.is_empty() {
            // A poll that was under way when it was removed may end.
            if truth - self.edited > LATE {
                self.blame("I1", &format!("{url} is asked although no channel uses it"));
            }
            return;
        }
        // What the ledger could not keep is unknown: then the floor alone counts.
        let unsure = wall <= self.unsure;
        let address = &mut self.addresses[place];
        if unsure {
            address.floor = address.floor.min(address.wall.map(|asked| asked + FLOOR));
            (address.fresh, address.retry) = (None, None);
        }
        let address = &self.addresses[place];
        // Where an address has moved to is another address: each channel adopts it by itself.
        let other = !self.urls.contains_key(url) && self.is_under_way(&group, truth);
        let owed = group.iter().any(|name| self.known.get(name).is_some_and(|known| known.owed));
        // Another one may have come to the group since, with a shorter interval.
        let shortest = group.iter().filter_map(|name| self.channels.get(name)).map(|one| interval(one)).min();
        let again = address.wall.map(|asked| asked + shortest.unwrap_or(FLOOR));
        let floor = address.floor.map(|floor| again.map_or(floor, |again| floor.min(again)));
        if let Some(floor) = floor.filter(|floor| !other && !owed && wall + PLAY < *floor) {
            self.blame("I1", &format!("{url} is asked at {wall}, inside its floor that ends at {floor}"));
            return;
        }
        if let Some(retry) = address.retry.filter(|retry| wall + PLAY < *retry) {
            self.blame("retry-after", &format!("{url} is asked at {wall}, it said not before {retry}"));
            return;
        }
        // Those who share their poll are asked when the first of them is due.
        if let Some(fresh) = address.fresh.filter(|fresh| !owed && wall + PLAY < *fresh && group.len() == 1)
            && self.group_places(&group) == 1
        {
            self.blame("fresh", &format!("{url} is asked at {wall}, it is fresh until {fresh}"));
            return;
        }
        if address.gone == Some(true) && self.urls.contains_key(url) {
            self.blame("gone", &format!("{url} is asked although it said that it is gone"));
            return;
        }
        let promised = group.iter().filter(|name| !self.is_gone(name) && !self.is_under_way(&group, truth));
        let promised = promised.map(|name| self.known.get(name).and_then(|known| known.promised)).min().flatten();
        // One whose poll could not be recorded is tried again earlier than what is recorded says; and so is one that was
        // polled with another one, who was due, and found no network.
        let unsettled = wall <= self.unsure || truth < self.back + LATE;
        if let Some(promised) = promised.filter(|promised| !owed && !unsettled && wall + PLAY < *promised) {
            self.blame("I1", &format!("{url} is asked at {wall}, its channels are not due before {promised}"));
            return;
        }
        let begins = !unsure && !self.is_under_way(&group, truth);
        if begins {
            self.judge_rest(url, truth, wall);
        }
        if !self.is_under_way(&group, truth) {
            self.polls.insert(group[0].clone(), (truth, group.iter().cloned().collect()));
        }
        self.addresses[place].floor = Some(wall + shortest.unwrap_or(FLOOR));
    }

    /// Nobody is asked whose host asked to be left alone: for a list, an article, a robots.txt, or by way of a redirect.
    fn judge_rest(&mut self, url: &str, truth: DateTime<Utc>, wall: DateTime<Utc>) {
        let rests = host_of(url).and_then(|host| self.rests.get(&host));
        // Who had to wait for the site may have begun before that was told.
        let rests = rests.filter(|(_, told)| truth - *told > TimeDelta::minutes(1)).map(|(until, _)| *until);
        if let Some(until) = rests.filter(|until| wall + PLAY < *until) {
            self.blame("retry-after", &format!("{url} is asked at {wall}, its host said not before {until}"));
        }
    }

    /// Whether a group is being polled: then it was due.
    pub(super) fn is_under_way(&self, group: &[String], truth: DateTime<Utc>) -> bool {
        let poll = group.first().and_then(|first| self.polls.get(first));
        poll.is_some_and(|(since, left)| !left.is_empty() && truth - *since < FLOOR - TimeDelta::minutes(1))
    }

    /// Whether a part of a group was recorded and the rest is still being polled: it is published when all are done.
    pub(crate) fn is_half_recorded(&self, truth: DateTime<Utc>) -> bool {
        self.polls.iter().any(|(first, (_, left))| {
            let group = self.groups.get(first).cloned().unwrap_or_default();
            left.len() < group.len() && self.is_under_way(&group, truth)
        })
    }

    /// How many addresses a group has.
    pub(super) fn group_places(&self, group: &[String]) -> usize {
        let channels = group.iter().filter_map(|name| self.channels.get(name));
        channels.flat_map(|channel| self.places(channel)).collect::<BTreeSet<_>>().len()
    }

    /// Until when all hosts of a group are left alone.
    pub(super) fn group_rests(&self, group: &[String]) -> Option<DateTime<Utc>> {
        let channels = group.iter().filter_map(|name| self.channels.get(name));
        let urls: Vec<_> = channels.flat_map(|channel| channel.addresses()).map(Address::url).collect();
        // Where an address has moved to is not known here.
        let until = |host: &str| self.waits.get(host).copied();
        let all: Option<Vec<_>> = urls.iter().map(|url| until(url.host_str().unwrap_or_default())).collect();
        all.and_then(|all| all.into_iter().min())
    }

    /// P-03: no document is asked for as a whole whose validators are known.
    fn judge_conditions(&mut self, place: usize, asked: &Asked, url: &str, truth: DateTime<Utc>, wall: DateTime<Utc>) {
        let group = self.group_at(place);
        let known = |name: &String| self.known.get(name);
        let print = |name: &String| self.prints.get(name);
        // Read in another way, the old body says nothing.
        let trusted = group.iter().all(|name| known(name).map(|known| &known.config_hash) == print(name));
        let just = |name: &String| known(name).and_then(|known| known.read_anew).is_some_and(|at| wall - at < ENDS);
        let trusted = trusted && !group.iter().any(just);
        let users = self.users.get(&place).cloned().unwrap_or_default();
        let rereads = users.iter().find(|name| known(name).is_some_and(|known| known.reread)).cloned();
        // A server that is stuck is asked for the whole once in eight days.
        let doubted = self.addresses[place].whole.is_none_or(|whole| wall - whole >= WHOLE);
        let needs = self.validators.get(url).is_some_and(|known| *known);
        if asked.conditional() {
            // One whose host rests is left out of the poll, and reads it anew in its own time.
            let left_out = self.waits.get(&asked.host).is_some_and(|until| *until > wall) || wall <= self.unsure;
            // At the instant of the edit it may be under way.
            let begins = truth - self.edited > PLAY;
            if let Some(name) = rereads.filter(|_| self.urls.contains_key(url) && !left_out && begins) {
                let detail = format!("{url} is asked conditionally although {name} is to be read in another way");
                self.blame("reread", &detail);
            }
        } else {
            if needs && trusted && !doubted && wall > self.unsure && truth - self.edited > ENDS {
                self.blame("P-03", &format!("{url} is asked for as a whole although its validators are known"));
            }
            self.addresses[place].whole = Some(wall);
        }
    }

    /// A request is about to be answered.
    pub(crate) fn answering(&mut self, asked: &Asked, reply: &Reply, truth: DateTime<Utc>, wall: DateTime<Utc>) {
        let url = asked.url();
        let target = asked.path.strip_prefix("/moved/").and_then(|n| n.parse::<usize>().ok());
        let Some(place) = target.or_else(|| self.urls.get(&url).copied()) else { return };
        let Some(answer) = self.addresses[place].answer.clone() else { return };
        let first = answer.first.clone();
        if let Some(location) = reply.header("Location") {
            self.onward.insert(location.to_owned(), (first, truth));
            return;
        }
        let values: Vec<_> = ["ETag", "Last-Modified"].into_iter().filter_map(|name| reply.header(name)).collect();
        // Validators of another party are not kept: neither under its address nor under the first.
        let home = host_of(&first).as_ref() == Some(&asked.host);
        let validators = home && !values.is_empty();
        let sent = self.sent.entry((asked.host.clone(), place)).or_default();
        sent.extend(values.iter().map(|value| (*value).to_owned()));
        let asks = matches!(reply.status, 429 | 503).then(|| retry_after(reply, wall)).flatten();
        let retry = asks.map(|until| until.min(wall + DAY));
        let address = &mut self.addresses[place];
        let age = reply.header("Cache-Control").and_then(|value| value.strip_prefix("max-age=")?.parse().ok());
        let read = reply.status == 304 || reply.shows.is_some();
        let fresh = age.filter(|_| read).map(|age| wall + TimeDelta::seconds(age).min(DAY));
        if reply.status == 410 && first == url {
            address.gone = Some(false);
        }
        let whole = reply.manners == Manners::Good;
        address.answer = Some(Answer {
            status: reply.status,
            shows: reply.shows.clone(),
            validators,
            fresh,
            retry,
            whole,
            ..answer
        });
    }
}

fn retry_after(reply: &Reply, wall: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let value = reply.header("Retry-After")?;
    let date = || DateTime::parse_from_rfc2822(value).ok().map(|date| date.to_utc());
    value.parse().ok().map(|seconds| wall + TimeDelta::seconds(seconds)).or_else(date)
}
