//! The HTTP server: published documents before anything else, then pages, health and admin.
