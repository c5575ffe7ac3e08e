//! Per fixture the full expected result.

use super::layouts::{articles, comic, list as layout, lists};
use super::{at, codes, fixture, shown};
use crate::decode::decode;
use crate::extract::{Article, article, join, list};
use crate::model::{DateRung, FlawCode, Format, ParsedEntry, Text};

const HOST: &str = "http://comment.workercn.cn";

fn check_list(name: &str, url: &str, fits: &str, flaws: &[FlawCode], expected: &[&str]) {
    let (feed, found) = list(&fixture(name), &at(url), &lists());
    assert_eq!(feed.layout.as_deref(), Some(fits), "{name}");
    assert_eq!(feed.entries.iter().map(shown).collect::<Vec<_>>(), expected, "{name}");
    assert_eq!(codes(&found), flaws, "{name}");
}

#[test]
fn lists_of_generation_b_and_a() {
    check_list(
        "b-list-424.shtml",
        "http://comment.workercn.cn/424/424.shtml",
        "list-2019",
        &[FlawCode::EntryWithoutLink],
        &[
            "中工时评：把稳就业放在更加突出位置抓好抓实 | http://comment.workercn.cn/424/201912/10/191210083612417.shtml | 424/191210083612417 | 2019-12-10 08:36:12 |  |  | ",
            "中工时评：主动作为、积极作为，坚决打赢根治欠薪攻坚战 | http://comment.workercn.cn/424/201912/09/191209091547263.shtml | 424/191209091547263 | 2019-12-09 09:15:47 |  |  | ",
            "中工时评：着力把文化宫的“工”字招牌擦亮 | http://comment.workercn.cn/424/201912/06/191206084210135.shtml | 424/191206084210135 | 2019-12-06 08:42:10 |  |  | ",
            "中工时评：让宪法的阳光温暖更多人的心灵 | http://comment.workercn.cn/424/201912/04/191204090533871.shtml | 424/191204090533871 | 2019-12-04 09:05:33 |  |  | ",
        ],
    );
    check_list(
        "b-list-imgtxt.shtml",
        "http://world.workercn.cn/435/435.shtml",
        "list-2019-imgtxt",
        &[],
        &[
            "多国港口复工 | http://world.workercn.cn/435/202005/25/200525200908223.shtml | 435/200525200908223 | 2020-05-25 20:09:08 |  | 装卸线重新忙碌起来。 | http://world.workercn.cn/html/files/2020-05/25/20200525200858123456789.jpg",
            "国际短讯 | http://world.workercn.cn/435/202005/24/200524101112345.shtml | 435/200524101112345 | 2020-05-24 10:11:12 |  |  | ",
        ],
    );
    check_list(
        "a-list.shtml",
        "http://nmg.workercn.cn/32847/32847.shtml",
        "list-2018",
        &[],
        &[
            "内蒙古总工会送清凉 | http://nmg.workercn.cn/201807/23/180723085114967.shtml |  | 2018-07-23 08:51:14 |  |  | ",
        ],
    );
}

#[test]
fn list_of_generation_c() {
    let (feed, flaws) = list(&fixture("c-list.html"), &at("https://www.workercn.cn/character/"), &lists());
    assert_eq!((feed.layout.as_deref(), feed.format), (Some("list-2021"), Format::Page));
    assert_eq!(codes(&flaws), []);
    // 27, and neither the template `li`s nor what stands in <template> and <script>.
    assert_eq!(feed.entries.len(), 27);
    assert_eq!(
        shown(&feed.entries[0]),
        "以车间为家的“焊花”（一） | https://www.workercn.cn/c/2026-10-02/8907680.shtml | c/2026-10-02/8907680 | 2026-10-02 23:41:16 > 2026-10-02 | 央广网 |  | https://www.workercn.cn/upload/resources/image/2026/10/02/5001_526x296c.jpg"
    );
    assert_eq!(feed.entries[0].images[0].alt.as_deref(), Some("以车间为家的“焊花”"));
    assert_eq!(
        feed.entries[0].dates.iter().map(|date| date.rung).collect::<Vec<_>>(),
        [DateRung::List, DateRung::UrlDay]
    );
    let titles: Vec<&str> =
        feed.entries[1..4].iter().map(|entry| entry.title.as_ref().unwrap().value.as_str()).collect();
    assert_eq!(
        titles,
        ["她在高原守护电网——记一位巡线女工（一）", "匠心｜一把刻刀三十年（一）", "师徒丨两代人的铁路（一）"]
    );
    for entry in &feed.entries {
        assert!(entry.images.len() == 1 && entry.source.is_some() && entry.dates.len() == 2, "{}", shown(entry));
    }
}

