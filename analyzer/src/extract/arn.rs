//! ARNs: keys, aliases and principals. Lenient about accounts and ids, because published logs are sanitized in many ways.

use std::borrow::Cow;

use memchr::memmem;

/// Longest KMS ARN that is looked for in free text: hostile text must not cost its square.
const MAX_LENGTH: usize = 512;

/// An ARN in its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arn<'a> {
    /// The whole text.
    pub text: &'a str,
    /// `aws`, `aws-cn`, `aws-us-gov`, ...
    pub partition: &'a str,
    /// `kms`, `iam`, `sts`, ...
    pub service: &'a str,
    /// Region; empty for global services.
    pub region: &'a str,
    /// Account; empty where the service leaves it out.
    pub account: &'a str,
    /// Everything after the account.
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Splits an ARN.
    pub fn parse(text: &'a str) -> Option<Self> {
        // Several of these per record: worth more than a chain of splits.
        let rest = text.strip_prefix("arn:aws")?;
        let mut colons = [0; 4];
        let mut found = 0;
        for (at, byte) in rest.bytes().enumerate() {
            if byte == b':' {
                colons[found] = at;
                found += 1;
                if found == 4 {
                    break;
                }
            }
        }
        let [a, b, c, d] = colons;
        if found < 4 {
            return None;
        }
        let partition = &text["arn:".len().."arn:aws".len() + a];
        let (service, region, account, resource) = (&rest[a + 1..b], &rest[b + 1..c], &rest[c + 1..d], &rest[d + 1..]);
        (!service.is_empty() && !resource.is_empty()).then_some(Self {
            text,
            partition,
            service,
            region,
            account,
            resource,
        })
    }

    /// Id of the KMS key that this ARN names.
    pub fn key_id(&self) -> Option<&'a str> {
        if self.service != "kms" {
            return None;
        }
        self.resource
            .strip_prefix("key/")
            .filter(|id| !id.is_empty() && memchr::memchr3(b'*', b'/', b' ', id.as_bytes()).is_none())
    }

    /// Name of the KMS alias that this ARN names, without `alias/`.
    pub fn alias(&self) -> Option<&'a str> {
        if self.service != "kms" {
            return None;
        }
        self.resource
            .strip_prefix("alias/")
            .filter(|name| !name.is_empty() && memchr::memchr2(b'*', b' ', name.as_bytes()).is_none())
    }
}

/// A KMS key ARN.
pub fn key(text: &str) -> Option<Arn<'_>> {
    Arn::parse(text).filter(|arn| arn.key_id().is_some())
}

/// A KMS alias ARN.
pub fn alias(text: &str) -> Option<Arn<'_>> {
    Arn::parse(text).filter(|arn| arn.alias().is_some())
}

/// Name of the S3 bucket that the ARN of a bucket or of an object names.
pub fn bucket(text: &str) -> Option<&str> {
    let arn = Arn::parse(text).filter(|arn| arn.service == "s3" && arn.region.is_empty() && arn.account.is_empty())?;
    arn.resource.split('/').next().filter(|name| !name.is_empty())
}

/// True for the id of a key: a UUID or `mrk-` and 32 hex digits.
pub fn is_key_id(text: &str) -> bool {
    let hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match text.strip_prefix("mrk-") {
        Some(rest) => rest.len() == 32 && hex(rest),
        None => {
            let mut groups = text.split('-');
            let sound = [8, 4, 4, 4, 12].iter().all(|len| groups.next().is_some_and(|g| g.len() == *len && hex(g)));
            sound && groups.next().is_none()
        }
    }
}

/// Partition that a Region belongs to.
pub fn partition(region: &str) -> &'static str {
    const PREFIXES: [(&str, &str); 8] = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-isob-", "aws-iso-b"),
        ("us-isof-", "aws-iso-f"),
        ("us-iso-", "aws-iso"),
        ("eu-isoe-", "aws-iso-e"),
        ("eusc-", "aws-eusc"),
        ("", "aws"),
    ];
    PREFIXES.iter().find(|(prefix, _)| region.starts_with(prefix)).map_or("aws", |(_, partition)| partition)
}

/// First KMS key ARN in free text; without one, the first alias ARN.
pub fn in_text(text: &str) -> Option<Arn<'_>> {
    let found = || memmem::find_iter(text.as_bytes(), b"arn:aws").filter_map(|at| kms_at(text, at));
    found().find(|arn| arn.key_id().is_some()).or_else(|| found().find(|arn| arn.alias().is_some()))
}

