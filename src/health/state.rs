//! The one word for how a channel is doing: the same in `/admin`, its JSON, `/metrics`, logs and incidents.

use crate::model::{Flaw, FlawCode, Severity};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How a channel is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Its last poll succeeded, and nothing is out of the usual.
    Fresh,
    /// It was never read; its bundled snapshot is served.
    Snapshot,
    /// It was never polled, and there is nothing to serve of it.
    Waiting,
    /// It answers, but has brought nothing new for far longer than usual.
    Silent,
    /// It answers, but with something else than usual: fewer fields, other entries, another layout, a login.
    Drifted,
    /// Its server, or one that it redirects to, asks to be left alone (429, 503).
    Throttled,
    /// Its last poll failed.
    Failing,
    /// Its server says that it is gone for good (410).
    Gone,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::Fresh,
        Self::Snapshot,
        Self::Waiting,
        Self::Silent,
        Self::Drifted,
        Self::Throttled,
        Self::Failing,
        Self::Gone,
    ];

    /// Its name, the same everywhere.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Snapshot => "snapshot",
            Self::Waiting => "waiting",
            Self::Silent => "silent",
            Self::Drifted => "drifted",
            Self::Throttled => "throttled",
            Self::Failing => "failing",
            Self::Gone => "gone",
        }
    }

    /// Its name for readers of Chinese.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        match self {
            Self::Fresh => "正常",
            Self::Snapshot => "快照",
            Self::Waiting => "等待首次抓取",
            Self::Silent => "久无更新",
            Self::Drifted => "内容异常",
            Self::Throttled => "被限流",
            Self::Failing => "失败",
            Self::Gone => "已下线",
        }
    }

    /// Whether the source gave no answer that could be used.
    #[must_use]
    pub fn is_failure(self) -> bool {
        matches!(self, Self::Throttled | Self::Failing | Self::Gone)
    }

    /// Whether something has to be done or waited out.
    #[must_use]
    pub fn is_trouble(self) -> bool {
        !matches!(self, Self::Fresh | Self::Snapshot | Self::Waiting)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the state depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts<'a> {
    /// Whether the channel has a snapshot.
    pub snapshot: bool,
    /// Whether a poll ever succeeded.
    pub live: bool,
    /// Failed polls in a row.
    pub failures: u32,
    /// Whether its source said that it is gone for good (410), and is not asked any more.
    pub gone: bool,
    /// The status of the last answer.
    pub status: Option<u16>,
    /// The flaws of the last poll.
    pub flaws: &'a [Flaw],
}

/// The state.
#[must_use]
pub fn state(facts: &Facts<'_>) -> State {
    if facts.failures > 0 {
        return failed(facts);
    }
    match (facts.live, facts.snapshot) {
        (false, true) => State::Snapshot,
        (false, false) => State::Waiting,
        (true, _) if facts.flaws.iter().any(|flaw| is_drift(flaw.code)) => State::Drifted,
        (true, _) if facts.flaws.iter().any(|flaw| flaw.code == FlawCode::Silent) => State::Silent,
        (true, _) => State::Fresh,
    }
}

fn failed(facts: &Facts<'_>) -> State {
    if facts.gone {
        return State::Gone;
    }
    match facts.status {
        Some(429 | 503) => State::Throttled,
        // A redirect leads to who said so.
        _ if alarm(facts.flaws) == Some(FlawCode::LeftAlone) => State::Throttled,
        // The source answered; what it answered with is no list any more.
        _ if facts.live && facts.flaws.iter().any(|flaw| is_no_list(flaw.code)) => State::Drifted,
        _ => State::Failing,
    }
}

/// Why the last address of a channel could not be read.
fn alarm(flaws: &[Flaw]) -> Option<FlawCode> {
    flaws.iter().map(|flaw| flaw.code).rfind(|code| code.severity() == Severity::Alarm)
}

/// Something else stands where the list was.
fn is_no_list(code: FlawCode) -> bool {
    matches!(code, FlawCode::Login | FlawCode::NoLayoutFits | FlawCode::NotAFeed)
}

/// The list is read but is not what it was.
fn is_drift(code: FlawCode) -> bool {
    matches!(
        code,
        FlawCode::Drifted
            | FlawCode::OldGone
            | FlawCode::AllNew
            | FlawCode::Shrunken
            | FlawCode::Quarantined
            | FlawCode::MassWithdrawal
    )
}

/// The flaw that says why the channel is in this state; `None` when no flaw does.
#[must_use]
pub(super) fn evidence(state: State, flaws: &[Flaw]) -> Option<&Flaw> {
    let tells = |flaw: &&Flaw| match state {
        State::Drifted => is_no_list(flaw.code) || is_drift(flaw.code),
        State::Silent => flaw.code == FlawCode::Silent,
        _ => true,
    };
    let worst = flaws.iter().map(|flaw| flaw.code.severity()).max();
    let of_weight =
        |flaw: &&Flaw| state == State::Drifted || state == State::Silent || Some(flaw.code.severity()) == worst;
    flaws.iter().filter(tells).find(of_weight)
}
