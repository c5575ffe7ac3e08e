//! Due → fetch → the pure pipeline → store → publish; and the hot reload of feeds.yaml.
