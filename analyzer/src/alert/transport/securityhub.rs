//! AWS Security Hub: a finding for each finding, imported again under the same id whenever its incident is told, and alone when
//! only its status changed. What is over, accepted or withdrawn is archived. (`Workflow` belongs to those who work on a finding: an import does not change it.)

use std::time::Duration;

use super::rest::{Refused, Rest};
use super::signed::{Caller, Operation};
use super::wire::Imported;
use super::{SendError, Transport};
use crate::alert::clock::Clock;
use crate::alert::message::Alert;
use crate::report::asff::{self, Filed, Home};

/// One Security Hub.
pub(super) struct Hub {
    account: String,
    region: String,
    caller: Caller,
    rest: Rest<Filed>,
}

impl Hub {
    pub(super) fn open(account: &str, region: &str) -> Result<Self, SendError> {
        let caller = Caller::open(Operation::IMPORT_FINDINGS, Some(region))?;
        Ok(Self { account: account.to_owned(), region: region.to_owned(), caller, rest: Rest::default() })
    }
}

impl Transport for Hub {
    fn send(&mut self, alert: &Alert, timeout: Duration) -> Result<(), SendError> {
        let Self { account, region, caller, rest } = self;
        let home = Home { account, region };
        let file = || {
            let all = &alert.records;
            let file = |finding| asff::file(finding, &all.settings_digest, all.judged, Some(home));
            all.records.iter().map(|record| file(&record.finding)).collect()
        };
        let clock = Clock::start(0, timeout);
        rest.send(&alert.dedup, file, asff::requests, |request| {
            let answer = caller.call(&asff::body(request), clock.left())?;
            let answer: Imported = serde_json::from_str(&answer)
                .map_err(|_| SendError::passing("Security Hub answers what BatchImportFindings does not answer"))?;
            let failures: Vec<Refused> = answer
                .failed_findings
                .into_iter()
                .filter_map(|failed| {
                    let at = request.iter().position(|finding| finding.id == failed.id)?;
                    Some((at, failed.error_code, failed.error_message))
                })
                .collect();
            // One that it counts and does not name may be any.
            if (failures.len() as u64) < answer.failed_count {
                let count = answer.failed_count;
                return Err(SendError::passing(format!(
                    "Security Hub took {count} findings not, and does not say which"
                )));
            }
            Ok(failures)
        })
    }
}
