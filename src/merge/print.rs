//! The print of a text: what is left of it to tell near-duplicates. A simhash finds likely ones, whole
//! sentences find those that were cut, and a sample of the text's triples of units decides.
//!
//! A unit is one Chinese character, one word of another script, or one number.

use crate::rule::simplified;

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

/// How many of the smallest triples a text is looked up by: of two texts that share half of their triples, both
/// have nearly always two of them in common.
const PROBES: usize = 16;

/// The print of one text. Small, as merging keeps one for each entry: at most 2 KiB, half of it for usual news.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Print {
    /// Charikar's simhash over Chinese bigrams and words.
    pub(super) simhash: u64,
    /// Hashes of its long sentences.
    pub(super) sentences: Box<[u32]>,
    triples: Box<[u32]>,
    numbers: Box<[u32]>,
}

impl Print {
    /// The print of a text that is long enough to have one; `html` may hold markup.
    pub(super) fn of(html: &str) -> Option<Self> {
        let mut units = Vec::new();
        let mut sentences = Vec::new();
        for sentence in
            plain(html).split(['。', '！', '？', '!', '?', '\n', ';', '；']).flat_map(|part| part.split(". "))
        {
            let first = units.len();
            read_units(sentence, &mut units);
            let own = &units[first..];
            if own.len() >= SENTENCE && sentences.len() < SENTENCES {
                sentences.push(short(own.iter().fold(SEED, |hash, unit| mix(hash, unit.hash))));
            }
        }
        if units.len() < SHORTEST {
            return None;
        }
        let pairs: Vec<u64> = units.windows(2).map(|two| mix(two[0].hash, two[1].hash)).collect();
        let triples = pairs.iter().zip(&units[2..]).map(|(pair, unit)| short(mix(*pair, unit.hash)));
        let numbers = units.iter().filter(|unit| unit.number).map(|unit| short(unit.hash));
        let words = units.iter().zip(&pairs).map(|(unit, pair)| if unit.han { *pair } else { unit.hash });
        Some(Self {
            simhash: simhash(words),
            triples: smallest(triples.collect()),
            numbers: smallest(numbers.collect()),
            sentences: smallest(sentences),
        })
    }

    /// What a text is looked up by besides simhash and sentences; likely ones share two.
    pub(super) fn probes(&self) -> &[u32] {
        &self.triples[..self.triples.len().min(PROBES)]
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

/// The upper half: plenty to tell the pieces of two texts apart.
pub(super) fn short(hash: u64) -> u32 {
    u32::try_from(hash >> 32).unwrap_or(u32::MAX)
}

/// Sorts, and keeps the smallest, each once.
fn smallest(mut hashes: Vec<u32>) -> Box<[u32]> {
    hashes.sort_unstable();
    hashes.dedup();
    hashes.truncate(SAMPLE);
    hashes.into_boxed_slice()
}

/// Which part of the smaller set is in the other, estimated from the smallest hashes of both: only up to where
/// both samples reach are they comparable.
#[allow(clippy::cast_precision_loss)] // At most SAMPLE each.
fn shared(one: &[u32], other: &[u32]) -> f64 {
    let reach = |all: &[u32]| if all.len() < SAMPLE { u32::MAX } else { all.last().copied().unwrap_or(u32::MAX) };
    let reach = reach(one).min(reach(other));
    let (one, other) =
        (&one[..one.partition_point(|hash| *hash <= reach)], &other[..other.partition_point(|hash| *hash <= reach)]);
    let (mut left, mut right, mut both) = (one.iter().peekable(), other.iter().peekable(), 0u32);
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        both += u32::from(a == b);
        let order = a.cmp(b);
        if order.is_le() {
            left.next();
        }
        if order.is_ge() {
            right.next();
        }
    }
    let smaller = one.len().min(other.len());
    if smaller == 0 { 0.0 } else { f64::from(both) / smaller as f64 }
}

/// Each bit as most of the words have it, every word counted once. The votes of all 64 bits are counted side by
/// side: plane `n` holds the bit of weight 2ⁿ of each count.
fn simhash(words: impl Iterator<Item = u64>) -> u64 {
    let mut words: Vec<u64> = words.collect();
    words.sort_unstable();
    words.dedup();
    let mut planes = [0u64; 16]; // Up to 65,535 words; a text has at most LONGEST.
    for word in &words {
        let mut carry = *word;
        for plane in &mut planes {
            (*plane, carry) = (*plane ^ carry, *plane & carry);
            if carry == 0 {
                break;
            }
        }
    }
    (0..64).fold(0, |hash, bit| {
        let votes = (0..).zip(&planes).fold(0, |votes, (weight, plane)| votes + ((plane >> bit & 1) << weight));
        if votes * 2 > words.len() as u64 { hash | 1 << bit } else { hash }
    })
}

/// One Chinese character, word or number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unit {
    pub(super) hash: u64,
    pub(super) han: bool,
    number: bool,
}

/// The units of a text, whatever its case, width, punctuation and (with the feature `chinese-variants`) its script.
pub(super) fn units_of(text: &str) -> Vec<Unit> {
    let mut units = Vec::new();
    read_units(text, &mut units);
    units
}

/// A word as far as it was read.
#[derive(Default)]
struct Word {
    hash: u64,
    length: usize,
    number: bool,
}

impl Word {
    fn push(&mut self, letter: char) {
        if self.length == 0 {
            (self.hash, self.number) = (SEED, letter.is_ascii_digit());
        }
        self.length += 1;
        self.hash = step(self.hash, letter);
    }

    fn flush(&mut self, units: &mut Vec<Unit>) {
        if self.length > 0 {
            units.push(Unit { hash: mix(SEED, self.hash), han: false, number: self.number });
            self.length = 0;
        }
    }
}

fn read_units(text: &str, units: &mut Vec<Unit>) {
    let mut word = Word::default();
    for letter in text.chars().map(narrow) {
        if is_han(letter) {
            word.flush(units);
            units.push(Unit { hash: mix(SEED, step(SEED, simplified(letter))), han: true, number: false });
        } else if letter.is_alphanumeric() {
            if word.length > 0 && word.number != letter.is_ascii_digit() {
                word.flush(units);
            }
            letter.to_lowercase().for_each(|letter| word.push(letter));
        } else if !matches!(letter, '\'' | '’' | ',') || word.length == 0 {
            // `1,200` and `don't` are one word.
            word.flush(units);
        }
    }
    word.flush(units);
}

/// FNV-1a over code points; finished by [`mix`]: the same in every version and on every machine.
fn step(hash: u64, letter: char) -> u64 {
    (hash ^ u64::from(u32::from(letter))).wrapping_mul(0x0100_0000_01b3)
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

/// Splitmix64's finish over both: every bit of the result hangs on every bit given.
pub(super) fn mix(one: u64, other: u64) -> u64 {
    let mut hash = one.rotate_left(23) ^ other.wrapping_add(0x9e37_79b9_7f4a_7c15);
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}
