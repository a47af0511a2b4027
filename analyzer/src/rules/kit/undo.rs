//! What undoes an outage, as commands to look at and paste.

use serde_json::{Map, Value};

use super::context::Context;
use super::deletion;
use super::outage::{Outage, Undo};
use super::over::Over;
use super::time::instant;
use crate::finding::word;
use crate::view::KeyView;
use crate::view::history::KeyState;
use crate::view::ledger::ControlEvent;

const DELETED: &str =
    "The key is deleted: what it encrypted cannot be read again. Restore the data from copies under another key.";

/// KMS deleted it: the event of the service shows it.
pub fn is_deleted(key: &KeyView, cx: &Context<'_>) -> bool {
    key.history.state_at(cx.as_of).is_some_and(|change| change.state == KeyState::Deleted)
}

/// True where the key fails everybody; else only those who lost a name or a right.
pub fn is_whole(undo: &Undo) -> bool {
    !matches!(undo, Undo::Alias { .. } | Undo::MoveBack { .. } | Undo::Policy | Undo::Grant)
}

/// What to do about an outage. `soak` says that it was meant to be one.
pub fn text(key: &KeyView, outage: &Outage<'_>, soak: bool, cx: &Context<'_>) -> String {
    let (region, arn) = (word(&key.region), word(&key.arn));
    let enable = deletion::enable(&key.region, &key.arn);
    match &outage.undo {
        _ if matches!(outage.over, Some(Over::Again(_))) => {
            "Nothing for this outage: see the later one of the same key.".into()
        }
        _ if outage.over.is_some() => "Nothing: the key works again. Ask who did it, and why.".into(),
        _ if outage.restored.is_some() => {
            "It is undone: check that the victims recover, and ask who did it, and why.".into()
        }
        // Whatever was taken away first: there is nothing left to give it back to.
        undo if *undo != Undo::None && !matches!(undo, Undo::MoveBack { .. }) && is_deleted(key, cx) => {
            format!("{DELETED} Nothing undoes what came before.")
        }
        Undo::Enable if soak => {
            format!("The trial has found who still needs the key. Move them to another key; until then:\n{enable}")
        }
        Undo::Enable => format!("If this was not meant to happen:\n{enable}"),
        Undo::CancelDeletion => format!(
            "If this was not meant to happen, cancel and enable (a cancelled key stays disabled):\n{}\n{enable}",
            deletion::cancel(&key.region, &key.arn)
        ),
        Undo::Import => format!(
            "Import the key material again:\naws kms get-parameters-for-import --region {region} --key-id {arn} ..., then aws kms import-key-material"
        ),
        Undo::Connect(store) => format!(
            "Connect the key store again, once what is behind it answers:\naws kms connect-custom-key-store --region {region} --custom-key-store-id {}",
            word(store)
        ),
        Undo::Alias { alias, taken: true } => format!(
            "The name stands for another key since. If this key is still the right one, give it its name back:\naws kms update-alias --region {region} --alias-name {} --target-key-id {}",
            word(alias),
            word(&key.id)
        ),
        Undo::Alias { alias, taken: false } => format!(
            "If the key is still the right one, give it its name back:\naws kms create-alias --region {region} --alias-name {} --target-key-id {}",
            word(alias),
            word(&key.id)
        ),
        Undo::MoveBack { alias, from } => format!(
            "What the old key encrypted, only the old key decrypts: name it in these calls, or give the name back to it:\naws kms \
             update-alias --region {region} --alias-name {} --target-key-id {}",
            word(alias),
            word(from.rsplit('/').next().unwrap_or(from))
        ),
        Undo::Policy => policy(key, outage.cause, cx),
        Undo::Grant => grant(key, outage.cause, cx),
        Undo::None => DELETED.into(),
        Undo::Find => format!(
            "Look at the key:\naws kms describe-key --region {region} --key-id {arn}\nand scan logs further back for the event that made it unusable."
        ),
    }
}

