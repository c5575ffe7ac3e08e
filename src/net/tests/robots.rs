//! P-17: what a robots.txt allows (RFC 9309), from the words of the file to the requests that are not sent.

use super::super::robots::{LONGEST_DELAY, READ, Robots};
use super::*;

/// Lines of robots.txt (`|` ends one), a path, whether it may be fetched.
const ALLOWED: &[(&str, &str, bool)] = &[
    // nothing, or nothing that is meant for us
    ("", "/", true),
    ("|||", "/x", true),
    ("# only a comment", "/", true),
    ("Disallow: /", "/", true),
    ("Sitemap: https://a.test/map.xml", "/", true),
    ("<html><body>not found: sorry</body></html>", "/", true),
    ("User-agent: other|Disallow: /", "/", true),
    ("User-agent: heliumnews|Disallow: /", "/", true),
    ("User-agent: he|Disallow: /", "/", true),
    // everybody
    ("User-agent: *|Disallow: /", "/", false),
    ("User-agent: *|Disallow: /", "/any/page.html?x", false),
    ("User-agent: *|Disallow:", "/", true),
    ("User-agent: *|Disallow: /|Disallow:", "/", false),
    ("User-agent: *|Disallow /", "/", true),
    ("user-AGENT : *| disALLOW :\t/x # why not", "/x", false),
    ("User-agent: *|Disallow: /x#y", "/xz", false),
    ("\u{feff}User-agent: *|Disallow: /", "/", false),
    // ours before everybody's; groups of one agent are one
    ("User-agent: *|Disallow: /|User-agent: heliu|Disallow: /x", "/y", true),
    ("User-agent: *|Disallow: /|User-agent: heliu|Disallow: /x", "/x", false),
    ("User-agent: HELIU|Disallow: /|User-agent: *|Disallow:", "/", false),
    ("User-agent: heliu/0.1 (any)|Disallow: /", "/", false),
    ("User-agent: heliu|Disallow:|User-agent: *|Disallow: /", "/", true),
    ("User-agent: heliu|User-agent: *|Disallow: /x", "/x", false),
    ("User-agent: a|User-agent: heliu|User-agent: b|Disallow: /x", "/x", false),
    ("User-agent: heliu|Disallow: /x|User-agent: b|Disallow: /|User-agent: heliu|Disallow: /y", "/y", false),
    ("User-agent: heliu|Disallow: /x|User-agent: b|Disallow: /|User-agent: heliu|Disallow: /y", "/x", false),
    ("User-agent: heliu|Disallow: /x|User-agent: b|Disallow: /|User-agent: heliu|Disallow: /y", "/z", true),
    ("User-agent: *|Disallow: /x|User-agent: b|Disallow: /y|User-agent: *|Disallow: /z", "/z", false),
    ("User-agent: *|Disallow: /x|User-agent: b|Disallow: /y|User-agent: *|Disallow: /z", "/y", true),
    ("User-agent: *|Sitemap: /s|Unknown: /u|Disallow: /x", "/x", false),
    ("User-agent: heliu|Sitemap: /s|User-agent: b|Disallow: /x", "/x", false),
    ("User-agent: heliu||Disallow: /x", "/x", false),
    ("User-agent: b|Disallow: /|User-agent: heliu", "/", true),
    // the longest fit decides, Allow where they are equal, wherever they stand
    ("User-agent: *|Disallow: /|Allow: /news/", "/news/1", true),
    ("User-agent: *|Allow: /news/|Disallow: /", "/news/1", true),
    ("User-agent: *|Allow: /news/|Disallow: /", "/news", false),
    ("User-agent: *|Allow: /news/|Disallow: /news/old/", "/news/old/1", false),
    ("User-agent: *|Disallow: /page|Allow: /page", "/page", true),
    ("User-agent: *|Allow: /p|Disallow: /*.html", "/p.html", false),
    ("User-agent: *|Allow: /$|Disallow: /", "/", true),
    ("User-agent: *|Allow: /$|Disallow: /", "/x", false),
    // prefixes
    ("User-agent: *|Disallow: /fish", "/fish.html", false),
    ("User-agent: *|Disallow: /fish", "/fishheads/yes", false),
    ("User-agent: *|Disallow: /fish", "/Fish", true),
    ("User-agent: *|Disallow: /fish", "/cat/fish", true),
    ("User-agent: *|Disallow: /fish/", "/fish", true),
    ("User-agent: *|Disallow: /fish/", "/fish/?id=1", false),
    ("User-agent: *|Disallow: fish", "/fish", true),
    ("User-agent: *|Disallow: *fish", "/cat/fish", false),
    // stars and ends
    ("User-agent: *|Disallow: /*.php", "/a/b.php?x=y", false),
    ("User-agent: *|Disallow: /*.php$", "/a/b.php", false),
    ("User-agent: *|Disallow: /*.php$", "/a/b.php?x=y", true),
    ("User-agent: *|Disallow: /*.php$", "/b.php5", true),
    ("User-agent: *|Disallow: /*.php$", "/b.php/c.php", false),
    ("User-agent: *|Disallow: /a*b*c", "/a1b2c3", false),
    ("User-agent: *|Disallow: /a*b*c", "/a1c2b3", true),
    ("User-agent: *|Disallow: /a*b*ab$", "/abab", false),
    ("User-agent: *|Disallow: /a*ab$", "/ab", true),
    ("User-agent: *|Disallow: /**x", "/y/x", false),
    ("User-agent: *|Disallow: *", "/", false),
    ("User-agent: *|Disallow: *$", "/x", false),
    ("User-agent: *|Disallow: $", "/", true),
    ("User-agent: *|Disallow: /a$b", "/a$b", true),
    ("User-agent: *|Disallow: /a%24b", "/a$b", false),
    ("User-agent: *|Disallow: /a%2Ab", "/a*b", false),
    ("User-agent: *|Disallow: /a%2Ab", "/axb", true),
    // queries and escapes
    ("User-agent: *|Disallow: /*?", "/x", true),
    ("User-agent: *|Disallow: /*?", "/x?", false),
    ("User-agent: *|Disallow: /x?id=", "/x?id=7", false),
    ("User-agent: *|Disallow: /时评", "/%E6%97%B6%E8%AF%84/1", false),
    ("User-agent: *|Disallow: /%e6%97%b6", "/时评", false),
    ("User-agent: *|Disallow: /%7Ejoe", "/~joe", false),
    ("User-agent: *|Disallow: /~joe", "/%7ejoe", false),
    ("User-agent: *|Disallow: /a%2Fb", "/a/b", true),
    ("User-agent: *|Disallow: /a%2fb", "/a%2Fb", false),
    ("User-agent: *|Disallow: /a%", "/a%", false),
    // robots.txt itself
    ("User-agent: *|Disallow: /", "/robots.txt", true),
];

