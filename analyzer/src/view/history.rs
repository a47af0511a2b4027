//! A key's control-plane events replayed: states, rotation, grants, aliases. Failed calls change nothing.

use std::collections::BTreeMap;

use super::ledger::ControlEvent;
use crate::frame::{Dictionary, Sym};

/// State of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyState {
    /// Usable.
    Enabled,
    /// Switched off.
    Disabled,
    /// Waits for its deletion.
    PendingDeletion,
    /// Has no key material.
    PendingImport,
    /// Gone.
    Deleted,
    /// A replica or primary on its way; lasts seconds.
    Transient,
    /// Its custom key store is not connected. Only KMS itself tells.
    Unavailable,
}

impl KeyState {
    /// KMS's name of the state.
    pub fn id(self) -> &'static str {
        match self {
            Self::Enabled => "Enabled",
            Self::Disabled => "Disabled",
            Self::PendingDeletion => "PendingDeletion",
            Self::PendingImport => "PendingImport",
            Self::Deleted => "Deleted",
            Self::Transient => "Creating",
            Self::Unavailable => "Unavailable",
        }
    }

    /// The state that KMS calls so.
    pub fn find(id: &str) -> Option<Self> {
        Some(match id {
            "Enabled" => Self::Enabled,
            "Disabled" => Self::Disabled,
            "PendingDeletion" | "PendingReplicaDeletion" => Self::PendingDeletion,
            "PendingImport" => Self::PendingImport,
            "Creating" | "Updating" => Self::Transient,
            "Unavailable" => Self::Unavailable,
            // KMS has no word for it; whoever keeps account of keys does.
            "Deleted" => Self::Deleted,
            _ => return None,
        })
    }

    /// True when every cryptographic call fails.
    pub fn is_unusable(self) -> bool {
        !matches!(self, Self::Enabled | Self::Transient)
    }
}

/// A change of state: from this event on, until the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateChange {
    /// State from here on.
    pub state: KeyState,
    /// When, milliseconds.
    pub at: i64,
    /// Index of the event in the ledger.
    pub by: usize,
}

/// A change of automatic rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RotationChange {
    /// On or off from here on.
    pub enabled: bool,
    /// Period in days while on.
    pub period_days: i64,
    /// When, milliseconds.
    pub at: i64,
    /// Index of the event in the ledger.
    pub by: usize,
}

/// One grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Index of the CreateGrant event in the ledger: the first one of this grant id.
    pub created: usize,
    /// Index of the RetireGrant or RevokeGrant event, when there is one.
    pub ended: Option<usize>,
}

/// A key's history.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The CreateKey event, when the log has it.
    pub created: Option<usize>,
    /// Changes of state, in order.
    pub states: Vec<StateChange>,
    /// Changes of automatic rotation, in order.
    pub rotation: Vec<RotationChange>,
    /// Rotations that happened: indices of RotateKey service events.
    pub rotations: Vec<usize>,
    /// Grants by order of creation.
    pub grants: Vec<Grant>,
    /// Alias ARN → whether it points at this key after each change, with the time.
    pub aliases: BTreeMap<String, Vec<(i64, bool)>>,
}

impl History {
    /// Replays the settled events of one key.
    pub fn replay(events: &[ControlEvent], dictionary: &Dictionary) -> Self {
        let mut history = Self::default();
        let mut by_grant: BTreeMap<&str, usize> = BTreeMap::new();
        for (index, control) in events.iter().enumerate() {
            if control.error.is_some() {
                continue;
            }
            let at = control.event.time;
            let detail = &control.detail;
            let text = |sym: Option<Sym>| sym.map(|sym| dictionary.text(sym));
            let last = history.states.last().map(|change| change.state);
            let mut state = |state: KeyState| history.states.push(StateChange { state, at, by: index });
            match dictionary.text(control.name) {
                "CreateKey" => {
                    history.created.get_or_insert(index);
                    state(match text(detail.key_state) {
                        Some("PendingImport") => KeyState::PendingImport,
                        Some("Creating") => KeyState::Transient,
                        Some("Disabled") => KeyState::Disabled,
                        _ => KeyState::Enabled,
                    });
                }
                "EnableKey" => state(KeyState::Enabled),
                "DisableKey" => state(KeyState::Disabled),
                "ScheduleKeyDeletion" => state(KeyState::PendingDeletion),
                "CancelKeyDeletion" => state(KeyState::Disabled),
                "DeleteKey" => state(KeyState::Deleted),
                // Material for an enabled or disabled key is a rotation to come, not a change of state.
                "ImportKeyMaterial" if last.is_none_or(|last| last == KeyState::PendingImport) => {
                    state(KeyState::Enabled);
                }
                "DeleteImportedKeyMaterial" | "DeleteExpiredKeyMaterial"
                    if last.is_none_or(|last| last != KeyState::PendingDeletion) =>
                {
                    state(KeyState::PendingImport);
                }
                "EnableKeyRotation" => history.rotation.push(RotationChange {
                    enabled: true,
                    period_days: detail.rotation_period_days.unwrap_or(365),
                    at,
                    by: index,
                }),
                "DisableKeyRotation" => {
                    history.rotation.push(RotationChange { enabled: false, period_days: 0, at, by: index });
                }
                "RotateKey" => history.rotations.push(index),
                "CreateGrant" => {
                    // A named grant that is created again keeps its id: one grant.
                    let known = detail.grant_id.as_deref().and_then(|id| by_grant.get(id));
                    if known.is_none_or(|&grant| history.grants[grant].ended.is_some()) {
                        if let Some(id) = detail.grant_id.as_deref() {
                            by_grant.insert(id, history.grants.len());
                        }
                        history.grants.push(Grant { created: index, ended: None });
                    }
                }
                "RetireGrant" | "RevokeGrant" => {
                    if let Some(&grant) = detail.grant_id.as_deref().and_then(|id| by_grant.get(id)) {
                        history.grants[grant].ended.get_or_insert(index);
                    }
                }
                "CreateAlias" | "UpdateAlias" => {
                    if let Some(alias) = text(detail.alias) {
                        history.aliases.entry(alias.into()).or_default().push((at, true));
                    }
                }
                "DeleteAlias" => {
                    if let Some(alias) = text(detail.alias) {
                        history.aliases.entry(alias.into()).or_default().push((at, false));
                    }
                }
                _ => {}
            }
        }
        history
    }

    /// State at an instant; `None` before the first change that the log shows.
    pub fn state_at(&self, at: i64) -> Option<StateChange> {
        let after = self.states.partition_point(|change| change.at <= at);
        self.states[..after].last().copied()
    }

    /// Automatic rotation at an instant; `None` before the first change that the log shows.
    pub fn rotation_at(&self, at: i64) -> Option<RotationChange> {
        let after = self.rotation.partition_point(|change| change.at <= at);
        self.rotation[..after].last().copied()
    }
}