#[test]
fn json_behind_load_more() {
    check_list(
        "c-page-2.json",
        "https://www.workercn.cn/json/character/index_2.json",
        "json-2021",
        &[],
        &[
            "灯塔“守夜人” | https://www.workercn.cn/c/2026-09-30/8907001.shtml | c/2026-09-30/8907001 | 2026-09-30 18:20:01 > 2026-09-30 | 新华社 |  | https://www.workercn.cn/upload/resources/image/2026/09/30/7001_526x296c.jpg",
            "山村教师的四十年 | https://www.workercn.cn/c/2026-09-29/8907000.shtml | c/2026-09-29/8907000 | 2026-09-29 08:00:00 > 2026-09-29 | 央广网 |  | ",
        ],
    );
}

#[test]
fn labels_that_lie_and_pages_that_end_early() {
    check_list(
        "wrong-charset.shtml",
        "http://comment.workercn.cn/424/424.shtml",
        "list-2019",
        &[],
        &[
            "标签说谎的页面 | http://comment.workercn.cn/424/201912/04/191204090533871.shtml | 424/191204090533871 | 2019-12-04 09:05:33 |  |  | ",
        ],
    );
    let (feed, _) = list(&fixture("cut.shtml"), &at(HOST), &lists());
    assert_eq!(feed.entries.len(), 4);
    assert_eq!(feed.entries[3].title.as_ref().unwrap().value, "中工时评：让\u{FFFD}");
    // One article under four addresses is one entry.
    let (feed, _) = list(&fixture("four-hosts.html"), &at(HOST), &lists());
    assert_eq!(feed.entries.len(), 1);
    assert_eq!(feed.entries[0].identity.as_deref(), Some("424/191210112419833"));
}

#[test]
fn one_alarm_says_why_nothing_was_read() {
    for (name, expected) in [
        ("redesign.html", FlawCode::NoLayoutFits),
        ("login.html", FlawCode::Login),
        ("empty.html", FlawCode::Empty),
        ("binary.bin", FlawCode::Binary),
        ("c-article-2022.shtml", FlawCode::NoLayoutFits),
    ] {
        let (feed, flaws) = list(&fixture(name), &at(HOST), &lists());
        assert!(feed.entries.is_empty() && feed.layout.is_none(), "{name}");
        assert_eq!(codes(&flaws), [expected], "{name}");
        assert_eq!(expected.severity(), crate::model::Severity::Alarm);
    }
    for text in ["[]", "{\"error\":1}", "[{\"title\":\"t\"}]"] {
        assert_eq!(codes(&list(text, &at(HOST), &lists()).1), [FlawCode::NoLayoutFits], "{text}");
    }
    for name in ["redesign.html", "login.html", "empty.html", "binary.bin"] {
        let (none, flaws) = article(&fixture(name), &at(HOST), &articles());
        assert!(none.is_none() && codes(&flaws) == [FlawCode::ArticleUnread], "{name}");
    }
}

