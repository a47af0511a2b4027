//! THE option table. The structs that rules read, parsing, validation, defaults, `keytrail rules ID`, the docs and the
//! example file are all views of the one table below: adding an option is adding a line.

use super::kind::{Kind, assign};
use super::level::Level;
use super::parse::Bytes;
use super::problem::Sink;
use super::raw::Table;

/// What is known about one option without reading a file.
#[derive(Clone, Copy, Debug)]
pub struct OptionInfo {
    /// Rule that it belongs to; `*` for the options that every rule has, `scan` for those of a run, `alert` for those of
    /// alerting.
    pub rule: &'static str,
    /// Name in the file.
    pub key: &'static str,
    /// Kind of value: `a whole number`, `a severity` …
    pub kind: &'static str,
    /// Allowed values, as `1..=8760`, where the kind alone does not say it.
    pub range: Option<&'static str>,
    /// What it means: one sentence or two, lower case.
    pub doc: &'static str,
    /// A value to show where there is no default.
    pub example: Option<&'static str>,
    default: fn() -> Option<String>,
}

impl OptionInfo {
    /// The default as it would stand in the file; `None` when the option is not set by default.
    pub fn default(&self) -> Option<String> {
        (self.default)()
    }
}

/// A group of options: one table in the file.
pub(super) trait Section: Default {
    /// Its options, in the order of the docs.
    const INFO: &'static [OptionInfo];

