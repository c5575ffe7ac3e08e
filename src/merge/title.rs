//! What of a title tells articles apart.

use super::print::{SEED, mix, narrow, units_of};
use regex::Regex;
use std::sync::LazyLock;

/// Words of titles that come again every day or week, with another content each time.
const BULLETINS: &[&str] = &[
    "早报",
    "晚报",
    "要闻",
    "早间新闻",
    "晚间新闻",
    "天气",
    "日报",
    "周报",
    "月报",
    "简讯",
    "快讯",
    "公告",
    "讣告",
    "值班表",
    "一周",
    "今日",
    "每日",
    "盘点",
    "早知道",
    "新闻联播",
    "发布会",
    "来信",
    "问答",
    "速览",
    "目录",
    "日历",
    "导读",
    "读报",
    "bulletin",
    "briefing",
    "roundup",
    "daily",
    "weekly",
    "weather",
    "forecast",
    "obituary",
    "headlines",
    "digest",
    "newsletter",
    "live updates",
    "morning",
    "letters",
    "minutes",
];

/// Any of them. One search for all: each of its own would take most of the time that a title takes.
static BULLETIN: LazyLock<Regex> = LazyLock::new(|| {
    // Literal words joined by bars are a legal expression, as the tests show.
    #[expect(clippy::expect_used, reason = "a constant")]
    Regex::new(&BULLETINS.join("|")).expect("words and bars are a legal expression")
});

/// What a reprint puts before a title.
const PREFIXES: &[&str] = &["转载", "原标题", "转发", "推荐", "重磅", "独家", "reprint", "opinion", "updated"];

/// How many units a title must have to be an article's own: a Chinese character counts one, a word two.
const SHORTEST: usize = 9;

/// What a title is compared by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Title {
    /// The hash of its own part. `None` when it is too short or a bulletin's, and so tells nothing.
    pub(super) key: Option<u64>,
    /// The hash of its number in a series.
    pub(super) part: Option<u64>,
}

impl Title {
    pub(super) fn of(title: &str) -> Self {
        let text: String = title.chars().take(400).map(narrow).flat_map(char::to_lowercase).collect();
        let part = part(&text);
        let own = own(&text);
        let units = units_of(own);
        let weight: usize = units.iter().map(|unit| if unit.han { 1 } else { 2 }).sum();
        let tells = weight >= SHORTEST && !BULLETIN.is_match(&text);
        let key = tells.then(|| units.iter().fold(part.unwrap_or(SEED), |hash, unit| mix(hash, unit.hash)));
        Self { key, part }
    }

    /// Whether the two are parts of a series, and not the same part.
    pub(super) fn is_other_part(&self, other: &Self) -> bool {
        self.part.is_some() && other.part.is_some() && self.part != other.part
    }
}

/// A title without the column before it and the site behind it.
fn own(text: &str) -> &str {
    let mut own = text.trim();
    // `标题_某某网`, `Title | Example News`
    for mark in ["_", "|", "｜", " - ", "—"] {
        if let Some((before, site)) = own.rsplit_once(mark) {
            let site = site.trim();
            let is_site = ["网", "报", "社", "新闻", "在线", "news", "times", "post", "online", "客户端"]
                .iter()
                .any(|end| site.ends_with(end));
            if is_site && is_long(before) && site.chars().count() <= 20 {
                own = before.trim();
            }
        }
    }
    // `【转载】标题`, `[Reprint] Title`
    for (open, close) in [('【', '】'), ('[', ']'), ('(', ')')] {
        if let Some((label, rest)) = own.strip_prefix(open).and_then(|rest| rest.split_once(close))
            && label.chars().count() <= 10
            && is_long(rest)
        {
            own = rest.trim();
        }
    }
    // `某某时评：标题`, `Opinion: Title`
    for mark in [':', '|', '｜'] {
        if let Some((column, rest)) = own.split_once(mark) {
            let column = column.trim();
            let is_column = ["评", "谈", "论", "观察"].iter().any(|end| column.ends_with(end));
            if (is_column || PREFIXES.contains(&column)) && column.chars().count() <= 10 && is_long(rest) {
                own = rest.trim();
            }
        }
    }
    own
}

fn is_long(text: &str) -> bool {
    units_of(text).iter().map(|unit| if unit.han { 1 } else { 2 }).sum::<usize>() >= SHORTEST
}

/// The number of a part: 之一, 第三批, (上), (二), part 2.
fn part(text: &str) -> Option<u64> {
    let letters: Vec<char> = text.chars().collect();
    let is_number = |c: char| c.is_ascii_digit() || "一二三四五六七八九十百".contains(c);
    let numbers = |from: usize| letters[from..].iter().copied().take_while(|c| is_number(*c)).collect::<String>();
    let hash = |text: &str| units_of(text).iter().fold(SEED, |hash, unit| mix(hash, unit.hash));
    for (at, letter) in letters.iter().enumerate() {
        let found = match letter {
            '之' | '第' => numbers(at + 1),
            '(' | '（' => {
                let inner: String = letters[at + 1..].iter().copied().take_while(|c| *c != ')').take(4).collect();
                let is_part = !inner.is_empty() && inner.chars().all(|c| is_number(c) || "上中下".contains(c));
                if is_part { inner } else { String::new() }
            }
            _ => String::new(),
        };
        if !found.is_empty() {
            return Some(hash(&found));
        }
    }
    let (_, rest) =
        ["part ", "no. ", "episode ", "chapter ", "issue "].iter().find_map(|mark| text.split_once(mark))?;
    rest.split(|c: char| !c.is_alphanumeric()).next().filter(|word| !word.is_empty()).map(hash)
}

#[cfg(test)]
mod tests {
    use super::Title;

    #[test]
    fn one_title_however_it_is_dressed() {
        let plain = Title::of("让技能人才香起来，先得让待遇实起来");
        for same in [
            "让技能人才“香”起来 先得让待遇“实”起来",
            "中工时评：让技能人才“香”起来，先得让待遇“实”起来",
            "【转载】让技能人才香起来，先得让待遇实起来",
            "让技能人才香起来，先得让待遇实起来_某某网",
        ] {
            assert_eq!(Title::of(same), plain, "{same}");
        }
        assert_ne!(Title::of("让技能人才香起来，先得让岗位实起来"), plain);
    }

    #[test]
    fn titles_that_tell_nothing() {
        for title in [
            "",
            "中工时评",
            "读者来信：几位老师傅的心里话",
            "全国要闻速览（11月23日）",
            "Weather",
            "Daily briefing for the city of Example",
        ] {
            assert_eq!(Title::of(title).key, None, "{title}");
        }
    }

    #[test]
    fn parts_of_a_series_are_told_apart() {
        for (one, other, expected) in [
            ("工匠故事之一", "工匠故事之二", true),
            ("桥上三十年（上）", "桥上三十年（下）", true),
            ("The bridge keeper, part 1", "The bridge keeper, Part 2", true),
            ("桥上三十年（上）", "桥上三十年(上)", false),
            ("桥上三十年", "桥上三十年（下）", false),
        ] {
            assert_eq!(Title::of(one).is_other_part(&Title::of(other)), expected, "{one} {other}");
        }
    }
}
