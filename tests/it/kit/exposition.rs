//! A strict reader of `/metrics`: OpenMetrics 1.0 and the Prometheus text format 0.0.4.

use std::collections::{BTreeMap, BTreeSet};

/// Which of the two formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    OpenMetrics,
    Prometheus,
}

/// The series with their values, each under its name and sorted labels: `a{b="c"}`.
pub(crate) type Series = BTreeMap<String, f64>;

/// Reads a document.
///
/// # Errors
/// The first line that is against the format, and why.
pub(crate) fn read(text: &str, dialect: Dialect) -> Result<Series, String> {
    let body = match (dialect, text.strip_suffix("# EOF\n")) {
        (Dialect::OpenMetrics, None) => return Err("no # EOF at the end".to_owned()),
        (Dialect::Prometheus, Some(_)) => return Err("# EOF".to_owned()),
        (_, body) => body.unwrap_or(text),
    };
    if !body.is_empty() && !body.ends_with('\n') {
        return Err("no line end at the end".to_owned());
    }
    let mut reader = Reader { dialect, ..Reader::default() };
    for line in body.lines() {
        reader.line(line).map_err(|why| format!("{why}: {line}"))?;
    }
    reader.histograms()?;
    Ok(reader.series)
}

struct Reader {
    dialect: Dialect,
    /// The family at hand and its type.
    family: (String, String),
    seen: BTreeSet<String>,
    series: Series,
}

impl Default for Reader {
    fn default() -> Self {
        Self { dialect: Dialect::OpenMetrics, family: Default::default(), seen: BTreeSet::new(), series: Series::new() }
    }
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), String> {
        if let Some(rest) = line.strip_prefix("# ") {
            let (what, rest) = rest.split_once(' ').ok_or("a bare comment")?;
            let (name, value) = rest.split_once(' ').ok_or("a description of nothing")?;
            if !is_name(name) {
                return Err(format!("{name} is no name"));
            }
            if self.family.0 != name {
                if !self.seen.insert(name.to_owned()) {
                    return Err("a family in two places".to_owned());
                }
                self.family = (name.to_owned(), "unknown".to_owned());
            }
            return match what {
                "HELP" => Ok(()),
                "TYPE" => {
                    let known = match self.dialect {
                        Dialect::OpenMetrics => &["gauge", "counter", "histogram", "info"][..],
                        Dialect::Prometheus => &["gauge", "counter", "histogram"],
                    };
                    value.clone_into(&mut self.family.1);
                    if known.contains(&value) { Ok(()) } else { Err("an unknown type".to_owned()) }
                }
                _ => Err("neither HELP nor TYPE".to_owned()),
            };
        }
        self.sample(line)
    }

    fn sample(&mut self, line: &str) -> Result<(), String> {
        let end = line.find(['{', ' ']).ok_or("no value")?;
        let (name, rest) = line.split_at(end);
        let (family, kind) = (&self.family.0, self.family.1.as_str());
        let ending = name.strip_prefix(family.as_str()).filter(|_| !family.is_empty()).ok_or("not of the family")?;
        let endings = match (kind, self.dialect) {
            ("counter", Dialect::OpenMetrics) => &["_total"][..],
            ("info", _) => &["_info"],
            ("histogram", _) => &["_bucket", "_sum", "_count"],
            _ => &[""],
        };
        if !endings.contains(&ending) {
            return Err(format!("{name} does not belong to a {kind} {family}"));
        }
        let (labels, value) = labels(rest)?;
        let value: f64 = value.strip_prefix(' ').ok_or("no blank")?.parse().map_err(|_| "no number")?;
        if value < 0.0 && kind != "gauge" {
            return Err("below nothing".to_owned());
        }
        let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        let key = if labels.is_empty() { name.to_owned() } else { format!("{name}{{{}}}", labels.join(",")) };
        if self.series.insert(key, value).is_some() { Err("a series twice".to_owned()) } else { Ok(()) }
    }

    /// Buckets never fall, and the last is the count. (Histograms here have no labels but `le`.)
    fn histograms(&self) -> Result<(), String> {
        let mut all: BTreeMap<&str, Vec<(f64, f64)>> = BTreeMap::new();
        for (key, value) in &self.series {
            if let Some((name, bound)) = key.split_once("_bucket{le=\"") {
                let bound = bound.trim_end_matches("\"}").parse().map_err(|_| format!("{key}: no bound"))?;
                all.entry(name).or_default().push((bound, *value));
            }
        }
        for (name, mut buckets) in all {
            buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
            let last = buckets.last().unwrap();
            let count = self.series.get(&format!("{name}_count"));
            if !buckets.is_sorted_by(|a, b| a.1 <= b.1) || last.0 != f64::INFINITY || count != Some(&last.1) {
                return Err(format!("{name}: buckets {buckets:?} do not lead to {count:?}"));
            }
        }
        Ok(())
    }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The labels, sorted, and what follows them.
fn labels(text: &str) -> Result<(BTreeMap<String, String>, &str), String> {
    let mut all = BTreeMap::new();
    let Some(mut rest) = text.strip_prefix('{') else { return Ok((all, text)) };
    loop {
        let (name, after) = rest.split_once("=\"").ok_or("a label without value")?;
        let mut value = String::new();
        let mut letters = after.char_indices();
        let end = loop {
            match letters.next().ok_or("an open quote")? {
                (at, '"') => break at,
                (_, '\\') => match letters.next() {
                    Some((_, letter @ ('\\' | '"' | 'n'))) => value.extend(['\\', letter]),
                    other => return Err(format!("the escape {other:?}")),
                },
                (_, letter) => value.push(letter),
            }
        };
        if !is_name(name) || all.insert(name.to_owned(), value).is_some() {
            return Err(format!("the label {name}"));
        }
        rest = &after[end + 1..];
        if let Some(after) = rest.strip_prefix('}') {
            return Ok((all, after));
        }
        rest = rest.strip_prefix(',').ok_or("no comma")?;
    }
}

#[test]
fn the_reader_of_metrics_can_say_no() {
    let good = "# HELP a A.\n# TYPE a counter\na_total{x=\"1\",y=\"\\\"\"} 2\n# TYPE h histogram\nh_sum 1.5\nh_count 2\nh_bucket{le=\"1.0\"} 1\nh_bucket{le=\"+Inf\"} 2\n# EOF\n";
    assert_eq!(read(good, Dialect::OpenMetrics).unwrap().len(), 5);
    for (from, to) in [
        ("# EOF\n", ""),
        ("a_total{", "a{"),
        ("a_total{", "b_total{"),
        ("} 2\n#", "} -2\n#"),
        ("} 2\n#", "} two\n#"),
        ("} 2\n#", "}2\n#"),
        ("y=", "x="),
        ("\\\"", "\\t"),
        ("\",y", "\";y"),
        ("x=", "1="),
        ("TYPE a counter", "TYPE a teapot"),
        ("# TYPE a counter\n", ""),
        ("# TYPE h histogram\n", "# TYPE h histogram\n# HELP a again\n"),
        ("h_sum", "a_total{x=\"1\",y=\"\\\"\"} 2\nh_sum"),
        ("h_sum 1.5", "h_count 2"),
        ("le=\"1.0\"} 1", "le=\"1.0\"} 3"),
        ("h_count 2", "h_count 3"),
        ("le=\"+Inf\"", "le=\"2\""),
    ] {
        assert!(good.contains(from), "{from}");
        let bad = good.replacen(from, to, 1);
        assert!(read(&bad, Dialect::OpenMetrics).is_err(), "{from:?} → {to:?}");
    }
    assert!(read(good, Dialect::Prometheus).is_err());
}
