//! What an admin can do about a flaw, in Chinese. The English is in the table of `flaw`, since it also stands in logs and in JSON.

use super::FlawCode;

impl FlawCode {
    /// What an admin can do about it, in Chinese. The names of states, options and commands stay as they are.
    #[must_use]
    pub fn advice_in_chinese(self) -> &'static str {
        match self {
            Self::Unreachable => "请检查地址是否正确、主机是否在线；合流会以逐渐加长的间隔重试。",
            Self::HttpStatus => "请用浏览器打开该地址；如果页面已搬走，请修改频道的地址。",
            Self::LeftAlone => "该地址重定向到一台要求暂停抓取的主机；期满后会再次抓取。",
            Self::Gone => "来源声明自己已永久下线，不再抓取；请删除该频道，或修改其地址，修改后会重新开始。",
            Self::Moved => "来源已永久搬走，现在抓取的是新地址；请把新地址写进 feeds.yaml。",
            Self::AddressRefused => "该地址属于内网或本机；如果确实要抓取，请把所在网段写进 service.allow_networks。",
            Self::RobotsDisallow => {
                "网站的 robots.txt 不允许抓取该页面；请联系网站、换一个地址，或在确有权抓取时为频道设置 `robots: ignore`。"
            }
            Self::TooLarge => "页面比列表页应有的大小大得多；请检查地址是否正确。",
            Self::Truncated => "连接中途断开；合流会重试。",
            Self::Empty => "服务器什么也没有发来；已发布的内容保持不变。",
            Self::Binary => "该地址返回的是文件而不是页面；请检查地址。",
            Self::Login => "页面需要登录或验证码；请换一个公开的地址。",
            Self::AddressSkipped => "频道的某个地址目前不可用；已改用列表中后面的地址。",
            Self::NoLayoutFits => "页面可能改版了：请运行 `heliu preview 频道` 并添加一个版式。",
            Self::Shrunken => "页面列出的条目比平时少得多；已发布的内容没有删除任何条目。",
            Self::AllNew => "所有条目看上去都是新的：请检查地址是否仍是同一栏目，版式的 identity 表达式是否还合适。",
            Self::Drifted => {
                "页面可能改动过：条目平时带有的字段不见了。请运行 `heliu preview 频道` 并修正版式；持续一周的样子会被当作有意为之。"
            }
            Self::OldGone => "几乎所有条目一下子都换掉了：请检查地址是否仍是同一栏目。已发布的内容保持不变。",
            Self::Silent => {
                "很久没有新内容，远超平时：请用浏览器打开该地址；如果栏目已搬走，请修改频道的地址，如果已停办，请删除该频道。"
            }
            Self::PageUnread => "列表的后续页面无法读取，只出现在那里的条目暂缺；接下来几次抓取会再试，最多五次。",
            Self::IdsChanged => "来源更换了条目的 id；读者看到的仍是原来的 id，没有条目重复出现。无需处理。",
            Self::Quarantined => {
                "来了一整页换了新 id、看上去却是旧文的条目。请查看来源；如果确实是新的，请为频道设置 `quarantine: false`，随即发布。"
            }
            Self::MassWithdrawal => {
                "来源一下子撤回了大部分条目，看上去像是事故；没有撤回任何条目。如果确是有意，请为频道设置 `quarantine: false`。"
            }
            Self::CharsetMismatch => "页面声明的字符编码是错的；合流改用了与内容相符的编码。",
            Self::CharsetErrors => "有些字节在页面的字符编码中无效，已替换为 U+FFFD。",
            Self::IllegalCharacters => "XML 不允许的字符已被去掉。",
            Self::Malformed => "文档不合语法；能读出的部分都已读出。",
            Self::LimitReached => "文档超出了安全上限；超出的部分没有读取。",
            Self::NotAFeed => "该地址是一个网页；请改用网页中声明的订阅地址。",
            Self::EntryWithoutLink => "有一个条目没有链接，已略去。",
            Self::EntryWithoutTitle => "有一个条目没有标题；已用其正文或日期拟了一个。",
            Self::DuplicateId => "同一页面上有两个条目用了同一个 id；没有用它来区分条目。",
            Self::DateMissing => "没有找到日期；使用了首次见到该条目的时刻。",
            Self::DateUnreadable => "有一个日期无法识别；使用了日期阶梯的下一级。",
            Self::DateInFuture => "有一个日期在将来；使用了首次见到该条目的时刻。",
            Self::ArticleUnread => "文章页面无法读取；条目已按列表内容发布，稍后会再试。",
            Self::LinkRefused => "有一个地址既不是 http 也不是 https，已略去。",
            Self::Panicked => "这是合流的缺陷：请附上这段文字报告；其他频道不受影响。",
            Self::Overrun => {
                "读取该文档花的时间超过任何正常的文档，没有采用其中任何内容。连续三次之后，该来源会暂停抓取一天。请查看该地址；如果文档并无恶意，请报告。"
            }
            Self::Crowded => "有些文档久读不完，占满了所有线程；请按问题代码 `overrun` 找出它们的频道，并重启合流。",
            Self::SnapshotUnread => "频道的快照无法读取；请检查 feeds.yaml 中的路径。",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_code_has_advice_of_its_own_in_both_languages() {
        let is_chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        let mut seen = HashSet::new();
        for &code in FlawCode::ALL {
            let (chinese, english) = (code.advice_in_chinese(), code.advice());
            assert!(is_chinese(chinese) && chinese.ends_with('。'), "{code}: {chinese}");
            assert!(!is_chinese(english) && english.ends_with('.'), "{code}: {english}");
            assert!(seen.insert(chinese) && seen.insert(english), "{code} says what another one says");
            // What is to be typed is the same in both.
            let typed = |text: &str| text.matches('`').count();
            assert_eq!(typed(chinese), typed(english), "{code}");
        }
    }
}