#[test]
fn what_is_allowed() {
    assert!(ALLOWED.len() >= 60, "{}", ALLOWED.len());
    for (lines, path, expected) in ALLOWED {
        for end in ["\n", "\r\n", "\r"] {
            let robots = Robots::read(lines.replace('|', end).as_bytes());
            let url = Url::parse(&format!("https://a.test{path}")).unwrap();
            assert_eq!(robots.allows(&url), *expected, "{lines:?} {path}");
        }
    }
}

#[test]
fn delays() {
    let table = [
        ("User-agent: *|Crawl-delay: 5", Some(5000)),
        ("User-agent: *|crawl-DELAY: 2.5|Disallow:", Some(2500)),
        ("User-agent: *|Crawl-delay: 86400", Some(30_000)),
        ("User-agent: *|Crawl-delay: 1|Crawl-delay: 3", Some(3000)),
        ("User-agent: *|Crawl-delay: 5|User-agent: heliu|Disallow: /x", None),
        ("User-agent: heliu|Crawl-delay: 7|Disallow: /x|User-agent: *|Crawl-delay: 5", Some(7000)),
        ("User-agent: *|Crawl-delay: 0", None),
        ("User-agent: *|Crawl-delay: -1", None),
        ("User-agent: *|Crawl-delay: NaN", None),
        ("User-agent: *|Crawl-delay: inf", Some(30_000)),
        ("User-agent: *|Crawl-delay: soon", None),
        ("User-agent: *|Crawl-delay:", None),
        ("Crawl-delay: 5", None),
    ];
    for (lines, expected) in table {
        let robots = Robots::read(lines.replace('|', "\n").as_bytes());
        assert_eq!(robots.delay, expected.map(Duration::from_millis), "{lines}");
        assert!(robots.delay.is_none_or(|delay| delay <= LONGEST_DELAY));
    }
}