    /// Takes its options from a table of the file.
    fn read(&mut self, table: &mut Table<'_, '_>, sink: &mut Sink<'_>);

    /// Every option with its value as it would stand in the file.
    fn values(&self) -> Vec<(&'static str, Option<String>)>;
}

/// Options of one rule, those that every rule has (`*`), those of a run (`scan`), or of alerting (`alert`).
pub fn options_of(rule: &str) -> impl Iterator<Item = &'static OptionInfo> {
    Scan::INFO
        .iter()
        .chain(AlertOptions::INFO)
        .chain(RuleSettings::INFO)
        .chain(RULE_OPTIONS)
        .filter(move |info| info.rule == rule)
}

macro_rules! range {
    () => {
        None
    };
    ($range:expr) => {
        Some(&$range)
    };
}

macro_rules! words {
    () => {
        None
    };
    ($words:expr) => {
        Some($words)
    };
}

macro_rules! info {
    ($rule:literal $name:ident $key:ident $type:ty, ($($doc:literal)+), ($($range:expr)?), ($($example:literal)?)) => {
        OptionInfo {
            rule: $rule,
            key: stringify!($key),
            kind: <$type as Kind>::NAME,
            range: words!($(stringify!($range))?),
            doc: concat!($($doc),+).trim_ascii(),
            example: words!($($example)?),
            default: || $name::default().$key.write(),
        }
    };
}

macro_rules! section {
    ($(#[$meta:meta])* $rule:literal $name:ident {
        $($(#[doc = $doc:literal])+ $key:ident: $type:ty = $default:expr $(, in $range:expr)? $(, such as $example:literal)?;)+
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $name {
            $($(#[doc = $doc])+ pub $key: $type,)+
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($key: $default,)+ }
            }
        }

        impl Section for $name {
            const INFO: &'static [OptionInfo] =
                &[$(info!($rule $name $key $type, ($($doc)+), ($($range)?), ($($example)?)),)+];

            fn read(&mut self, table: &mut Table<'_, '_>, sink: &mut Sink<'_>) {
                $(if let Some(value) = table.take(stringify!($key)) {
                    assign(&mut self.$key, stringify!($key), value, range!($($range)?), sink);
                })+
            }

            fn values(&self) -> Vec<(&'static str, Option<String>)> {
                vec![$((stringify!($key), self.$key.write()),)+]
            }
        }
    };
}

macro_rules! rules {
    ($($field:ident $rule:literal $name:ident {
        $($(#[doc = $doc:literal])+ $key:ident: $type:ty = $default:expr $(, in $range:expr)? $(, such as $example:literal)?;)+
    })+) => {
        $(section! {
            #[doc = concat!("Options of `", $rule, "`.")]
            $rule $name {
                $($(#[doc = $doc])+ $key: $type = $default $(, in $range)? $(, such as $example)?;)+
            }
        })+

        /// Options of the rules that have any.
        #[derive(Clone, Copy, Debug, Default, PartialEq)]
        pub struct RuleOptions {
            $(#[doc = concat!("Of `", $rule, "`.")] pub $field: $name,)+
        }

        impl RuleOptions {
            /// Takes the options of one rule from its table.
            pub(super) fn read(&mut self, rule: &str, table: &mut Table<'_, '_>, sink: &mut Sink<'_>) {
                match rule {
                    $($rule => self.$field.read(table, sink),)+
                    _ => {}
                }
            }

            /// Every rule that has options, with their values as they would stand in the file.
            pub(super) fn values(&self) -> Vec<(&'static str, Vec<(&'static str, Option<String>)>)> {
                vec![$(($rule, self.$field.values()),)+]
            }
        }

        /// Every option that only one rule has, in the order of the docs.
        pub static RULE_OPTIONS: &[OptionInfo] =
            &[$($(info!($rule $name $key $type, ($($doc)+), ($($range)?), ($($example)?)),)+)+];
    };
}

section! {
    /// Options of a run. The command line overrides them.
    "scan" Scan {
        /// exit with 10 when a finding is this severe or worse; without it, findings are a result and no failure.
        fail_on: Option<Level> = None, such as "\"high\"";
        /// memory for what is not yet written to disk.
        memory: Bytes = Bytes::mib(16), in Bytes::mib(1)..=Bytes::mib(16 << 20);
        /// objects read at a time; without it, one per core.
        threads: Option<u32> = None, in 1..=1024, such as "4";
        /// an object that inflates to more than this is skipped and reported, never read in part.
        max_inflated: Bytes = Bytes::mib(2048), in Bytes::mib(1)..=Bytes::mib(1 << 20);
    }
}

section! {
    /// Numbers of alerting.
    "alert" AlertOptions {
        /// messages to one sink in one run; more incidents than that go into one further message that counts them.
        max_per_run: u32 = 20, in 1..=1000;
        /// minutes after which a finding that late events may overturn counts as certain enough to alert on.
        settle_minutes: u32 = 30, in 0..=10_080;
        /// minutes between two messages about one incident that only has more victims; worse news are told at once.
        repeat_minutes: u32 = 60, in 0..=10_080;
        /// hours from one digest to the next.
        digest_hours: u32 = 24, in 1..=720;
        /// hours without a log of an account and Region after which it is told as silent (delivery-silence); 0 learns them from the lake.
        silence_hours: u32 = 0, in 0..=8760;
    }
}

section! {
    /// What can be set for every rule.
    "*" RuleSettings {
        /// whether the rule runs; one that does not is listed in the coverage of the run.
        enabled: bool = true;
        /// severity of its findings, in place of the rule's own reasoning.
        severity: Option<Level> = None, such as "\"medium\"";
    }
}

rules! {
    disabled_key_failure "disabled-key-failure" DisabledKeyFailure {
        /// hours in which the key is enabled and nothing fails, after which an incident counts as over.
        quiet_hours: u32 = 24, in 1..=8760;
    }
    alias_moved "alias-moved" AliasMoved {
        /// days; a key that is not older than this when an alias comes to it counts as made for that.
        young_days: u32 = 7, in 1..=365;
    }
    key_store_changed "key-store-changed" KeyStoreChanged {
        /// minutes within which a key store that is connected again counts as maintained.
        back_within_minutes: u32 = 30, in 0..=10_080;
    }
    key_deletion_scheduled "key-deletion-scheduled" KeyDeletionScheduled {
        /// days before the call in which a use of the key makes its deletion serious.
        recent_days: u32 = 30, in 1..=3650;
        /// keys that one principal schedules for deletion in one go from which it is a finding of its own.
        many_keys: u32 = 3, in 2..=1000;
    }
    imported_material_deleted "imported-material-deleted" ImportedMaterialDeleted {
        /// days before the deletion in which a use of the key makes it serious.
        used_within_days: u32 = 30, in 1..=3650;
    }
    key_disabled "key-disabled" KeyDisabled {
        /// days before the call in which a use of the key makes switching it off worth a look.
        used_within_days: u32 = 14, in 1..=3650;
        /// keys that one principal switches off in one go from which it is a finding of its own.
        many_keys: u32 = 3, in 2..=1000;
    }
    ransom_chain "ransom-chain" RansomChain {
        /// days between the first import and the loss of the material within which it is one chain.
        chain_days: u32 = 7, in 1..=365;
        /// days; material that expires so soon after its import counts as about to be taken away.
        fuse_days: u32 = 7, in 1..=365;
    }
    rotation_disabled "rotation-disabled" RotationDisabled {
        /// days; a rotation period that is set to more than this counts as rotation stretched away.
        longest_period_days: u32 = 365, in 90..=2560;
    }
    unused_key "unused-key" UnusedKey {
        /// days without use after which a key counts as unused.
        after_days: u32 = 90, in 1..=3650;
    }
    unusual_decrypt_rate "unusual-decrypt-rate" UnusualDecryptRate {
        /// decrypts in five minutes below which no rate is unusual.
        min_count: u32 = 50, in 1..=100_000_000;
        /// times the expected count that a count must reach.
        factor: f64 = 5.0, in 1.0..=1e6;
        /// robust standard deviations above the expected count that a count must reach.
        deviations: f64 = 6.0, in 0.0..=1e6;
        /// days of history of a key and principal before their rate is judged.
        warmup_days: u32 = 7, in 0..=365;
        /// days of history before the time of day, and with two weeks the day of the week, are taken into account.
        season_days: u32 = 3, in 3..=365;
    }
    missing_rotation "missing-rotation" MissingRotation {
        /// days after which key material must have been replaced; without it, what the log cannot show stays "not determinable".
        cryptoperiod_days: Option<u32> = None, in 1..=36_500, such as "365";
        /// days that a rotation may be late before it is a finding.
        grace_days: u32 = 7, in 0..=365;
        /// hours that automatic rotation may be off before it is a finding.
        off_after_hours: u32 = 24, in 0..=8760;
    }
    over_broad_grant "over-broad-grant" OverBroadGrant {
        /// minutes within which a grant that is revoked again counts as closed, and less severe.
        revoked_within_minutes: u32 = 10, in 0..=10_080;
        /// days after which a grant whose grantee never used the key is worth a look.
        never_used_days: u32 = 90, in 1..=3650;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_reads_well() {
        for info in Scan::INFO.iter().chain(AlertOptions::INFO).chain(RuleSettings::INFO).chain(RULE_OPTIONS) {
            let OptionInfo { rule, key, doc, example, .. } = info;
            assert!(doc.starts_with(|c: char| c.is_lowercase()) && doc.ends_with('.'), "{rule}.{key}: {doc}");
            assert!(key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{rule}.{key}");
            assert_eq!(
                info.default().is_none(),
                example.is_some(),
                "{rule}.{key}: an example where there is no default"
            );
        }
    }

    #[test]
    fn metadata_follows_the_table() {
        let rotation: Vec<_> = options_of("missing-rotation").map(|info| (info.key, info.default())).collect();
        let expected =
            [("cryptoperiod_days", None), ("grace_days", Some("7".into())), ("off_after_hours", Some("24".into()))];
        assert_eq!(rotation, expected);
        assert_eq!(options_of("*").map(|info| info.key).collect::<Vec<_>>(), ["enabled", "severity"]);
        assert_eq!(options_of("unusual-decrypt-rate").nth(1).unwrap().default().unwrap(), "5.0");
    }
}
