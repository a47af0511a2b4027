//! Inflating: both ways of it alike, every damage told, nothing beyond the cap.
#![expect(clippy::disallowed_types, reason = "the reference must not go through the code under test")]

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;
use keytrail::decode::gzip::{Inflater, Outcome, Taker};
use keytrail::decode::{Content, Decoder, Limits, Note, SkipReason};
use proptest::collection::vec;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use super::support::{KMS, Memory, decode, decode_within, fill, gzip, windows};

/// Keeps every byte, and the longest slice it was shown.
#[derive(Default)]
struct Bytes {
    all: Vec<u8>,
    longest: usize,
    last: bool,
}

impl Taker for Bytes {
    fn stage(&mut self) {
        assert!(self.all.is_empty());
    }

    fn take(&mut self, bytes: &[u8], last: bool) -> usize {
        assert!(!std::mem::replace(&mut self.last, last));
        self.all.extend_from_slice(bytes);
        self.longest = self.longest.max(bytes.len());
        bytes.len()
    }
}

fn inflate(limits: Limits, mut packed: &[u8]) -> (Outcome, Bytes) {
    let mut bytes = Bytes::default();
    let outcome = Inflater::new(limits).read(&mut packed, None, &mut bytes);
    assert_eq!(outcome.skip.is_none(), bytes.last);
    (outcome, bytes)
}

/// Random bytes, and long runs.
fn content() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![vec(any::<u8>(), 0..2_000), (any::<u8>(), 0usize..9_000).prop_map(|(b, n)| vec![b; n])];
    vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

    #[test]
    fn both_ways_of_inflating_agree(members in vec(content(), 1..4), window in 1u64..20_000, zeros in 0usize..40) {
        let mut packed = members.iter().flat_map(|member| gzip(member)).collect::<Vec<_>>();
        let mut reference = Vec::new();
        MultiGzDecoder::new(packed.as_slice()).read_to_end(&mut reference).unwrap();
        prop_assert_eq!(&reference, &members.concat());
        packed.resize(packed.len() + zeros, 0);
        for limits in [Limits::default(), windows(window)] {
            let (outcome, bytes) = inflate(limits, &packed);
            prop_assert_eq!(outcome.skip, None);
            prop_assert_eq!(outcome.trailing, zeros > 0);
            prop_assert_eq!(outcome.inflated, reference.len() as u64);
            prop_assert!(bytes.all == reference);
        }
    }

    #[test]
    fn damage_is_told_alike(content in content(), at in any::<usize>(), flip in 1u8.., cut in any::<bool>()) {
        let mut packed = gzip(&content);
        let at = at % packed.len();
        if cut { packed.truncate(at.max(2)) } else { packed[at.max(2)] ^= flip }
        let (whole, bytes) = inflate(Limits::default(), &packed);
        let pieces = inflate(windows(100), &packed).0;
        // libdeflate puts up with some code tables that flate2 refuses; the checksum then vouches for every byte.
        let lenient = whole.skip.is_none() && bytes.all == content;
        prop_assert!(lenient || whole.skip == pieces.skip, "{:?} {:?}", whole.skip, pieces.skip);
        prop_assert!(lenient || whole.skip.is_some(), "damage went unnoticed");
    }
}

#[test]
fn a_bomb_costs_bounded_memory() {
    let bomb = gzip(&vec![b' '; 64 << 20]);
    let (outcome, bytes) = inflate(windows(64 << 10), &bomb);
    assert_eq!((outcome.skip, outcome.inflated), (None, 64 << 20));
    assert!(bytes.longest <= (64 << 10) + 1);
    // The size that a stream claims is not believed.
    let mut liar = gzip(KMS.as_bytes());
    let at = liar.len() - 4;
    liar[at..].copy_from_slice(&(60u32 << 20).to_le_bytes());
    assert_eq!(inflate(Limits::default(), &liar).0.skip, Some(SkipReason::BadGzip));
}

#[test]
fn sources_that_fail_are_unreadable() {
    struct Failing<'a>(&'a [u8]);
    impl Read for Failing<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the connection broke"));
            }
            self.0.read(out)
        }
    }
    let document = fill(&format!("{{\"Records\":[{}KMS]}}", "KMS,".repeat(2_000)));
    for bytes in [document.clone().into_bytes(), gzip(document.as_bytes())] {
        for limits in [Limits::default(), windows(500)] {
            let mut memory = Memory::default();
            let report = Decoder::new(limits).read(&mut Failing(&bytes), None, &mut memory);
            assert_eq!(report.skip, Some(SkipReason::Unreadable));
            assert!(memory.kept.is_empty());
        }
    }
}

