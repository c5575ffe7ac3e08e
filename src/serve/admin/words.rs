//! The words of the admin pages in both languages, and spans of time as people say them.

use crate::health::State;
use crate::serve::negotiate::Language;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident $chinese:literal $english:literal;)*) => {
        /// Every word of the pages in one language.
        pub(super) struct Words { $($(#[$doc])* pub(super) $name: &'static str,)* }
        const CHINESE: Words = Words { $($name: $chinese,)* };
        const ENGLISH: Words = Words { $($name: $english,)* };
    };
}

words! {
    heading "频道状况" "Channels";
    all_channels "全部频道" "All channels";
    to_catalogue "订阅目录" "Catalogue";
    caption "每个频道的抓取状况" "How each channel is being polled";
    channel "频道" "Channel";
    state "状态" "State";
    last_poll "上次抓取" "Last poll";
    next_poll "下次抓取" "Next poll";
    last_success "上次成功" "Last success";
    last_change "上次更新" "Last change";
    entries "条目" "Entries";
    address "使用的地址" "Address in use";
    layout "使用的版式" "Layout in use";
    flaws "问题" "Flaws";
    no_flaws "没有发现问题。" "Nothing is wrong.";
    advice "建议" "What to do";
    severity "轻重" "Severity";
    code "代码" "Code";
    detail "详情" "Detail";
    attempts "最近的抓取" "Last attempts";
    no_attempts "还没有抓取过。" "It has not been polled yet.";
    time "时间" "Time";
    status "状态码" "Status";
    took "用时(毫秒)" "Took (ms)";
    changed "新增或更新" "New or updated";
    error "错误" "Error";
    chart "最近抓取的用时；灰色：没有变化，绿色：有新条目，红色：失败" "How long the last fetches took; grey: unchanged, green: new entries, red: failed";
    config "配置" "Configuration";
    config_file "文件" "File";
    config_loaded "载入时间" "Loaded";
    config_good "文件与正在使用的配置一致。" "The file is in use as it stands.";
    config_bad "文件有错误，没有采用；上一份正确的配置仍在使用。被拒绝的时间：" "The file has mistakes and is not in use; the last good configuration still is. Rejected:";
    unrecorded "以下频道最近一次抓取的结果没能写入账本，读到的内容没有丢失，稍后会重新抓取：" "The last poll of these channels could not be written to the ledger. Nothing is lost, they are asked again:";
    offline "所有网站都无法访问：本机的网络或域名解析出了问题。已发布的内容照常提供，每半分钟试一个网站。开始时间：" "No site can be reached: the network or the resolver of this machine is down. What is published keeps being served, and one site is tried every half minute. Since:";
    alarm "严重" "alarm";
    warning "警告" "warning";
    note "提示" "note";
    fresh "正常" "Fresh";
    snapshot "快照：还没有抓取成功，正在使用附带的旧页面" "Snapshot: no poll has succeeded yet, a bundled old page is served";
    waiting "等待首次抓取" "Waiting for its first poll";
    silent "久无更新，始于" "Silent since";
    drifted "内容异常，始于" "Drifted since";
    throttled "被限流，始于" "Throttled since";
    failing "失败，始于" "Failing since";
    gone "已下线，始于" "Gone since";
    overview "各状态的频道数" "Channels by state";
    usually "平时" "Usually";
    every "每" "every";
    dates "日期" "dates";
    images "图片" "images";
    summaries "摘要" "summaries";
    sources "来源" "sources";
    incidents "故障记录" "Incidents";
    no_incidents "没有故障记录。" "None so far.";
    since "始于" "Since";
    until "止于" "Until";
    evidence "依据" "Evidence";
    lasting "尚未恢复" "not over yet";
    to_incidents "故障订阅" "Incidents as a feed";
    failures "连续失败次数：" "Failures in a row:";
    not_yet "从未" "never";
    live_since "实时抓取始于" "Live since";
    usual "页面条目(平时)" "On the page (usually)";
    updates "刷新页面可看到最新状况。时间所在时区：" "Reload the page for news. Times are in the zone";
}

impl Words {
    /// The words of a language.
    pub(super) fn of(language: Language) -> &'static Self {
        match language {
            Language::Chinese => &CHINESE,
            Language::English => &ENGLISH,
        }
    }

    /// A state, as it stands before the instant at which it began.
    pub(super) fn state(&self, state: State) -> &'static str {
        match state {
            State::Fresh => self.fresh,
            State::Snapshot => self.snapshot,
            State::Waiting => self.waiting,
            State::Silent => self.silent,
            State::Drifted => self.drifted,
            State::Throttled => self.throttled,
            State::Failing => self.failing,
            State::Gone => self.gone,
        }
    }

    /// A state in one word.
    pub(super) fn short(&self, state: State) -> &'static str {
        if self.fresh == CHINESE.fresh { state.chinese() } else { state.as_str() }
    }
}

/// A span as people say it: `3 分钟前`, `in 2 hours`.
pub(super) fn span(then: DateTime<Utc>, now: DateTime<Utc>, language: Language) -> String {
    let later = then > now;
    let text = length(then - now, language);
    match (language, later) {
        (Language::Chinese, true) => format!("{text}后"),
        (Language::Chinese, false) => format!("{text}前"),
        (Language::English, true) => format!("in {text}"),
        (Language::English, false) => format!("{text} ago"),
    }
}

/// How long something takes: `3 分钟`, `2 hours`.
pub(super) fn length(span: TimeDelta, language: Language) -> String {
    let size = span.num_seconds().unsigned_abs();
    let (count, chinese, english) = match size {
        0..60 => (size, "秒", "second"),
        60..3600 => (size / 60, "分钟", "minute"),
        3600..86_400 => (size / 3600, "小时", "hour"),
        _ => (size / 86_400, "天", "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    match language {
        Language::Chinese => format!("{count} {chinese}"),
        Language::English => format!("{count} {english}{plural}"),
    }
}

/// An instant on a page: for machines, in the zone of the service, and as a span.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct When {
    /// RFC 3339.
    pub(super) machine: String,
    /// In the zone of the service.
    pub(super) shown: String,
    /// As a span.
    pub(super) span: String,
}

impl When {
    /// Shows an instant.
    pub(super) fn new(at: DateTime<Utc>, now: DateTime<Utc>, zone: Tz, language: Language) -> Self {
        Self {
            machine: at.format("%FT%TZ").to_string(),
            shown: at.with_timezone(&zone).format("%F %T").to_string(),
            span: span(at, now, language),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        let now = DateTime::from_timestamp(1_000_000, 0).unwrap();
        for (seconds, chinese, english) in [
            (0, "0 秒前", "0 seconds ago"),
            (-1, "1 秒前", "1 second ago"),
            (-59, "59 秒前", "59 seconds ago"),
            (-60, "1 分钟前", "1 minute ago"),
            (7200, "2 小时后", "in 2 hours"),
            (86_400, "1 天后", "in 1 day"),
            (-1_000_000, "11 天前", "11 days ago"),
        ] {
            let then = now + chrono::Duration::seconds(seconds);
            assert_eq!(span(then, now, Language::Chinese), chinese);
            assert_eq!(span(then, now, Language::English), english);
        }
    }

    #[test]
    fn instants_are_shown_in_the_zone() {
        let at = DateTime::from_timestamp(1_575_979_070, 0).unwrap();
        let when = When::new(at, at, chrono_tz::Asia::Shanghai, Language::English);
        assert_eq!((when.machine.as_str(), when.shown.as_str()), ("2019-12-10T11:57:50Z", "2019-12-10 19:57:50"));
    }
}
