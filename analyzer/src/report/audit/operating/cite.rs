//! What the records of alerting say of a control that asks that somebody is told.

use super::{Incident, Kind, Operating, delay};
use crate::compliance::{Assessment, Control, Limit, Status};
use crate::finding::Severity;
use crate::report::human;

/// A drill a month, and some days for a month that is late.
const DRILL_EVERY: i64 = 35 * 86_400_000;

/// Adds to such a control what shows that it operated, and what is missing. It only ever takes "satisfied" back.
pub(in crate::report::audit) fn cite(
    assessment: &mut Assessment,
    control: &Control,
    operating: Option<&Operating>,
    as_of: Option<i64>,
) {
    if !control.alerts {
        return;
    }
    let mut limits = Vec::new();
    match operating {
        None => limits.push("nothing shows that anybody is told: no source is a lake that alerts are sent from".into()),
        Some(operating) => {
            of_incidents(control, operating, &mut assessment.operated, &mut limits);
            of_drills(operating, as_of, &mut assessment.operated, &mut limits);
            if !operating.damaged.is_empty() {
                let files = human::count(operating.damaged.len() as u64, "record");
                limits.push(format!("{files} of alerts or drills could not be understood"));
            }
        }
    }
    assessment.limits.extend(limits.into_iter().map(Limit));
    if assessment.status == Status::Satisfied && !assessment.limits.is_empty() {
        assessment.status = Status::Partial;
        assessment.because = "nothing speaks against it; what is listed under limits is not proved".into();
    }
}

fn of_incidents(control: &Control, operating: &Operating, operated: &mut Vec<String>, limits: &mut Vec<String>) {
    let is_of = |incident: &&Incident| control.rules.iter().any(|rule| incident.rules.contains(rule));
    let told: Vec<Incident> = operating.told().filter(is_of).cloned().collect();
    let untold = operating.untold().filter(is_of).count();
    let all = told.len() + untold;
    if !told.is_empty() {
        let mut text =
            format!("{} of {} of its rules told to a sink", told.len(), human::count(all as u64, "incident"));
        if let Some(spread) = delay::spreads(&told).get(&Kind::AtOnce) {
            let (median, worst) = (human::duration(spread.median), human::duration(spread.worst));
            text.push_str(&format!(", at once: a median of {median} after the event, {worst} at worst"));
        }
        operated.push(text);
    }
    if untold > 0 {
        limits.push(format!(
            "nothing shows that a sink was told of {} of its rules",
            human::count(untold as u64, "incident")
        ));
    }
    let info = operating.incidents.iter().filter(is_of).filter(|incident| incident.severity == Severity::Info).count();
    if info > 0 && all == 0 {
        operated.push(format!(
            "{} of its rules are of severity info, which is told to nobody",
            human::count(info as u64, "incident")
        ));
    }
}

fn of_drills(operating: &Operating, as_of: Option<i64>, operated: &mut Vec<String>, limits: &mut Vec<String>) {
    let Some(last) = operating.drills.last() else {
        limits.push("no drill in the period: nothing shows that a message would have arrived".into());
        return;
    };
    let passed = operating.drills.iter().filter(|drill| drill.is_passed()).count();
    let date: String = human::time(last.at).chars().take(10).collect();
    operated.push(format!(
        "{passed} of {} passed; at the last, on {date}, {} of {} took the test message",
        human::count(operating.drills.len() as u64, "drill"),
        last.taken(),
        human::count(last.sinks.len() as u64, "sink"),
    ));
    if !last.is_passed() {
        limits.push(format!("the last drill, on {date}, did not pass"));
    }
    let rested = as_of.map_or(0, |as_of| as_of.saturating_sub(last.at));
    if rested > DRILL_EVERY {
        limits.push(format!("the last drill was {} before the end of the report", human::duration(rested)));
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Drill, DrillSink, Operating, Record};
    use super::cite;
    use crate::compliance::{Assessment, Status, builtin};

    const DAY: i64 = 86_400_000;

    fn status(begun: Status, alerts: bool, operating: Option<&Operating>) -> Status {
        let frameworks = builtin();
        let mut controls = frameworks.iter().flat_map(|framework| &framework.controls);
        let control = controls.find(|control| control.alerts == alerts);
        let mut assessment = Assessment {
            status: begun,
            because: String::new(),
            against: Vec::new(),
            events: Vec::new(),
            operated: Vec::new(),
            limits: Vec::new(),
        };
        if let Some(control) = control {
            cite(&mut assessment, control, operating, Some(40 * DAY));
        }
        assessment.status
    }

    fn drilled(at: i64, failed: Option<&str>) -> Operating {
        let sink = DrillSink { sink: "s".into(), kind: "webhook".into(), failed: failed.map(str::to_owned) };
        Operating { drills: vec![Drill { at, sinks: vec![sink], record: Record::default() }], ..Operating::default() }
    }

    #[test]
    fn evidence_takes_satisfied_back_and_never_gives_it() {
        let whole = drilled(39 * DAY, None);
        for begun in Status::ALL {
            let ended = |operating: Option<&Operating>| status(begun, true, operating);
            assert_eq!(ended(Some(&whole)), begun, "nothing missing changes nothing");
            let lacking =
                [None, Some(Operating::default()), Some(drilled(39 * DAY, Some("down"))), Some(drilled(0, None))];
            for lack in &lacking {
                let expected = if begun == Status::Satisfied { Status::Partial } else { begun };
                assert_eq!(ended(lack.as_ref()), expected, "{lack:?}");
            }
            assert_eq!(status(begun, false, None), begun, "a control that asks for nobody to be told");
        }
    }
}
