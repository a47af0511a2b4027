//! Names of the objects of a run, by number. A bucket has more objects than anybody wants to hold in memory, and nearly
//! all of their names are never asked for: they stand in a temporary file, of which memory knows every 32nd place.

use std::cmp::Ordering;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use super::layout::Layout;

/// Names between two places that memory knows.
const BLOCK: usize = 32;

/// Bytes of names that are held before they are written out.
const HELD: usize = 1 << 20;

/// Names by number, in the order they were added. Whoever adds them in the order of their bytes may search them.
#[derive(Default)]
pub struct Names(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    count: u32,
    /// Where every 32nd name begins.
    places: Vec<u64>,
    /// Names that are not written yet, from `written` on.
    held: Vec<u8>,
    written: u64,
    file: Option<File>,
    /// The block that was read last, with its number.
    last: (usize, Vec<u8>),
}

impl Names {
    /// Adds a name and gives its number.
    ///
    /// # Errors
    /// When the temporary file cannot be written, or there are more than 2^32 names.
    pub fn push(&self, name: &str) -> io::Result<u32> {
        self.with(|inner| inner.push(name))
    }

    /// The name of this number; empty for a number that was never given.
    ///
    /// # Errors
    /// When the temporary file cannot be read.
    pub fn get(&self, number: u32) -> io::Result<String> {
        self.with(|inner| Ok(inner.get(number)?.unwrap_or_default()))
    }

    /// The number of a name among these, which were added in the order of their bytes.
    ///
    /// # Errors
    /// When the temporary file cannot be read.
    pub fn find(&self, among: Range<u32>, name: &str) -> io::Result<Option<u32>> {
        self.with(|inner| inner.find(among, name))
    }

    /// When the object was delivered, as far as its name tells: milliseconds since the epoch.
    pub fn delivered(&self, number: u32) -> Option<i64> {
        Layout::of(&self.get(number).ok()?).delivered
    }

    /// How many there are.
    pub fn len(&self) -> u32 {
        self.with(|inner| inner.count)
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn with<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Inner {
    fn push(&mut self, name: &str) -> io::Result<u32> {
        let number = self.count;
        self.count = number.checked_add(1).ok_or_else(|| io::Error::other("more than 2^32 objects"))?;
        if (number as usize).is_multiple_of(BLOCK) {
            // A block is written whole: one that is read back stands in one place.
            if self.held.len() >= HELD {
                self.write_out()?;
            }
            self.places.push(self.written + self.held.len() as u64);
        }
        self.held.extend_from_slice(&(name.len() as u32).to_le_bytes());
        self.held.extend_from_slice(name.as_bytes());
        // The block in hand may be the one that grows.
        self.last = (0, Vec::new());
        Ok(number)
    }

    fn write_out(&mut self) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile()?),
        };
        file.seek(SeekFrom::Start(self.written))?;
        file.write_all(&self.held)?;
        self.written += self.held.len() as u64;
        self.held.clear();
        Ok(())
    }

    fn get(&mut self, number: u32) -> io::Result<Option<String>> {
        if number >= self.count {
            return Ok(None);
        }
        Ok(self.bytes(number)?.map(|name| String::from_utf8_lossy(name).into_owned()))
    }

    fn bytes(&mut self, number: u32) -> io::Result<Option<&[u8]>> {
        let block = self.block(number as usize / BLOCK)?;
        Ok(names(block).nth(number as usize % BLOCK))
    }

    fn find(&mut self, among: Range<u32>, wanted: &str) -> io::Result<Option<u32>> {
        let (mut low, mut high) = (among.start, among.end.min(self.count));
        while low < high {
            let middle = low + (high - low) / 2;
            match self.bytes(middle)?.cmp(&Some(wanted.as_bytes())) {
                Ordering::Less => low = middle + 1,
                Ordering::Equal => return Ok(Some(middle)),
                Ordering::Greater => high = middle,
            }
        }
        Ok(None)
    }

    fn block(&mut self, number: usize) -> io::Result<&[u8]> {
        let start = self.places[number];
        if start >= self.written {
            let start = (start - self.written) as usize;
            let end = self.places.get(number + 1).map_or(self.held.len(), |end| (end - self.written) as usize);
            return Ok(&self.held[start..end]);
        }
        if self.last.0 != number || self.last.1.is_empty() {
            let end = self.places.get(number + 1).copied().unwrap_or(self.written);
            let mut bytes = vec![0; (end - start) as usize];
            if let Some(file) = &mut self.file {
                file.seek(SeekFrom::Start(start))?;
                file.read_exact(&mut bytes)?;
            }
            self.last = (number, bytes);
        }
        Ok(&self.last.1)
    }
}

/// The names of a block.
fn names(mut block: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = block.split_first_chunk::<4>()?;
        let (name, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        block = rest;
        Some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn names_come_back_from_memory_and_from_disk() {
        let names = Names::default();
        let name = |number: u32| format!("s3://logs/{number:07}/{}", "x".repeat(number as usize % 97));
        for number in 0..50_000 {
            assert_eq!(names.push(&name(number)).unwrap(), number);
            if number % 1000 == 7 {
                assert_eq!(names.get(number / 2).unwrap(), name(number / 2));
            }
        }
        for number in (0..50_000).step_by(101) {
            assert_eq!(names.get(number).unwrap(), name(number));
            assert_eq!(names.find(0..50_000, &name(number)).unwrap(), Some(number));
        }
        assert_eq!(names.get(50_000).unwrap(), "");
        for absent in ["", "s3://logs/", "s3://logs/0000000", "s3://logs/0000500/y", "t"] {
            assert_eq!(names.find(0..u32::MAX, absent).unwrap(), None, "{absent}");
        }
        assert_eq!(names.find(10..20, &name(9)).unwrap(), None, "it is none of these");
    }

    #[test]
    fn odd_names_are_names() {
        let names = Names::default();
        assert_eq!(names.find(0..9, "a").unwrap(), None);
        for name in ["", "\n", "a", "é", "\u{10ffff}"] {
            names.push(name).unwrap();
        }
        for (number, name) in ["", "\n", "a", "é", "\u{10ffff}"].into_iter().enumerate() {
            assert_eq!(names.get(number as u32).unwrap(), name);
            assert_eq!(names.find(0..5, name).unwrap(), Some(number as u32));
        }
    }

    #[test]
    fn the_name_tells_the_delivery() {
        let names = Names::default();
        let key = "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/08/01/111122223333_CloudTrail_eu-west-1_20260801T0005Z_abcdefgh12345678.json.gz";
        names.push(key).unwrap();
        names.push("export.json").unwrap();
        assert_eq!(names.delivered(0), Some(1_785_542_700_000));
        assert_eq!(names.delivered(1), None);
    }
}
