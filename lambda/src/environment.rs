//! What the function is told by its environment, all of it.
#![expect(clippy::disallowed_methods, reason = "the environment of a function is its command line")]

use keytrail::config::Period;

use crate::failure::Failure;

/// The environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// `KEYTRAIL_LAKE`: `s3://bucket/prefix`, or a folder. Without it nothing is kept and nothing is evaluated later.
    pub lake: Option<String>,
    /// `KEYTRAIL_CONFIG`: `s3://bucket/key` of a `keytrail.toml`, a path of one in the package, or its text.
    pub config: Option<String>,
    /// `KEYTRAIL_PERIOD`: an evaluation reports what falls into so much time before now, such as `90d`; all of the lake when
    /// it is not set.
    pub period: Option<Period>,
    /// `KEYTRAIL_LOG_BUCKETS`: names, with commas between them. What this function reads there stands in the logs when the
    /// buckets are encrypted with a KMS key; with this it is told apart from other reading.
    pub log_buckets: Vec<String>,
    /// `KEYTRAIL_PATH_STYLE`: `true` for S3 servers that want the bucket in the path. `AWS_ENDPOINT_URL_S3` says where such a
    /// server is.
    pub path_style: bool,
    /// `AWS_LAMBDA_FUNCTION_MEMORY_SIZE`: megabytes.
    pub memory: u64,
    /// `AWS_LAMBDA_FUNCTION_NAME`: the dimension of all metrics.
    pub function: String,
    /// `AWS_REGION`.
    pub region: Option<String>,
}

impl Environment {
    /// The environment of this process.
    ///
    /// # Errors
    /// When a value is none.
    pub fn read() -> Result<Self, Failure> {
        Self::from(|name| std::env::var(name).ok())
    }

    fn from(get: impl Fn(&str) -> Option<String>) -> Result<Self, Failure> {
        // A parameter of a template that is left empty sets the variable all the same.
        let get = |name: &str| get(name).filter(|value| !value.trim().is_empty());
        let wrong = |name: &str, why: String| Failure::BadConfiguration(format!("{name}: {why}"));
        let period = get("KEYTRAIL_PERIOD").map(|text| text.trim().parse::<Period>());
        let path_style = match get("KEYTRAIL_PATH_STYLE").as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return Err(wrong("KEYTRAIL_PATH_STYLE", "neither `true` nor `false`".into())),
        };
        Ok(Self {
            lake: get("KEYTRAIL_LAKE").map(|lake| lake.trim_end_matches('/').to_owned()),
            config: get("KEYTRAIL_CONFIG"),
            period: period.transpose().map_err(|error| wrong("KEYTRAIL_PERIOD", error.to_string()))?,
            log_buckets: get("KEYTRAIL_LOG_BUCKETS").map_or_else(Vec::new, |list| {
                list.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
            }),
            path_style,
            memory: get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE").and_then(|text| text.parse().ok()).unwrap_or(512),
            function: get("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_else(|| "keytrail".into()),
            region: get("AWS_REGION"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Result<Environment, Failure> {
        let find = |name: &str| pairs.iter().find(|pair| pair.0 == name).map(|pair| pair.1.to_owned());
        Environment::from(find)
    }

    #[test]
    fn what_is_empty_is_not_set() {
        let all = ["KEYTRAIL_LAKE", "KEYTRAIL_CONFIG", "KEYTRAIL_PERIOD", "KEYTRAIL_PATH_STYLE"];
        let empty = all.map(|name| (name, ""));
        assert_eq!(of(&empty).unwrap(), of(&[]).unwrap());
        let set = of(&[("KEYTRAIL_LAKE", "s3://b/p/"), ("KEYTRAIL_PERIOD", "90d")]).unwrap();
        assert_eq!((set.lake.as_deref(), set.period.is_some()), (Some("s3://b/p"), true));
    }

    #[test]
    fn nonsense_is_named() {
        for (name, value) in [("KEYTRAIL_PERIOD", "soon"), ("KEYTRAIL_PATH_STYLE", "yes")] {
            let error = of(&[(name, value)]).unwrap_err();
            assert!(error.to_string().starts_with(name), "{error}");
        }
    }
}
