//! Which bytes are no text at all.

/// The first bytes of kinds of files that are often served where a page should be.
const MAGIC: [&[u8]; 14] = [
    b"%PDF-",
    b"\x89PNG",
    b"\xFF\xD8\xFF",
    b"GIF8",
    b"PK\x03\x04",
    b"\x1F\x8B",
    b"RIFF",
    b"\x7FELF",
    b"MZ\x90\0",
    b"OggS",
    b"ID3",
    b"Rar!",
    b"7z\xBC\xAF",
    b"\xD0\xCF\x11\xE0",
];

/// Whether the bytes are a file rather than text, judged by their first kilobyte. UTF-16 is text.
#[must_use]
pub fn looks_binary(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(1024)];
    if MAGIC.iter().any(|magic| head.starts_with(magic)) || head.get(4..8) == Some(b"ftyp") {
        return true;
    }
    if encoding_rs::Encoding::for_bom(head).is_some() || super::utf16_without_bom(head).is_some() {
        return false;
    }
    let control = head.iter().filter(|byte| **byte < 0x20 && !b"\t\n\r\x0C\x1B".contains(byte)).count();
    control > 0 && control * 20 >= head.len()
}