/// Role behind an STS session: `arn:aws:sts::A:assumed-role/R/S` gives `arn:aws:iam::A:role/R`. The path of the role is lost.
pub fn role_of_session(text: &str) -> Option<String> {
    let arn = Arn::parse(text).filter(|arn| arn.service == "sts")?;
    let role = arn.resource.strip_prefix("assumed-role/")?.split('/').next().filter(|role| !role.is_empty())?;
    Some(format!("arn:{}:iam::{}:role/{role}", arn.partition, arn.account))
}

/// Session name of an STS ARN.
pub fn session_name(text: &str) -> Option<&str> {
    let resource = Arn::parse(text).filter(|arn| arn.service == "sts")?.resource;
    let name = match resource.strip_prefix("assumed-role/") {
        Some(rest) => rest.split_once('/')?.1,
        None => resource.strip_prefix("federated-user/")?,
    };
    (!name.is_empty()).then_some(name)
}

/// True for an account id as text; also ids that a publisher shortened or lengthened.
pub fn is_account(text: &str) -> bool {
    (9..=13).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Kind of a grantee (one of the values of the column `grantee_kind`) and its account.
pub fn grantee(text: &str) -> (&'static str, Option<&str>) {
    if let Some(arn) = Arn::parse(text) {
        let account = Some(arn.account).filter(|account| !account.is_empty());
        let kind = match (arn.service, arn.resource) {
            ("iam", "root") => "root",
            ("iam", user) if user.starts_with("user/") => "user",
            ("iam", role) if role.starts_with("role/") => "role",
            // No customer can name a role `aws:...`: EC2 itself acts there for an instance.
            ("sts", infrastructure) if infrastructure.starts_with("assumed-role/aws:") => "service",
            ("sts", session) if session.starts_with("assumed-role/") || session.starts_with("federated-user/") => {
                "session"
            }
            _ => "unknown",
        };
        return (kind, account);
    }
    if is_account(text) {
        return ("account", Some(text));
    }
    if text.starts_with("AWS Internal") {
        return ("aws-internal", None);
    }
    match text.split_once(':') {
        Some((account, rest)) if is_account(account) && rest.starts_with("aws:") => ("service", Some(account)),
        _ if is_service(text) => ("service", None),
        _ if is_unique_id(text) => ("unique-id", None),
        _ => ("unknown", None),
    }
}

/// True for the name of an AWS service: `dynamodb.us-west-2.amazonaws.com`.
pub fn is_service(text: &str) -> bool {
    text.ends_with(".amazonaws.com") || text.ends_with(".amazonaws.com.cn") || text.ends_with(".amazonaws.eu")
}

/// Key ARN from its parts.
pub fn build_key(region: &str, account: &str, id: &str) -> String {
    format!("arn:{}:kms:{region}:{account}:key/{id}", partition(region))
}

/// ARN of an alias given as `alias/name`, or the ARN itself.
pub fn build_alias<'a>(region: &str, account: &str, typed: &'a str) -> Option<Cow<'a, str>> {
    if alias(typed).is_some() {
        return Some(Cow::Borrowed(typed));
    }
    typed.strip_prefix("alias/").filter(|name| !name.is_empty())?;
    Some(Cow::Owned(format!("arn:{}:kms:{region}:{account}:{typed}", partition(region))))
}

/// `AIDA...` and its kin: what stays of a principal in a policy or grant after it was deleted.
fn is_unique_id(text: &str) -> bool {
    const PREFIXES: [&str; 5] = ["AIDA", "AROA", "AGPA", "ANPA", "ASIA"];
    PREFIXES.iter().any(|prefix| text.starts_with(prefix))
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-' | b'_' | b'.' | b'@'))
}

/// The KMS ARN that starts at `at`, up to the first character that cannot stand in one.
fn kms_at(text: &str, at: usize) -> Option<Arn<'_>> {
    let rest = &text[at..];
    let stands = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'/' | b'-' | b'_' | b'#');
    let end = rest.as_bytes().iter().take(MAX_LENGTH).take_while(|byte| stands(byte)).count();
    let arn = Arn::parse(rest[..end].trim_end_matches([':', '/']))?;
    if let Some(id) = arn.key_id() {
        // Messages are cut at 1 KB: half an id at the very end would name a key that does not exist.
        let cut = end == rest.len() && text.len() >= 1000 && !is_key_id(id);
        let (id, _) = id.split_once(':').unwrap_or((id, ""));
        return (!cut).then(|| key(&rest[..offset(rest, id) + id.len()])).flatten();
    }
    arn.alias().map(|_| arn)
}

fn offset(outer: &str, inner: &str) -> usize {
    inner.as_ptr() as usize - outer.as_ptr() as usize
}
