//! Rules in the running service: full text is fetched once and kept, and no other rule causes a request.

use crate::binary::{folder_with, run, text as text_of};
use crate::kit::{Answer, Origin, Site};
use chrono::TimeDelta;

/// One entry of the source's feed.
fn item(number: u32, link: &str, more: &str) -> String {
    format!(
        "<item><guid isPermaLink=\"false\">g{number}</guid><title>工人日报评论第{number}篇</title><link>{link}</link>\
         <pubDate>Mon, 23 Nov 2026 0{number}:00:00 +0800</pubDate>\
         <description>&lt;p&gt;摘要{number}，详见原文。&lt;/p&gt;</description>{more}</item>"
    )
}

fn feed(items: &[String]) -> Answer {
    let head = "<rss version=\"2.0\" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\"><channel><title>源</title>\
                <link>http://news.test/</link><description>d</description>";
    Answer::new(200, "application/rss+xml", format!("{head}{}</channel></rss>", items.concat())).with_etag()
}

/// A page with an article among links.
fn article(number: u32) -> Answer {
    let links: String = (0..20).map(|n| format!("<li><a href=\"/{n}.html\">相关新闻{n}</a></li>")).collect();
    let text: String =
        (1..5).map(|n| format!("<p>第{number}篇第{n}段，{}，到此为止。</p>", "劳动者的合法权益".repeat(8))).collect();
    Answer::html(format!(
        "<html><head><meta charset=\"utf-8\"><title>评论</title></head><body><ul>{links}</ul>\
         <div class=\"text\">{text}<script>track()</script><img src=\"/p{number}.jpg\"></div></body></html>"
    ))
}

fn config(origin: &Origin, channel_rules: &str, feed_rules: &str) -> String {
    format!(
        "service: {{ title: T, base_url: 'http://127.0.0.1:8080/', allow_networks: [127.0.0.0/8] }}\n\
         channels:\n  news: {{ feed: 'http://news.test:{}/rss.xml', {channel_rules} }}\n\
         feeds:\n  news: {{ channels: [news], {feed_rules} }}\n",
        origin.port()
    )
}

fn paths(origin: &Origin) -> Vec<String> {
    origin.take_log().into_iter().map(|asked| asked.path).collect()
}

async fn text(site: &Site, title: &str) -> (String, String) {
    let entries = site.entries("news").await;
    let entry = entries.iter().find(|entry| entry["title"] == title).unwrap_or_else(|| panic!("{entries:?}"));
    let of = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
    (of("summary"), of("content_html"))
}

