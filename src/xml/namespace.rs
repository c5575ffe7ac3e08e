//! The one table of namespaces: prefix, URI, and the old or misspelt URIs under which each is met.

macro_rules! namespaces {
    ($($(#[$doc:meta])* $variant:ident $prefix:literal $uri:literal [$($alias:literal)*];)*) => {
        /// A namespace that Heliu knows.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Namespace {
            /// No namespace, or one of the namespaces that RSS itself was given over the years.
            Core,
            $($(#[$doc])* $variant,)*
            /// Any other.
            Other,
        }

        impl Namespace {
            /// Every namespace of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The usual prefix; empty for [`Namespace::Core`] and [`Namespace::Other`].
            pub fn prefix(self) -> &'static str {
                match self { $(Self::$variant => $prefix,)* Self::Core | Self::Other => "" }
            }

            /// The URI; empty for [`Namespace::Core`] and [`Namespace::Other`].
            pub fn uri(self) -> &'static str {
                match self { $(Self::$variant => $uri,)* Self::Core | Self::Other => "" }
            }

            fn aliases(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($alias),*],)* Self::Core => CORE, Self::Other => &[] }
            }
        }
    };
}

/// The namespaces of RSS itself: 0.90, 1.0 and those that writers of 2.0 invented.
const CORE: &[&str] = &[
    "http://purl.org/rss/1.0/",
    "http://my.netscape.com/rdf/simple/0.9/",
    "http://channel.netscape.com/rdf/simple/0.9/",
    "http://my.netscape.com/publish/formats/rss-0.91.dtd",
    "http://purl.org/net/rss1.1#",
    "http://backend.userland.com/rss",
    "http://backend.userland.com/rss2",
    "http://backend.userland.com/rss091",
    "http://backend.userland.com/rss092",
    "http://backend.userland.com/rss191",
    "http://blogs.law.harvard.edu/tech/rss",
    "http://cyber.law.harvard.edu/rss/",
    "http://cyber.law.harvard.edu/rss/rss.html",
    "http://www.rssboard.org/rss-specification",
    "http://madskills.com/public/xml/rss/module/",
    "http://opml.org/spec2",
];

