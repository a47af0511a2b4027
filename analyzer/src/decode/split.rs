//! Finds where the elements of a JSON container end, exactly, without parsing them.
//!
//! Strings, escapes and depth are followed over every byte, 64 bytes at a time, so that nothing inside a string or a
//! nested value can pass for a record. Whether an element is valid JSON is for the parser to say.

use fearless_simd::prelude::*;
use fearless_simd::{Level, Simd, dispatch, u8x64};

use super::literals::{BLOCK, Literals, Window, positions, window};
use super::meter::examined;

/// Follows strings and depth inside one container, and may stop between any two blocks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Splitter {
    /// Brackets open inside the container.
    depth: u32,
    /// All ones while inside a string.
    in_string: u64,
    /// 1 when a backslash at the end of the last block escapes the next byte.
    escaped: u64,
}

/// How far one call of [`Splitter::scan`] came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scan {
    /// Bytes that need not be scanned again.
    pub scanned: usize,
    /// Offset of the bracket that closes the container, when it was met; scanning ended there.
    pub closed: Option<usize>,
}

/// What a scan found, as offsets in the bytes that it was given, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cuts {
    /// Behind the closing bracket of each element that is an object or an array.
    pub ends: Vec<usize>,
    /// Where the print of a literal may stand.
    pub marks: Vec<usize>,
}

impl Cuts {
    /// Forgets everything but the memory.
    pub fn clear(&mut self) {
        self.ends.clear();
        self.marks.clear();
    }
}

impl Splitter {
    /// Starts inside a container, right after its opening bracket; or before the first of a row of documents.
    pub fn new() -> Self {
        Self::default()
    }

    /// True between elements: no bracket and no string is open.
    pub fn is_between(&self) -> bool {
        self.depth == 0 && self.in_string == 0
    }

    /// Scans `bytes`, which go on where the last call stopped, and pushes the offset after the closing bracket of each
    /// element that is an object or an array.
    ///
    /// Without `last`, bytes that do not fill a block are left for the next call.
    pub fn scan(&mut self, bytes: &[u8], last: bool, ends: &mut Vec<usize>) -> Scan {
        dispatch!(Level::new(), simd => simd.vectorize(
            #[inline(always)]
            || self.scan_with(simd, bytes, last, ends, |_, _| ()),
        ))
    }

    /// The same, and pushes the marks of `literals` in the same pass: those that start and end in what was scanned.
    pub fn scan_for(&mut self, literals: &Literals, bytes: &[u8], last: bool, cuts: &mut Cuts) -> Scan {
        let Cuts { ends, marks } = cuts;
        dispatch!(Level::new(), simd => simd.vectorize(
            #[inline(always)]
            || {
                let prints = literals.prints(simd);
                self.scan_with(simd, bytes, last, ends, |at, window| {
                    let found = prints.marks(simd, window);
                    if found != 0 {
                        push(marks, found, at);
                    }
                })
            },
        ))
    }

    /// `also` looks at each block too.
    #[inline(always)]
    fn scan_with<S: Simd>(
        &mut self,
        simd: S,
        bytes: &[u8],
        last: bool,
        ends: &mut Vec<usize>,
        mut also: impl FnMut(usize, &Window),
    ) -> Scan {
        // A copy stays in registers, what is behind a reference does not: a tenth of the time.
        let mut state = self.clone();
        let whole = if last { bytes.len() } else { bytes.len() - bytes.len() % BLOCK };
        let mut scan = Scan { scanned: whole, closed: None };
        let mut room = [0; _];
        for at in (0..whole).step_by(BLOCK) {
            let window = window(bytes, at, &mut room);
            also(at, window);
            if let Some(closed) = state.step(simd, &window[..BLOCK], at, ends) {
                scan = Scan { scanned: closed + 1, closed: Some(closed) };
                break;
            }
        }
        *self = state;
        examined(scan.scanned);
        scan
    }

    /// Takes one block in; gives the offset of the bracket that closes the container.
    #[inline(always)]
    fn step<S: Simd>(&mut self, simd: S, block: &[u8], base: usize, ends: &mut Vec<usize>) -> Option<usize> {
        let bytes = u8x64::from_slice(simd, block);
        // `[` and `]` differ from `{` and `}` by one bit, and no other byte becomes one of those with it set.
        let braces = bytes | u8x64::splat(simd, 0x20);
        let mut quote = find(simd, bytes, b'"');
        let backslash = find(simd, bytes, b'\\');
        if backslash | self.escaped != 0 {
            quote &= !escaped(backslash, &mut self.escaped);
        }
        // From an opening quote up to before its closing one.
        let string = prefix_xor(quote) ^ self.in_string;
        self.in_string = 0u64.wrapping_sub(string >> 63);
        let open = find(simd, braces, b'{') & !string;
        let close = find(simd, braces, b'}') & !string;
        // The common block cannot come down to the level of the elements, whatever the order of its brackets.
        let closes = close.count_ones();
        if closes < self.depth {
            self.depth = self.depth + open.count_ones() - closes;
            return None;
        }
        if open | close == 0 {
            return None;
        }
        let (depth, closed) = walk(self.depth, open, close, base, ends);
        self.depth = depth;
        closed
    }
}

