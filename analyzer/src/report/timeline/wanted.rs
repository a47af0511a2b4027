//! What somebody asks the timeline of.

use crate::view::KeyView;
use crate::view::resources::ResourceUse;

/// A key or a resource, as typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Key ARN, key id, alias with or without `alias/`, or alias ARN.
    Key(String),
    /// ARN of a resource, or the last part of one: a bucket, object, secret, volume, table.
    Resource(String),
}

impl Wanted {
    /// True when this key is asked for, now or before an alias moved on.
    pub fn is_key(&self, key: &KeyView) -> bool {
        let Self::Key(name) = self else { return false };
        if name == &key.arn || name == &key.id {
            return true;
        }
        let bare = |alias: &str| {
            let alias = alias.rsplit_once(":alias/").map_or(alias, |(_, name)| name);
            alias.strip_prefix("alias/").unwrap_or(alias).to_string()
        };
        // An alias ARN names the account and Region as well.
        let here = !name.starts_with("arn:") || {
            let mut fields = name.split(':').skip(3);
            fields.next() == Some(&key.region) && fields.next() == Some(&key.account)
        };
        let asked = bare(name);
        let pointed = key.history.aliases.keys();
        let said = key.beside.facts.iter().filter_map(|facts| facts.aliases.as_ref());
        let said = said.flat_map(|fact| &fact.value.names);
        here && key.aliases.iter().chain(pointed).chain(said).any(|alias| bare(alias) == asked)
    }

    /// The key's resources that are asked for: of this name, ending in it, or (S3 with Bucket Keys, where the log names
    /// no object) the bucket of the object.
    pub fn resources<'k>(&self, key: &'k KeyView) -> Vec<&'k ResourceUse> {
        let Self::Resource(asked) = self else { return Vec::new() };
        key.resources.iter().filter(|resource| names(asked, &resource.name)).collect()
    }

    /// True when this resource is asked for.
    pub fn is_resource(&self, name: &str) -> bool {
        matches!(self, Self::Resource(asked) if names(asked, name))
    }

    /// As typed.
    pub fn text(&self) -> &str {
        match self {
            Self::Key(text) | Self::Resource(text) => text,
        }
    }
}

fn names(asked: &str, name: &str) -> bool {
    let value = name.split_once('=').map_or(name, |(_, value)| value);
    let last_part = |of: &str, part: &str| {
        of.strip_suffix(part).is_some_and(|before| before.ends_with(['/', ':', '=']) && !part.is_empty())
    };
    let bucket_of = |object: &str| {
        let rest = object.strip_prefix(value)?;
        (value.contains(":s3:::") && !value.rsplit(':').next()?.contains('/')).then(|| rest.starts_with('/'))
    };
    name == asked || value == asked || last_part(name, asked) || bucket_of(asked) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn resources_are_asked_for_by_arn_last_part_or_through_their_bucket() {
        let volume = "aws:ebs:id=vol-0c3d4e5f60718293a";
        assert!(names("vol-0c3d4e5f60718293a", volume));
        assert!(!names("3a", volume));
        let secret = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf";
        assert!(names(secret, secret) && names("db-AbCdEf", secret) && !names("AbCdEf", secret));
        let bucket = "arn:aws:s3:::payroll";
        assert!(names("arn:aws:s3:::payroll/2026/jan.csv", bucket));
        assert!(
            !names("arn:aws:s3:::payroll-old/x", bucket) && !names("arn:aws:s3:::payroll", "arn:aws:s3:::payroll/x")
        );
        assert!(!names("", bucket));
    }
}