#[test]
fn the_snapshot_feeds_four_channels() {
    let text = fixture("b-article.shtml");
    let url = at("http://comment.workercn.cn/424/201912/10/191210205750104.shtml");
    let read = |name: &str| list(&text, &url, &[layout(name)]).0.entries;
    let shiping = read("中工时评");
    assert_eq!(shiping.len(), 4);
    assert_eq!(
        shown(&shiping[1]),
        "中工时评：主动作为、积极作为，坚决打赢根治欠薪攻坚战 | http://comment.workercn.cn/424/201912/09/191209091547263.shtml | 424/191209091547263 | 2019-12-09 09:15:47 |  | 近日，全总下发《关于参与做好2019年度根治欠薪冬季攻坚行动的通知》，进一步落实党中央、国务院决策部署，向欠薪“顽疾”发起总攻，社会舆论对此给予高度赞誉。 | "
    );
    let titles: Vec<String> = read("人物").iter().map(|entry| entry.title.as_ref().unwrap().value.clone()).collect();
    assert_eq!(
        titles,
        [
            "她的坚强是面镜子，照见一些人的懦弱",
            "李子柒为何能走红海外",
            "民警童德的微信头像很特别",
            "“农民院士”，火热时代的精神坐标"
        ]
    );
    let manhua = read("漫画评论");
    assert_eq!(manhua.len(), 4);
    assert_eq!(
        shown(&manhua[0]),
        "“指尖”减负 | http://comment.workercn.cn/443/201912/10/191210134026773.shtml | 443/191210134026773 | 2019-12-10 13:40:26 |  |  | http://comment.workercn.cn/html/files/2019-12/10/20191210134012357418203.jpg"
    );
    let shishi = read("page-2019");
    assert_eq!(shishi.len(), 1);
    assert_eq!(
        shown(&shishi[0]),
        "在密切联系群众中勇往直前 | http://comment.workercn.cn/424/201912/10/191210205750104.shtml | 424/191210205750104 | 2019-12-10 20:57:50 > 2019-12-10 20:57:50 | 金羊网 |  | "
    );
    let file = format!("{}/snapshots/article-2019-12-10.shtml", env!("CARGO_MANIFEST_DIR"));
    assert_eq!(decode(&std::fs::read(file).unwrap(), None).text, text);
}

fn read(name: &str, url: &str, layouts: &[(String, crate::model::ArticleLayout)]) -> Article {
    let (found, flaws) = article(&fixture(name), &at(url), layouts);
    assert_eq!(codes(&flaws), [], "{name}");
    found.expect(name)
}

/// Layout, title, date, source, authors, editor.
fn credits(page: &Article) -> String {
    let names = |people: &[crate::model::Person]| people.iter().map(|p| p.name.clone()).collect::<Vec<_>>().join("、");
    let date = page.date.as_ref().map(|date| date.text.clone()).unwrap_or_default();
    let editor = page.editor.as_ref().map(|editor| editor.name.clone()).unwrap_or_default();
    let (title, source) = (page.title.clone().unwrap_or_default(), page.source.clone().unwrap_or_default());
    [page.layout.clone(), title, date, source, names(&page.authors), editor].join(" | ")
}

#[test]
fn articles_of_every_template() {
    for (name, expected, body) in [
        (
            "b-article-no-byline.shtml",
            "article-2019 | 中工时评：让宪法的阳光温暖更多人的心灵 | 2019-12-04 09:06:12 | 中工网 |  | 王小",
            "<div><p>　　图片来源：新华社</p><p>　　今天是第六个国家宪法日。</p></div>",
        ),
        (
            "b-article-2.shtml",
            "article-2019-news | 两会看点 | 2020-05-25 20:09:12 | 新华网 |  | ",
            "<p>　　第一段。</p><p>　　第二段。<img src=\"http://comment.workercn.cn/html/files/2020-05/25/20200525200858123456789.jpg\"></p>",
        ),
        (
            "a-article-3.shtml",
            "article-2018 | 内蒙古总工会送清凉 | 2018-07-23 09:03 | 内蒙古工人报 |  | ",
            "<p>　　各级工会为一线职工送去清凉。</p>",
        ),
        (
            "c-article-2021.shtml",
            "article-2021 | 以奋斗书写荣光 | 2021-12-20 07:30 | 工人日报客户端 |  | 李明",
            "<p>　　奋斗者最美。</p><div>责任编辑：李明</div>",
        ),
        (
            "c-article-2022.shtml",
            "article-2021 | 一线的坚守 | 来源:新华网 2022-04-30 08:52 | 新华网 |  | ",
            "<p>　　凌晨四点，他已在路上。</p><p><a href=\"http://comment.workercn.cn/a.shtml\">相关</a><a>打印</a></p>",
        ),
    ] {
        let page = read(name, "http://comment.workercn.cn/424/1.shtml", &articles());
        assert_eq!(credits(&page), expected, "{name}");
        assert_eq!(page.body, body, "{name}");
        assert_eq!(page.next, None, "{name}");
    }
}

