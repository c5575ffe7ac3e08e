//! The small parts: addresses, pictures, credits, fields, next pages.

use super::layouts::{field, list as layout, numbered};
use super::{at, shown};
use crate::extract::dom::Page;
use crate::extract::{address, check_selector, credits, image, list, next_list_page, text};
use crate::model::{Clean, Field, LayoutKind, NextPage, ParsedFeed};

#[test]
fn addresses_become_absolute_or_nothing() {
    for (href, expected) in [
        ("a.shtml", Some("http://c.workercn.cn/424/a.shtml")),
        ("../b.shtml", Some("http://c.workercn.cn/b.shtml")),
        ("//www.workercn.cn/c/1.shtml", Some("http://www.workercn.cn/c/1.shtml")),
        ("//32847/32847.shtml", Some("http://c.workercn.cn/32847/32847.shtml")),
        ("http://nmg.workercn.cn//32847///a.shtml", Some("http://nmg.workercn.cn/32847/a.shtml")),
        (" \u{3000}/x y\n", Some("http://c.workercn.cn/x%20y")),
        ("/人物", Some("http://c.workercn.cn/%E4%BA%BA%E7%89%A9")),
        ("javascript:void(0)", None),
        ("#top", None),
        ("", None),
        ("mailto:a@b.cn", None),
        ("data:text/html,x", None),
        ("http://", None),
    ] {
        let found = address::resolve(&at("http://c.workercn.cn/424/424.shtml"), href);
        assert_eq!(found.as_ref().map(url::Url::as_str), expected, "{href}");
    }
}

#[test]
fn the_real_picture_is_found_behind_lazy_loading() {
    let base = at("http://a.cn/b/c.html");
    for (html, expected) in [
        ("<img src=/i.jpg>", Some("http://a.cn/i.jpg")),
        ("<img src=loading.gif data-src=/i.jpg>", Some("http://a.cn/i.jpg")),
        ("<img src=/images/loading2.gif data-original=i.jpg>", Some("http://a.cn/b/i.jpg")),
        ("<img src='data:image/gif;base64,R0' data-lazy-src=//b.cn/i.jpg>", Some("http://b.cn/i.jpg")),
        ("<img data-url=/i.jpg src=/blank.png>", Some("http://a.cn/i.jpg")),
        ("<img src=/small.jpg srcset='/s.jpg 100w, /l.jpg 900w,/m.jpg 300w'>", Some("http://a.cn/l.jpg")),
        ("<img src=/loading.gif>", None),
        ("<img src='data:image/png;base64,R0'>", None),
        ("<img src=/spacer.gif data-src='{{img}}'>", None),
        ("<img src='javascript:x'>", None),
        ("<p><a><img src=/loading-dock.jpg></a></p>", Some("http://a.cn/loading-dock.jpg")),
        ("<img>", None),
    ] {
        let found = image::of(Page::parse(html).root(), &base).map(|image| image.url);
        assert_eq!(found.as_deref(), expected, "{html}");
    }
}

#[test]
fn sources_and_editors_are_cut_out_of_their_lines() {
    for (line, source) in [
        ("来源:金羊网", Some("金羊网")),
        ("2019-12-10 20:57:50  来源：金羊网", Some("金羊网")),
        ("2019-12-10 20:57:50\u{A0}\u{A0}\u{3000}来源\u{A0}：\u{3000}金羊网\u{3000}作者：雨露", Some("金羊网")),
        ("来源:新华网 2022-04-30 08:52", Some("新华网")),
        ("来源:新华网2022-04-30 08:52", Some("新华网")),
        ("2015-12-08 来源: 河南日报", Some("河南日报")),
        ("来源：人民网－人民日报 编辑：甲", Some("人民网－人民日报")),
        ("发布时间：2019/7/17 09:03:39 | 来源 ：央视网", Some("央视网")),
        ("工人日报客户端", Some("工人日报客户端")),
        ("图片来源：新华社", None),
        ("2019-12-10 20:57:50", None),
        ("来源：", None),
        ("", None),
    ] {
        assert_eq!(credits::source(line).as_deref(), source, "{line}");
    }
    for (line, editor) in [
        ("编辑:柳阳", Some("柳阳")),
        ("责任编辑：李明", Some("李明")),
        ("（责编：王 小）", Some("王 小")),
        ("柳阳", Some("柳阳")),
        ("编辑:", None),
    ] {
        assert_eq!(credits::editor(line).as_deref(), editor, "{line}");
    }
    for (line, names) in [
        ("作者：雨露", vec!["雨露"]),
        ("张三 李四", vec!["张三", "李四"]),
        ("Li Ming", vec!["Li Ming"]),
        ("甲、乙", vec!["甲", "乙"]),
    ] {
        let found: Vec<String> = credits::people(line).into_iter().map(|person| person.name).collect();
        assert_eq!(found, names, "{line}");
    }
}

