use super::*;
use crate::model::legal;
use proptest::prelude::*;
use std::borrow::Cow;

/// Name, bytes, header, charset, text.
type Row = (&'static str, Vec<u8>, Option<&'static str>, &'static str, String);

const PAGE: &str = "<html><head><title>在密切联系群众中勇往直前</title></head><body>中工评论</body></html>";

fn gbk(text: &str) -> Vec<u8> {
    let (bytes, _, unmappable) = GBK.encode(text);
    assert!(!unmappable, "{text}");
    bytes.into_owned()
}

fn utf16(text: &str, big: bool, bom: bool) -> Vec<u8> {
    let mark = if bom { "\u{FEFF}" } else { "" };
    let units = format!("{mark}{text}");
    units.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
}

fn page(meta: &str) -> String {
    PAGE.replace("<head>", &format!("<head>{meta}"))
}

fn check(name: &str, bytes: &[u8], header: Option<&str>, charset: &str, text: &str, flaws: &[FlawCode]) {
    let decoded = decode(bytes, header);
    assert_eq!(decoded.charset, charset, "{name}");
    assert_eq!(decoded.text, text, "{name}");
    assert_eq!(decoded.flaws.iter().map(|flaw| flaw.code).collect::<Vec<_>>(), flaws, "{name}");
}

#[test]
fn charset_is_found_where_it_is_declared() {
    let big5 = encoding_rs::BIG5.encode("<p>中國工人</p>").0.into_owned();
    let late = page(&format!("<!-- {} -->\n<meta charset=gb2312>", "x".repeat(3000)));
    let fake = page(
        "<script src=a.js charset=\"utf-8\"></script><script>document.write('<meta charset=\"big5\">')</script>\
         <!-- <meta charset=big5> --><style>@charset \"big5\";</style>\
         <META HTTP-EQUIV='Content-Type' CONTENT='text/html; charset=gb2312'>",
    );
    let xml = "<?xml version=\"1.0\" encoding=\"GBK\"?><rss><title>评论</title></rss>";
    let rows: Vec<Row> = vec![
        ("header gbk", gbk(PAGE), Some("text/html; charset=GBK"), "gb18030", PAGE.into()),
        ("quoted header", gbk(PAGE), Some("text/html;Charset = \"gb2312\""), "gb18030", PAGE.into()),
        ("big5", big5, Some("text/html; charset=big5"), "Big5", "<p>中國工人</p>".into()),
        ("meta", gbk(&page("<meta charset=gb2312>")), Some("text/html"), "gb18030", page("<meta charset=gb2312>")),
        ("meta past 1024", gbk(&late), None, "gb18030", late.clone()),
        ("meta behind fakes", gbk(&fake), None, "gb18030", fake.clone()),
        ("xml declaration", gbk(xml), Some("application/xml"), "gb18030", xml.into()),
        ("plain utf-8", PAGE.into(), None, "UTF-8", PAGE.into()),
        ("ascii", b"hello".to_vec(), Some("text/html"), "UTF-8", "hello".into()),
        ("nothing", vec![], None, "UTF-8", String::new()),
        ("utf-8 bom", format!("\u{FEFF}{PAGE}").into(), Some("text/html; charset=gbk"), "UTF-8", PAGE.into()),
        ("utf-16le bom", utf16(PAGE, false, true), None, "UTF-16LE", PAGE.into()),
        ("utf-16be bom", utf16(PAGE, true, true), None, "UTF-16BE", PAGE.into()),
        ("utf-16le", utf16(PAGE, false, false), Some("text/html"), "UTF-16LE", PAGE.into()),
        ("utf-16be", utf16(PAGE, true, false), None, "UTF-16BE", PAGE.into()),
        ("detected", gbk(&PAGE.repeat(4)), None, "gb18030", PAGE.repeat(4)),
        ("unknown label", gbk(&PAGE.repeat(4)), Some("text/html; charset=zzz"), "gb18030", PAGE.repeat(4)),
        ("one gbk character", gbk("<p>一"), Some("text/html; charset=gbk"), "gb18030", "<p>一".into()),
        ("beyond gb2312", GB18030.encode("镕喆㐂").0.into(), Some("a/b;charset=gb2312"), "gb18030", "镕喆㐂".into()),
    ];
    for (name, bytes, header, charset, text) in rows {
        check(name, &bytes, header, charset, &text, &[]);
    }
}

#[test]
fn bytes_beat_a_lying_label() {
    use FlawCode::{CharsetErrors, CharsetMismatch};
    let liar = page("<meta charset=gb2312>");
    check("utf-8 under gb2312", liar.as_bytes(), None, "UTF-8", &liar, &[CharsetMismatch]);
    check("utf-8 under a gbk header", PAGE.as_bytes(), Some("a/b; charset=gbk"), "UTF-8", PAGE, &[CharsetMismatch]);
    let both = page("<meta charset=\"UTF-8,gb2312\">");
    check("broken label, utf-8", both.as_bytes(), None, "UTF-8", &both, &[]);
    check("broken label, gbk", &gbk(&both), None, "gb18030", &both, &[CharsetMismatch]);
    check("gbk under utf-8", &gbk(PAGE), Some("text/html; charset=utf-8"), "gb18030", PAGE, &[CharsetMismatch]);
    let meta = page("<meta charset=gb2312>");
    check("a server's default latin-1", &gbk(&meta), Some("text/html; charset=ISO-8859-1"), "gb18030", &meta, &[]);
    check("latin-1 on utf-8", PAGE.as_bytes(), Some("a/b;charset=iso-8859-1"), "UTF-8", PAGE, &[CharsetMismatch]);
    check("a meta in utf-16 that is ascii", b"<meta charset=utf-16>a", None, "UTF-8", "<meta charset=utf-16>a", &[]);

    let cut = &PAGE.as_bytes()[..PAGE.find("评论").unwrap() + 2];
    let text = format!("{}\u{FFFD}", &PAGE[..PAGE.find("评论").unwrap()]);
    check("cut utf-8", cut, Some("a/b; charset=gbk"), "UTF-8", &text, &[CharsetMismatch, CharsetErrors]);
    let whole = gbk(PAGE);
    let cut = &whole[..=gbk(&PAGE[..PAGE.find("评论").unwrap()]).len()];
    check("cut gbk", cut, Some("a/b; charset=gbk"), "gb18030", &text, &[CharsetErrors]);
    let mut broken = PAGE.as_bytes().to_vec();
    broken.insert(PAGE.find("中工").unwrap(), 0xFF);
    let text = PAGE.replace("中工", "\u{FFFD}中工");
    check("one bad byte in utf-8", &broken, Some("a/b; charset=utf-8"), "UTF-8", &text, &[CharsetErrors]);
}

/// Letters of two bytes only, as most European languages have them, under the labels that writers copy along.
#[test]
fn utf_8_beats_every_single_byte_label() {
    let (text, utf8) = ("<t>Café à Genève – naïve façade</t>", "<t>Žluťoučký kůň Ångström ñandú</t>");
    let labels = [
        "iso-8859-1",
        "latin1",
        "iso-8859-2",
        "iso-8859-9",
        "iso-8859-15",
        "windows-1250",
        "windows-1251",
        "windows-1252",
        "windows-1254",
        "koi8-r",
        "macintosh",
    ];
    for label in labels {
        let header = format!("text/xml; charset={label}");
        for sent in [text, utf8, "<t>é</t>"] {
            check(label, sent.as_bytes(), Some(&header), "UTF-8", sent, &[FlawCode::CharsetMismatch]);
            let declared = format!("<?xml version=\"1.0\" encoding=\"{label}\"?>{sent}");
            check(label, declared.as_bytes(), None, "UTF-8", &declared, &[FlawCode::CharsetMismatch]);
        }
    }
    // What is not UTF-8 as a whole is what the label says; so is what has no letter beyond ASCII.
    for (label, charset, bytes, text) in [
        ("iso-8859-1", "windows-1252", &b"<t>Caf\xE9</t>"[..], "<t>Café</t>"),
        ("iso-8859-1", "windows-1252", b"<t>Caf\xC3\xA9 \xE9</t>", "<t>CafÃ© é</t>"),
        ("iso-8859-1", "windows-1252", b"<t>caf\xC3", "<t>cafÃ"),
        ("iso-8859-2", "ISO-8859-2", b"<t>\xB1\xEA</t>", "<t>ąę</t>"),
        ("windows-1251", "windows-1251", b"<t>\xC4\xE0</t>", "<t>Да</t>"),
        ("iso-8859-15", "ISO-8859-15", b"<t>abc</t>", "<t>abc</t>"),
    ] {
        check(label, bytes, Some(&format!("text/xml; charset={label}")), charset, text, &[]);
    }
    // Two bytes of these can be a character of theirs as well as one of UTF-8: the label is believed.
    for label in ["gbk", "gb18030", "big5", "shift_jis", "euc-jp", "euc-kr"] {
        let decoded = decode("<t>é</t>".as_bytes(), Some(&format!("text/xml; charset={label}")));
        assert_ne!(decoded.charset, "UTF-8", "{label}");
    }
}

#[test]
fn only_xml_characters_are_legal() {
    for (text, expected) in [
        ("评论\t\r\n", "评论\t\r\n"),
        ("a\0b\u{8}c\u{B}d\u{1F}e", "abcde"),
        ("\u{FFFE}x\u{FFFF}\u{FFFD}", "x\u{FFFD}"),
        ("\u{7F}\u{80}\u{9F}\u{10FFFF}𠮷", "\u{7F}\u{80}\u{9F}\u{10FFFF}𠮷"),
    ] {
        assert_eq!(legal(text), expected, "{text:?}");
    }
    assert!(matches!(legal("clean"), Cow::Borrowed(_)));
    let every: String = (0..=0x10_FFFF).filter_map(char::from_u32).collect();
    assert_eq!(every.chars().count() - legal(&every).chars().count(), 29 + 2);
}

#[test]
fn files_are_told_from_text() {
    for binary in
        [&b"%PDF-1.7 ..."[..], b"\x89PNG\r\n", b"\xFF\xD8\xFF\xE0", b"PK\x03\x04", &[0u8; 64], b"\0\0\0 ftypmp4"]
    {
        assert!(looks_binary(binary), "{binary:?}");
    }
    let pages = [PAGE.into(), gbk(PAGE), utf16(PAGE, false, false), utf16(PAGE, true, true), vec![], b"[]".to_vec()];
    for text in pages {
        assert!(!looks_binary(&text), "{text:?}");
    }
}

#[test]
fn hostile_pages_take_linear_time() {
    for unit in ["<", "<script>", "<!--", "<meta a='", "<a b=\"", "< =", "</script", "<title></tit"] {
        let text = unit.repeat(600_000 / unit.len());
        assert_eq!(decode(text.as_bytes(), Some("text/html")).charset, "UTF-8", "{unit}");
    }
}

proptest! {
    #[test]
    fn any_bytes_become_text(bytes in proptest::collection::vec(any::<u8>(), 0..400), header in "\\PC{0,40}") {
        let decoded = decode(&bytes, Some(&header));
        prop_assert!(legal(&decoded.text).len() <= decoded.text.len());
        let _ = looks_binary(&bytes);
    }

    #[test]
    fn chinese_survives_both_ways(text in "[一-龥。，]{4,80}") {
        prop_assert_eq!(&decode(text.as_bytes(), Some("text/html; charset=gb2312")).text, &text);
        prop_assert_eq!(&decode(&gbk(&text), Some("text/html; charset=gb2312")).text, &text);
    }
}
