//! Control plane: every state-changing event of a key, kept in full.

use std::sync::Arc;

use super::event::{Actor, EventRef, Texts};
use crate::extract::FailureClass;
use crate::frame::Sym;

macro_rules! details {
    ($($(#[doc = $doc:literal])* $name:ident: $kind:ident,)*) => {
        /// What a control-plane event says beyond its name. Fields are the columns of the same names.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct ControlDetail { $($(#[doc = $doc])* pub $name: details!(@type $kind),)* }

        impl ControlDetail {
            /// Reads the columns of one row of a wide frame.
            pub(super) fn read(columns: &crate::frame::Columns<'_>, row: usize, texts: &mut Texts) -> Self {
                Self { $($name: details!(@get $kind columns $name row texts),)* }
            }
        }
    };
    (@type text) => { Option<Arc<str>> };
    (@type sym) => { Option<Sym> };
    (@type int) => { Option<i64> };
    (@type flag) => { Option<bool> };
    (@get text $columns:ident $name:ident $row:ident $texts:ident) => {
        $columns.$name.get($row).map(|text| $texts.share(text))
    };
    (@get $kind:ident $columns:ident $name:ident $row:ident $texts:ident) => { $columns.$name.get($row) };
}

details! {
    /// Alias ARN.
    alias: sym,
    /// Key as typed.
    requested_key: text,
    /// Usage.
    key_usage: sym,
    /// Spec.
    key_spec: sym,
    /// Origin.
    key_origin: sym,
    /// CUSTOMER or AWS.
    key_manager: sym,
    /// State after the call.
    key_state: sym,
    /// Multi-Region.
    multi_region: flag,
    /// Multi-Region configuration, canonical JSON.
    multi_region_config: text,
    /// Custom key store.
    custom_key_store_id: sym,
    /// What a call says of the proxy of an external key store, canonical JSON.
    xks: text,
    /// CloudHSM cluster of a key store.
    cloud_hsm_cluster_id: sym,
    /// Deletion window, days.
    pending_window_days: int,
    /// Deletion date as logged, milliseconds.
    deletion_date: int,
    /// Rotation period, days.
    rotation_period_days: int,
    /// AUTOMATIC or ON_DEMAND.
    rotation_type: sym,
    /// Key material.
    key_material_id: text,
    /// Import type.
    import_type: sym,
    /// When imported material expires, milliseconds.
    valid_to: int,
    /// Key policy document.
    policy: text,
    /// Lockout check bypassed.
    lockout_bypass: flag,
    /// Tags, canonical JSON.
    tags: text,
    /// Keys of the tags that are taken away, JSON array.
    tag_keys: text,
    /// Region of a new replica.
    replica_region: sym,
    /// Region that becomes primary.
    primary_region: sym,
    /// ARN of a new replica.
    replica_key_arn: sym,
    /// Grant id.
    grant_id: text,
    /// Grant name.
    grant_name: text,
    /// Grantee.
    grantee: text,
    /// What the grantee is.
    grantee_kind: sym,
    /// Account of the grantee.
    grantee_account: sym,
    /// Retiring principal.
    retiring_principal: text,
    /// Operations, JSON array.
    grant_operations: text,
    /// Constraints, canonical JSON.
    grant_constraints: text,
}

/// One state-changing call or service event of a key, successful or not.
#[derive(Clone, Debug, PartialEq)]
pub struct ControlEvent {
    /// Which event.
    pub event: EventRef,
    /// Operation.
    pub name: Sym,
    /// Error code; `None` when it succeeded.
    pub error: Option<Sym>,
    /// Cause class of the error.
    pub failure: Option<FailureClass>,
    /// Who.
    pub actor: Actor,
    /// What.
    pub detail: Box<ControlDetail>,
}

/// The control-plane events of one key.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    events: Vec<ControlEvent>,
}

impl Ledger {
    /// Adds one event.
    pub fn add(&mut self, event: ControlEvent) {
        self.events.push(event);
    }

    /// Adds disjoint events of the same key.
    pub fn merge(&mut self, mut other: Self) {
        self.events.append(&mut other.events);
    }

    /// The events in the order in which they are replayed: by time, and within a second by what KMS allows, because
    /// CloudTrail gives whole seconds and no order.
    pub fn settle(mut self, text: &dyn Fn(Sym) -> String) -> Vec<ControlEvent> {
        self.events.sort_by_cached_key(|control| (control.event.time, rank(&text(control.name)), control.event));
        let mut pending = false;
        let mut start = 0;
        while start < self.events.len() {
            let time = self.events[start].event.time;
            let count = self.events[start..].iter().take_while(|control| control.event.time == time).count();
            legal_order(&mut self.events[start..start + count], &mut pending, text);
            start += count;
        }
        self.events
    }
}

/// The usual order of calls that share a second: what makes before what uses, what takes away before what gives back.
fn rank(name: &str) -> u8 {
    match name {
        "CreateKey" => 0,
        "ReplicateKey" => 1,
        "ImportKeyMaterial" => 2,
        "DeleteImportedKeyMaterial" => 3,
        "DisableKey" => 4,
        "ScheduleKeyDeletion" => 5,
        "CancelKeyDeletion" => 6,
        "EnableKey" => 7,
        "DisableKeyRotation" => 8,
        "EnableKeyRotation" => 9,
        "RetireGrant" | "RevokeGrant" => 11,
        "DeleteKey" => 12,
        _ => 10,
    }
}

/// Puts the successful calls of one second into an order that KMS would have accepted: while a key waits for its
/// deletion, only cancelling that is possible.
fn legal_order(events: &mut [ControlEvent], pending: &mut bool, text: &dyn Fn(Sym) -> String) {
    for at in 0..events.len() {
        let refused = |control: &ControlEvent| {
            let name = text(control.name);
            let while_pending = matches!(name.as_str(), "DisableKey" | "EnableKey" | "ScheduleKeyDeletion");
            control.error.is_none() && *pending && while_pending
        };
        if refused(&events[at])
            && let Some(next) = events[at..].iter().position(|control| !refused(control))
        {
            events[at..=at + next].rotate_right(1);
        }
        if events[at].error.is_none() {
            match text(events[at].name).as_str() {
                "ScheduleKeyDeletion" => *pending = true,
                "CancelKeyDeletion" => *pending = false,
                _ => {}
            }
        }
    }
}
