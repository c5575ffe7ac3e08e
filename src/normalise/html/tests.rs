//! The policy, checked on what a parser of its own makes of the result.

use super::scan::{Scanner, Token};
use super::{policy, sanitise, text};
use ::url::Url;
use proptest::prelude::*;
use std::time::{Duration, Instant};

const VECTORS: &str = include_str!("../../../tests/fixtures/html/attacks.txt");

fn base() -> Url {
    Url::parse("https://news.example.com/a/b.html").unwrap()
}

fn safe(html: &str) -> String {
    sanitise(html, &base())
}

/// Everything in the result is named by the policy, and cleaning it again changes nothing.
fn lawful(html: &str) {
    let out = safe(html);
    named_by_the_policy(&out, html);
    // ammonia alone keeps the policy, whatever the pass before it lets through.
    named_by_the_policy(&policy::AMMONIA.clean(html).to_string(), html);
    // What reads the result differently must not find a tag either.
    assert!(!out.to_ascii_lowercase().contains("<script"), "{out:?}");
    assert_eq!(safe(&out), out, "not stable: {html:?}");
}

/// What comes of it, by the law.
fn check(html: &str, expected: &str) {
    lawful(html);
    assert_eq!(safe(html), expected, "{html:?}");
}

fn named_by_the_policy(out: &str, html: &str) {
    for token in Scanner::new(out) {
        let Token::Start { name, attributes } = token else { continue };
        let allowed = policy::attributes(&name).unwrap_or_else(|| panic!("<{name}> in {out:?} from {html:?}"));
        for (attribute, value) in attributes {
            let known = allowed.contains(&attribute.as_str())
                || policy::EVERYWHERE.contains(&attribute.as_str())
                || (name.as_str(), attribute.as_str(), value) == ("a", "rel", "noopener noreferrer");
            assert!(known, "{attribute} in {out:?} from {html:?}");
            if policy::ADDRESSES.contains(&attribute.as_str()) {
                let url = Url::parse(&super::shape::decode(value)).unwrap_or_else(|_| panic!("{value} in {out:?}"));
                let schemes: &[&str] =
                    if name == "a" { &["http", "https", "mailto", "tel"] } else { &["http", "https"] };
                assert!(schemes.contains(&url.scheme()), "{value} in {out:?} from {html:?}");
            }
        }
    }
}

#[test]
fn no_attack_gets_through() {
    let vectors: Vec<_> = VECTORS.lines().filter(|line| !line.is_empty() && !line.starts_with("##")).collect();
    assert!(vectors.len() >= 150, "{}", vectors.len());
    for vector in vectors {
        let vector = vector.replace("\\n", "\n").replace("\\t", "\t").replace("\\0", "\0").replace("\\x01", "\x01");
        // Alone, inside an article, and unfinished inside other elements.
        for html in [
            vector.clone(),
            format!("<p>前{vector}后</p>"),
            format!("<table><td>{vector}"),
            format!("<svg><style>{vector}"),
            format!("<a href='{vector}'>x"),
        ] {
            lawful(&html);
        }
    }
}