namespaces! {
    /// Atom 1.0, RFC 4287.
    Atom "atom" "http://www.w3.org/2005/Atom" ["http://www.w3.org/2005/Atom/" "http://www.ietf.org/rfc/rfc4287.txt"];
    /// Atom 0.3 and the drafts.
    Atom03 "atom03" "http://purl.org/atom/ns#" ["http://purl.org/atom/ns" "http://example.com/newformat#" "http://example.com/necho" "http://purl.org/echo/" "uri/of/echo/namespace#" "http://purl.org/pie/"];
    /// RDF, the frame of RSS 0.90 and 1.0.
    Rdf "rdf" "http://www.w3.org/1999/02/22-rdf-syntax-ns#" [];
    /// XHTML inside text constructs.
    Xhtml "xhtml" "http://www.w3.org/1999/xhtml" ["http://www.w3.org/TR/xhtml1" "http://www.w3.org/2002/06/xhtml2"];
    /// Dublin Core elements.
    Dc "dc" "http://purl.org/dc/elements/1.1/" ["http://purl.org/dc/elements/1.0/" "http://purl.org/dc/" "http://dublincore.org/documents/dcmi-namespace/"];
    /// Dublin Core terms.
    DcTerms "dcterms" "http://purl.org/dc/terms/" ["http://purl.org/rss/1.0/modules/dcterms/"];
    /// RSS content module.
    Content "content" "http://purl.org/rss/1.0/modules/content/" [];
    /// Media RSS.
    Media "media" "http://search.yahoo.com/mrss/" ["http://search.yahoo.com/rss" "http://search.yahoo.com/mrss/2008" "http://tools.search.yahoo.com/mrss/" "http://video.search.yahoo.com/mrss" "http://search.yahoo.com/media" "http://www.rssboard.org/media-rss"];
    /// Apple podcasts.
    Itunes "itunes" "http://www.itunes.com/dtds/podcast-1.0.dtd" ["http://www.itunes.com/DTDs/PodCast-1.0.dtd" "http://example.com/DTDs/PodCast-1.0.dtd" "http://www.itunes.com/dtds/podcast-1.0"];
    /// The podcast namespace ("podcasting 2.0").
    Podcast "podcast" "https://podcastindex.org/namespace/1.0" ["https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/1.0.md"];
    /// Google Play podcasts.
    GooglePlay "googleplay" "http://www.google.com/schemas/play-podcasts/1.0" ["http://www.google.com/schemas/play-podcasts/1.0/play-podcasts.xsd"];
    /// Atom threading, RFC 4685.
    Thr "thr" "http://purl.org/syndication/thread/1.0" [];
    /// Slash.
    Slash "slash" "http://purl.org/rss/1.0/modules/slash/" [];
    /// RSS syndication module.
    Sy "sy" "http://purl.org/rss/1.0/modules/syndication/" [];
    /// `GeoRSS` simple and GML.
    Georss "georss" "http://www.georss.org/georss" ["http://www.georss.org/georss/10" "http://georss.org/georss"];
    /// GML, inside `georss:where`.
    Gml "gml" "http://www.opengis.net/gml" [];
    /// The W3C's basic geo vocabulary.
    Geo "geo" "http://www.w3.org/2003/01/geo/wgs84_pos#" [];
    /// Creative Commons licences in RSS 2.0.
    CreativeCommons "creativeCommons" "http://backend.userland.com/creativeCommonsRssModule" ["http://cyber.law.harvard.edu/rss/creativeCommonsRssModule.html"];
    /// Creative Commons licences in RSS 1.0 and elsewhere.
    Cc "cc" "http://creativecommons.org/ns#" ["http://web.resource.org/cc/" "http://creativecommons.org/ns"];
    /// `FeedBurner`.
    Feedburner "feedburner" "http://rssnamespace.org/feedburner/ext/1.0" [];
    /// Tombstones, RFC 6721.
    At "at" "http://purl.org/atompub/tombstones/1.0" [];
    /// Paged and archived feeds, RFC 5005.
    Fh "fh" "http://purl.org/syndication/history/1.0" [];
    /// Comment API.
    Wfw "wfw" "http://wellformedweb.org/CommentAPI/" [];
    /// RSS 1.0 enclosures.
    Enc "enc" "http://purl.oclc.org/net/rss_2.0/enc#" ["http://purl.oclc.org/net/rss_2.0/enc"];
    /// Administrative module of RSS 1.0.
    Admin "admin" "http://webns.net/mvcb/" ["http://purl.org/rss/1.0/modules/admin/"];
    /// The `xml:` prefix.
    Xml "xml" "http://www.w3.org/XML/1998/namespace" [];
}

/// What a URI is compared by: scheme, `www.`, case and a last `/` or `#` are often written differently.
fn bare(uri: &str) -> &str {
    let uri = uri.trim();
    let uri = uri.strip_prefix("http://").or_else(|| uri.strip_prefix("https://")).unwrap_or(uri);
    uri.strip_prefix("www.").unwrap_or(uri).trim_end_matches(['/', '#'])
}

impl Namespace {
    /// The namespace with this URI, also an old or misspelt one.
    pub fn from_uri(uri: &str) -> Option<Self> {
        let wanted = bare(uri);
        if wanted.is_empty() {
            return Some(Self::Core);
        }
        let fits = |known: &&str| bare(known).eq_ignore_ascii_case(wanted);
        [Self::Core]
            .iter()
            .chain(Self::ALL)
            .copied()
            .find(|ns| (ns.prefix() != "" && fits(&ns.uri())) || ns.aliases().iter().any(&fits))
    }

    /// The namespace that a prefix usually stands for: many feeds use one without declaring it.
    pub fn from_prefix(prefix: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|ns| ns.prefix().eq_ignore_ascii_case(prefix))
    }
}
