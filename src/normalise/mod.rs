//! What a source said → entries: identity, addresses, dates, safe HTML, language.
