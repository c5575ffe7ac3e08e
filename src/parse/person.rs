//! Persons written in one line: `a@b (Name)`, `Name <a@b>`, `Name (a@b)`, an address or a name alone.

use crate::model::Person;

/// Reads a person; `None` when nothing is left. Without a name the part before the `@` stays out: the address is
/// the name, so that nothing is invented.
pub(super) fn read(text: &str) -> Option<Person> {
    let text = text.trim();
    let (mut name, mut email) = (text, None);
    if let Some((outside, inside)) = bracketed(text, '<', '>').or_else(|| bracketed(text, '(', ')')) {
        if let Some(address) = address(inside) {
            (name, email) = (outside, Some(address));
        } else if let Some(address) = address(outside) {
            (name, email) = (inside, Some(address));
        }
    } else if let Some(address) = address(text) {
        (name, email) = (address, Some(address));
    } else if let Some((first, rest)) = text.split_once(char::is_whitespace) {
        // `a@b Name`
        if let Some(address) = address(first) {
            (name, email) = (rest, Some(address));
        }
    }
    let name = name.trim().trim_matches('"').trim();
    let name = if name.is_empty() { email.unwrap_or_default() } else { name };
    (!name.is_empty()).then(|| Person { name: name.to_owned(), email: email.map(str::to_owned), uri: None })
}

/// Splits `outside (inside)`.
fn bracketed(text: &str, open: char, close: char) -> Option<(&str, &str)> {
    let inner = text.strip_suffix(close)?;
    let (outside, inside) = inner.split_once(open)?;
    Some((outside.trim(), inside.trim()))
}

/// The text as an e-mail address, if it looks like one.
fn address(text: &str) -> Option<&str> {
    let text = text.trim();
    let text = text.strip_prefix("mailto:").unwrap_or(text);
    let (local, domain) = text.split_once('@')?;
    let plain = |c: char| !c.is_whitespace() && !matches!(c, '<' | '>' | '(' | ')' | '@' | ',' | ';');
    (!local.is_empty() && domain.contains('.') && local.chars().all(plain) && domain.chars().all(plain)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, name: &str, email: Option<&str>) {
        let person = read(text).unwrap_or_default();
        assert_eq!((person.name.as_str(), person.email.as_deref()), (name, email), "{text:?}");
    }

    #[test]
    fn persons_in_one_line() {
        check("wang@example.org (王小明)", "王小明", Some("wang@example.org"));
        check("Anna Berg <anna@example.org>", "Anna Berg", Some("anna@example.org"));
        check("\"Anna Berg\" <anna@example.org>", "Anna Berg", Some("anna@example.org"));
        check("Anna Berg (anna@example.org)", "Anna Berg", Some("anna@example.org"));
        check("anna@example.org", "anna@example.org", Some("anna@example.org"));
        check("mailto:anna@example.org", "anna@example.org", Some("anna@example.org"));
        check("anna@example.org Anna", "Anna", Some("anna@example.org"));
        check("anna@example.org ()", "anna@example.org", Some("anna@example.org"));
        check("Anna (editor)", "Anna (editor)", None);
        check("  Anna  ", "Anna", None);
        check("@anna", "@anna", None);
        check("a@b", "a@b", None);
        check("", "", None);
        check("()", "()", None);
        check(")(", ")(", None);
        check("<>", "<>", None);
    }
}
