//! One record for each event, whatever a source wrote into a value: what follows a line break inside a record is set in,
//! so that only a record begins at the beginning of a line, and other control characters are written out.
//!
//! The subscriber itself neutralises what commands a terminal, but lets line breaks, carriage returns and NUL pass.

use std::io::{self, Write};
use tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;

/// How far what belongs to the record above is set in.
const INDENT: &[u8] = b"    ";

/// Makes writers of records.
pub(super) struct Records<M>(pub(super) M);

impl<'w, M: MakeWriter<'w>> MakeWriter<'w> for Records<M> {
    type Writer = Record<M::Writer>;

    fn make_writer(&'w self) -> Self::Writer {
        Record(self.0.make_writer())
    }

    fn make_writer_for(&'w self, metadata: &Metadata<'_>) -> Self::Writer {
        Record(self.0.make_writer_for(metadata))
    }
}

/// Writes records; each comes in one piece, with the line break that ends it.
pub(super) struct Record<W>(W);

impl<W: Write> Write for Record<W> {
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        let is_odd = |byte: &u8| byte.is_ascii_control() && *byte != b'\t';
        let (text, end) = record.strip_suffix(b"\n").map_or((record, &b""[..]), |text| (text, &b"\n"[..]));
        if !text.iter().any(is_odd) {
            self.0.write_all(record)?;
            return Ok(record.len());
        }
        let mut out = Vec::with_capacity(record.len() + 64);
        for byte in text {
            match byte {
                b'\n' => {
                    out.push(b'\n');
                    out.extend_from_slice(INDENT);
                }
                byte if is_odd(byte) => out.extend(byte.escape_ascii()),
                byte => out.push(*byte),
            }
        }
        out.extend_from_slice(end);
        self.0.write_all(&out)?;
        Ok(record.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_record_begins_a_line() {
        for (record, written) in [
            ("a\n", "a\n"),
            ("", ""),
            ("no end", "no end"),
            ("a\tb 合流 \u{85}\n", "a\tb 合流 \u{85}\n"),
            ("a\n2026 INFO forged\n", "a\n    2026 INFO forged\n"),
            ("a\r\nb\n\n", "a\\r\n    b\n    \n"),
            ("a\0b\u{1b}[2J\u{7f}\n", "a\\x00b\\x1b[2J\\x7f\n"),
        ] {
            let mut out = Vec::new();
            Record(&mut out).write_all(record.as_bytes()).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), written, "{record:?}");
        }
    }
}
