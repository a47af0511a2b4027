//! How S3 is used.

use std::fmt;
use std::time::Duration;

/// How S3 is used. Everything that is not said here comes from where the AWS CLI takes it: environment, profile, SSO,
/// container, instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Options {
    /// Profile of the AWS configuration; None for the one that the environment names, or the default.
    pub profile: Option<String>,
    /// Where S3 is, when it is not at AWS. `AWS_ENDPOINT_URL_S3` and `AWS_ENDPOINT_URL` serve as well.
    pub endpoint_url: Option<String>,
    /// Put the bucket into the path instead of the host name: most servers that are not AWS want it.
    pub path_style: bool,
    /// The requester pays for requests and traffic.
    pub request_payer: bool,
    /// Do not sign: public buckets need no credentials.
    pub unsigned: bool,
    /// Credentials that the program has by itself; None for the usual places.
    pub credentials: Option<AccessKey>,
    /// Requests in flight.
    pub parallel: usize,
    /// Bytes of bodies that are under way or not consumed yet.
    pub in_flight_bytes: u64,
    /// With a period that ends: for how many days after its end files are looked for. Nearly all come within a quarter of
    /// an hour, but CloudTrail tries for 30 days when it cannot write to the bucket.
    pub late_days: u16,
    /// How long to wait and how often to try.
    pub patience: Patience,
}

impl Default for S3Options {
    fn default() -> Self {
        Self {
            profile: None,
            endpoint_url: None,
            path_style: false,
            request_payer: false,
            unsigned: false,
            credentials: None,
            parallel: 32,
            in_flight_bytes: 64 << 20,
            late_days: 2,
            patience: Patience::default(),
        }
    }
}

/// How long to wait and how often to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For an answer to begin.
    pub response: Duration,
    /// For the next bytes of an answer that has begun.
    pub stall: Duration,
    /// Attempts for one request.
    pub attempts: u32,
    /// Before the second attempt; then twice as long each time, with jitter.
    pub first_wait: Duration,
    /// Longest wait between two attempts.
    pub longest_wait: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            response: Duration::from_secs(20),
            stall: Duration::from_secs(20),
            attempts: 6,
            first_wait: Duration::from_millis(200),
            longest_wait: Duration::from_secs(20),
        }
    }
}

/// A key pair, with the token that temporary ones have. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// `AKIA…` or `ASIA…`
    pub id: String,
    /// The secret.
    pub secret: String,
    /// Session token of temporary credentials.
    pub token: Option<String>,
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_printed() {
        let key = AccessKey { id: "AKIDEXAMPLE".into(), secret: "very secret".into(), token: Some("a token".into()) };
        let printed = format!("{:?}", S3Options { credentials: Some(key), ..S3Options::default() });
        assert!(!printed.contains("secret") && !printed.contains("token") && !printed.contains("AKID"), "{printed}");
    }

    #[test]
    fn the_policy_is_one() {
        let policy: serde_json::Value = serde_json::from_str(include_str!("policy.json")).unwrap();
        let actions: Vec<&str> = policy["Statement"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|statement| statement["Action"].as_str())
            .collect();
        assert_eq!(actions, ["s3:ListBucket", "s3:GetObject", "kms:Decrypt"]);
    }
}
