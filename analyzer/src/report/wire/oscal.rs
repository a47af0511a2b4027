//! OSCAL assessment results: the members that Keytrail writes, in the order of the schema. Lists may not be empty there: a
//! member without one is left out.

use serde::{Serialize, Serializer};
use uuid::Uuid;

/// A UUID as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::report) struct Id(pub(in crate::report) Uuid);

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.as_hyphenated())
    }
}

/// The file: one member, the model's name.
#[derive(Serialize)]
pub(in crate::report) struct File<'r> {
    #[serde(rename = "assessment-results")]
    pub(in crate::report) results: Document<'r>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::report) struct Document<'r> {
    pub(in crate::report) uuid: Id,
    pub(in crate::report) metadata: Metadata,
    pub(in crate::report) import_ap: Import,
    pub(in crate::report) results: &'r [Assessed],
    pub(in crate::report) back_matter: BackMatter,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::report) struct Metadata {
    pub(in crate::report) title: String,
    pub(in crate::report) last_modified: String,
    pub(in crate::report) version: &'static str,
    pub(in crate::report) oscal_version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::report) remarks: Option<&'static str>,
}

#[derive(Serialize)]
pub(in crate::report) struct Import {
    pub(in crate::report) href: String,
}

#[derive(Serialize)]
pub(in crate::report) struct BackMatter {
    pub(in crate::report) resources: Vec<Resource>,
}

#[derive(Serialize)]
pub(in crate::report) struct Resource {
    pub(in crate::report) uuid: Id,
    pub(in crate::report) title: &'static str,
    pub(in crate::report) description: String,
}

/// One result: one framework.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::report) struct Assessed {
    pub(in crate::report) uuid: Id,
    pub(in crate::report) title: String,
    pub(in crate::report) description: String,
    pub(in crate::report) start: String,
    pub(in crate::report) end: String,
    pub(in crate::report) props: Vec<Prop>,
    pub(in crate::report) local_definitions: Local,
    pub(in crate::report) reviewed_controls: Reviewed,
    pub(in crate::report) observations: Vec<Observation>,
    pub(in crate::report) findings: Vec<Finding>,
    pub(in crate::report) remarks: String,
}

/// A name and a value; `ns` is absent for names that OSCAL defines.
#[derive(Serialize)]
pub(in crate::report) struct Prop {
    pub(in crate::report) name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::report) ns: Option<&'static str>,
    pub(in crate::report) value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::report) struct Local {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::report) inventory_items: Vec<Item>,
    pub(in crate::report) assessment_assets: Assets,
}

#[derive(Serialize)]
pub(in crate::report) struct Item {
    pub(in crate::report) uuid: Id,
    pub(in crate::report) description: String,
    pub(in crate::report) props: Vec<Prop>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::report) struct Assets {
    pub(in crate::report) components: [Component; 1],
    pub(in crate::report) assessment_platforms: [Platform; 1],
}

#[derive(Serialize)]
pub(in crate::report) struct Component {
    pub(in crate::report) uuid: Id,
    pub(in crate::report) r#type: &'static str,
    pub(in crate::report) title: &'static str,
    pub(in crate::report) description: &'static str,
    pub(in crate::report) props: Vec<Prop>,
    pub(in crate::report) status: State,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::report) struct Platform {
    pub(in crate::report) uuid: Id,
    pub(in crate::report) uses_components: [Used; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::report) struct Used {
    pub(in crate::report) component_uuid: Id,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::report) struct Reviewed {
    pub(in crate::report) control_selections: [Selection; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::report) struct Selection {
    pub(in crate::report) include_controls: Vec<Control>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::report) struct Control {
    pub(in crate::report) control_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::report) struct Observation {
    pub(in crate::report) uuid: Id,
    pub(in crate::report) title: String,
    pub(in crate::report) description: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::report) props: Vec<Prop>,
    pub(in crate::report) methods: [&'static str; 1],
    pub(in crate::report) types: [&'static str; 1],
    pub(in crate::report) origins: [Origin; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::report) subjects: Vec<Subject>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::report) relevant_evidence: Vec<Evidence>,
    pub(in crate::report) collected: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::report) remarks: Option<String>,
}

#[derive(Serialize)]
pub(in crate::report) struct Origin {
    pub(in crate::report) actors: [Actor; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::report) struct Actor {
    pub(in crate::report) r#type: &'static str,
    pub(in crate::report) actor_uuid: Id,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::report) struct Subject {
    pub(in crate::report) subject_uuid: Id,
    pub(in crate::report) r#type: &'static str,
}

#[derive(Serialize)]
pub(in crate::report) struct Evidence {
    pub(in crate::report) href: String,
    pub(in crate::report) description: String,
    pub(in crate::report) props: Vec<Prop>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::report) struct Finding {
    pub(in crate::report) uuid: Id,
    pub(in crate::report) title: String,
    pub(in crate::report) description: String,
    pub(in crate::report) props: Vec<Prop>,
    pub(in crate::report) target: Target,
    pub(in crate::report) related_observations: Vec<Related>,
    pub(in crate::report) remarks: String,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::report) struct Target {
    pub(in crate::report) r#type: &'static str,
    pub(in crate::report) target_id: String,
    pub(in crate::report) status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::report) implementation_status: Option<State>,
}

#[derive(Serialize)]
pub(in crate::report) struct Status {
    pub(in crate::report) state: &'static str,
    pub(in crate::report) reason: &'static str,
    pub(in crate::report) remarks: String,
}

#[derive(Serialize)]
pub(in crate::report) struct State {
    pub(in crate::report) state: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::report) struct Related {
    pub(in crate::report) observation_uuid: Id,
}
