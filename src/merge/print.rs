//! The print of a text: what is left of it to tell near-duplicates. A simhash finds likely ones, whole
//! sentences find those that were cut, and a sample of the text's triples of units decides.
//!
//! A unit is one Chinese character, one word of another script, or one number.

use std::collections::HashSet;

/// How much of a text counts, in characters.
const LONGEST: usize = 20_000;
/// A text of fewer units says too little.
const SHORTEST: usize = 30;
/// How many triples are kept: those with the smallest hashes, so that two texts keep the same ones.
const SAMPLE: usize = 256;
/// A sentence of fewer units is a phrase that anybody may write.
const SENTENCE: usize = 10;
/// How many sentences of one text are kept.
const SENTENCES: usize = 64;

/// The print of one text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Print {
    /// Charikar's simhash over Chinese bigrams and words.
    pub(super) simhash: u64,
    /// Hashes of its long sentences.
    pub(super) sentences: Vec<u64>,
    triples: Vec<u64>,
    numbers: Vec<u64>,
}

impl Print {
    /// The print of a text that is long enough to have one; `html` may hold markup.
    pub(super) fn of(html: &str) -> Option<Self> {
        let mut units = Vec::new();
        let mut sentences = Vec::new();
        for sentence in
            plain(html).split(['。', '！', '？', '!', '?', '\n', ';', '；']).flat_map(|part| part.split(". "))
        {
            let own = units_of(sentence);
            if own.len() >= SENTENCE && sentences.len() < SENTENCES {
                sentences.push(own.iter().fold(SEED, |hash, unit| mix(hash, unit.hash)));
            }
            units.extend(own);
        }
        if units.len() < SHORTEST {
            return None;
        }
        let triple = |three: &[Unit]| mix(mix(mix(SEED, three[0].hash), three[1].hash), three[2].hash);
        let mut triples: Vec<u64> = units.windows(3).map(triple).collect();
        smallest(&mut triples);
        let mut numbers: Vec<u64> = units.iter().filter(|unit| unit.number).map(|unit| unit.hash).collect();
        smallest(&mut numbers);
        sentences.sort_unstable();
        sentences.dedup();
        Some(Self { simhash: simhash(&units), sentences, triples, numbers })
    }

    /// Which part of the smaller text is in the other, 0 to 1.
    pub(super) fn overlap(&self, other: &Self) -> f64 {
        shared(&self.triples, &other.triples)
    }

    /// Whether nearly all numbers of the text with fewer are in the other.
    pub(super) fn has_numbers_of(&self, other: &Self) -> bool {
        let few = self.numbers.len().min(other.numbers.len());
        few == 0 || shared(&self.numbers, &other.numbers) >= 0.85
    }

    /// Whether two texts are one: seven tenths of the smaller are in the other, and so are its numbers. News
    /// that is written anew with other figures, and templates, differ just there.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.has_numbers_of(other) && self.overlap(other) >= 0.7
    }
}

/// Sorts, and keeps the smallest, each once.
fn smallest(hashes: &mut Vec<u64>) {
    hashes.sort_unstable();
    hashes.dedup();
    hashes.truncate(SAMPLE);
}

/// Which part of the smaller set is in the other, estimated from the smallest hashes of both: only up to where
/// both samples reach are they comparable.
#[allow(clippy::cast_precision_loss)] // At most SAMPLE each.
fn shared(one: &[u64], other: &[u64]) -> f64 {
    let reach = |all: &[u64]| if all.len() < SAMPLE { u64::MAX } else { all.last().copied().unwrap_or(u64::MAX) };
    let reach = reach(one).min(reach(other));
    let (one, other) =
        (&one[..one.partition_point(|hash| *hash <= reach)], &other[..other.partition_point(|hash| *hash <= reach)]);
    let both = one.iter().filter(|hash| other.binary_search(hash).is_ok()).count();
    let smaller = one.len().min(other.len());
    if smaller == 0 { 0.0 } else { both as f64 / smaller as f64 }
}

fn simhash(units: &[Unit]) -> u64 {
    let mut votes = [0i32; 64];
    let mut vote = |hash: u64| {
        for (bit, votes) in votes.iter_mut().enumerate() {
            *votes += if hash >> bit & 1 == 1 { 1 } else { -1 };
        }
    };
    let mut seen = HashSet::new();
    for two in units.windows(2) {
        let hash = if two[0].han { mix(two[0].hash, two[1].hash) } else { two[0].hash };
        if seen.insert(hash) {
            vote(hash);
        }
    }
    votes.iter().enumerate().fold(0, |hash, (bit, votes)| if *votes > 0 { hash | 1 << bit } else { hash })
}

/// One Chinese character, word or number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unit {
    pub(super) hash: u64,
    pub(super) han: bool,
    number: bool,
}

/// The units of a text, whatever its case, width and punctuation.
pub(super) fn units_of(text: &str) -> Vec<Unit> {
    let mut units = Vec::new();
    let mut word = String::new();
    let flush = |word: &mut String, units: &mut Vec<Unit>| {
        if !word.is_empty() {
            let number = word.bytes().all(|b| b.is_ascii_digit());
            units.push(Unit { hash: hash(word), han: false, number });
            word.clear();
        }
    };
    for letter in text.chars().map(narrow) {
        let joins =
            |word: &String| word.chars().last().is_none_or(|last| last.is_ascii_digit() == letter.is_ascii_digit());
        if is_han(letter) {
            flush(&mut word, &mut units);
            units.push(Unit { hash: hash(letter.encode_utf8(&mut [0; 4])), han: true, number: false });
        } else if letter.is_alphanumeric() {
            if !joins(&word) {
                flush(&mut word, &mut units);
            }
            word.extend(letter.to_lowercase());
        } else if !matches!(letter, '\'' | '’' | ',') || word.is_empty() {
            // `1,200` and `don't` are one word.
            flush(&mut word, &mut units);
        }
    }
    flush(&mut word, &mut units);
    units
}

/// Full-width forms of ASCII as ASCII.
pub(super) fn narrow(letter: char) -> char {
    match u32::from(letter) {
        code @ 0xFF01..=0xFF5E => char::from_u32(code - 0xFEE0).unwrap_or(letter),
        0x3000 => ' ',
        _ => letter,
    }
}

pub(super) fn is_han(letter: char) -> bool {
    matches!(u32::from(letter), 0x3040..=0x30FF | 0x3400..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x3FFFF)
}

/// The text between the tags, one line for each block. Character references that matter are `&amp;` and its like,
/// which are no letters; what is left of them is the same in both texts.
fn plain(html: &str) -> String {
    let mut text = String::new();
    let mut depth = false;
    for letter in html.chars().take(LONGEST) {
        match letter {
            '<' => depth = true,
            '>' if depth => {
                depth = false;
                text.push(' ');
            }
            _ if !depth => text.push(letter),
            _ => {}
        }
    }
    text
}

/// The start of every hash: FNV-1a's offset basis.
pub(super) const SEED: u64 = 0xcbf2_9ce4_8422_2325;

fn hash(text: &str) -> u64 {
    // FNV-1a, finished by `mix`: the same in every version and on every machine.
    mix(SEED, text.bytes().fold(SEED, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)))
}

/// Splitmix64's finish over both: every bit of the result hangs on every bit given.
pub(super) fn mix(one: u64, other: u64) -> u64 {
    let mut hash = one.rotate_left(23) ^ other.wrapping_add(0x9e37_79b9_7f4a_7c15);
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}
