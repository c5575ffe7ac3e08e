//! Who wrote it, who edited it, where it came from: names out of lines such as
//! `2019-12-10 20:57:50  来源:金羊网` and `编辑:柳阳`.

use super::pattern::compiled;
use super::text::trim;

/// A date as pages show it, enough to tell where a name ends and which line is the date's.
const DATE: &str = r"\d{4}\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2}";

/// The longest name of a source, editor or author, in characters.
const LONGEST: usize = 40;

/// Words that end a name when they follow it on the same line.
const AFTER: [&str; 9] = ["作者", "编辑", "责任编辑", "责编", "字号", "发布时间", "时间", "点击", "记者"];

/// The source in a line: what stands after 来源 and a colon, else the whole of a short line without a date.
/// `图片来源` names the picture's source, not the article's.
pub(super) fn source(line: &str) -> Option<String> {
    for (at, _) in line.match_indices("来源") {
        if ["图片", "照片", "图", "视频", "资料", "数据"].iter().any(|word| line[..at].ends_with(word)) {
            continue;
        }
        if let Some(name) = after_colon(&line[at + "来源".len()..]) {
            return Some(name);
        }
    }
    if line.contains("来源") || has_date(line) {
        return None;
    }
    short(line)
}

/// The source in a line, but only if the line says 来源.
pub(super) fn marked_source(line: &str) -> Option<String> {
    if line.contains("来源") { source(line) } else { None }
}

/// The editor: what stands after 编辑 or 责编 and a colon, else the whole of a short line.
pub(super) fn editor(line: &str) -> Option<String> {
    let marked = ["编辑", "责编"].iter().find_map(|word| line.find(word).map(|at| at + word.len()));
    match marked {
        Some(at) => after_colon(&line[at..]),
        None => short(line),
    }
}

/// The people that a byline names.
pub(super) fn people(line: &str) -> Vec<crate::model::Person> {
    let line = trim(line);
    let line = ["作者", "文", "记者"]
        .iter()
        .find_map(|word| line.strip_prefix(word).and_then(|rest| trim(rest).strip_prefix([':', '：', '/', '｜'])))
        .unwrap_or(line);
    let chinese = |part: &str| part.chars().all(|c| matches!(c, '\u{3400}'..='\u{9FFF}' | '·'));
    let spaced: Vec<&str> = line.split_whitespace().collect();
    let by_space = spaced.len() > 1 && spaced.iter().all(|part| chinese(part) && part.chars().count() > 1);
    let parts: Vec<&str> = if by_space { spaced } else { line.split(['、', '；', ';']).collect() };
    parts.into_iter().filter_map(short).map(crate::model::Person::named).collect()
}

/// The byline: the line between title and date that is short and has no punctuation. The last one, should
/// there be several.
pub(super) fn byline(lines: &[String], title: &str) -> Option<String> {
    let start = lines.iter().position(|line| line == title)? + 1;
    let end = start + lines[start..].iter().position(|line| has_date(line))?;
    lines[start..end].iter().rfind(|line| is_name(line)).cloned()
}

fn is_name(line: &str) -> bool {
    let furniture = ["打印", "字号", "分享", "收藏", "关闭", "来源", "评论", "手机看"];
    let letter = |c: char| c.is_alphabetic() || matches!(c, ' ' | '\u{3000}' | '\u{A0}' | '·');
    line.chars().count() <= 12 && line.chars().all(letter) && !furniture.iter().any(|word| line.contains(word))
}

pub(super) fn has_date(line: &str) -> bool {
    compiled(DATE).is_some_and(|date| date.is_match(line))
}

/// The name after a colon, up to a wide gap, a bracket, a date or another mark.
fn after_colon(rest: &str) -> Option<String> {
    let rest = trim(trim(rest).strip_prefix([':', '：'])?);
    let mut end = rest.find(['|', '｜', '\n', '\t', '\u{3000}', '\u{A0}', ')', '）', ']', '】']).unwrap_or(rest.len());
    end = end.min(rest.find("  ").unwrap_or(end));
    if let Some(date) = compiled(DATE).and_then(|date| Some(date.find(rest)?.start())) {
        end = end.min(date);
    }
    for word in AFTER {
        if let Some(at) = rest.find(&format!(" {word}")) {
            end = end.min(at);
        }
    }
    short(&rest[..end])
}

fn short(name: &str) -> Option<String> {
    let name = trim(name);
    (!name.is_empty() && name.chars().count() <= LONGEST).then(|| name.to_owned())
}
