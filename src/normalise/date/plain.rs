//! One spelling for what is written in many: widths, dashes, Chinese numerals, weekdays, months.

use super::months::in_english;
use regex::{Captures, Regex};
use std::sync::LazyLock;

/// The start of a text in plain spelling: at most `limit` characters, ASCII digits and punctuation,
/// single spaces, Chinese numerals before a unit as digits, weekdays as `周N `, months in English.
pub(super) fn plain(text: &str, limit: usize) -> String {
    let mut out = String::with_capacity(64);
    for c in text.trim_start().chars().take(limit).filter_map(narrow) {
        // Space is taken together, so that patterns need not count it.
        if c != ' ' || !out.ends_with(' ') {
            out.push(c);
        }
    }
    let out = out.trim();
    if out.is_ascii() {
        return in_english(out.to_owned());
    }
    let out = WEEKDAY.replace_all(out, |found: &Captures<'_>| format!("周{} ", weekday(&found[1])));
    let out = NUMERAL.replace_all(&out, |found: &Captures<'_>| number(&found[1]) + &found[2]);
    in_english(out.trim().to_owned())
}

fn narrow(c: char) -> Option<char> {
    Some(match c {
        // Full-width forms of the printable ASCII characters.
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0)?,
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        '\u{2236}' => ':',
        '【' | '〔' | '「' => '[',
        '】' | '〕' | '」' => ']',
        '、' => ',',
        // Zero-width marks and direction marks are no part of a date.
        '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}' | '\u{AD}' => {
            return None;
        }
        c if c.is_whitespace() || c.is_control() => ' ',
        c => c,
    })
}

static WEEKDAY: LazyLock<Regex> = LazyLock::new(|| pattern("(?:周|週|星期|礼拜|禮拜)([一二三四五六日天])"));
static NUMERAL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        "([〇○零一二两三四五六七八九十廿卅]+)( ?(?:年|月|日|号|號|时|時|点|點|分|秒|个|個|小时|小時|天|周 ?前|星期前))",
    )
});

/// A pattern that is written in this module.
pub(super) fn pattern(text: &str) -> Regex {
    // Cannot fail: every caller hands over a literal, and the tests run each of them.
    #[allow(clippy::expect_used)]
    Regex::new(text).expect("a literal pattern")
}

fn weekday(name: &str) -> usize {
    "一二三四五六日".chars().position(|c| name.starts_with(c)).map_or(7, |index| index + 1)
}

fn digit(c: char) -> Option<u32> {
    Some(match c {
        '〇' | '○' | '零' => 0,
        '一' => 1,
        '二' | '两' => 2,
        '三' => 3,
        '四' => 4,
        '五' => 5,
        '六' => 6,
        '七' => 7,
        '八' => 8,
        '九' => 9,
        _ => return None,
    })
}

/// 二〇一九 → 2019, 十二 → 12, 二十 → 20, 廿一 → 21.
fn number(text: &str) -> String {
    if !text.contains(['十', '廿', '卅']) {
        return text.chars().filter_map(digit).map(|value| value.to_string()).collect();
    }
    let (mut total, mut last) = (0_u32, None);
    for c in text.chars() {
        match c {
            '十' => total = total.saturating_add(10 * last.take().unwrap_or(1)),
            '廿' => total = total.saturating_add(20),
            '卅' => total = total.saturating_add(30),
            _ => last = digit(c),
        }
    }
    total.saturating_add(last.unwrap_or(0)).to_string()
}

#[cfg(test)]
mod tests {
    use super::plain;

    fn check(text: &str, expected: &str) {
        assert_eq!(plain(text, 200), expected, "{text:?}");
    }

    #[test]
    fn spellings_become_one() {
        check("２０１９－１２－１０　２０：５７", "2019-12-10 20:57");
        check("二〇一九年十二月十日", "2019年12月10日");
        check("二零一九年三月廿一日", "2019年3月21日");
        check("三十一日二十点", "31日20点");
        check("星期二十点", "周2 10点");
        check("上周五下午三点", "上周5 下午3点");
        check("一周前", "1周前");
        check("\u{FEFF}\u{200B} 2019\u{2212}12\u{2011}10\r\n\t 20:57 ", "2019-12-10 20:57");
        check("mar. 3 déc. 2019, 2 Août", "mar. 3 dec. 2019, 2 aug");
        check("8 МАЯ 2019, 2 days ago, maison", "8 may 2019, 2 days ago, maison");
        check("", "");
    }

    #[test]
    fn only_the_start_is_looked_at() {
        assert_eq!(plain(&"长".repeat(10_000), 200).chars().count(), 200);
    }
}