#[test]
fn the_users_document_in_full() {
    let page = read("b-article.shtml", "http://comment.workercn.cn/424/201912/10/191210205750104.shtml", &articles());
    assert_eq!(credits(&page), "article-2019 | 在密切联系群众中勇往直前 | 2019-12-10 20:57:50 | 金羊网 | 雨露 | 柳阳");
    assert_eq!(page.paragraphs.len(), 6);
    assert!(
        page.body.starts_with("<p>\u{3000}\u{3000}密切联系群众是中国共产党的优良传统。如今，开展"),
        "{}",
        page.body
    );
    assert!(page.body.ends_with("“中国梦”而不懈奋斗。</p>"));
    let mut entry = ParsedEntry { title: Some(Text::plain("在密切联系…")), ..ParsedEntry::default() };
    join(&mut entry, &[page]);
    assert_eq!(entry.title.as_ref().unwrap().value, "在密切联系群众中勇往直前");
    let summary = entry.summary.unwrap().value;
    assert!(
        summary.starts_with("密切联系群众是") && summary.ends_with('”') && summary.chars().count() <= 150,
        "{summary}"
    );
    assert!(entry.article_read && entry.authors[0].name == "雨露" && entry.contributors[0].name == "柳阳");
}

#[test]
fn comics_are_picture_enclosure_and_content() {
    let base = "http://comment.workercn.cn/443/201512/08/151208140042115.shtml";
    for (name, expected, picture, body) in [
        (
            "comic-2015.shtml",
            "comic | 画中话 | 2015-12-08 来源: 河南日报 | 河南日报 | 吴之如 | ",
            "http://comment.workercn.cn/html/files/2015-12/08/20151208140018000123456.jpg",
            "<p>　　图/吴之如</p>",
        ),
        (
            "comic-2019.shtml",
            "comic | “指尖”减负 | 2019-12-10 13:40:30 | 中工网 |  | 柳阳",
            "http://comment.workercn.cn/html/files/2019-12/10/20191210134012357418203.jpg",
            "alt=\"“指尖”减负\"></p>",
        ),
    ] {
        let page = read(name, base, &comic());
        assert_eq!(credits(&page), expected, "{name}");
        let mut entry = ParsedEntry::default();
        join(&mut entry, &[page]);
        assert_eq!(entry.enclosures.len(), 1, "{name}");
        assert_eq!(
            (entry.enclosures[0].url.as_str(), entry.enclosures[0].media_type.as_deref()),
            (picture, Some("image/jpeg"))
        );
        assert_eq!(entry.images[0].url, picture);
        let content = entry.content.unwrap().value;
        assert!(content.matches(picture).count() == 1 && content.ends_with(body), "{content}");
    }
    // A comic without its picture is not one.
    assert!(article("<h1 class=ctitle>t</h1><div class=ccontent>文字</div>", &at(base), &comic()).0.is_none());
}

#[test]
fn several_pages_are_one_article() {
    let mut url = at("http://comment.workercn.cn/424/201910/18/191018155555336.shtml");
    let mut pages = Vec::new();
    for n in 1..=3 {
        let page = read(&format!("b-article-page{n}.shtml"), url.as_str(), &articles());
        if let Some(next) = &page.next {
            assert_eq!(
                next.as_str(),
                format!("http://comment.workercn.cn/424/201910/18/191018155555336_{}.shtml", n + 1)
            );
            url = next.clone();
        }
        pages.push(page);
    }
    assert!(pages[2].next.is_none());
    let mut entry = ParsedEntry {
        title: Some(Text::plain("列表里的题")),
        summary: Some(Text::plain("列表里的话")),
        ..ParsedEntry::default()
    };
    join(&mut entry, &pages);
    assert_eq!(entry.content.unwrap().value, "<p>　　第1页。</p>\n<p>　　第2页。</p>\n<p>　　第3页。</p>");
    assert_eq!(
        (entry.title.unwrap().value.as_str(), entry.summary.unwrap().value.as_str()),
        ("列表里的题", "列表里的话")
    );
    assert_eq!(entry.contributors[0].name, "赵红");
}
