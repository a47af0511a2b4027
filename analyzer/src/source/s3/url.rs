//! `s3://bucket/prefix`

use std::fmt;

use super::S3Error;

/// A place in S3: a bucket, and what the keys of its objects begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Url {
    /// Name of the bucket, or ARN of an access point.
    pub bucket: String,
    /// What keys begin with: nothing, a folder, or part of a name.
    pub prefix: String,
}

impl S3Url {
    /// Reads `s3://bucket`, `s3://bucket/prefix` or `s3://arn:aws:s3:region:account:accesspoint/name/prefix`.
    pub fn parse(text: &str) -> Result<Self, S3Error> {
        let wrong = |reason: &'static str| S3Error::BadUrl { url: text.to_owned(), reason };
        let rest = text.strip_prefix("s3://").ok_or_else(|| wrong("it does not begin with s3://"))?;
        if rest.starts_with("arn:") {
            // The name of an access point follows the first slash and belongs to the ARN.
            let (arn, rest) = rest.split_once('/').ok_or_else(|| wrong("the ARN names no access point"))?;
            let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
            if !arn.contains(":s3:") || !arn.ends_with(":accesspoint") || name.is_empty() {
                return Err(wrong("the only ARNs that name objects in S3 are those of access points in a Region"));
            }
            return Ok(Self { bucket: format!("{arn}/{name}"), prefix: prefix.to_owned() });
        }
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(wrong("it names no bucket"));
        }
        // Old buckets in us-east-1 may have capitals, underscores and up to 255 characters.
        let valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        if !(3..=255).contains(&bucket.len()) || !bucket.bytes().all(valid) {
            return Err(wrong("a bucket's name is 3 to 63 lower case letters, digits, dots and hyphens"));
        }
        if prefix.contains(['*', '?']) {
            return Err(wrong("S3 knows no patterns; give the part before the first * or ?"));
        }
        Ok(Self { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }
}

impl fmt::Display for S3Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_and_prefixes() {
        let arn = "arn:aws:s3:eu-west-1:111122223333:accesspoint/logs";
        for (url, bucket, prefix) in [
            ("s3://trail-logs", "trail-logs", ""),
            ("s3://trail-logs/", "trail-logs", ""),
            ("s3://trail.logs/AWSLogs", "trail.logs", "AWSLogs"),
            ("s3://trail-logs/a b/AWSLogs/o-x/", "trail-logs", "a b/AWSLogs/o-x/"),
            ("s3://trail-logs//x", "trail-logs", "/x"),
            (&format!("s3://{arn}"), arn, ""),
            (&format!("s3://{arn}/AWSLogs/"), arn, "AWSLogs/"),
        ] {
            let parsed = S3Url::parse(url).unwrap();
            assert_eq!((parsed.bucket.as_str(), parsed.prefix.as_str()), (bucket, prefix), "{url}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (url, said) in [
            ("S3://logs", "begin with s3://"),
            ("s3://", "no bucket"),
            ("s3:///key", "no bucket"),
            ("s3://ab", "3 to 63"),
            ("s3://my bucket/x", "3 to 63"),
            ("s3://logs/AWSLogs/*/CloudTrail", "no patterns"),
            ("s3://arn:aws:s3:::logs", "no access point"),
            ("s3://arn:aws:iam::111122223333:role/x", "access points"),
        ] {
            let error = S3Url::parse(url).unwrap_err().to_string();
            assert!(error.contains(said) && error.contains(url), "{url}: {error}");
        }
    }
}
