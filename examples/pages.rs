//! Writes the pages for people into a folder, to be looked at in a browser: `cargo run --example pages -- FOLDER`.
//! The first picture address of each page is replaced by a local one, the others show how a missing picture looks.

use heliu::model;
use heliu::model::Standing;
use heliu::render::{Lang, Site, catalogue, feed_page, style};
use std::path::Path;

#[path = "../src/render/tests/sample.rs"]
mod sample;

/// A picture for the preview.
const PICTURE: &str = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 526 296'><rect width='526' height='296' \
    fill='#9bb8b9'/><circle cx='400' cy='90' r='40' fill='#f3e6c8'/><path d='M0 240 140 120 260 220 360 150 526 260V296H0z' \
    fill='#3f6b70'/></svg>";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("name the folder to write into")?;
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder)?;
    let base = url::Url::parse("http://127.0.0.1:8080/")?;
    let site = Site { base_url: &base, title: "中工网订阅", language: "zh-CN" };
    let live = sample::feed(12);
    let mut bundled = sample::feed(5);
    bundled.id = "pinglun".parse()?;
    bundled.title = String::from("中工评论合集");
    bundled.description = String::from("中工时评、人物与漫画评论合为一份。");
    bundled.standing = Standing::Snapshot;
    let mut empty = sample::feed(0);
    empty.id = "renwu".parse()?;
    empty.title = String::from("Workers & Lives <人物>");
    empty.description = String::from("שלום – a feed with mixed scripts, still waiting for its first entry.");
    for (lang, name) in [(Lang::Zh, "zh"), (Lang::En, "en")] {
        let pages = [
            ("catalogue", catalogue(&[&live, &bundled, &empty], &site, lang)),
            ("live", feed_page(&live, &site, lang)),
            ("snapshot", feed_page(&bundled, &site, lang)),
        ];
        for (page, html) in pages {
            let html = html
                .replace("http://127.0.0.1:8080/style.css", "style.css")
                .replace("https://www.workercn.cn/upload/resources/image/2026/11/23/3001_526x296c.jpg", "picture.svg");
            std::fs::write(folder.join(format!("{page}-{name}.html")), html)?;
        }
    }
    std::fs::write(folder.join("style.css"), style())?;
    std::fs::write(folder.join("picture.svg"), PICTURE)?;
    Ok(())
}