#[test]
fn gzip_is_read_whatever_its_members() {
    let document = fill("{\"Records\":[KMS,STS]}");
    let (one, two) = document.split_at(100);
    let whole = gzip(document.as_bytes());
    let cases = [
        (whole.clone(), false),
        ([gzip(one.as_bytes()), gzip(two.as_bytes())].concat(), false),
        ([whole.clone(), gzip(b"")].concat(), false),
        ([gzip(b""), whole.clone()].concat(), false),
        ([whole.clone(), vec![0; 512]].concat(), true),
        ([whole.clone(), vec![0x1f]].concat(), true),
        ([whole.clone(), b"trailing".to_vec()].concat(), true),
        ([whole.clone(), whole[whole.len() - 8..].to_vec()].concat(), true),
    ];
    for (bytes, trailing) in cases {
        for limits in [Limits::default(), windows(30)] {
            let (report, memory) = decode_within(limits, &bytes);
            assert_eq!((report.skip, memory.kept.len()), (None, 1));
            assert_eq!(report.notes.contains_key(&Note::TrailingBytes), trailing);
            assert_eq!((report.compressed, report.inflated), (bytes.len() as u64, document.len() as u64));
        }
    }
    // The same member twice: its size stands at the end of both.
    let twice = [gzip(KMS.as_bytes()), gzip(KMS.as_bytes())].concat();
    assert_eq!(decode(&twice).1.kept.len(), 2);
}

#[test]
fn the_cap_skips_and_never_cuts() {
    let document = fill("{\"Records\":[KMS,STS,KMS]}");
    let len = document.len() as u64;
    for bytes in [document.clone().into_bytes(), gzip(document.as_bytes())] {
        for window in [1, 50, 64 << 20] {
            let capped = |max_inflated| decode_within(Limits { max_inflated, window }, &bytes);
            assert_eq!(capped(len).0.skip, None);
            let (report, memory) = capped(len - 1);
            assert_eq!((report.skip, report.kept, memory.kept.len()), (Some(SkipReason::TooLarge), 0, 0));
        }
    }
    let bomb = gzip(&vec![b' '; 8 << 20]);
    let limits = Limits { max_inflated: 4 << 20, window: 64 << 10 };
    assert_eq!(decode_within(limits, &bomb).0.skip, Some(SkipReason::TooLarge));
}

#[test]
fn windows_publish_only_what_the_checksum_confirms() {
    let document = fill(&format!("{{\"Records\":[{}KMS]}}", "KMS,".repeat(500)));
    let mut packed = gzip(document.as_bytes());
    let (report, memory) = decode_within(windows(4_000), &packed);
    assert_eq!((report.skip, report.kept, memory.settled, memory.kept.len()), (None, 501, Some(true), 501));
    let at = packed.len() - 6;
    packed[at] ^= 1;
    let (report, memory) = decode_within(windows(4_000), &packed);
    assert_eq!((report.skip, report.kept), (Some(SkipReason::BadGzip), 0));
    assert_eq!((memory.settled, memory.kept.len()), (Some(false), 0));
    let (_, memory) = decode(&packed);
    assert_eq!(memory.staged, None);
}

#[test]
fn the_hash_of_the_content_is_of_one_sound_stream_whatever_the_window() {
    let text = format!("{{\"Records\":[{}{KMS}]}}", format!("{KMS},").repeat(300));
    let want: [u8; 32] = Sha256::digest(text.as_bytes()).into();
    let packed = gzip(text.as_bytes());
    for limits in [windows(1 << 10), windows(40 << 10), Limits::default()] {
        let mut decoder = Decoder::new(limits);
        let mut hash = |mut stored: &[u8]| {
            let (report, hash) = decoder.read_hashed(&mut stored, None, &mut Memory::default());
            (report.records, hash)
        };
        for stored in [text.as_bytes(), &packed] {
            assert_eq!(hash(stored), (301, Some(Content::Whole(want))));
        }
        assert_eq!(hash(&[packed.clone(), gzip(b" ")].concat()), (301, Some(Content::Unsound)), "two streams");
        assert_eq!(hash(&[packed.as_slice(), b"more"].concat()), (301, Some(Content::Unsound)), "bytes follow");
        assert_eq!(hash(&packed[..packed.len() - 9]).1, Some(Content::Unsound), "cut off");
        assert_eq!(hash(b"").1, Some(Content::Unsound), "empty");
    }
}