#[tokio::test]
async fn full_text_is_read_once_and_the_feed_does_not_take_it_back() {
    let origin = Origin::start();
    let site = Site::start(&config(&origin, "rules: [{ full_text: true }]", "limit: 50")).await;
    let items = [item(1, "/a/1.html", ""), item(2, "/a/2.html", "")];
    origin.put("/rss.xml", feed(&items));
    origin.put("/a/1.html", article(1));
    origin.put("/a/2.html", Answer::status(500));
    site.poll().await;
    let mut asked = paths(&origin);
    asked.sort();
    assert_eq!(asked, ["/a/1.html", "/a/2.html", "/rss.xml"]);
    let (summary, content) = text(&site, "工人日报评论第1篇").await;
    assert_eq!(summary, "摘要1，详见原文。");
    assert!(content.contains("第1篇第4段") && !content.contains("相关新闻") && !content.contains("track"), "{content}");
    assert!(content.contains(&format!("http://news.test:{}/p1.jpg", origin.port())), "{content}");
    let (summary, content) = text(&site, "工人日报评论第2篇").await;
    assert_eq!((summary.as_str(), content.contains("第2篇第1段")), ("摘要2，详见原文。", false));
    assert_eq!(site.flaws("news").await, ["article-unread"]);
    let ids = site.ids("news").await;

    // The feed changes: what was read stays, what failed is tried again, what is new is read.
    origin.put("/rss.xml", feed(&[item(3, "/a/3.html", ""), items[1].clone(), items[0].clone()]));
    origin.put("/a/2.html", article(2));
    origin.put("/a/3.html", article(3));
    site.after(TimeDelta::hours(8)).await;
    assert!(paths(&origin).contains(&"/a/2.html".to_owned()));
    for number in 1..4 {
        let (summary, content) = text(&site, &format!("工人日报评论第{number}篇")).await;
        assert_eq!(summary, format!("摘要{number}，详见原文。"));
        assert!(content.contains(&format!("第{number}篇第4段")), "{number}: {content}");
    }
    assert_eq!(site.ids("news").await[1..], ids);
    assert_eq!(site.flaws("news").await, [] as [&str; 0]);

    // A page is corrected while the feed says nothing new: the text is the page's, the summary still the feed's.
    origin.put("/a/1.html", article(7));
    site.after(TimeDelta::hours(20)).await;
    let (summary, content) = text(&site, "工人日报评论第1篇").await;
    assert_eq!((summary.as_str(), content.contains("第7篇第4段")), ("摘要1，详见原文。", true), "{content}");

    // Days later nothing is asked for but the list, and nothing moves.
    site.after(TimeDelta::days(3)).await;
    let before = site.get("/feeds/news.atom").await.body;
    origin.take_log();
    origin.put("/rss.xml", feed(&[items[0].clone(), items[1].clone(), item(3, "/a/3.html", "")]));
    site.after(TimeDelta::days(1)).await;
    assert_eq!(paths(&origin), ["/rss.xml"]);
    assert_eq!(site.get("/feeds/news.atom").await.body, before);
}

#[tokio::test]
async fn full_text_asks_for_no_page_that_is_no_article() {
    let origin = Origin::start();
    let rules = "rules: [{ full_text: { select: div.text, remove: script, replace: false } }]";
    let site = Site::start(&config(&origin, rules, "limit: 50")).await;
    let whole = "<content:encoded>&lt;p&gt;全文在此。&lt;/p&gt;</content:encoded>";
    let bare = |number: u32, link: &str| item(number, link, "").replace("&lt;p&gt;", "").replace("&lt;/p&gt;", "");
    origin.put(
        "/rss.xml",
        feed(&[
            item(1, "/a/1.html", whole),
            bare(2, "/a/2.html"),
            bare(3, "/"),
            bare(4, "/"),
            bare(5, "javascript:alert(1)"),
            bare(6, "http://10.0.0.1/x"),
        ]),
    );
    origin.put("/a/2.html", article(2));
    site.poll().await;
    let mut asked = paths(&origin);
    asked.sort();
    assert_eq!(asked, ["/a/2.html", "/rss.xml"], "with a text, with a shared link, without a link");
    assert!(text(&site, "工人日报评论第1篇").await.1.contains("全文在此"));
    assert!(text(&site, "工人日报评论第2篇").await.1.contains("第2篇第4段"));
}

#[tokio::test]
async fn other_rules_are_retroactive_and_ask_nobody() {
    let origin = Origin::start();
    let site = Site::start(&config(&origin, "every: 1h", "limit: 50")).await;
    origin.put("/rss.xml", feed(&[item(1, "/a/1.html", ""), item(2, "/a/2.html", "")]));
    site.poll().await;
    origin.take_log();
    let fingerprint = |config: &str| {
        let loaded = heliu::config::load(config, "feeds.yaml", std::path::Path::new(""), &heliu::worker::validators());
        heliu::config::fingerprint(&loaded.config.unwrap().channels[0])
    };
    let plain = config(&origin, "every: 1h", "limit: 50");
    let ruled = config(&origin, "every: 1h, rules: [{ drop: { title: 第1篇 } }]", "rules: [{ prefix: channel }]");
    let full = config(&origin, "every: 1h, rules: [{ full_text: true }]", "limit: 50");
    assert_eq!(fingerprint(&plain), fingerprint(&ruled));
    assert_ne!(fingerprint(&plain), fingerprint(&full), "what is read is another thing");
    assert!(matches!(site.edit(&ruled).await, heliu::worker::Reloaded::Applied(_)));
    site.poll().await;
    assert_eq!(paths(&origin), [] as [&str; 0]);
    assert!(matches!(site.edit(&full).await, heliu::worker::Reloaded::Applied(_)));
    site.poll().await;
    assert!(paths(&origin).contains(&"/rss.xml".to_owned()), "the feed is read anew");
}