#[test]
fn five_hundred_kibibytes_are_read_and_no_byte_more() {
    let rule = |path: &str| format!("User-agent: *\nDisallow: {path}\n");
    let padding = |length: usize| format!("#{}\n", "x".repeat(length - 2));
    let allowed = |text: &str, path: &str| Robots::read(text.as_bytes()).allows(&Url::parse(path).unwrap());
    let url = "https://a.test/late";
    let last = rule("/late");
    assert!(!allowed(&format!("{}{last}", padding(READ - last.len() - 1)), url));
    assert!(allowed(&format!("{}{last}", padding(READ + 1)), url));
    // A rule that is cut in two would say something else.
    let cut = format!("{}{}", padding(READ - last.len() + 3), rule("/late"));
    assert!(allowed(&cut, "https://a.test/l"));
}

#[test]
fn hostile_files_do_no_harm() {
    let long = format!("/{}", "a".repeat(8000));
    let stars = format!("User-agent: *\nDisallow: /{}b$\n", "*a".repeat(100_000));
    let many = format!("User-agent: *\n{}", "Disallow: /*ab\n".repeat(30_000));
    let begin = std::time::Instant::now();
    for text in [stars, many] {
        assert!(Robots::read(text.as_bytes()).allows(&Url::parse(&format!("https://a.test{long}")).unwrap()));
    }
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
}

proptest::proptest! {
    #[test]
    fn any_bytes_can_be_read(body: Vec<u8>, path in "[ -~]{0,40}") {
        if let Ok(url) = Url::parse(&format!("https://a.test/{path}")) {
            let _ = Robots::read(&body).allows(&url);
        }
    }

    /// An independent reading of `*` and `$`: a regular expression.
    #[test]
    fn patterns_fit_as_regular_expressions_would(pattern in "/[ab*]{0,8}[$]?", path in "/[ab]{0,10}") {
        let (body, end) = pattern.strip_suffix('$').map_or((pattern.as_str(), ""), |body| (body, "$"));
        let expected = regex::Regex::new(&format!("^{}{end}", body.replace('*', ".*"))).unwrap().is_match(&path);
        let robots = Robots::read(format!("User-agent: *\nDisallow: {pattern}").as_bytes());
        let url = Url::parse(&format!("https://a.test{path}")).unwrap();
        proptest::prop_assert_eq!(!robots.allows(&url), expected);
    }
}

/// A client and an origin that answers the first connection for robots.txt and all later ones alike.
async fn site(robots: &str, page: &str) -> (Origin, Client) {
    let origin = Origin::sending(&[robots, page]).await;
    let trace = Trace { answers: vec!["8.8.8.8".parse().unwrap()], origin: Some(origin.address), ..Trace::default() };
    let (client, _) = traced(trace);
    (origin, client)
}

fn page(url: &str) -> Request {
    Request { accept: Accept::Page, robots: super::Robots::Obey, ..get(url) }
}

fn paths(origin: &Origin) -> Vec<String> {
    origin.asked().iter().map(|asked| asked.split(' ').nth(1).unwrap().to_owned()).collect()
}

fn text(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\nContent-Length: {}\nConnection: close\n\n{body}", body.len())
}

const PAGE: &str = "HTTP/1.1 200 OK\nContent-Length: 4\nConnection: close\n\npage";

