//! What was read, object by object: what findings rest on can be compared with it byte for byte.

use std::collections::BTreeMap;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::escape;
use super::human::hex;
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
    /// SHA-256 of its inflated bytes, when they are the whole of one sound stream: what digests state.
    pub content: Option<[u8; 32]>,
    /// SHA-256 as stored, and what the digests say.
    pub proof: Proof,
}

/// All objects, in the order of their names.
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
        objects.sort_by(|a, b| a.object.cmp(&b.object));
        Self { objects }
    }

    /// All of them.
    pub fn all(&self) -> &[Input] {
        &self.objects
    }

    fn position(&self, object: &str) -> Option<usize> {
        self.objects.binary_search_by(|input| input.object.as_str().cmp(object)).ok()
    }

    /// One of them.
    pub fn get(&self, object: &str) -> Option<&Input> {
        self.objects.get(self.position(object)?)
    }

    /// Keeps what digests say of an object; a worse verdict stays.
    pub fn vouch(&mut self, object: &str, vouched: Vouched) {
        if let Some(input) = self.position(object).and_then(|at| self.objects.get_mut(at)) {
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
            inputs.vouch("a", next);
            inputs.vouch("unknown", next);
            assert_eq!(inputs.get("a").unwrap().proof.vouched, stays);
        }
        assert_eq!(inputs.tally(), BTreeMap::from([(Vouched::Tampered, 1)]));
    }
}
