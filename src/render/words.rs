//! Every string on the pages for people, in both languages. A string that is missing in one does not compile.

/// The language of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lang {
    /// Simplified Chinese.
    Zh,
    /// English.
    En,
}

impl Lang {
    /// The BCP 47 tag.
    #[must_use]
    pub fn tag(self) -> &'static str {
        self.words().tag
    }

    /// The strings.
    pub(super) fn words(self) -> &'static Words {
        match self {
            Self::Zh => &ZH,
            Self::En => &EN,
        }
    }
}

macro_rules! words {
    ($($name:ident $zh:literal $en:literal;)*) => {
        /// One language's strings.
        pub(super) struct Words { $(pub(super) $name: &'static str,)* }
        static ZH: Words = Words { $($name: $zh,)* };
        static EN: Words = Words { $($name: $en,)* };
        /// Every pair, for tests.
        #[cfg(test)]
        pub(super) const PAIRS: &[(&str, &str)] = &[$(($zh, $en),)*];
    };
}

words! {
    tag "zh-CN" "en";
    skip "跳到正文" "Skip to content";
    brand "合流 · 首页" "Heliu · home";
    intro "网站栏目与订阅源，合流为可订阅的更新。选一个，交给你的阅读器。" "News channels and feeds, brought together. Pick one and hand it to your reader.";
    feeds "订阅源" "Feeds";
    no_feeds "还没有订阅源。" "There are no feeds yet.";
    all "全部订阅" "All feeds";
    opml "导出 OPML" "Export as OPML";
    opml_hint "一次导入全部订阅源。" "Import every feed into your reader at once.";
    entries_unit "篇" "entries";
    newest "最近" "newest";
    live "实时" "Live";
    snapshot "快照" "Snapshot";
    snapshot_note "内置快照，尚未连上源站。内容来自随程序附带的页面，不是最新消息。" "Bundled snapshot: the source has not been reached yet. What you see comes from a page shipped with the program; it is not the latest news.";
    subscribe "订阅" "Subscribe";
    subscribe_hint "把任意一个地址复制到阅读器中。" "Copy any one of these addresses into your feed reader.";
    read_on_site "查看原栏目" "Visit the original page";
    entries "文章" "Entries";
    no_entries "还没有文章。" "There are no entries yet.";
    source "来源" "Source";
    author "作者" "By";
    editor "编辑" "Editor";
    updated "更新于" "Updated";
    full_text "展开全文" "Read the full text";
    attachments "附件" "Attachments";
    also_at "另见" "Also at";
    picture "配图" "Picture";
    untitled "（无标题）" "(untitled)";
    footer "由合流（Heliu）生成" "Made by Heliu";
    list_comma "、" ", ";
    breadcrumb "位置" "Breadcrumb";
}
