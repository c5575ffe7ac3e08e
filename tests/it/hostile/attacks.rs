//! The attacks: what is sent, and where it is meant to do harm.

use std::fmt::Write as _;

/// Where an attack goes.
pub(super) enum Path {
    /// Through everything that a polled document goes through.
    Document,
    /// Through the reader of articles, and the look for a login.
    FullText,
    /// Through `heliu import`.
    Subscriptions,
    /// Through the reader of feeds.yaml.
    Configuration,
    /// A page for the layouts of this feeds.yaml.
    Layout(String),
}

pub(super) struct Attack {
    pub(super) bytes: Vec<u8>,
    pub(super) path: Path,
}

/// Makes an attack.
pub(super) type Make = fn() -> Attack;

const DEEP: usize = 1_000_000;

fn document(text: impl Into<Vec<u8>>) -> Attack {
    Attack { bytes: text.into(), path: Path::Document }
}

fn full_text(text: impl Into<Vec<u8>>) -> Attack {
    Attack { bytes: text.into(), path: Path::FullText }
}

fn rss(item: &str) -> Attack {
    document(format!(
        "<rss version=\"2.0\"><channel><title>t</title><item><guid>1</guid><title>t</title>{item}</item></channel></rss>"
    ))
}

/// Markup as the content of an entry, which is sanitised.
fn content(html: &str) -> Attack {
    rss(&format!("<description><![CDATA[{html}]]></description>"))
}

fn numbered(count: usize, mut one: impl FnMut(usize, &mut String)) -> String {
    let mut text = String::new();
    for n in 0..count {
        one(n, &mut text);
    }
    text
}

/// Entities that stand for ever more of the one before: a billion laughs.
fn laughs() -> String {
    let mut text = "<!DOCTYPE rss [<!ENTITY l0 \"lol\">".to_owned();
    for n in 1..50 {
        let below = n - 1;
        let _ = write!(text, "<!ENTITY l{n} '{}'>", format!("&l{below};").repeat(10));
    }
    text + "]>"
}

fn in_layout(selector: &str, page: String) -> Attack {
    let yaml = format!(
        "service: {{ title: t, base_url: 'http://a.example/' }}\nlayouts:\n  l: {{ entry: '{selector}', title: a, link: a @href, image: img }}\n\
         channels:\n  c: {{ page: 'http://a.example/', layouts: l }}\nfeeds:\n  f: {{ channels: [c] }}\n"
    );
    Attack { bytes: page.into_bytes(), path: Path::Layout(yaml) }
}

/// A page of a megabyte: depth and breadth as far as the reader goes.
fn megabyte() -> String {
    let branch = format!("{}<a href=/1>t</a>{}", "<div class=\"a b c\">".repeat(120), "</div>".repeat(120));
    branch.repeat((1 << 20) / branch.len())
}

