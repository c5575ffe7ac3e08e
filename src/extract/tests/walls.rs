//! Logins and captchas, and pages that only look a little like them.

use super::super::wall;
use crate::model::FlawCode;
use url::Url;

const LIST: &str = "http://portal.test/list.shtml";

#[test]
fn walls_are_told_from_pages() {
    let long = "<p>今天的报道说的是另一件事。</p>".repeat(150);
    let news = "<li><a href=/a/1>一条新闻的标题，写得长一些</a></li>".repeat(60);
    let table: &[(&str, bool, &str, String)] = &[
        ("a login", true, LIST, "<title>用户登录</title><form><input name=u><input type=password></form>".into()),
        ("no title", true, LIST, "<form><input name=u><input type=password name=p></form>".into()),
        ("in English", true, LIST, "<title>Sign in - Portal</title><form></form>".into()),
        ("a slider", true, LIST, "<title>中工网</title><div>请按住滑块，拖动到最右边</div>".into()),
        ("a captcha", true, LIST, "<title>提示</title><img src=/captcha.php?1><input name=code>".into()),
        ("too often", true, LIST, "<h1>您的访问过于频繁，请稍后再试</h1>".into()),
        ("a gatekeeper", true, LIST, "<title>Just a moment...</title><div id=challenge-running></div>".into()),
        ("words of a gatekeeper", true, LIST, "<p>Checking your browser before accessing portal.test</p>".into()),
        ("sent to a login", true, "http://sso.portal.test/cas/login.jsp?to=x", "<a href=/help>帮助</a>".into()),
        ("a login with a menu", true, LIST, format!("<title>登录</title><ul>{}</ul>", &news[..news.len() / 60])),
        ("a list", false, LIST, format!("<title>中工时评</title><ul>{news}</ul>")),
        (
            "a list with a login box",
            false,
            LIST,
            format!("<title>中工时评</title><a>请登录</a><input type=password>{long}<ul>{news}</ul>"),
        ),
        (
            "news about logins",
            false,
            LIST,
            format!(
                "<title>新规要求全国各地政务服务网站三年之内统一身份认证,一次登录便可办理所有的事项不必重复提交</title>{long}"
            ),
        ),
        ("a long page about verifying", false, "http://portal.test/verify/", format!("<title>验证</title>{long}")),
        ("JSON about logins", false, LIST, "{\"title\":\"登录\",\"password\":\"请登录\"}".into()),
        ("nothing", false, LIST, String::new()),
        ("a redesign", false, LIST, "<title>中工网</title><main><section>一篇文章</section></main>".into()),
    ];
    let asked = Url::parse(LIST).unwrap();
    for (what, expected, url, html) in table {
        let found = wall(html, &Url::parse(url).unwrap(), &asked);
        assert_eq!(found.is_some(), *expected, "{what}: {found:?}");
        assert!(found.is_none_or(|flaw| flaw.code == FlawCode::Login && flaw.detail.contains(*url)), "{what}");
    }
    // A column whose own address speaks of passports and the like.
    let own = Url::parse("http://portal.test/cas/passport/index.html").unwrap();
    assert_eq!(wall("<ul><li><a href=/1>一篇文章</a></li></ul>", &own, &own), None);
    assert!(wall("<ul><li><a href=/1>一篇文章</a></li></ul>", &own, &asked).is_some());
}
