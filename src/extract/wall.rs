//! Pages that stand in the way of the page that was asked for: logins and captchas.
//!
//! Many honest pages have a login box in a corner and the word 登录 in their menu. So a field or a word counts
//! only where the page says little else; a title or an address that speaks of nothing but logging in always does.

use super::dom::{Page, Selector};
use super::list::page_title;
use super::text::{beginning, plain};
use crate::model::{Flaw, FlawCode};
use url::Url;

/// A page with more visible characters than this says something else too.
const SHORT: usize = 1200;

/// Fields and pictures of logins and captchas.
const FIELDS: &str = "input[type=password], input[name*=captcha], img[src*=captcha], img[id*=captcha], \
     [id*=captcha], [class*=captcha], .geetest_panel, .cf-turnstile, #challenge-form, #challenge-running, \
     iframe[src*=captcha], script[src*=captcha], script[src*=turnstile]";

/// Words in a title that leave no doubt.
const TITLES: [&str; 16] = [
    "登录",
    "登陆",
    "登入",
    "验证码",
    "安全验证",
    "访问验证",
    "人机验证",
    "身份验证",
    "captcha",
    "log in",
    "login",
    "sign in",
    "just a moment",
    "attention required",
    "verify you are human",
    "access denied",
];

/// Words in the text of a short page that leave none either.
const WORDS: [&str; 22] = [
    "请登录",
    "请先登录",
    "登录后",
    "扫码登录",
    "输入验证码",
    "图形验证码",
    "滑动验证",
    "拖动滑块",
    "按住滑块",
    "安全验证",
    "人机验证",
    "完成验证",
    "访问过于频繁",
    "访问异常",
    "请开启javascript并刷新",
    "verify you are human",
    "verify you are a human",
    "are you a robot",
    "unusual traffic",
    "checking your browser",
    "enable javascript and cookies to continue",
    "please log in",
];

/// Parts of a path that only the address of a login has.
const PATHS: [&str; 11] =
    ["login", "log-in", "signin", "sign-in", "sign_in", "passport", "sso", "cas", "captcha", "challenge", "verify"];

/// Whether the page that came from `url` when `asked` was asked for is a login or a captcha and little else. For pages
/// whose entries are all unknown, and for pages that stand where a feed should; JSON never is.
#[must_use]
pub fn wall(text: &str, url: &Url, asked: &Url) -> Option<Flaw> {
    if super::text::trim(text).starts_with(['{', '[']) {
        return None;
    }
    let page = Page::parse(text);
    let title = page_title(&page);
    // An address that speaks of logins by itself is that of a column about them.
    let sent_there = leads_to_login(url) && !leads_to_login(asked);
    let is_wall = sent_there && is_short(&page) || asks_for_login(&page, &title);
    is_wall.then(|| flaw(url, &title))
}

/// A title that says so, or a short page with a field or a word that does.
pub(super) fn asks_for_login(page: &Page, title: &str) -> bool {
    says_so(title) || is_short(page) && (has_field(page) || in_words(page))
}

/// The flaw, with its evidence.
pub(super) fn flaw(url: &Url, title: &str) -> Flaw {
    Flaw::new(FlawCode::Login, format!("{url} shows “{title}”, which asks for a login or a captcha"))
}

/// A short title: headlines about logins are longer.
fn says_so(title: &str) -> bool {
    let title = title.to_lowercase();
    title.chars().count() <= 40 && TITLES.iter().any(|word| title.contains(word))
}

fn has_field(page: &Page) -> bool {
    Selector::new(FIELDS).is_ok_and(|selector| page.root().has(&selector))
}

fn is_short(page: &Page) -> bool {
    beginning(page.root(), SHORT).chars().count() <= SHORT
}

fn in_words(page: &Page) -> bool {
    let text = plain(page.root()).to_lowercase();
    WORDS.iter().any(|word| text.contains(word))
}

fn leads_to_login(url: &Url) -> bool {
    let mut parts = url.path_segments().into_iter().flatten();
    parts.any(|part| {
        let stem = part.split('.').next().unwrap_or_default();
        PATHS.iter().any(|word| stem.eq_ignore_ascii_case(word))
    })
}
