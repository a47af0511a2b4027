//! The lake's small JSON files and notes.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::manifest::{Manifest, Part, PartKind};
use super::partition::{Shard, Unit};
use super::swap::PartName;

/// A task that somebody has taken.
#[derive(Serialize, Deserialize)]
pub(super) struct LeaseFile {
    /// Who, for people who look.
    pub(super) holder: String,
    /// Milliseconds since the epoch.
    pub(super) lease_until: i64,
}

/// The unit of a part, as its footer says.
#[derive(Serialize, Deserialize)]
pub(super) struct UnitNote {
    account: Option<String>,
    region: Option<String>,
    date: Option<NaiveDateText>,
}

/// A date as text.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct NaiveDateText(String);

impl NaiveDateText {
    fn of(date: Option<NaiveDate>) -> Option<Self> {
        date.map(|date| Self(date.to_string()))
    }

    /// `None` when it is no date.
    fn date(date: Option<Self>) -> Option<Option<NaiveDate>> {
        date.map(|text| text.0.parse().ok()).map_or(Some(None), |date| date.map(Some))
    }
}

impl UnitNote {
    pub(super) fn write(unit: &Unit) -> String {
        let Unit { shard, date } = unit;
        let note =
            Self { account: shard.account.clone(), region: shard.region.clone(), date: NaiveDateText::of(*date) };
        // Strings only, which cannot fail to serialize.
        serde_json::to_string(&note).unwrap_or_default()
    }

    pub(super) fn read(text: &str) -> Option<Unit> {
        let note: Self = serde_json::from_str(text).ok()?;
        let shard = Shard { account: note.account, region: note.region };
        Some(Unit { shard, date: NaiveDateText::date(note.date)? })
    }
}

/// `lake.json`.
#[derive(Serialize, Deserialize)]
pub(super) struct Marker {
    pub(super) schema: String,
    pub(super) events: u32,
    pub(super) objects: u32,
}

/// What `schema` of a manifest says.
const MANIFEST: &str = "keytrail.manifest/1";

/// `current.json`.
#[derive(Serialize, Deserialize)]
struct ManifestFile {
    schema: String,
    account: Option<String>,
    region: Option<String>,
    generation: u64,
    events: Vec<PartEntry>,
    objects: Vec<PartEntry>,
    absorbed: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct PartEntry {
    path: String,
    account: Option<String>,
    region: Option<String>,
    date: Option<NaiveDateText>,
    rows: u64,
    bytes: u64,
    blake3: String,
    objects: u64,
    first: Option<i64>,
    last: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_name: Option<String>,
}

impl PartEntry {
    fn of(part: &Part) -> Self {
        let Unit { shard, date } = &part.unit;
        Self {
            path: part.path.clone(),
            account: shard.account.clone(),
            region: shard.region.clone(),
            date: NaiveDateText::of(*date),
            rows: part.rows,
            bytes: part.bytes,
            blake3: part.blake3.clone(),
            objects: part.objects,
            first: part.span.map(|span| span.0),
            last: part.span.map(|span| span.1),
            first_name: part.names.as_ref().map(|names| names.0.clone()),
            last_name: part.names.as_ref().map(|names| names.1.clone()),
        }
    }

    fn part(self, kind: PartKind) -> Option<Part> {
        let shard = Shard { account: self.account, region: self.region };
        let unit = Unit { shard, date: NaiveDateText::date(self.date)? };
        let span = self.first.zip(self.last);
        let names = self.first_name.zip(self.last_name);
        let Self { path, rows, bytes, blake3, objects, .. } = self;
        Some(Part { path, kind, unit, rows, bytes, blake3, objects, span, names })
    }
}

/// A manifest as its file.
pub(super) fn write_manifest(manifest: &Manifest) -> Vec<u8> {
    let entries = |kind| manifest.of(kind).map(PartEntry::of).collect();
    let file = ManifestFile {
        schema: MANIFEST.into(),
        account: manifest.shard.account.clone(),
        region: manifest.shard.region.clone(),
        generation: manifest.generation,
        events: entries(PartKind::Events),
        objects: entries(PartKind::Objects),
        absorbed: manifest.absorbed.clone(),
    };
    // Strings and numbers only, which cannot fail to serialize.
    serde_json::to_vec(&file).unwrap_or_default()
}

/// Reads a manifest; the error says what is wrong with it.
pub(super) fn read_manifest(bytes: &[u8]) -> Result<Manifest, String> {
    let json: serde_json::Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if json["schema"] != MANIFEST {
        return Err(format!("its schema is {}, not {MANIFEST}; perhaps a newer keytrail wrote it", json["schema"]));
    }
    let file: ManifestFile = serde_json::from_value(json).map_err(|error| error.to_string())?;
    let parts = |entries: Vec<PartEntry>, kind| entries.into_iter().map(move |entry| entry.part(kind));
    let parts = parts(file.events, PartKind::Events).chain(parts(file.objects, PartKind::Objects));
    let mut parts: Vec<Part> = parts.collect::<Option<_>>().ok_or("a date is none")?;
    // Whoever could write the manifest shall not have files read or deleted elsewhere.
    let ours = |part: &Part| {
        let folder = format!("{}/{}/", part.kind.folder(), part.unit.folder());
        let name = part.path.strip_prefix(&folder);
        name.is_some_and(|name| !name.contains(['/', '\\']) && PartName::of(name).is_some())
    };
    if let Some(part) = parts.iter().find(|part| !ours(part)) {
        return Err(format!("{} is no path of a part", part.path));
    }
    let hex = |name: &str| name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    if let Some(name) = file.absorbed.iter().find(|name| !hex(name)) {
        return Err(format!("{name} is no name of an inbox file"));
    }
    parts.sort();
    let mut absorbed = file.absorbed;
    absorbed.sort();
    let shard = Shard { account: file.account, region: file.region };
    Ok(Manifest { shard, generation: file.generation, parts, absorbed })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_names_nothing_outside_of_its_folders() {
        let unit = Unit::default();
        let path = format!("objects/{}/0123abcd-0-0123456789abcdef01234567.parquet", unit.folder());
        let part = |path: &str| Part {
            path: path.to_owned(),
            kind: PartKind::Objects,
            unit: unit.clone(),
            rows: 1,
            bytes: 1,
            blake3: String::new(),
            objects: 1,
            span: None,
            names: None,
        };
        let read = |path: &str, absorbed: &str| {
            let absorbed = vec![absorbed.to_owned()];
            read_manifest(&write_manifest(&Manifest { parts: vec![part(path)], absorbed, ..Manifest::default() }))
        };
        let inbox = "0123456789abcdef0123456789abcdef";
        assert!(read(&path, inbox).is_ok());
        let up = path.replace("objects/", "objects/../victim/");
        for (path, absorbed) in [("../victim/precious.parquet", inbox), (&up, inbox), ("", inbox), (&path, "../../x")] {
            assert!(read(path, absorbed).is_err(), "{path} {absorbed}");
        }
    }
}