#[test]
fn what_readers_need_is_kept() {
    check("纯文本", "纯文本");
    check("<p>a &ldquo;b&rdquo; 1 < 2 &amp; 3</p>", "<p>a “b” 1 &lt; 2 &amp; 3</p>");
    check("<a href=/c/1.html>x</a>", r#"<a href="https://news.example.com/c/1.html" rel="noopener noreferrer">x</a>"#);
    check("<a href='mailto:a@example.com'>x</a>", r#"<a href="mailto:a@example.com" rel="noopener noreferrer">x</a>"#);
    check(
        "<a href='//x.example/?a=1&amp;b=2'>x</a>",
        r#"<a href="https://x.example/?a=1&amp;b=2" rel="noopener noreferrer">x</a>"#,
    );
    check("<a href='javascript:alert(1)'>x</a>", "x");
    check(
        r#"<img class=lazy src=/1x1.gif data-src="../p/1.jpg" alt="图" style="x">"#,
        r#"<img src="https://news.example.com/p/1.jpg" alt="图">"#,
    );
    check(r#"<img srcset="s.jpg 1x, l.jpg 2x">"#, r#"<img src="https://news.example.com/a/l.jpg">"#);
    check("<img src=a.png width=1 height=1><img src=https://hm.baidu.com/hm.gif?x>", "");
    check("<ruby>漢<rp>(</rp><rt>hàn</rt><rp>)</rp></ruby>", "<ruby>漢<rp>(</rp><rt>hàn</rt><rp>)</rp></ruby>");
    check(
        "<video src=v.mp4 autoplay></video>",
        r#"<video controls="" src="https://news.example.com/a/v.mp4"></video>"#,
    );
    check("<table><tr><td>1<td>2</table>", "<table><tbody><tr><td>1</td><td>2</td></tr></tbody></table>");
    check(
        "<table>甲<tr>乙<td>丙</table>",
        "<table><tbody><tr><td>甲</td></tr><tr><td>乙</td><td>丙</td></tr></tbody></table>",
    );
    check("<ul><li>1<li>2</ul>", "<ul><li>1</li><li>2</li></ul>");
    check("<p>一<p>二<div>三</div>", "<p>一</p><p>二</p><div>三</div>");
    check("<center>一</center><form>二<input></form>", "<div>一</div><div>二</div>");
    check("<p onclick=x style=y class=z id=w>一</p><script>x</script>二", "<p>一</p>二");
    check("<svg><p>后面的正文</p>", "<p>后面的正文</p>");
    check("a&#11;b\u{1}c", "abc");
}

#[test]
fn embedded_documents_leave_a_link() {
    let link = |href: &str, text: &str| format!(r#"<a href="{href}" rel="noopener noreferrer">{text}</a>"#);
    let video = "https://video.example/1?a=1&amp;b=2";
    check(
        &format!("<p>1<iframe src=\"{video}\"><p>old</p></iframe>2</p>"),
        &format!("<p>1{}2</p>", link(video, video)),
    );
    check("<iframe src=//v.example/1></iframe>", &link("https://v.example/1", "https://v.example/1"));
    check(
        "<iframe src=about:blank data-src=/v></iframe>",
        &link("https://news.example.com/v", "https://news.example.com/v"),
    );
    check(
        "<iframe src=/v title=' A &amp; &lt;b> \"C\" '></iframe>",
        &link("https://news.example.com/v", "A &amp; &lt;b&gt; \"C\""),
    );
    check(
        "<iframe src=/v title='<script>x</script>'></iframe>",
        &link("https://news.example.com/v", "&lt;script&gt;x&lt;/script&gt;"),
    );
    check(
        "<iframe src=/v title=' &nbsp; '></iframe>",
        &link("https://news.example.com/v", "https://news.example.com/v"),
    );
    check("<embed src=/v.swf>", &link("https://news.example.com/v.swf", "https://news.example.com/v.swf"));
    check(
        "<object data=/v.swf><param name=movie value=/v.swf><embed src=/v.swf></object>",
        &link("https://news.example.com/v.swf", "https://news.example.com/v.swf"),
    );
    check(
        "<object data=/v.pdf>instead</object>",
        &format!("{}instead", link("https://news.example.com/v.pdf", "https://news.example.com/v.pdf")),
    );
    check(
        "<a href=/1>x<iframe src=/v></iframe>y</a>",
        &format!(
            "{}{}y",
            link("https://news.example.com/1", "x"),
            link("https://news.example.com/v", "https://news.example.com/v")
        ),
    );
    check(
        "<table><tr><iframe src=/v></iframe></table>",
        &format!(
            "<table><tbody><tr><td>{}</td></tr></tbody></table>",
            link("https://news.example.com/v", "https://news.example.com/v")
        ),
    );
    // Video and audio stay what they are.
    check("<audio src=/a.mp3></audio>", r#"<audio controls="" src="https://news.example.com/a.mp3"></audio>"#);
    let many = "<iframe src=/v></iframe>".repeat(3);
    assert_eq!(safe(&many).matches("<a ").count(), 3, "each of a row is one");
}

#[test]
fn what_embeds_nothing_for_readers_leaves_nothing() {
    for nothing in [
        "<iframe></iframe>",
        "<iframe src=''></iframe>",
        "<iframe src='javascript:alert(1)' title=x></iframe>",
        "<iframe src='data:text/html,x'></iframe>",
        "<iframe srcdoc='<b>x</b>'></iframe>",
        "<iframe src=/v width=1 height=1></iframe>",
        "<iframe src=/v width=0></iframe>",
        "<iframe src=/v style='display: none'></iframe>",
        "<iframe src=/v hidden></iframe>",
        "<noscript><iframe src=/v></iframe></noscript>",
        "<svg><foreignObject><iframe src=/v></iframe></foreignObject></svg>",
        "<embed src=javascript:alert(1)><object data=vbscript:x></object><object><param name=src value=/v></object>",
    ] {
        lawful(nothing);
        assert_eq!(safe(nothing), "", "{nothing}");
    }
}

#[test]
fn pictures_of_nothing_but_sources_and_formulas_stay() {
    let img = |name: &str| format!(r#"<img src="https://news.example.com/a/{name}">"#);
    check(
        "<picture><source media='(min-width: 8px)' srcset='s.jpg 1x, l.jpg 2x'></picture>x",
        &format!("{}x", img("l.jpg")),
    );
    check("<picture><source srcset=a.webp><source srcset=b.jpg></picture>", &img("a.webp"));
    check("<picture><source srcset='javascript:x'><source srcset=b.jpg></picture>", &img("b.jpg"));
    check("<picture><source srcset=a.webp><img src=b.jpg></picture>", &img("b.jpg"));
    check("<picture><source srcset=a.webp><img alt=x></picture>", &img("a.webp"));
    check("<p>1<picture><source srcset=a.webp>", &format!("<p>1{}</p>", img("a.webp")));
    check("<picture></picture><source srcset=a.webp>", "");
    check(
        "<video><source src=v.mp4></video>",
        r#"<video controls=""><source src="https://news.example.com/a/v.mp4"></video>"#,
    );
    check("a <math><msup><mi>x</mi><mn>2</mn></msup></math> b", "a x2 b");
    check(
        "<math><semantics><mi>x</mi><annotation encoding='application/x-tex'>\\x</annotation></semantics></math>y",
        "xy",
    );
    check("<math><annotation>x<p>后面的正文</p>", "<p>后面的正文</p>");
    check("<math><style>x</style><script>y</script><mi>z</mi></math>", "z");
}

#[test]
fn plain_text_of_html() {
    let check = |html: &str, expected: &str| {
        assert_eq!(text(html).split_whitespace().collect::<Vec<_>>().join(" "), expected, "{html:?}");
    };
    check("x", "x");
    check("<p>一</p><p>二</p>三<br>四", "一 二 三 四");
    check("AT&amp;T &lt;b&gt; &hellip;&eacute; <b>x</b>y", "AT&T <b> …é xy");
    check("1 < 2<script>no</script><style>no</style><!-- no -->", "1 < 2");
    check("<td>1</td><td>2</td>", "1 2");
    check("&amp;lt;b>", "&lt;b>");
    check("a<!-- no --!>b<!-->c<!--->d<?no?>e</ no>f<!no>g", "abcdefg");
}

#[test]
fn hostile_size_and_depth_take_linear_time() {
    let numbered =
        |n: usize| (0..n).fold(String::new(), |html, i| html + "<p><font size=" + &i.to_string() + "><b title=x>");
    let shapes: &[(&str, &dyn Fn(usize) -> String)] = &[
        ("nested blocks", &|n| "<div>".repeat(n)),
        ("nested formatting", &|n| "<b>".repeat(n)),
        ("formatting that outlives its paragraph", &|n| "<p><b></p>".repeat(n)),
        ("text in tables", &|n| "<table>x".repeat(n)),
        ("formatting in a table", &|n| "<table><b>".to_owned() + &"<i></i>x".repeat(n)),
        ("less-than signs", &|n| "<".repeat(n)),
        ("ampersands", &|n| "&".repeat(n)),
        ("unknown references", &|n| "&foo;".repeat(n)),
        ("half known references", &|n| "&notit;".repeat(n)),
        ("unfinished references", &|n| "&am&#&#x".repeat(n)),
        ("empty references", &|n| "&#;&#x;".repeat(n)),
        ("references", &|n| "&hellip;&#20013;".repeat(n)),
        ("line breaks", &|n| "\r\n\r".repeat(n)),
        ("zeros", &|n| "<\0\0".repeat(n)),
        ("end tags of nothing", &|n| "</p>".repeat(n)),
        ("comments", &|n| "<!--".repeat(n)),
        ("unfinished tags", &|n| "<a ".repeat(n)),
        ("nested pictures", &|n| "<svg>".repeat(n)),
        ("cells that nobody closes", &|n| "<font><table><td></font>".repeat(n)),
        ("no-break spaces", &|n| "\u{A0}".repeat(n)),
        ("escapes in attributes", &|n| format!("<p title='{}'>", "&".repeat(n))),
        ("attributes", &|n| format!("<p {}>", "x=1 ".repeat(n))),
        ("unlike formatting", &numbered),
    ];
    let time = |html: &str| {
        let start = Instant::now();
        let _ = (safe(html), text(html));
        start.elapsed()
    };
    for (name, shape) in shapes {
        let (short, long) = (time(&shape(1_500)), time(&shape(12_000)));
        // Eight times the input: a quadratic step would take sixty-four times as long.
        assert!(long < short * 32 + Duration::from_millis(200), "{name}: {short:?}, then {long:?}");
    }
    assert!(!safe(&"<div>x".repeat(1_000_000)).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_soup_is_lawful(parts in proptest::collection::vec(prop_oneof![
        proptest::sample::select(policy::ELEMENTS).prop_map(|(name, _)| format!("<{name}>")),
        proptest::sample::select(policy::ELEMENTS).prop_map(|(name, _)| format!("</{name}>")),
        proptest::sample::select(&["<svg>", "</svg>", "<math>", "<mtext>", "<script>", "</script>", "<style>", "</style>", "<!--", "-->", "<noscript>",
            "<select>", "<template>", "</template>", "<form>", "&#10;", "&lt;", "<", ">", "\"", "<img src=x onerror=y>", "<a href=x>", "文", " ", "\n",
            "<a href='javascript:x'>", "<title>", "<![CDATA[", "]]>", "<mglyph>", "<foreignObject>", "<iframe src=x>", "</iframe>",
            "<embed src='https://x.example/?a&b=\u{A0}'>", "<object data=y title='<b>&'>", "</object>", "<picture>", "</picture>", "<source srcset='a.png 2x'>",
            "<annotation>", "</math>"][..]).prop_map(str::to_owned),
    ], 0..24)) {
        lawful(&parts.concat());
    }

    #[test]
    fn no_text_panics(html in "\\PC{0,80}") {
        lawful(&html);
        let _ = text(&html);
    }
}