/// Apart from the loop, which it would slow down.
#[inline(never)]
fn push(marks: &mut Vec<usize>, found: u64, base: usize) {
    marks.extend(positions(found, base));
}

/// Goes from bracket to bracket; gives the depth behind the block, and what closes the container.
#[inline(never)]
fn walk(mut depth: u32, open: u64, close: u64, base: usize, ends: &mut Vec<usize>) -> (u32, Option<usize>) {
    let mut brackets = open | close;
    while brackets != 0 {
        let bit = brackets.trailing_zeros();
        brackets &= brackets - 1;
        if open >> bit & 1 == 1 {
            depth += 1;
            continue;
        }
        let at = base + bit as usize;
        match depth {
            0 => return (0, Some(at)),
            1 => ends.push(at + 1),
            _ => {}
        }
        depth -= 1;
    }
    (depth, None)
}

/// One bit for each byte that equals `byte`.
#[inline(always)]
fn find<S: Simd>(simd: S, bytes: u8x64<S>, byte: u8) -> u64 {
    bytes.simd_eq(u8x64::splat(simd, byte)).to_bitmask()
}

/// Marks the bytes that a backslash escapes; `carry` hands the last one over the block's edge.
#[inline(always)]
fn escaped(backslash: u64, carry: &mut u64) -> u64 {
    const EVEN: u64 = 0x5555_5555_5555_5555;
    // A run of backslashes escapes what follows it when its length is odd: adding a run's odd start to the run carries
    // out right behind it, and parity tells the two kinds apart.
    let backslash = backslash & !*carry;
    let follows = backslash << 1 | *carry;
    let odd_starts = backslash & !EVEN & !follows;
    let (runs, overflow) = odd_starts.overflowing_add(backslash);
    *carry = u64::from(overflow);
    (EVEN ^ (runs << 1)) & follows
}

/// Each bit becomes the parity of itself and all bits below.
#[inline(always)]
fn prefix_xor(mut bits: u64) -> u64 {
    bits ^= bits << 1;
    bits ^= bits << 2;
    bits ^= bits << 4;
    bits ^= bits << 8;
    bits ^= bits << 16;
    bits ^ bits << 32
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// One byte at a time, as the grammar says. A backslash outside strings is no JSON: there it only shields a quote.
    fn naive(bytes: &[u8]) -> (Vec<usize>, Option<usize>) {
        let (mut ends, mut depth, mut string, mut escape) = (Vec::new(), 0u32, false, false);
        for (at, &byte) in bytes.iter().enumerate() {
            let escaped = std::mem::take(&mut escape);
            match byte {
                b'\\' => escape = !escaped,
                b'"' if !escaped => string = !string,
                b'{' | b'[' if !string => depth += 1,
                b'}' | b']' if !string => {
                    match depth {
                        0 => return (ends, Some(at)),
                        1 => ends.push(at + 1),
                        _ => {}
                    }
                    depth -= 1;
                }
                _ => {}
            }
        }
        (ends, None)
    }

    /// Bytes that keep the splitter busy: brackets, quotes and runs of backslashes are far more frequent than in logs.
    fn busy() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            4 => Just(b"{".to_vec()),
            4 => Just(b"}".to_vec()),
            1 => Just(b"[".to_vec()),
            1 => Just(b"]".to_vec()),
            4 => Just(b"\"".to_vec()),
            3 => vec(Just(b'\\'), 1..70),
            3 => vec(any::<u8>(), 1..90),
            3 => vec(Just(b'a'), 1..90),
        ];
        vec(piece, 0..60).prop_map(|pieces| pieces.concat())
    }

    fn in_pieces(bytes: &[u8], piece: usize) -> (Vec<usize>, Option<usize>) {
        let (mut splitter, mut ends, mut from, mut to) = (Splitter::new(), Vec::new(), 0, 0);
        loop {
            to = (to + piece).min(bytes.len());
            let mut found = Vec::new();
            let scan = splitter.scan(&bytes[from..to], to == bytes.len(), &mut found);
            ends.extend(found.iter().map(|end| end + from));
            if let Some(closed) = scan.closed {
                return (ends, Some(closed + from));
            }
            from += scan.scanned;
            if to == bytes.len() {
                return (ends, None);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

        #[test]
        fn splits_as_the_grammar_says(bytes in busy()) {
            let mut ends = Vec::new();
            let scan = Splitter::new().scan(&bytes, true, &mut ends);
            prop_assert_eq!((ends, scan.closed), naive(&bytes));
        }

        #[test]
        fn pieces_split_like_the_whole(bytes in busy(), piece in 1usize..300) {
            prop_assert_eq!(in_pieces(&bytes, piece), naive(&bytes));
        }
    }

    #[test]
    fn every_byte_is_found_where_it_stands() {
        for byte in 0..=u8::MAX {
            for at in [0, 7, 8, 40, 63] {
                let mut block = [b'.'; BLOCK];
                block[at] = byte;
                for brackets in [[b'[', byte], [byte, b']'], [b'{', b'"']] {
                    let bytes = [&block[..], &brackets[..]].concat();
                    let mut ends = Vec::new();
                    let scan = Splitter::new().scan(&bytes, true, &mut ends);
                    assert_eq!((ends, scan.closed), naive(&bytes), "{byte}");
                }
            }
        }
    }
}