#[tokio::test]
async fn answers_to_the_request_for_robots_txt() {
    let closed = "User-agent: *\nDisallow: /x\n";
    let table: Vec<(String, bool, &str)> = vec![
        (text("200 OK", closed), false, "robots.txt disallows"),
        (text("200 OK", "User-agent: *\nDisallow: /y\n"), true, ""),
        (text("200 OK", "<html>sorry</html>"), true, ""),
        (text("200 OK", ""), true, ""),
        (text("204 No Content", ""), true, ""),
        (text("404 Not Found", closed), true, ""),
        (text("403 Forbidden", closed), true, ""),
        (text("401 Unauthorized", closed), true, ""),
        (text("410 Gone", closed), true, ""),
        (text("400 Bad", closed), true, ""),
        (text("500 Oops", ""), false, "cannot be had"),
        (text("502 Oops", "User-agent: *\nAllow: /\n"), false, "cannot be had"),
        (text("503 Down", ""), false, "cannot be had"),
        (text("429 Slow", ""), false, "cannot be had"),
        ("junk".to_owned(), false, "cannot be had"),
        ("HTTP/1.1 200 OK\nContent-Length: 99\n\nUser-agent: *\n".to_owned(), false, "cannot be had"),
        ("HTTP/1.1 302 F\nLocation: ftp://b.test/\nContent-Length: 0\n\n".to_owned(), true, ""),
        ("HTTP/1.1 302 F\nContent-Length: 0\n\n".to_owned(), true, ""),
    ];
    for (robots, expected, why) in table {
        let (origin, client) = site(&robots, PAGE).await;
        let result = client.fetch(page("http://a.test/x")).await;
        assert_eq!(result.is_ok(), expected, "{robots}");
        let asked = if expected { vec!["/robots.txt", "/x"] } else { vec!["/robots.txt"] };
        assert_eq!(paths(&origin), asked, "{robots}");
        if let Err(error) = result {
            // An answer that is no HTTP says nothing about robots; the error is the host's.
            let expected = if robots == "junk" { FetchErrorKind::Protocol } else { FetchErrorKind::Disallowed };
            assert_eq!(error.kind, expected);
            assert!(error.message.contains(why), "{error}");
            assert!(robots == "junk" || error.message.contains("robots: ignore"), "{error}");
            assert_one_line(&error);
        }
        assert!(origin.asked()[0].contains("User-Agent: heliu/test"));
    }
}

#[tokio::test]
async fn feeds_and_what_ignores_robots_txt_never_ask_for_it() {
    let (origin, client) = site(PAGE, PAGE).await;
    client.fetch(get("http://a.test/feed")).await.unwrap();
    client.fetch(Request { robots: super::Robots::Ignore, ..page("http://a.test/x") }).await.unwrap();
    assert_eq!(paths(&origin), ["/feed", "/x"]);
}

#[tokio::test]
async fn redirects_of_robots_txt_and_into_what_it_closes() {
    let hop = |to: &str| format!("HTTP/1.1 301 Moved\nLocation: {to}\nContent-Length: 0\nConnection: close\n\n");
    let closed = text("200 OK", "User-agent: *\nDisallow: /x\n");
    let run = async |script: &[String], url: &str| {
        let script: Vec<&str> = script.iter().map(String::as_str).collect();
        let origin = Origin::sending(&script).await;
        let (client, _) = client(Some(&origin));
        (client.fetch(page(url)).await.map_err(|error| error.kind), paths(&origin))
    };
    // Five redirects lead to the rules, six count as "there is none".
    let hops: Vec<String> = (1..=5).map(|n| hop(&format!("http://b{n}.test/robots.txt"))).collect();
    let script = [hops.clone(), vec![closed.clone()]].concat();
    assert_eq!(run(&script, "http://a.test/x").await.0.unwrap_err(), FetchErrorKind::Disallowed);
    let script = [hops, vec![hop("http://b6.test/robots.txt"), PAGE.to_owned()]].concat();
    assert!(run(&script, "http://a.test/x").await.0.is_ok());
    // A page that leads to a disallowed one, of this host and of another.
    let (result, asked) = run(&[closed.clone(), hop("/x")], "http://a.test/y").await;
    assert_eq!((result.unwrap_err(), asked), (FetchErrorKind::Disallowed, vec!["/robots.txt".into(), "/y".into()]));
    let open = text("404 Not Found", "");
    let (result, asked) = run(&[open, hop("http://b.test/x"), closed], "http://a.test/y").await;
    assert_eq!(result.unwrap_err(), FetchErrorKind::Disallowed);
    assert_eq!(asked, ["/robots.txt", "/y", "/robots.txt"]);
}

