//! Parameters that tell who clicked where, not which page it is.

/// Names that never choose a page, lower case.
const NAMES: &[&str] = &[
    "_",
    "_ga",
    "_gl",
    "_hsenc",
    "_hsmi",
    "_openstat",
    "_t",
    "_ts",
    "bd_vid",
    "cmpid",
    "dclid",
    "fbclid",
    "from",
    "fromuid",
    "gbraid",
    "gclid",
    "gclsrc",
    "hmsr",
    "igsh",
    "igshid",
    "isappinstalled",
    "jsessionid",
    "mc_cid",
    "mc_eid",
    "mkt_tok",
    "msclkid",
    "nsukey",
    "oly_anon_id",
    "oly_enc_id",
    "phpsessid",
    "pk_campaign",
    "pk_kwd",
    "pvid",
    "rand",
    "random",
    "ref",
    "ref_src",
    "ref_url",
    "referer",
    "referrer",
    "scene",
    "scm",
    "sessionid",
    "share",
    "sharefrom",
    "spm",
    "srsltid",
    "timestamp",
    "tt_from",
    "ttclid",
    "twclid",
    "unique_k",
    "utm",
    "vd_source",
    "vero_id",
    "wbraid",
    "weibo_id",
    "wickedid",
    "wx_from",
    "wxfrom",
    "xtor",
    "yclid",
];

/// Starts of such names.
const PREFIXES: &[&str] =
    &["utm_", "share_", "sharer_", "wxshare", "hsa_", "mtm_", "piwik_", "matomo_", "stm_", "at_custom"];

/// Whether a parameter (in normal form) only tracks.
pub(super) fn is_tracking(name: &str, value: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let is_instant = || matches!(value.len(), 10 | 13) && value.bytes().all(|b| b.is_ascii_digit());
    NAMES.binary_search(&name.as_str()).is_ok()
        || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        // `t=1575982670123` only keeps caches away; `t=5` may be a page.
        || matches!(name.as_str(), "t" | "ts" | "time") && is_instant()
}

#[cfg(test)]
mod tests {
    use super::NAMES;

    #[test]
    fn the_table_is_sorted() {
        assert!(NAMES.is_sorted());
    }
}