#[test]
fn the_byline_is_short_and_stands_between_title_and_date() {
    for (lines, expected) in [
        (vec!["标题", "雨露", "2019-12-10 20:57:50"], Some("雨露")),
        (vec!["标题", "2019-12-10 20:57:50", "雨露"], None),
        (vec!["雨露", "标题", "2019-12-10"], None),
        (vec!["标题", "来源:新华网", "2022-04-30"], None),
        (vec!["标题", "副题，有标点", "雨露", "2019年12月10日"], Some("雨露")),
        (vec!["标题", "这一行一共有十三个汉字之多", "2019-12-10"], None),
        (vec!["标题", "分享到", "2019-12-10"], None),
        (vec!["别的", "雨露", "2019-12-10"], None),
    ] {
        let owned: Vec<String> = lines.iter().map(ToString::to_string).collect();
        assert_eq!(credits::byline(&owned, "标题").as_deref(), expected, "{lines:?}");
    }
}

#[test]
fn fields_are_cleaned_and_fall_back() {
    let page = r#"<ul id=leftList><li><a href="/1.shtml" title="全题">短…</a><b>题:甲2</b></li></ul>"#;
    let way = |select: &str, clean: Vec<Clean>| Field { select: select.into(), attribute: None, clean };
    for (fields, expected) in [
        (field("a"), "短…"),
        (field("i || a @title"), "全题"),
        (field(r"a ~~ \d+ || b ~~ (\d)"), "2"),
        (vec![way("b", vec![Clean::StripPrefix("题:".into())])], "甲2"),
        (vec![way("b", vec![Clean::Replace { pattern: r"(\d)".into(), with: "第$1".into() }])], "题:甲第2"),
        (vec![way("b[", vec![]), way("a", vec![Clean::Match("(".into())])], "短…"),
    ] {
        let mut one = layout("list-2019");
        let LayoutKind::List(inner) = &mut one.kind else { unreachable!("a list") };
        inner.fields.title = fields;
        let (feed, _) = list(page, &at("http://a.cn/"), &[one]);
        assert_eq!(feed.entries[0].title.as_ref().unwrap().value, expected);
    }
    assert!(check_selector("div:has(> h2) li, a[href^='/c/']").is_ok() && check_selector("").is_ok());
    for bad in ["div[", "li:nope", ">", "a,,b"] {
        assert!(check_selector(bad).is_err_and(|error| error.contains(bad)), "{bad}");
    }
}

#[test]
fn next_pages_are_counted_from_the_first() {
    let json = NextPage::Numbered { address: "https://www.workercn.cn/json/character/index_{n}.json".into(), from: 2 };
    let feed = ParsedFeed { next_page: Some("?p=2".into()), ..ParsedFeed::default() };
    let link = NextPage::Link(field("a @href").remove(0));
    for (next, current, n, expected) in [
        (numbered(), "http://c.cn/424/424.shtml", 2, Some("http://c.cn/424/424_2.shtml")),
        (numbered(), "http://c.cn/424/424_2.shtml", 3, Some("http://c.cn/424/424_3.shtml")),
        (numbered(), "http://c.cn/424/424.shtml", 3, Some("http://c.cn/424/424_3.shtml")),
        (
            json.clone(),
            "https://www.workercn.cn/character/",
            2,
            Some("https://www.workercn.cn/json/character/index_2.json"),
        ),
        (
            json,
            "https://www.workercn.cn/json/character/index_2.json",
            3,
            Some("https://www.workercn.cn/json/character/index_3.json"),
        ),
        (numbered(), "http://c.cn/424.shtml", 1, None),
        (link, "http://c.cn/l", 2, Some("http://c.cn/l?p=2")),
    ] {
        let found = next_list_page(&next, &at(current), &feed, n);
        assert_eq!(found.as_ref().map(url::Url::as_str), expected, "{current} {n}");
    }
}

#[test]
fn base_and_impossible_stamps() {
    let long = format!("http://b.cn/{}/", "x".repeat(2036));
    // A base that is longer than any sensible one would be repeated in every address.
    for (base, expected) in [("http://b.cn/x/", "http://b.cn/x/"), (&long, "http://a.cn/")] {
        let page = format!(
            "<base href='{base}'><ul id=leftList><li><a href='1/201913/45/191345992419833.shtml'>t</a></li></ul>"
        );
        let (feed, _) = list(&page, &at("http://a.cn/"), &[layout("list-2019")]);
        assert_eq!(
            shown(&feed.entries[0]),
            format!("t | {expected}1/201913/45/191345992419833.shtml | 1/191345992419833 |  |  |  | ")
        );
    }
}

#[test]
fn summaries_end_with_a_sentence() {
    let line = |text: &str| vec![text.to_owned()];
    assert_eq!(text::summary(&line("　　短。")).unwrap(), "短。");
    assert_eq!(text::summary(&[]), None);
    let long = format!("{}。“{}！”{}", "一".repeat(60), "二".repeat(60), "三".repeat(60));
    assert_eq!(text::summary(&line(&long)).unwrap(), format!("{}。“{}！”", "一".repeat(60), "二".repeat(60)));
    let endless = text::summary(&line(&"一".repeat(200))).unwrap();
    assert!(endless.chars().count() == 150 && endless.ends_with('…'));
    let first = text::summary(&["图片来源：新华社".into(), "正文。".into()]).unwrap();
    assert_eq!(first, "正文。");
}