fn policy(key: &KeyView, cause: Option<&ControlEvent>, cx: &Context<'_>) -> String {
    let before = cause.and_then(|cause| {
        let older = |control: &&ControlEvent| {
            control.error.is_none()
                && control.event < cause.event
                && matches!(cx.text(Some(control.name)), "PutKeyPolicy" | "CreateKey" | "ReplicateKey")
        };
        key.events.iter().rev().find(older)
    });
    let which = match before {
        Some(before) => format!(
            "the document of {} at {} (event {})",
            cx.text(Some(before.name)),
            instant(before.event.time),
            cx.id(&before.event)
        ),
        None => "the document from before the log".to_string(),
    };
    format!(
        "If this was not meant to happen, put the policy back; PREVIOUS.json is {which}:\naws kms put-key-policy --region {} --key-id {} \
         --policy-name default --policy file://PREVIOUS.json",
        word(&key.region),
        word(&key.arn)
    )
}

fn grant(key: &KeyView, ended: Option<&ControlEvent>, cx: &Context<'_>) -> String {
    let of = ended.and_then(|ended| {
        let own =
            |grant: &&crate::view::history::Grant| grant.ended.is_some_and(|end| key.events[end].event == ended.event);
        key.history.grants.iter().find(own)
    });
    let Some(created) = of.map(|grant| &key.events[grant.created]) else {
        return "If this was not meant to happen, make the grant again.".into();
    };
    let detail = &created.detail;
    let operations: Vec<String> =
        detail.grant_operations.as_deref().and_then(|list| serde_json::from_str(list).ok()).unwrap_or_default();
    let operations: Vec<_> = operations.iter().map(|name| word(name)).collect();
    let operations = if operations.is_empty() { "OPERATIONS".to_string() } else { operations.join(" ") };
    let (at, grantee) = (instant(created.event.time), word(detail.grantee.as_deref().unwrap_or("GRANTEE")));
    let bound = detail.grant_constraints.as_deref().map(|json| shorthand(json, &cx.constraints(json)));
    let bound = match bound {
        None => String::new(),
        Some(Some(constraints)) => format!(" --constraints {}", word(&constraints)),
        // A grant that is bound to what stands in place of the values would let nobody in.
        Some(None) => {
            return format!(
                "If this was not meant to happen, make the grant again as it was made at {at}: to {grantee}, for {operations}, \
                 within the constraints of event {}, which are not shown here.",
                cx.id(&created.event)
            );
        }
    };
    format!(
        "If this was not meant to happen, make the grant again as it was made at {at}:\naws kms create-grant --region {} --key-id {} \
         --grantee-principal {grantee} --operations {operations}{bound}",
        word(&key.region),
        word(&key.arn)
    )
}

/// Constraints as the command line takes them, its members in upper camel case; what they hold stays as it is. `None` where
/// they cannot be read, or where `shown` may not have what they hold.
fn shorthand(json: &str, shown: &str) -> Option<String> {
    let constraints: Map<String, Value> = serde_json::from_str(json).ok()?;
    if serde_json::from_str(shown).ok().as_ref() != Some(&constraints) {
        return None;
    }
    let named = constraints.into_iter().map(|(name, value)| {
        let upper = match name.as_str() {
            "encryptionContextSubset" => "EncryptionContextSubset",
            "encryptionContextEquals" => "EncryptionContextEquals",
            "sourceArn" => "SourceArn",
            other => other,
        };
        (upper.to_owned(), value)
    });
    Some(Value::Object(named.collect()).to_string())
}

#[cfg(test)]
mod tests {
    use super::super::redact;
    use super::shorthand;

    #[test]
    fn members_are_renamed_and_what_they_hold_is_not() {
        let json = r#"{"encryptionContextSubset":{"encryptionContextEquals":"x","sourceArn":"\"sourceArn\""},"sourceArn":"arn:aws:s3:::b"}"#;
        let wanted = r#"{"EncryptionContextSubset":{"encryptionContextEquals":"x","sourceArn":"\"sourceArn\""},"SourceArn":"arn:aws:s3:::b"}"#;
        assert_eq!(shorthand(json, json).as_deref(), Some(wanted));
        assert_eq!(shorthand("patient", "patient"), None);
    }

    #[test]
    fn what_is_left_out_is_not_bound_to() {
        let json = r#"{"encryptionContextEquals":{"patient":"jane"}}"#;
        assert_eq!(shorthand(json, &redact::constraints(json)), None);
        let bare = r#"{"sourceArn":"arn:aws:s3:::b"}"#;
        assert_eq!(shorthand(bare, &redact::constraints(bare)).as_deref(), Some(r#"{"SourceArn":"arn:aws:s3:::b"}"#));
    }
}