/// Every attack by its name.
#[expect(clippy::too_many_lines, reason = "one table")]
pub(super) fn attacks() -> Vec<(&'static str, Make)> {
    vec![
        // --- XML ---
        ("a billion laughs", || {
            document(laughs() + "<rss><channel><title>&l49;</title><item><title>&l49;</title></item></channel></rss>")
        }),
        ("quadratic blow-up", || {
            document(format!(
                "<!DOCTYPE rss [<!ENTITY a \"{}\">]><rss><channel><item><title>{}</title></item></channel></rss>",
                "a".repeat(100_000),
                "&a;".repeat(500_000)
            ))
        }),
        ("an external entity", || {
            document(
                "<!DOCTYPE rss [<!ENTITY x SYSTEM \"file:///etc/passwd\"><!ENTITY % p SYSTEM \"http://127.0.0.1:1/x.dtd\"> %p;]><rss><channel><item><title>&x;</title></item></channel></rss>",
            )
        }),
        ("a document type without end", || document(format!("<!DOCTYPE rss [{}", "<!ENTITY a 'b'>".repeat(500_000)))),
        ("elements a million deep", || document("<a>".repeat(DEEP))),
        ("elements a million deep in a feed", || rss(&"<x>".repeat(DEEP))),
        ("elements a million deep in XHTML content", || {
            document(format!(
                "<feed xmlns=\"http://www.w3.org/2005/Atom\"><entry><id>a</id><title>t</title><content type=\"xhtml\">{}",
                "<div>".repeat(DEEP)
            ))
        }),
        ("items inside items", || document(format!("<rss><channel>{}", "<item><title>t</title>".repeat(300_000)))),
        ("categories inside categories", || rss(&"<category>".repeat(500_000))),
        ("entries by the million", || document(format!("<rss><channel>{}", "<item/>".repeat(1_400_000)))),
        ("entries with text by the hundred thousand", || {
            document(format!("<rss><channel>{}", "<item><title>x</title><guid>1</guid></item>".repeat(200_000)))
        }),
        ("800,000 attributes", || {
            document(format!(
                "<rss {}>",
                numbered(800_000, |n, out| {
                    let _ = write!(out, "a{n}='' ");
                })
            ))
        }),
        ("800,000 attributes of an entry's link", || {
            rss(&format!(
                "<link {}/>",
                numbered(800_000, |n, out| {
                    let _ = write!(out, "a{n}='' ");
                })
            ))
        }),
        ("a million namespaces", || {
            document(format!(
                "<rss {}>",
                numbered(500_000, |n, out| {
                    let _ = write!(out, "xmlns:a{n}='u' ");
                })
            ))
        }),
        ("namespaces at every level", || {
            document(numbered(400_000, |n, out| {
                let _ = write!(out, "<a xmlns:n{n}='u'>");
            }))
        }),
        ("a name of ten megabytes", || document(format!("<{}>", "a".repeat(10 << 20)))),
        ("a text of ten megabytes", || rss(&format!("<description>{}</description>", "a".repeat(10 << 20)))),
        ("ampersands", || rss(&format!("<description>{}</description>", "&".repeat(8 << 20)))),
        ("unknown entities", || rss(&format!("<description>{}</description>", "&abcdefgh;".repeat(800_000)))),
        ("angle brackets", || document("<".repeat(8 << 20))),
        ("comments that never end", || document("<!--".repeat(2 << 20))),
        ("CDATA that never ends", || document(format!("<rss><channel><item>{}", "<![CDATA[".repeat(900_000)))),
        ("instructions that never end", || document("<?x ".repeat(2 << 20))),
        ("end tags", || document(format!("<rss><channel>{}", "</a>".repeat(2_000_000)))),
        ("start and end tags that do not fit", || document(format!("<rss><channel>{}", "<a></b>".repeat(1_000_000)))),
        ("xml:base at every level", || {
            document(format!(
                "<feed xmlns='http://www.w3.org/2005/Atom'>{}",
                "<entry xml:base='a/b/'><link href='c'/>".repeat(200_000)
            ))
        }),
        ("relative bases that grow", || {
            document(format!(
                "<feed xmlns='http://www.w3.org/2005/Atom' xml:base='http://a.example/{}'>{}",
                "a/".repeat(100_000),
                "<entry><id>x</id><link href='c'/></entry>".repeat(5_000)
            ))
        }),
        ("links by the hundred thousand in one entry", || rss(&"<link>http://a.example/1</link>".repeat(200_000))),
        ("enclosures by the hundred thousand in one entry", || {
            rss(&numbered(150_000, |n, out| {
                let _ = write!(out, "<enclosure url='http://a.example/{n}'/>");
            }))
        }),
        ("categories by the hundred thousand in one entry", || {
            rss(&numbered(300_000, |n, out| {
                let _ = write!(out, "<category>{n}</category>");
            }))
        }),
        ("authors by the hundred thousand in one entry", || {
            rss(&numbered(200_000, |n, out| {
                let _ = write!(out, "<author>a{n}@b.example</author>");
            }))
        }),
        ("UTF-7 and UTF-16 claims", || document([&b"\xff\xfe"[..], &b"<\0r\0s\0s\0>\0".repeat(800_000)[..]].concat())),
        ("bytes that fit no charset", || document(b"\x81\xff\xfe\xa0".repeat(2_000_000))),
        ("charset declarations", || document("<meta charset=gbk>".repeat(500_000))),
        // --- dates ---
        ("comments in a date, a megabyte deep", || rss(&format!("<pubDate>{}</pubDate>", "(".repeat(1 << 20)))),
        ("a date of digits", || rss(&format!("<pubDate>{}</pubDate>", "1".repeat(4 << 20)))),
        ("dates by the thousand", || {
            document(format!(
                "<rss><channel>{}",
                format!("<item><guid>1</guid><title>t</title><pubDate>{}</pubDate></item>", "Mon, ".repeat(400))
                    .repeat(4_900)
            ))
        }),
        // --- JSON ---
        ("JSON a million deep", || {
            document(format!("{{\"version\":\"https://jsonfeed.org/version/1.1\",\"items\":{}", "[".repeat(DEEP)))
        }),
        ("JSON objects a million deep", || document("{\"a\":".repeat(DEEP))),
        ("JSON lists a million deep", || document("[".repeat(DEEP))),
        ("JSON keys", || {
            document(format!(
                "{{{}",
                numbered(500_000, |n, out| {
                    let _ = write!(out, "\"k{n}\":1,");
                })
            ))
        }),
        ("JSON numbers", || document(format!("[{}1]", "1e999999999,".repeat(500_000)))),
        ("a JSON number of a megabyte", || document(format!("[{}]", "1".repeat(1 << 20)))),
        ("JSON items by the million", || {
            document(format!(
                "{{\"version\":\"https://jsonfeed.org/version/1.1\",\"items\":[{}{{}}]}}",
                "{},".repeat(2_000_000)
            ))
        }),
        ("JSON escapes", || {
            document(format!(
                "{{\"version\":\"https://jsonfeed.org/version/1.1\",\"items\":[{{\"id\":\"{}\"}}]}}",
                "\\u0041".repeat(1_000_000)
            ))
        }),
        // --- HTML, as a page ---
        ("divisions a million deep", || document("<div>".repeat(DEEP))),
        ("bold a million deep", || document("<b>".repeat(DEEP))),
        ("fonts of a million colours", || {
            document(numbered(500_000, |n, out| {
                let _ = write!(out, "<font color={n}>");
            }))
        }),
        ("links a million deep", || document("<a href=x>".repeat(600_000))),
        ("tables in tables", || document("<table><tr><td>".repeat(300_000))),
        ("text between table rows", || document(format!("<table>{}", "x<tr>".repeat(700_000)))),
        ("lists in lists", || document("<ul><li>".repeat(500_000))),
        ("buttons, marquees, objects", || document("<button><marquee><object>".repeat(200_000))),
        ("templates", || document("<template>".repeat(400_000))),
        ("svg and math", || document("<svg><foreignObject><math><mi>".repeat(150_000))),
        ("formatting that is opened anew for each paragraph", || {
            document(format!(
                "{}{}",
                numbered(2_000, |n, out| {
                    let _ = write!(out, "<b id={n}>");
                }),
                "<p>".repeat(300_000)
            ))
        }),
        ("adoption", || document("<b><p></b>".repeat(400_000))),
        ("adoption, nested", || document("<a><b><i><u><s><p></a></b></i></u></s>".repeat(100_000))),
        ("select and options", || document(format!("<select>{}", "<option><optgroup>".repeat(300_000)))),
        ("frames", || document("<frameset>".repeat(500_000))),
        ("forms", || document("<form><div></form>".repeat(200_000))),
        ("half a million attributes", || {
            document(format!(
                "<div {}>",
                numbered(500_000, |n, out| {
                    let _ = write!(out, "a{n} ");
                })
            ))
        }),
        ("body tags with attributes", || {
            document(numbered(300_000, |n, out| {
                let _ = write!(out, "<body a{n}=1>");
            }))
        }),
        ("a script without end", || document(format!("<script>{}", "<!--<script>".repeat(400_000)))),
        ("references without end", || document(format!("<p>{}", "&lt".repeat(1_500_000)))),
        ("a title of four megabytes", || document(format!("<title>{}", "题".repeat(1_300_000)))),
        ("list items of a layout", || {
            document(numbered(40_000, |n, out| {
                let _ = write!(
                    out,
                    "<li id=li_{n}><h3><a href=/c/2026-11-01/{n}.shtml>标题{n}</a></h3><span class=info2>2026-11-01</span></li>"
                );
            }))
        }),
        ("list items inside list items of a layout", || {
            document(format!(
                "<ul>{}",
                numbered(200, |n, out| {
                    let _ = write!(out, "<div id=li_{n}><li id=li_{n}><h3><a href=/c/{n}.shtml>标题</a></h3><ul>");
                })
            ))
        }),
        // --- HTML, as the content of an entry ---
        ("content a million deep", || content(&"<div>".repeat(DEEP))),
        ("content of bold a million deep", || content(&"<b>".repeat(DEEP))),
        ("content of tables", || content(&"<table><tr><td>".repeat(130_000))),
        ("content of lists", || content(&"<ul><li>".repeat(250_000))),
        ("content of adoption", || content(&"<b><p></b>".repeat(200_000))),
        ("content of links", || content(&"<a href='http://a.example/'>x</a>".repeat(60_000))),
        ("content of svg", || content(&"<svg><g>".repeat(250_000))),
        ("content of attributes", || {
            content(&format!(
                "<p {}>",
                numbered(200_000, |n, out| {
                    let _ = write!(out, "a{n}=1 ");
                })
            ))
        }),
        ("content of references", || content(&"&amp;".repeat(400_000))),
        ("content of angle brackets", || content(&"<".repeat(2 << 20))),
        ("links in all contents", || {
            document(format!(
                "<rss><channel>{}",
                format!(
                    "<item><title>t</title><description><![CDATA[{}]]></description></item>",
                    "<a href=b>x</a>".repeat(120)
                )
                .repeat(4_900)
            ))
        }),
        ("links in twenty contents", || {
            document(format!(
                "<rss><channel>{}",
                format!(
                    "<item><title>t</title><description><![CDATA[{}]]></description></item>",
                    "<a href=b>x</a>".repeat(6_000)
                )
                .repeat(20)
            ))
        }),
        ("content of comments", || content(&"<!---->x".repeat(250_000))),
        ("content of many in one document", || {
            document(format!(
                "<rss><channel>{}",
                format!(
                    "<item><title>t</title><description><![CDATA[{}]]></description></item>",
                    "<!---->x<p>".repeat(180)
                )
                .repeat(4_900)
            ))
        }),
        ("content of formatting opened anew", || {
            content(&format!(
                "{}{}",
                numbered(200, |n, out| {
                    let _ = write!(out, "<b title={n}>");
                }),
                "<p>x".repeat(100_000)
            ))
        }),
        ("contents by the thousand", || {
            document(format!(
                "<rss><channel>{}",
                format!(
                    "<item><title>t</title><description>{}</description></item>",
                    "&lt;p&gt;x&lt;b&gt;".repeat(120)
                )
                .repeat(4_500)
            ))
        }),
        ("pictures in content", || content(&"<img src='http://a.example/1.jpg' srcset='a 1x, b 2x'>".repeat(40_000))),
        ("content whose addresses grow by their base", || {
            document(format!(
                "<feed xmlns='http://www.w3.org/2005/Atom' xml:base='http://a.example/{}'><entry><id>x</id><title>t</title><content type='html'>{}</content></entry></feed>",
                "a/".repeat(1_000),
                "&lt;a href=b&gt;x&lt;/a&gt;&lt;img src=c&gt;".repeat(60_000)
            ))
        }),
        ("two hundred authors of five thousand entries", || {
            document(format!(
                "<feed xmlns='http://www.w3.org/2005/Atom'>{}{}</feed>",
                numbered(200, |n, out| {
                    let _ = write!(
                        out,
                        "<author><name>{n}{}</name><uri>http://a.example/{}</uri></author>",
                        "n".repeat(190),
                        "u".repeat(1000)
                    );
                }),
                numbered(5_000, |n, out| {
                    let _ = write!(out, "<entry><id>urn:x:{n}</id><title>t{n}</title></entry>");
                })
            ))
        }),
        ("addresses that are refused", || {
            document(format!(
                "<rss><channel>{}",
                "<item><guid>1</guid><link>javascript:x</link><link>javascript:x</link></item>".repeat(130_000)
            ))
        }),
        ("refused links by the hundred thousand", || {
            document(format!(
                "<rss><channel>{}",
                format!("<item><title>t</title>{}</item>", "<enclosure url='a:x'/>".repeat(90)).repeat(4_900)
            ))
        }),
        ("a page whose base is two megabytes long", || {
            document(format!(
                "<base href='http://a.example/{}/'>{}",
                "b".repeat(2 << 20),
                numbered(6_000, |n, out| {
                    let _ = write!(out, "<li id=li_{n}><h3><a href={n}.shtml>标题{n}</a></h3></li>");
                })
            ))
        }),
        // --- HTML, as an article ---
        ("an article whose base is eight kilobytes long", || {
            full_text(format!(
                "<base href='http://a.example/{}/'><div>{}</div>",
                "b".repeat(7_900),
                "<p>一段，又一段，说到这里。<a href=b>甲，乙</a><img src=c></p>".repeat(6_000)
            ))
        }),
        ("an article of pictures", || {
            full_text(numbered(40_000, |n, out| {
                let _ = write!(out, "<p>甲，乙，丙<img src={n}.jpg>");
            }))
        }),
        ("an article a million deep", || full_text("<div>".repeat(DEEP))),
        ("an article of paragraphs", || full_text("<p>一段，又一段，说到这里。</p>".repeat(60_000))),
        ("an article of divisions with commas", || full_text("<div><p>一，二，三</p>".repeat(60_000))),
        ("an article of breaks", || full_text(format!("<p>{}", "<br>\n".repeat(15_000)))),
        ("an article of spans", || full_text(format!("<div>{}</div>", "<span>字，字。</span>".repeat(18_000)))),
        ("an article as deep and wide as may be", || {
            full_text(format!("{}一，二，三。{}", "<div><p>".repeat(110), "</div>".repeat(110)).repeat(80))
        }),
        ("an article of tables", || full_text("<table><tr><td>甲，乙".repeat(6_000))),
        ("an article of commas", || full_text(format!("<p>{}</p>", ",".repeat(3_000_000)))),
        // --- subscriptions ---
        ("outlines a million deep", || Attack {
            bytes: format!("<opml><body>{}", "<outline text='a' xmlUrl='http://a.example/'>".repeat(220_000))
                .into_bytes(),
            path: Path::Subscriptions,
        }),
        ("folders a million deep", || Attack {
            bytes: format!("<opml><body>{}", "<outline>".repeat(DEEP)).into_bytes(),
            path: Path::Subscriptions,
        }),
        ("a hundred thousand subscriptions", || Attack {
            bytes: format!(
                "<opml><body>{}",
                numbered(100_000, |n, out| {
                    let _ = write!(out, "<outline text='t{n}' xmlUrl='http://a.example/{n}'/>");
                })
            )
            .into_bytes(),
            path: Path::Subscriptions,
        }),
        // --- feeds.yaml ---
        ("YAML lists a million deep", || Attack { bytes: "[".repeat(DEEP).into_bytes(), path: Path::Configuration }),
        ("YAML blocks a million deep", || Attack {
            bytes: "- ".repeat(500_000).into_bytes(),
            path: Path::Configuration,
        }),
        ("a selector of nested :not()", || Attack {
            bytes: in_yaml(&nested(":not(", "a", ")", 100_000)).into_bytes(),
            path: Path::Configuration,
        }),
        ("a selector of nested :has()", || Attack {
            bytes: in_yaml(&nested(":has(", "a", ")", 100_000)).into_bytes(),
            path: Path::Configuration,
        }),
        ("a selector of nested :is()", || Attack {
            bytes: in_yaml(&nested(":is(", "a", ")", 100_000)).into_bytes(),
            path: Path::Configuration,
        }),
        ("a selector of three thousand :not", || Attack {
            bytes: in_yaml(&nested(":not(", "a", ")", 3_000)).into_bytes(),
            path: Path::Configuration,
        }),
        ("a selector of three thousand :has", || Attack {
            bytes: in_yaml(&nested(":has(", "a", ")", 3_000)).into_bytes(),
            path: Path::Configuration,
        }),
        ("a selector of three thousand :is", || Attack {
            bytes: in_yaml(&nested(":is(", "a", ")", 3_000)).into_bytes(),
            path: Path::Configuration,
        }),
        ("a pattern of three thousand groups", || Attack {
            bytes: rule_yaml(&nested("(", "a", ")", 3_000)).into_bytes(),
            path: Path::Configuration,
        }),
        ("a selector of brackets", || Attack {
            bytes: in_yaml(&"[".repeat(500_000)).into_bytes(),
            path: Path::Configuration,
        }),
        ("a selector of combinators", || Attack {
            bytes: in_yaml(&"a > ".repeat(200_000)).into_bytes(),
            path: Path::Configuration,
        }),
        ("a selector of alternatives", || Attack {
            bytes: in_yaml(&format!("{}a", "a, ".repeat(250_000))).into_bytes(),
            path: Path::Configuration,
        }),
        ("a pattern of groups", || Attack {
            bytes: rule_yaml(&nested("(", "a", ")", 100_000)).into_bytes(),
            path: Path::Configuration,
        }),
        ("a pattern of counts", || Attack {
            bytes: rule_yaml("((((a{100}){100}){100}){100}){100}").into_bytes(),
            path: Path::Configuration,
        }),
        ("a pattern of classes", || Attack {
            bytes: rule_yaml(&"[a-z&&[".repeat(100_000)).into_bytes(),
            path: Path::Configuration,
        }),
        // --- selectors of feeds.yaml on a page that somebody else made ---
        ("a selector: every element below every other", || in_layout("div div div div div div a", megabyte())),
        ("a selector: one that has", || in_layout("div:has(span):has(b)", megabyte())),
        ("a selector: not one that has", || in_layout("div:not(:has(span))", megabyte())),
        ("a selector: the nth of many", || in_layout("a:nth-last-child(2n+1)", "<a href=/1>t</a>".repeat(60_000))),
        ("a selector: after all others", || in_layout("a ~ a ~ a ~ b", "<a href=/1>t</a>".repeat(60_000))),
        ("a selector: after another", || in_layout("b ~ a", "<a href=/1>t</a>".repeat(60_000))),
        ("a selector: after another, past comments", || {
            in_layout("b ~ a", "<a href=/1>t</a><!----><!---->".repeat(60_000))
        }),
        ("a selector: every one after every other", || {
            in_layout("a ~ a:not(b ~ a):has(~ a ~ b)", "<a href=/1>t</a>".repeat(60_000))
        }),
        ("a selector: contains, in each", || {
            in_layout(
                ":contains(\"zzz\") ~ a",
                format!("{}{}", "<div><a href=/1>t</a></div>".repeat(30_000), "a".repeat(1 << 20)),
            )
        }),
        ("a selector: has one after it", || in_layout("a:has(~ b)", "<a href=/1>t</a>".repeat(60_000))),
        ("a body of pictures", || {
            in_layout(
                "body",
                format!(
                    "<h1>t</h1><a href=/1>t</a>{}",
                    numbered(60_000, |n, out| {
                        let _ = write!(out, "<img src={n}.jpg>");
                    })
                ),
            )
        }),
        ("a selector: contains", || {
            in_layout("div:contains(\"zzz\")", format!("{}{}", "<div>".repeat(250), "aaa ".repeat(250_000)))
        }),
        ("a selector: has text", || {
            in_layout("div:has-text(\"zzz\")", format!("{}{}", "<div>".repeat(250), "aaa ".repeat(250_000)))
        }),
    ]
}

fn nested(open: &str, core: &str, close: &str, depth: usize) -> String {
    format!("{}{core}{}", open.repeat(depth), close.repeat(depth))
}

fn in_yaml(selector: &str) -> String {
    format!(
        "service: {{ title: t, base_url: 'http://a.example/' }}\nlayouts:\n  l: {{ entry: '{selector}', title: a, link: a @href, image: img }}\n\
         channels:\n  c: {{ page: 'http://a.example/', layouts: l }}\nfeeds:\n  f: {{ channels: [c] }}\n"
    )
}

fn rule_yaml(pattern: &str) -> String {
    in_yaml("a").replace("entry:", &format!("only: '{pattern}', entry:"))
}
