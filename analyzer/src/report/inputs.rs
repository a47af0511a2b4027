//! What was read, object by object: what findings rest on can be compared with it byte for byte.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::escape;
use super::human::hex;
use crate::decode::Content;
use crate::finding::{Proof, Vouched};

/// One object of the sources, as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// URI or path.
    pub object: String,
    /// Bytes as stored, as far as they were read.
    pub size: u64,
    /// `ETag`, without quotes, where the service gave one.
    pub etag: Option<String>,
    /// Its records were read.
    pub is_read: bool,
    /// A lake says what it was when the lake was filled; its bytes are not at hand.
    pub is_stored: bool,
    /// What it held, to be compared with what digests state; None when nobody looked.
    pub content: Option<Content>,
    /// SHA-256 as stored, and what the digests say.
    pub proof: Proof,
}

/// All objects, in the order of their names. Two lakes may each have had an object of one name.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    objects: Vec<Input>,
}

/// A line of the manifest.
#[derive(Serialize)]
struct Line<'i> {
    object: &'i str,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<&'i str>,
    /// Only of an object that was not read to its end: an `ETag` says what a service held, not what was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    etag: Option<&'i str>,
}

impl Inputs {
    /// Objects in any order.
    pub fn new(mut objects: Vec<Input>) -> Self {
        objects.sort_by(|a, b| {
            (&a.object, &a.proof.sha256, a.size, &a.etag).cmp(&(&b.object, &b.proof.sha256, b.size, &b.etag))
        });
        Self { objects }
    }

    /// All of them.
    pub fn all(&self) -> &[Input] {
        &self.objects
    }

    /// Where those of a name stand.
    pub fn positions(&self, object: &str) -> Range<usize> {
        let start = self.objects.partition_point(|input| input.object.as_str() < object);
        let of_name = self.objects.iter().skip(start).take_while(|input| input.object == object).count();
        start..start + of_name
    }

    /// The one at a place.
    pub fn at(&self, position: usize) -> Option<&Input> {
        self.objects.get(position)
    }

    /// One of them; of several of a name, the one with the worst verdict: nobody knows which of them a record stands in.
    pub fn get(&self, object: &str) -> Option<&Input> {
        self.objects.get(self.positions(object))?.iter().min_by_key(|input| input.proof.vouched.weight())
    }

    /// Keeps what digests say of the one at a place; a worse verdict stays.
    pub fn vouch(&mut self, position: usize, vouched: Vouched) {
        if let Some(input) = self.objects.get_mut(position) {
            input.proof.vouched = input.proof.vouched.max(vouched);
        }
    }

    /// Objects whose records were read, by verdict.
    pub fn tally(&self) -> BTreeMap<Vouched, u64> {
        let mut tally = BTreeMap::new();
        for input in self.objects.iter().filter(|input| input.is_read) {
            *tally.entry(input.proof.vouched).or_default() += 1;
        }
        tally
    }

    /// One JSON object per line: name, size, and SHA-256 of every object.
    pub fn manifest(&self) -> String {
        let mut text = String::new();
        for input in &self.objects {
            line(input, &mut text);
        }
        text
    }

    /// SHA-256 of the manifest, hex.
    pub fn digest(&self) -> String {
        let (mut hash, mut text) = (Sha256::new(), String::new());
        for input in &self.objects {
            text.clear();
            line(input, &mut text);
            hash.update(text.as_bytes());
        }
        hex(&hash.finalize())
    }
}

fn line(input: &Input, text: &mut String) {
    let sha256 = input.proof.sha256.as_deref();
    let etag = input.etag.as_deref().filter(|_| sha256.is_none());
    let line = Line { object: &input.object, size: input.size, sha256, etag };
    // Strings and numbers cannot fail to serialize.
    text.push_str(&escape::json_document(serde_json::to_string(&line).unwrap_or_default()));
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(object: &str, sha256: Option<&str>) -> Input {
        let proof = Proof { sha256: sha256.map(str::to_string), ..Proof::default() };
        Input { object: object.into(), size: 3, etag: Some("e".into()), is_read: true, proof, ..Input::default() }
    }

    #[test]
    fn the_manifest_is_in_the_order_of_names_and_its_hash_is_over_its_bytes() {
        let both = Inputs::new(vec![input("b\n\u{202e}", None), input("a", Some("00ff"))]);
        let manifest = both.manifest();
        let lines: Vec<serde_json::Value> = manifest.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines[0], serde_json::json!({ "object": "a", "size": 3, "sha256": "00ff" }));
        assert_eq!(lines[1], serde_json::json!({ "object": "b\n\u{202e}", "size": 3, "etag": "e" }));
        assert!(!manifest.contains('\u{202e}'));
        let sum: String = Sha256::digest(manifest.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(both.digest(), sum);
        assert_ne!(both.digest(), Inputs::new(vec![input("a", Some("00ff"))]).digest());
    }

    #[test]
    fn the_worse_verdict_stays() {
        let mut inputs = Inputs::new(vec![input("a", None)]);
        for (next, stays) in [
            (Vouched::Unproven, Vouched::Unproven),
            (Vouched::Valid, Vouched::Valid),
            (Vouched::Tampered, Vouched::Tampered),
            (Vouched::Valid, Vouched::Tampered),
        ] {
            inputs.vouch(0, next);
            inputs.vouch(1, next);
            assert_eq!(inputs.get("a").unwrap().proof.vouched, stays);
        }
        assert_eq!(inputs.tally(), BTreeMap::from([(Vouched::Tampered, 1)]));
    }
}
