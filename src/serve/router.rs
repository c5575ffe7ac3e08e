//! The route table of everything that is not a published document.

use super::{Site, access, admin, health, page, preview, private};
use axum::Router;
use axum::routing::get;
use std::sync::Arc;

/// Every route for the admin alone; the walk in `tests` asks each of them without leave.
#[cfg(test)]
pub(super) const ADMIN_ROUTES: [&str; 9] = [
    "/admin",
    "/admin/",
    "/admin/channels/shiping",
    "/admin/api/channels",
    "/admin/api/preview?url=https://source.example/rss.xml",
    "/admin/style.css",
    "/admin/no/such/page",
    "/metrics",
    private::HEALTH_FEED,
];

/// The routes. One layer guards everything at and below `/admin`, known or not, and what else is private.
pub(super) fn router(site: Arc<Site>) -> Router {
    let router = Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/favicon.svg", get(page::icon))
        .route("/robots.txt", get(page::robots))
        .route("/metrics", get(private::metrics))
        .route(private::HEALTH_FEED, get(private::incidents))
        .route("/admin", get(admin::list))
        .route("/admin/", get(admin::list))
        .route("/admin/channels/{id}", get(admin::channel))
        .route("/admin/api/channels", get(admin::api))
        .route("/admin/api/preview", get(preview::answer))
        .route("/admin/style.css", get(admin::style));
    #[cfg(test)]
    let router = router.route("/test/panic", get(super::tests::panic));
    router
        .fallback(page::not_found)
        .method_not_allowed_fallback(page::not_allowed)
        .layer(axum::middleware::from_fn_with_state((Arc::clone(&site), Arc::default()), access::guard))
        .with_state(site)
}
