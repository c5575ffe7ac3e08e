//! A feed as the service publishes it, for tests, benches and the preview of the pages. Expects the
//! including module to have `model` in scope.

// Benches and examples, which include this file too, are not tests to clippy.
#![allow(clippy::unwrap_used, clippy::too_many_lines)]

use super::model::{
    Category, DateRung, Dated, Enclosure, Entry, EntryId, Feed, Image, Link, Person, Precision, Record, Source,
    Standing,
};
use chrono::{DateTime, FixedOffset, Utc};

const TITLES: &[(&str, &str, &str)] = &[
    (
        "让技能人才“香”起来，先得让待遇“实”起来",
        "柳河",
        "工厂里最稀缺的不是机器，而是会让机器听话的人。打通技能人才的上升通道，既要看得见的荣誉，也要算得清的工资单。",
    ),
    (
        "外卖骑手的“等灯时间”，不该由骑手独自买单",
        "沈一舟",
        "红灯前的九十秒，是规则，也是安全。平台的算法若把它当作迟到的理由，就等于把风险递到了骑手手上。",
    ),
    (
        "人物｜三十年守一座桥，他把每颗螺栓都听出了脾气",
        "周望",
        "凌晨四点，江面起雾。老何提着手锤上桥，一锤一听，从北岸走到南岸，正好天亮。",
    ),
    ("漫画：证明“我是我”", "", ""),
    (
        "AI “上岗”之后，夜班编辑如何重新排班？",
        "林知夏",
        "工具变快了，交接却变多了。一家地方报社用半年时间摸索出一张新的值班表。",
    ),
    (
        "一封来自社区食堂的账单：十元一餐，钱从哪里省下来",
        "",
        "老人说味道淡了点，但热乎；会计说菜价涨了点，但平。看懂一张账单，就看懂了一个社区。",
    ),
];

/// An instant of the sample, in the portal's zone.
pub(crate) fn instant(text: &str) -> DateTime<FixedOffset> {
    DateTime::parse_from_rfc3339(text).unwrap()
}

/// One entry, number `n` from the newest.
pub(crate) fn record(n: usize) -> Record {
    let (title, author, summary) = TITLES[n % TITLES.len()];
    let published = instant("2026-11-23T15:41:16+08:00") - chrono::Duration::hours(7 * i64::try_from(n).unwrap());
    let url = format!("https://www.workercn.cn/c/2026-11-23/{}.shtml", 8_907_680 - n);
    let paragraph = |text: &str| format!("<p>　　{text}</p>");
    let comic = summary.is_empty();
    let picture = format!("https://www.workercn.cn/upload/resources/image/2026/11/23/{}_526x296c.jpg", 3_001 + n);
    let body = [
        summary,
        "数字背后是一个个具体的人：谁在加班，谁在等待，谁的名字没有写进表彰名单。",
        "把该给的给到位，把该管的管起来，道理并不复杂。",
    ];
    Record {
        channel: "shiping".parse().unwrap(),
        number: 4_000 - n as u64,
        seq: 4_000 - n as u64,
        first_seen: published.with_timezone(&Utc) + chrono::Duration::minutes(4),
        changed: published.with_timezone(&Utc) + chrono::Duration::minutes(4),
        standing: Standing::Live,
        withdrawn: None,
        entry: Entry {
            id: EntryId(format!("urn:uuid:00000000-0000-5000-8000-{n:012}")),
            url: Some(url),
            title: title.to_owned(),
            summary: (!comic).then(|| summary.to_owned()),
            content: Some(if comic {
                format!("<figure><img src=\"{picture}\" alt=\"漫画\"><figcaption>图/吴一笔</figcaption></figure>")
            } else {
                body.iter().cycle().take(9).map(|text| paragraph(text)).collect()
            }),
            published: Dated {
                at: published,
                precision: if comic { Precision::Day } else { Precision::Second },
                rung: DateRung::Article,
            },
            updated: (n % 6 == 2).then(|| published + chrono::Duration::hours(2)),
            authors: if author.is_empty() { vec![] } else { vec![Person::named(author)] },
            contributors: vec![Person::named("柳阳")],
            categories: vec![Category { term: "时评".to_owned(), ..Category::default() }],
            enclosures: if comic {
                vec![Enclosure {
                    url: picture.clone(),
                    media_type: Some("image/jpeg".to_owned()),
                    ..Enclosure::default()
                }]
            } else {
                vec![]
            },
            images: if comic || n.is_multiple_of(3) {
                vec![Image { url: picture, alt: Some(format!("{title} 配图")), width: Some(526), height: Some(296) }]
            } else {
                vec![]
            },
            source: Some(Source {
                title: ["工人日报", "金羊网", "央广网"][n % 3].to_owned(), ..Source::default()
            }),
            language: None,
            rights: None,
            links: vec![Link {
                href: format!("https://www.workercn.cn/tag?a=1&b={n}"),
                rel: "related".to_owned(),
                ..Link::default()
            }],
        },
    }
}

/// A feed of `count` entries.
pub(crate) fn feed(count: usize) -> Feed {
    let entries: Vec<_> = (0..count).map(record).collect();
    Feed {
        id: "shiping".parse().unwrap(),
        title: "中工时评".to_owned(),
        description: "中工网评论员与读者的每日时评：就业、权益、技能与生活。".to_owned(),
        language: "zh-CN".to_owned(),
        home: Some("http://comment.workercn.cn/424/424.shtml".to_owned()),
        updated: instant("2026-11-23T15:46:00+08:00").with_timezone(&Utc),
        standing: Standing::Live,
        entries,
        joined: std::collections::BTreeMap::new(),
        show_joined: true,
        joined_in_content: false,
        tombstones: vec![],
    }
}
