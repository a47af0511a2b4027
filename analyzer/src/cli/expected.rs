//! Files that say which accounts, Regions and keys there are: what AWS's own tool prints, or plain lists.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Deserializer, Value};

use super::failure::Failure;
use super::input;

/// A hundred thousand keys in JSON are some 15 MB.
const MOST: u64 = 64 << 20;

/// What a file lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `aws organizations list-accounts`.
    Accounts,
    /// `aws account list-regions`, or `aws ec2 describe-regions`.
    Regions,
    /// `aws kms list-keys`.
    Keys,
}

impl Kind {
    /// Member that holds the list; that of an entry's name, best first; words of those that count, where a state is told.
    fn members(self) -> (&'static str, &'static [&'static str], &'static [&'static str]) {
        match self {
            Self::Accounts => ("Accounts", &["Id"], &["State", "Status"]),
            Self::Regions => ("Regions", &["RegionName"], &["RegionOptStatus", "OptInStatus"]),
            Self::Keys => ("Keys", &["KeyArn", "KeyId"], &[]),
        }
    }

    /// An account that is closed and a Region that is off write no log.
    fn counts(self, state: &str) -> bool {
        match self {
            Self::Accounts => matches!(state, "ACTIVE" | "PENDING_CLOSURE"),
            Self::Regions => matches!(state, "ENABLED" | "ENABLED_BY_DEFAULT" | "opt-in-not-required" | "opted-in"),
            Self::Keys => true,
        }
    }

    fn check(self, name: &str) -> Result<(), &'static str> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_:/".contains(&byte);
        match self {
            Self::Accounts if name.len() != 12 || !name.bytes().all(|byte| byte.is_ascii_digit()) => {
                Err("an account id has 12 digits")
            }
            Self::Regions if !name.contains('-') || !name.bytes().all(plain) || name.contains([':', '/']) => {
                Err("a Region is written like eu-central-1")
            }
            Self::Keys if name.is_empty() || name.len() > 256 || !name.bytes().all(plain) => {
                Err("a key is named by its id or its ARN")
            }
            _ => Ok(()),
        }
    }

    fn tool(self) -> &'static str {
        match self {
            Self::Accounts => "aws organizations list-accounts",
            Self::Regions => "aws account list-regions, or aws ec2 describe-regions",
            Self::Keys => "aws kms list-keys",
        }
    }
}

/// What all files list.
pub(super) fn read(files: &[PathBuf], kind: Kind) -> Result<BTreeSet<String>, Failure> {
    let mut names = BTreeSet::new();
    for file in files {
        let said = |what: String| {
            Failure::usage(format!("{}: {what}", file.display()))
                .hint(format!("what `{}` prints, or one name per line", kind.tool()))
        };
        let text = input::text(file, MOST).map_err(|error| said(error.to_string()))?;
        let listed = parse(&text, kind).map_err(said)?;
        if listed.is_empty() {
            return Err(said("it lists nothing".into()));
        }
        names.extend(listed);
    }
    Ok(names)
}

fn parse(text: &str, kind: Kind) -> Result<Vec<String>, String> {
    let text = text.trim_start_matches('\u{feff}');
    let mut names = Vec::new();
    if text.trim_start().starts_with(['{', '[']) {
        // Pages, and answers of several accounts, are appended to one another.
        for document in Deserializer::from_str(text).into_iter::<Value>() {
            let document = document.map_err(|error| format!("its JSON is damaged: {error}"))?;
            entries(&document, kind, &mut names)?;
        }
    } else {
        let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
        names.extend(lines.filter(|line| !line.is_empty()).map(str::to_owned));
    }
    for name in &names {
        kind.check(name).map_err(|why| format!("`{}`: {why}", crate::finding::plain(name)))?;
    }
    Ok(names)
}

fn entries(document: &Value, kind: Kind, names: &mut Vec<String>) -> Result<(), String> {
    let (list, ids, states) = kind.members();
    let entries = match document {
        Value::Array(entries) => entries,
        _ => document.get(list).and_then(Value::as_array).ok_or_else(|| format!("it has no list `{list}`"))?,
    };
    for entry in entries {
        if let Value::String(name) = entry {
            names.push(name.clone());
            continue;
        }
        let text = |members: &[&str]| members.iter().find_map(|member| entry.get(*member)?.as_str());
        let name = text(ids).ok_or_else(|| format!("an entry of `{list}` has no `{}`", ids.join("` and no `")))?;
        if text(states).is_none_or(|state| kind.counts(state)) {
            names.push(name.to_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Kind, parse};

    #[test]
    fn what_aws_prints_and_plain_lists() {
        let accounts = r#"{"Accounts":[{"Id":"111122223333","Status":"ACTIVE","State":"ACTIVE","Name":"a"},
            {"Id":"444455556666","Status":"SUSPENDED"}]} {"Accounts":[{"Id":"777788889999"}]}"#;
        assert_eq!(parse(accounts, Kind::Accounts).unwrap(), ["111122223333", "777788889999"]);
        let regions = r#"{"Regions":[{"RegionName":"eu-west-1","RegionOptStatus":"ENABLED_BY_DEFAULT"},
            {"RegionName":"me-south-1","RegionOptStatus":"DISABLED"},{"RegionName":"af-south-1","OptInStatus":"not-opted-in"},
            {"RegionName":"us-east-1","OptInStatus":"opt-in-not-required"}]}"#;
        assert_eq!(parse(regions, Kind::Regions).unwrap(), ["eu-west-1", "us-east-1"]);
        let keys = r#"{"Keys":[{"KeyId":"1234abcd","KeyArn":"arn:aws:kms:eu-west-1:111122223333:key/1234abcd"},{"KeyId":"mrk-1"}]}"#;
        assert_eq!(parse(keys, Kind::Keys).unwrap(), ["arn:aws:kms:eu-west-1:111122223333:key/1234abcd", "mrk-1"]);
        assert_eq!(parse("[\"eu-west-1\"]", Kind::Regions).unwrap(), ["eu-west-1"]);
        assert_eq!(parse("\u{feff}# all\n111122223333 # main\r\n\n", Kind::Accounts).unwrap(), ["111122223333"]);
    }

    #[test]
    fn what_is_no_list_is_told() {
        for (text, kind, why) in [
            ("{\"Regions\":[]}", Kind::Accounts, "no list `Accounts`"),
            ("{\"Accounts\":[{\"Name\":\"a\"}]}", Kind::Accounts, "has no `Id`"),
            ("{\"Accounts\":", Kind::Accounts, "damaged"),
            ("12345", Kind::Accounts, "12 digits"),
            ("<script>", Kind::Regions, "like eu-central-1"),
            ("key one", Kind::Keys, "by its id"),
            ("\u{1b}[31m", Kind::Keys, "by its id"),
        ] {
            let error = parse(text, kind).unwrap_err();
            assert!(error.contains(why) && !error.contains('\u{1b}'), "{error}");
        }
    }
}
