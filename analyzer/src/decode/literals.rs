//! Finds several literals at once, 64 bytes a step.
//!
//! Three bytes of each literal are its print. Six small tables, looked up by the halves of three bytes in a row, tell which
//! of eight groups of literals may have its print there. Where a group is left a mark is set, and the bytes around it are
//! compared with the literals. This is the packed search known as Teddy, only that a print is where the literal's bytes
//! are rare, not where it starts: marks are few, and the step is short enough to share a pass over the bytes with others.

use fearless_simd::prelude::*;
use fearless_simd::{Level, Simd, dispatch, u8x64};

use super::meter::examined;

/// Bytes looked at in one step.
pub const BLOCK: usize = 64;

/// Bytes of a print.
pub const PRINT: usize = 3;

/// Groups of literals: one for each bit of a byte in a table.
const GROUPS: usize = 8;

/// A block, and the bytes behind it that a print in the block may reach.
pub type Window = [u8; BLOCK + PRINT - 1];

/// The window at `at`, filled up with blanks in `room` where the bytes end before it does.
#[inline(always)]
pub fn window<'b>(bytes: &'b [u8], at: usize, room: &'b mut Window) -> &'b Window {
    let rest = &bytes[at..];
    if let Some(window) = rest.first_chunk() {
        return window;
    }
    *room = [b' '; BLOCK + PRINT - 1];
    room[..rest.len()].copy_from_slice(rest);
    room
}

/// A literal, and where in it the print starts.
#[derive(Clone, Copy, Debug)]
pub struct Literal {
    /// What to find.
    pub text: &'static str,
    /// Offset of three bytes that are rare where it is searched for.
    pub print: usize,
}

/// For one byte of a print: the groups that allow each of its halves.
#[derive(Clone, Copy, Default)]
struct Table {
    low: [u8; 16],
    high: [u8; 16],
}

type Tables = [Table; PRINT];

/// A compiled search.
pub struct Literals {
    literals: Vec<Literal>,
    tables: Tables,
}

impl Literals {
    /// Compiles the search. Every literal has all of its print.
    pub fn new(literals: impl IntoIterator<Item = Literal>) -> Self {
        let literals: Vec<_> = literals.into_iter().collect();
        let mut tables = Tables::default();
        for literal in &literals {
            let print = &literal.text.as_bytes()[literal.print..][..PRINT];
            // The group that lets the fewest other bytes through for it.
            let grown = |group| (width(&with(tables, print, group), group) - width(&tables, group), group);
            let group = (0..GROUPS).map(grown).min().map_or(0, |(_, group)| group);
            tables = with(tables, print, group);
        }
        Self { literals, tables }
    }

    /// The tables in registers.
    #[inline(always)]
    pub fn prints<S: Simd>(&self, simd: S) -> Prints<S> {
        let load = |table: &[u8; 16]| {
            let mut blocks = [0; BLOCK];
            blocks.as_chunks_mut().0.fill(*table);
            u8x64::from_slice(simd, &blocks)
        };
        Prints(self.tables.each_ref().map(|table| (load(&table.low), load(&table.high))))
    }

    /// The literals with their print at `mark`, by number.
    pub fn around(&self, bytes: &[u8], mark: usize) -> impl Iterator<Item = usize> {
        let stands = move |literal: &Literal| {
            let rest = mark.checked_sub(literal.print).and_then(|start| bytes.get(start..));
            rest.is_some_and(|rest| rest.starts_with(literal.text.as_bytes()))
        };
        self.literals.iter().enumerate().filter(move |(_, literal)| stands(literal)).map(|(number, _)| number)
    }

    /// Calls `visit` with one mark after the other, until it says true; says whether it did.
    pub fn search(&self, bytes: &[u8], mut visit: impl FnMut(usize) -> bool) -> bool {
        examined(bytes.len());
        dispatch!(Level::new(), simd => simd.vectorize(
            #[inline(always)]
            || {
                let prints = self.prints(simd);
                let mut room = [0; _];
                (0..bytes.len()).step_by(BLOCK).any(|at| {
                    let marks = prints.marks(simd, window(bytes, at, &mut room));
                    marks != 0 && positions(marks, at).any(&mut visit)
                })
            },
        ))
    }

    /// True when one of the literals stands in `bytes`.
    pub fn any(&self, bytes: &[u8]) -> bool {
        self.search(bytes, |mark| self.around(bytes, mark).next().is_some())
    }
}

/// The tables with one more print in a group.
fn with(mut tables: Tables, print: &[u8], group: usize) -> Tables {
    for (table, &byte) in tables.iter_mut().zip(print) {
        table.low[usize::from(byte & 15)] |= 1 << group;
        table.high[usize::from(byte >> 4)] |= 1 << group;
    }
    tables
}

