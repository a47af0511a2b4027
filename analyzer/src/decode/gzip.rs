//! The only reader of gzip: capped, multi-member, and never the size that the stream claims.
#![expect(clippy::disallowed_types, reason = "this is the one place that may decompress: it holds the cap")]

use std::io::{self, BufRead, BufReader, Read};
use std::mem;

use flate2::bufread::GzDecoder;
use libdeflater::Decompressor;

use super::outcome::SkipReason;

const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Shortest possible gzip stream: header, empty deflate block, trailer.
const SHORTEST: usize = 20;

/// Deflate cannot expand further than this; a size beyond it is a lie.
const MOST_EXPANSION: usize = 1032;

/// Bytes inflated per step once an object is read in windows.
const STEP: usize = 8 << 20;

/// Bounds on what one object may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// An object that inflates beyond this is skipped.
    pub max_inflated: u64,
    /// An object that inflates beyond this is read in windows instead of whole.
    pub window: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_inflated: 2 << 30, window: 64 << 20 }
    }
}

/// Takes the inflated bytes of one object.
pub trait Taker {
    /// The object is long: what was given so far and will be given may yet prove damaged.
    fn stage(&mut self);

    /// Bytes in order. Gives how many of them are done with; the rest comes again, with more behind it.
    fn take(&mut self, bytes: &[u8], last: bool) -> usize;
}

/// What inflating one object came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Bytes as stored, as far as they were read.
    pub compressed: u64,
    /// Bytes after decompression.
    pub inflated: u64,
    /// Bytes follow the gzip stream.
    pub trailing: bool,
    /// More than one gzip stream, one after the other: CloudTrail never writes that, those who pack files again do.
    pub several: bool,
    /// [`Taker::stage`] was called.
    pub staged: bool,
    /// Why nothing that was taken may be kept.
    pub skip: Option<SkipReason>,
}

/// Inflates objects one after the other; keeps its buffers.
pub struct Inflater {
    limits: Limits,
    packed: Vec<u8>,
    /// Never shortened: only grown bytes are zeroed.
    plain: Vec<u8>,
    whole: Decompressor,
}

impl Inflater {
    /// Starts without buffers.
    pub fn new(limits: Limits) -> Self {
        Self { limits, packed: Vec::new(), plain: Vec::new(), whole: Decompressor::new() }
    }

    /// Reads `source` to its end; `size` is a hint.
    pub fn read(&mut self, source: &mut dyn Read, size: Option<u64>, taker: &mut dyn Taker) -> Outcome {
        let mut outcome = Outcome::default();
        outcome.skip = self.run(source, size, taker, &mut outcome).err();
        // One giant must not pin its memory for the rest of the run.
        let keep = to_usize(self.limits.window) + STEP;
        self.plain.truncate(keep);
        self.plain.shrink_to(keep);
        outcome
    }

    fn run(
        &mut self,
        source: &mut dyn Read,
        size: Option<u64>,
        taker: &mut dyn Taker,
        outcome: &mut Outcome,
    ) -> Result<(), SkipReason> {
        let whole = self.fetch(source, size).map_err(|_| SkipReason::Unreadable)?;
        outcome.compressed = self.packed.len() as u64;
        if self.packed.is_empty() {
            return Err(SkipReason::Empty);
        }
        let gzip = self.packed.starts_with(&MAGIC);
        if whole
            && gzip
            && let Some(len) = self.inflate_whole()
        {
            outcome.inflated = len as u64;
            taker.take(&self.plain[..len], true);
            return Ok(());
        }
        if whole && !gzip {
            outcome.inflated = outcome.compressed;
            if outcome.inflated > self.limits.max_inflated {
                return Err(SkipReason::TooLarge);
            }
            taker.take(&self.packed, true);
            return Ok(());
        }
        let feed = Feed {
            ahead: [0; 2],
            unread: 0..0,
            head: &self.packed,
            tail: BufReader::new(source),
            beyond: 0,
            members: 0,
            failed: false,
        };
        let mut stream = if gzip { Stream::Between(feed) } else { Stream::Plain(feed) };
        let result = drain(&mut stream, &mut self.plain, self.limits, taker, outcome);
        outcome.trailing = matches!(stream, Stream::Trailing(_));
        outcome.several = stream.members() > 1;
        outcome.compressed = size.unwrap_or(outcome.compressed + stream.beyond());
        result
    }

