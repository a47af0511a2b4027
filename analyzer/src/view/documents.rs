//! IAM policy documents as they were written, one event each.

use std::sync::Arc;

use super::event::{Actor, EventRef, Texts};
use crate::frame::{Columns, Sym};

/// One call that writes an IAM policy, successful or not.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyDocument {
    /// Which event.
    pub event: EventRef,
    /// Operation.
    pub name: Option<Sym>,
    /// Error code; `None` when it succeeded.
    pub error: Option<Sym>,
    /// Account of the log.
    pub account: Option<Sym>,
    /// Region of the log.
    pub region: Option<Sym>,
    /// Who.
    pub actor: Actor,
    /// ARN of what has the policy: a role, user, group, permission set, or the policy itself.
    pub holder: Option<Arc<str>>,
    /// Name of the policy.
    pub policy_name: Option<Sym>,
    /// The document.
    pub document: Option<Arc<str>>,
}

impl PolicyDocument {
    pub(super) fn read(columns: &Columns<'_>, row: usize, event: EventRef, actor: Actor, texts: &mut Texts) -> Self {
        let mut share = |text: Option<&str>| text.map(|text| texts.share(text));
        Self {
            event,
            name: columns.event_name.get(row),
            error: columns.error_code.get(row),
            account: columns.account.get(row),
            region: columns.region.get(row),
            actor,
            holder: share(columns.related_resource.get(row)),
            policy_name: columns.policy_name.get(row),
            document: share(columns.policy.get(row)),
        }
    }
}