/// How many runs of three bytes a group lets through.
fn width(tables: &Tables, group: usize) -> usize {
    let allowed = |halves: &[u8; 16]| halves.iter().filter(|&&groups| groups >> group & 1 == 1).count();
    tables.iter().map(|table| allowed(&table.low) * allowed(&table.high)).product()
}

/// Offsets of the bits that are set in the block at `base`.
pub fn positions(mut bits: u64, base: usize) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = (bits != 0).then(|| bits.trailing_zeros())?;
        bits &= bits - 1;
        Some(base + bit as usize)
    })
}

/// The tables of [`Literals`] in registers.
#[derive(Clone, Copy)]
pub struct Prints<S: Simd>([(u8x64<S>, u8x64<S>); PRINT]);

impl<S: Simd> Prints<S> {
    /// One bit for each byte of the block with which the print of a literal may start.
    #[inline(always)]
    pub fn marks(&self, simd: S, window: &Window) -> u64 {
        let half = u8x64::splat(simd, 15);
        let mut groups = u8x64::splat(simd, 0xff);
        for (at, (low, high)) in self.0.iter().enumerate() {
            let bytes = u8x64::from_slice(simd, &window[at..at + BLOCK]);
            let allowed = low.swizzle_dyn_within_blocks(bytes & half) & high.swizzle_dyn_within_blocks(bytes >> 4);
            groups &= allowed;
        }
        !groups.simd_eq(u8x64::splat(simd, 0)).to_bitmask()
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::select::NEEDLES;
    use super::super::split::{Cuts, Splitter};
    use super::*;

    fn needles() -> Literals {
        Literals::new(NEEDLES.iter().map(|needle| needle.literal))
    }

    /// Each literal that was found, and its print's offset.
    fn found(literals: &Literals, bytes: &[u8]) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        literals.search(bytes, |mark| {
            found.extend(literals.around(bytes, mark).map(|number| (mark, number)));
            false
        });
        found
    }

    /// The same from comparing every literal with the bytes everywhere.
    fn naive(literals: &Literals, bytes: &[u8]) -> Vec<(usize, usize)> {
        let stands = |start: usize, literal: &Literal| bytes[start..].starts_with(literal.text.as_bytes());
        let mut found = Vec::new();
        for (number, literal) in literals.literals.iter().enumerate() {
            let starts = (0..bytes.len()).filter(|&start| stands(start, literal));
            found.extend(starts.map(|start| (start + literal.print, number)));
        }
        found.sort_unstable();
        found
    }

    #[test]
    fn every_needle_has_its_print_wherever_it_stands() {
        let literals = needles();
        for (number, needle) in NEEDLES.iter().enumerate() {
            let Literal { text, print } = needle.literal;
            assert!(print + PRINT <= text.len(), "{text}");
            for before in 0..2 * BLOCK {
                for after in [0, 1, BLOCK] {
                    let bytes = [".".repeat(before), text.into(), ".".repeat(after)].concat();
                    assert_eq!(found(&literals, bytes.as_bytes()), [(before + print, number)], "{bytes}");
                }
            }
        }
    }

    /// Literals, pieces of them, and anything else.
    fn near() -> impl Strategy<Value = Vec<u8>> {
        let text = (0..NEEDLES.len()).prop_map(|number| NEEDLES[number].literal.text.as_bytes());
        let piece = prop_oneof![
            2 => text.clone().prop_map(<[u8]>::to_vec),
            3 => (text, any::<prop::sample::Index>()).prop_map(|(text, to)| text[..=to.index(text.len())].to_vec()),
            1 => vec(any::<u8>(), 0..80),
        ];
        vec(piece, 0..30).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

        #[test]
        fn finds_what_comparing_everywhere_finds(bytes in near()) {
            let literals = needles();
            prop_assert_eq!(found(&literals, &bytes), naive(&literals, &bytes));
        }

        #[test]
        fn marks_are_the_same_in_one_pass_with_the_splitter(bytes in near()) {
            let (literals, mut cuts, mut ends, mut marks) = (needles(), Cuts::default(), Vec::new(), Vec::new());
            // In a string, so that nothing closes.
            let bytes: Vec<u8> = bytes.into_iter().filter(|byte| !b"\"\\".contains(byte)).collect();
            let bytes = [b"\"", &bytes[..]].concat();
            let scan = Splitter::new().scan_for(&literals, &bytes, true, &mut cuts);
            literals.search(&bytes, |mark| {
                marks.push(mark);
                false
            });
            prop_assert_eq!(scan, Splitter::new().scan(&bytes, true, &mut ends));
            prop_assert_eq!(cuts, Cuts { ends, marks });
        }
    }
}