#[test]
fn explain_follows_each_entry_through_its_rules() {
    let origin = Origin::start();
    let title = "评论员谈劳动者权益保障的三件大事";
    let reprint = |xml: &str| xml.replace("工人日报评论第1篇", &format!("【转载】{title}"));
    origin.put("/b.xml", feed(&[reprint(&item(1, "/b/1.html", "")).replace("g1", "other")]));
    origin.put(
        "/a.xml",
        feed(&[
            item(1, "/a/1.html", "").replace("工人日报评论第1篇", title),
            item(2, "/a/2.html", ""),
            item(3, "/a/3.html", ""),
        ]),
    );
    let host = format!("http://127.0.0.1:{}", origin.port());
    let folder = folder_with(&format!(
        "service: {{ title: T, base_url: 'http://127.0.0.1:8080/', allow_networks: [127.0.0.0/8] }}
channels:
  a: {{ title: 甲报, feed: '{host}/a.xml', rules: [{{ drop: {{ title: 第2篇 }} }}, {{ rewrite: {{ field: link, pattern: '^http', with: ftp }} }}] }}
  b: {{ title: 乙报, feed: '{host}/b.xml', rules: [{{ rewrite: {{ field: title, pattern: '^【转载】', with: '' }} }}] }}
feeds:
  both: {{ channels: [a, b], duplicates: {{ by: [title], window: 3d }}, rules: [{{ drop: {{ title: 第3篇 }} }}, {{ prefix: channel }}] }}
"
    ));
    let output = run(folder.path(), &["preview", "both", "--explain"]);
    let told = text_of(&output.stdout);
    assert!(output.status.success(), "{}", text_of(&output.stderr));
    for line in [
        "    dropped by rule 1 of the channel: drop: { title: 第2篇 }\n",
        "    channel 1  drop: { title: 第2篇 } – no change\n",
        "        ftp: is neither http nor https; the link stays\n",
        "    dropped by rule 1 of the feed: drop: { title: 第3篇 }\n",
        &format!("        title: 【转载】{title} → {title}\n"),
        &format!("        title: {title} → 甲报：{title}\n"),
        "    shown\n",
        &format!("    joined by title into “{title}”"),
        "    before: source 源; summary 摘要1，详见原文。; content of",
    ] {
        assert!(told.contains(line), "{line}\n{told}");
    }
    let output = run(folder.path(), &["preview", "both", "--explain", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let left_out = json["_heliu"]["left_out"].as_array().unwrap();
    let why: Vec<_> = left_out.iter().map(|one| one["why"].to_string()).collect();
    assert_eq!(why.len(), 3, "{why:?}");
    assert!(why.iter().any(|why| why.contains("\"by\":\"title\"")), "{why:?}");
    let shown = json["items"].as_array().unwrap().iter().find(|item| item["id"] == "g1").unwrap();
    let steps = shown["_heliu"]["rules"].as_array().unwrap();
    assert_eq!(steps.len(), 4, "{steps:?}");
    assert_eq!(steps[3]["changes"][0]["new"], format!("甲报：{title}"));
    let plain = run(folder.path(), &["preview", "both", "--json"]);
    assert!(!text_of(&plain.stdout).contains("left_out"));
    let address = run(folder.path(), &["preview", &format!("{host}/a.xml"), "--explain"]);
    assert_eq!(address.status.code(), Some(1));
    assert!(text_of(&address.stderr).contains("name a channel or feed"), "{}", text_of(&address.stderr));
}
