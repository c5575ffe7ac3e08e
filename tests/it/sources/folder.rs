//! The data folder: taken away while Heliu runs, or used by two at once.

use super::{Article, config, feed_at, rss};
use crate::kit::{Clock, Origin, Site};
use heliu::store::StoreError;
use heliu::worker::StartError;
use std::fs;
use std::sync::Arc;

#[tokio::test]
async fn a_data_folder_that_is_deleted_while_running_is_reported() {
    let origin = Origin::start();
    origin.put("/list", rss(&Article::page(5)));
    let site = Site::start(&config(&[("a", feed_at(&origin, "news.test/list"))])).await;
    site.poll().await;
    assert_eq!(site.get("/readyz").await.status, 200);
    fs::remove_dir_all(site.folder.path().join("data")).unwrap();
    let ready = site.get("/readyz").await;
    assert_eq!(ready.status, 503);
    assert!(ready.text().contains("was deleted") && ready.text().contains("restart"), "{}", ready.text());
    let before = site.get("/feeds/all.atom").await.body;
    origin.put("/list", rss(&Article::page(6)));
    site.poll_next().await;
    assert_eq!(site.get("/feeds/all.atom").await.body, before, "nothing is published that is not recorded");
    assert!(!site.folder.path().join("data/heliu.db").exists());
}

#[tokio::test]
async fn a_second_heliu_on_one_data_folder_is_refused() {
    let origin = Origin::start();
    origin.put("/list", rss(&Article::page(5)));
    let site = Site::start(&config(&[("a", feed_at(&origin, "news.test/list"))])).await;
    let clock = || Arc::new(Clock::at("2026-11-23T00:00:00Z"));
    let second = Site::begin(Arc::clone(&site.folder), clock()).await;
    let Err(StartError::Store(error)) = second else { panic!("two on one folder") };
    assert!(matches!(error, StoreError::InUse { .. }), "{error}");
    assert!(error.to_string().contains(&site.folder.path().join("data").display().to_string()), "{error}");
    site.poll().await;
    assert_eq!(site.ids("all").await.len(), 5, "the first is not disturbed");
    let site = site.restart().await;
    assert_eq!(site.ids("all").await.len(), 5);
}