#[tokio::test]
async fn robots_txt_is_asked_for_once_a_day_also_by_many_at_once() {
    let (origin, client) = site(&text("200 OK", "User-agent: *\nDisallow: /x\n"), PAGE).await;
    let urls: Vec<_> = (0..50).map(|n| page(&format!("http://a.test/x{n}"))).collect();
    let results = futures_util::future::join_all(urls.into_iter().map(|request| client.fetch(request))).await;
    assert!(results.iter().all(|result| result.as_ref().unwrap_err().kind == FetchErrorKind::Disallowed));
    assert_eq!(paths(&origin), ["/robots.txt"]);
    assert_eq!(client.permits.origins(), 1);
    // 23 hours later as well; after 24 it is asked for again, and the second answer allows everything.
    tokio::time::pause();
    tokio::time::advance(Duration::from_hours(23)).await;
    tokio::time::resume();
    client.fetch(page("http://a.test/x")).await.unwrap_err();
    assert_eq!(paths(&origin).len(), 1);
    tokio::time::pause();
    tokio::time::advance(Duration::from_mins(61)).await;
    tokio::time::resume();
    client.fetch(page("http://a.test/x")).await.unwrap();
    assert_eq!(paths(&origin), ["/robots.txt", "/robots.txt", "/x"]);
}

#[tokio::test]
async fn a_copy_serves_while_robots_txt_cannot_be_had_but_no_longer_than_thirty_days() {
    let later = async |hours: u64| {
        tokio::time::pause();
        tokio::time::advance(Duration::from_hours(hours)).await;
        tokio::time::resume();
    };
    let rules = text("200 OK", "User-agent: *\nDisallow: /x\n");
    let down = text("503 Down", "");
    let script = [rules, down.clone(), PAGE.to_owned(), down];
    let script: Vec<&str> = script.iter().map(String::as_str).collect();
    let origin = Origin::sending(&script).await;
    let (client, _) = client(Some(&origin));
    let ask = async |path: &str| client.fetch(page(&format!("http://a.test{path}"))).await.map_err(|error| error.kind);
    assert_eq!(ask("/x").await.unwrap_err(), FetchErrorKind::Disallowed);
    later(25).await;
    // The copy: /x is closed, /y is open.
    assert_eq!(ask("/x").await.unwrap_err(), FetchErrorKind::Disallowed);
    assert!(ask("/y").await.is_ok());
    assert_eq!(paths(&origin), ["/robots.txt", "/robots.txt", "/y"]);
    // After thirty days the copy is no more, and without one everything is closed …
    later(29 * 24).await;
    assert_eq!(ask("/y").await.unwrap_err(), FetchErrorKind::Disallowed);
    // … until it has been missing for thirty days: then it counts as "there is none" (the page itself is down).
    later(2 * 24).await;
    assert_eq!(ask("/y").await.unwrap_err(), FetchErrorKind::Status);
}

#[tokio::test(start_paused = true)]
async fn a_crawl_delay_is_the_smallest_pause() {
    let origin = Origin::sending(&[&text("200 OK", "User-agent: *\nCrawl-delay: 7\n"), PAGE]).await;
    let trace = Trace { answers: vec!["8.8.8.8".parse().unwrap()], origin: Some(origin.address), ..Trace::default() };
    let (client, _) = traced(trace);
    let mut at = Vec::new();
    for n in 0..3 {
        client.fetch(page(&format!("http://a.test/{n}"))).await.unwrap();
        at.push(tokio::time::Instant::now());
    }
    for pair in at.windows(2) {
        let apart = pair[1] - pair[0];
        assert!(apart >= Duration::from_secs(7) && apart < Duration::from_secs(9), "{apart:?}");
    }
}
