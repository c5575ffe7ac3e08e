//! A strict reader of XML for the checkers: whatever is ill-formed or undeclared is an error.

use quick_xml::NsReader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use regex::Regex;
use std::cell::RefCell;
use std::collections::HashMap;

/// An element with resolved names. An attribute without a prefix has an empty namespace.
#[derive(Debug, Default)]
pub(crate) struct Element {
    pub(crate) ns: String,
    pub(crate) name: String,
    pub(crate) attrs: Vec<(String, String, String)>,
    pub(crate) children: Vec<Element>,
    pub(crate) text: String,
}

impl Element {
    /// The value of an attribute without a namespace.
    pub(crate) fn attr(&self, name: &str) -> Option<&str> {
        self.attrs.iter().find(|(ns, own, _)| ns.is_empty() && own == name).map(|(_, _, value)| value.as_str())
    }

    /// The children of that name.
    pub(crate) fn all<'a>(&'a self, ns: &str, name: &str) -> impl Iterator<Item = &'a Element> + use<'a> {
        let wanted = (ns.to_owned(), name.to_owned());
        self.children.iter().filter(move |child| child.ns == wanted.0 && child.name == wanted.1)
    }

    /// The text of the first child of that name.
    pub(crate) fn text_of(&self, ns: &str, name: &str) -> Option<&str> {
        self.all(ns, name).next().map(|child| child.text.as_str())
    }
}

fn namespace(resolved: &ResolveResult<'_>) -> Result<String, String> {
    match resolved {
        ResolveResult::Bound(ns) => Ok(String::from_utf8_lossy(ns.as_ref()).into_owned()),
        ResolveResult::Unbound => Ok(String::new()),
        ResolveResult::Unknown(prefix) => Err(format!("undeclared prefix {:?}", String::from_utf8_lossy(prefix))),
    }
}

fn open(reader: &NsReader<&[u8]>, start: &BytesStart<'_>) -> Result<Element, String> {
    let (ns, local) = reader.resolver().resolve_element(start.name());
    let name = String::from_utf8_lossy(local.as_ref()).into_owned();
    let mut element = Element { ns: namespace(&ns)?, name, ..Element::default() };
    for attr in start.attributes() {
        let attr = attr.map_err(|e| format!("attribute: {e}"))?;
        if attr.value.contains(&b'<') {
            return Err("`<` in an attribute".to_owned());
        }
        let value = attr.normalized_value(XmlVersion::Implicit1_0).map_err(|e| format!("attribute: {e}"))?;
        if attr.key.as_ref() == b"xmlns" || attr.key.as_ref().starts_with(b"xmlns:") {
            continue;
        }
        let (ns, local) = reader.resolver().resolve_attribute(attr.key);
        let local = String::from_utf8_lossy(local.as_ref()).into_owned();
        element.attrs.push((namespace(&ns)?, local, value.into_owned()));
    }
    Ok(element)
}

fn legal(c: char) -> bool {
    matches!(c as u32, 0x9 | 0xA | 0xD | 0x20..=0xD7FF | 0xE000..=0xFFFD | 0x10000..=0x0010_FFFF)
}

/// Reads a whole document.
pub(crate) fn parse(xml: &str) -> Result<Element, String> {
    let declaration = "<?xml version=\"1.0\" encoding=\"utf-8\"?>";
    if !xml.starts_with(declaration) {
        return Err("no XML declaration that says utf-8".to_owned());
    }
    if let Some(c) = xml.chars().find(|&c| !legal(c)) {
        return Err(format!("XML forbids {c:?}"));
    }
    let mut reader = NsReader::from_str(&xml[declaration.len()..]);
    reader.config_mut().check_comments = true;
    let mut stack: Vec<Element> = vec![Element::default()];
    loop {
        let event = reader.read_event().map_err(|e| format!("ill-formed: {e}"))?;
        let top = stack.last_mut().unwrap();
        match event {
            Event::Start(start) => {
                let element = open(&reader, &start)?;
                stack.push(element);
            }
            Event::Empty(start) => top.children.push(open(&reader, &start)?),
            Event::End(_) => {
                let done = stack.pop().unwrap();
                stack.last_mut().ok_or("an end without a start")?.children.push(done);
            }
            Event::Text(text) => {
                let text = text.decode().map_err(|e| e.to_string())?;
                if text.contains("]]>") {
                    return Err("`]]>` in text".to_owned());
                }
                top.text.push_str(&text);
            }
            Event::CData(data) => top.text.push_str(&data.decode().map_err(|e| e.to_string())?),
            Event::GeneralRef(reference) => {
                let name = reference.decode().map_err(|e| e.to_string())?.into_owned();
                let c = match reference.resolve_char_ref().map_err(|e| e.to_string())? {
                    Some(c) if legal(c) => c.to_string(),
                    Some(c) => return Err(format!("XML forbids {c:?}")),
                    None => quick_xml::escape::resolve_predefined_entity(&name).ok_or("undeclared entity")?.to_owned(),
                };
                top.text.push_str(&c);
            }
            Event::Comment(_) => {}
            Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {
                return Err("a processing instruction or DTD".to_owned());
            }
            Event::Eof => break,
        }
    }
    let mut root = stack.pop().unwrap();
    if !stack.is_empty() || root.children.len() != 1 || !root.text.trim().is_empty() {
        return Err("not exactly one whole root element".to_owned());
    }
    Ok(root.children.pop().unwrap())
}

/// A pattern, compiled once for each thread: the checkers run thousands of times.
pub(crate) fn regex(pattern: &'static str) -> Regex {
    thread_local!(static KNOWN: RefCell<HashMap<&'static str, Regex>> = RefCell::default());
    KNOWN.with_borrow_mut(|known| known.entry(pattern).or_insert_with(|| Regex::new(pattern).unwrap()).clone())
}

/// An RFC 3986 URI with scheme http or https, a host, and no character outside the grammar.
pub(crate) fn http(text: &str) -> Result<(), String> {
    let grammar = regex(
        r"^https?://[A-Za-z0-9._~!$&'()*+,;=:@%\[\]-]+(/([A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*)?(\?([A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?(#([A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?$",
    );
    if grammar.is_match(text) { Ok(()) } else { Err(format!("not an absolute http address: {text:?}")) }
}

/// An absolute IRI: a scheme and no character that RFC 3987 leaves out.
pub(crate) fn iri(text: &str) -> Result<(), String> {
    let grammar = regex(r#"^[A-Za-z][A-Za-z0-9+.-]*:([^\s%<>"{}|\\^`\p{Cc}\p{Co}]|%[0-9A-Fa-f]{2})+$"#);
    if grammar.is_match(text) { Ok(()) } else { Err(format!("not an absolute IRI: {text:?}")) }
}

/// Relative references in the sanitised HTML of an entry.
pub(crate) fn no_relative_references(html: &str) -> Result<(), String> {
    let refs = regex(r#"(?i)\s(?:href|src|poster|cite|longdesc)\s*=\s*["']?([^"'\s>]*)"#);
    let absolute = regex(r"(?i)^(?:https?://|data:|mailto:|tel:|#)");
    match refs.captures_iter(html).find(|found| !absolute.is_match(&found[1])) {
        Some(found) => Err(format!("relative reference {:?}", &found[1])),
        None => Ok(()),
    }
}