    /// Reads what is stored, up to the window; true when that was all of it.
    fn fetch(&mut self, source: &mut dyn Read, size: Option<u64>) -> io::Result<bool> {
        let window = self.limits.window;
        let mut source = source.take(window.saturating_add(1));
        // `read_to_end` alone knows no size: it feels its way with ever larger reads.
        self.packed.resize(to_usize(size.unwrap_or(0).min(window)), 0);
        let mut len = 0;
        while len < self.packed.len() {
            match source.read(&mut self.packed[len..]) {
                Ok(0) => break,
                Ok(read) => len += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.packed.truncate(len);
        source.read_to_end(&mut self.packed)?;
        Ok(self.packed.len() as u64 <= window)
    }

    /// Fast path for a whole stream of exactly one member. `None` says nothing but "not here".
    fn inflate_whole(&mut self) -> Option<usize> {
        let packed = &self.packed;
        let tail: [u8; 4] = *packed.last_chunk()?;
        let claimed = u32::from_le_bytes(tail) as usize;
        let cap = self.limits.window.min(self.limits.max_inflated);
        if packed.len() < SHORTEST || claimed as u64 > cap || claimed / MOST_EXPANSION > packed.len() {
            return None;
        }
        // libdeflate stops after the first member and does not tell where. A member ends with the number of its bytes;
        // when that number stands nowhere but at the very end, the member that gave this many bytes ends there.
        if memchr::memmem::find(&packed[10..packed.len() - 1], &tail).is_some() {
            return None;
        }
        if self.plain.len() < claimed {
            self.plain.reserve_exact(claimed - self.plain.len());
            self.plain.resize(claimed, 0);
        }
        let len = self.whole.gzip_decompress(packed, &mut self.plain[..claimed]).ok()?;
        (len == claimed).then_some(len)
    }
}

/// Hands a stream on: whole when it fits the window, else in steps.
fn drain(
    stream: &mut Stream<'_>,
    plain: &mut Vec<u8>,
    limits: Limits,
    taker: &mut dyn Taker,
    outcome: &mut Outcome,
) -> Result<(), SkipReason> {
    let (window, most) = (to_usize(limits.window), to_usize(limits.max_inflated));
    let mut len = 0;
    // One byte beyond tells "just fits" from "too long".
    let mut target = window.min(most).saturating_add(1);
    loop {
        let mut ended = false;
        while len < target && !ended {
            if len == plain.len() {
                // Grown by what was read, not by what was claimed.
                let grown = len.saturating_mul(2).clamp(256 << 10, target.max(256 << 10));
                let grown = grown.min(target);
                plain.reserve_exact(grown - len);
                plain.resize(grown, 0);
            }
            let room = plain.len().min(target);
            let read = stream.read(&mut plain[len..room])?;
            ended = read == 0;
            len += read;
            outcome.inflated += read as u64;
            if outcome.inflated > limits.max_inflated {
                return Err(SkipReason::TooLarge);
            }
        }
        if !ended && !outcome.staged {
            outcome.staged = true;
            taker.stage();
        }
        let done = taker.take(&plain[..len], ended);
        if ended {
            return Ok(());
        }
        plain.copy_within(done..len, 0);
        len -= done;
        let left = most.saturating_sub(to_usize(outcome.inflated));
        target = len + STEP.min(window).max(len).max(64).min(left + 1);
    }
}

/// Bytes of an object as they are read.
enum Stream<'a> {
    Plain(Feed<'a>),
    /// Before a member, or at the end.
    Between(Feed<'a>),
    Member(Box<GzDecoder<Feed<'a>>>),
    /// Behind the last member, with bytes left.
    Trailing(Feed<'a>),
    Failed,
}

impl Stream<'_> {
    /// Fills `out`, which is not empty; 0 says that the stream is over and, if it was gzip, sound.
    fn read(&mut self, out: &mut [u8]) -> Result<usize, SkipReason> {
        loop {
            match mem::replace(self, Self::Failed) {
                Self::Plain(mut feed) => {
                    let read = feed.read(out).map_err(|_| SkipReason::Unreadable)?;
                    *self = Self::Plain(feed);
                    return Ok(read);
                }
                Self::Between(mut feed) => match feed.peek().map_err(|_| SkipReason::Unreadable)? {
                    bytes if bytes == MAGIC => {
                        feed.members += 1;
                        *self = Self::Member(Box::new(GzDecoder::new(feed)));
                    }
                    [] => {
                        *self = Self::Between(feed);
                        return Ok(0);
                    }
                    _ => *self = Self::Trailing(feed),
                },
                Self::Member(mut member) => match member.read(out) {
                    Ok(0) => *self = Self::Between(member.into_inner()),
                    Ok(read) => {
                        *self = Self::Member(member);
                        return Ok(read);
                    }
                    Err(_) if member.get_ref().failed => return Err(SkipReason::Unreadable),
                    Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                        return Err(SkipReason::TruncatedGzip);
                    }
                    Err(_) => return Err(SkipReason::BadGzip),
                },
                Self::Trailing(feed) => {
                    *self = Self::Trailing(feed);
                    return Ok(0);
                }
                Self::Failed => return Err(SkipReason::BadGzip),
            }
        }
    }

    /// Gzip streams that were begun.
    fn members(&self) -> u64 {
        match self {
            Self::Plain(feed) | Self::Between(feed) | Self::Trailing(feed) => feed.members,
            Self::Member(member) => member.get_ref().members,
            Self::Failed => 0,
        }
    }

    /// Stored bytes read beyond the first window.
    fn beyond(&self) -> u64 {
        match self {
            Self::Plain(feed) | Self::Between(feed) | Self::Trailing(feed) => feed.beyond,
            Self::Member(member) => member.get_ref().beyond,
            Self::Failed => 0,
        }
    }
}

/// Stored bytes: what is in memory, then the rest of the source; two bytes may be looked at ahead.
struct Feed<'a> {
    ahead: [u8; 2],
    /// Which of `ahead` are still to be read.
    unread: std::ops::Range<usize>,
    head: &'a [u8],
    tail: BufReader<&'a mut dyn Read>,
    /// Bytes consumed from `tail`.
    beyond: u64,
    /// Gzip streams that were begun.
    members: u64,
    /// The source gave an I/O error: the stream is not to blame.
    failed: bool,
}

impl Feed<'_> {
    /// The next two bytes, or as many as there are.
    fn peek(&mut self) -> io::Result<&[u8]> {
        let mut ahead = [0; 2];
        let mut len = 0;
        while len < ahead.len() {
            match self.read(&mut ahead[len..])? {
                0 => break,
                read => len += read,
            }
        }
        self.ahead = ahead;
        self.unread = 0..len;
        Ok(&self.ahead[..len])
    }
}

impl Read for Feed<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let bytes = self.fill_buf()?;
        let len = bytes.len().min(out.len());
        out[..len].copy_from_slice(&bytes[..len]);
        self.consume(len);
        Ok(len)
    }
}

impl BufRead for Feed<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if !self.unread.is_empty() {
            return Ok(&self.ahead[self.unread.clone()]);
        }
        if !self.head.is_empty() {
            return Ok(self.head);
        }
        loop {
            match self.tail.fill_buf() {
                Ok(_) => return Ok(self.tail.buffer()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failed = true;
                    return Err(error);
                }
            }
        }
    }

    fn consume(&mut self, len: usize) {
        if !self.unread.is_empty() {
            self.unread.start += len;
        } else if !self.head.is_empty() {
            self.head = &self.head[len..];
        } else {
            self.tail.consume(len);
            self.beyond += len as u64;
        }
    }
}

fn to_usize(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
