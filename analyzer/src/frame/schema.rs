//! THE column table. The row struct, the builder, the typed accessors, `keytrail schema`, the Parquet files and the
//! column docs are all views of the one table below: adding a column is adding a line.

/// Version of the event table, written into every Parquet file. Raised when a column changes its meaning or goes away.
pub const VERSION: u32 = 1;

/// Logical type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8 text, one value per row (polars `String`).
    Str,
    /// UTF-8 text that repeats (polars `Categorical`, written to Parquet as text).
    Cat,
    /// Boolean.
    Bool,
    /// 64-bit signed integer.
    Int,
    /// 32-bit unsigned integer.
    U32,
    /// Milliseconds since the Unix epoch, UTC (polars `Datetime[ms, UTC]`).
    Time,
}

impl Kind {
    /// Name of the type as `keytrail schema` prints it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Str | Self::Cat => "string",
            Self::Bool => "boolean",
            Self::Int => "int64",
            Self::U32 => "uint32",
            Self::Time => "timestamp[ms, UTC]",
        }
    }
}

/// Which rows carry a column while a scan runs. Written files always have every column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Every row: the views are folded from these.
    Fold,
    /// Rows that are written out, and control-plane rows.
    Full,
    /// Control-plane rows and other services' records: null on plain cryptographic calls.
    Wide,
}

/// One column: its name, type, scope, where in the record it comes from, and what it means.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Name in frames, Parquet, SQL and the docs.
    pub name: &'static str,
    /// Logical type.
    pub kind: Kind,
    /// Which rows carry it in memory.
    pub scope: Scope,
    /// Where it comes from, in CloudTrail's own names.
    pub from: &'static str,
    /// What it means, its unit, and when it is null.
    pub doc: &'static str,
}

/// Calls the macro named in `$then` with the whole table: `(scope name kind "from" "meaning")` per column.
macro_rules! with_columns {
    ($then:ident) => {
        $then! {
            // --- where the record stands
            (Fold object U32 "the scan" "index of the source object in this run; the lake stores its URI beside it")
            (Fold record U32 "the scan" "index of the record in its object, from 0")
            // --- what it is
            (Full event_id Str "eventID" "identity of the event, never null: without eventID, `request:<requestID>:<eventName>:<eventTime>`, else `content:<hash of the record>`")
            (Fold shared_event_id Str "sharedEventID" "joins the copies of one call in the logs of two accounts")
            (Fold corrects Str "addendum.originalEventID" "event that this record replaces (addendum reason UPDATED_DATA)")
            (Fold event_time Time "eventTime" "when the call ended at the endpoint; whole seconds; never null")
            (Fold class Cat "the selection table" "why the record was kept: kms, failure, binding, iam-policy, trail-control")
            (Fold event_source Cat "eventSource" "service that logged the call")
            (Fold event_name Cat "eventName" "operation; exact case; never null")
            (Fold operation Cat "eventName" "group of a KMS operation: crypto, read, lifecycle, rotation, import, policy, grant, alias, tag, key-store, unknown; null for other services")
            (Full event_version Cat "eventVersion" "version of the record format")
            (Full event_type Cat "eventType" "AwsApiCall, AwsServiceEvent, AwsConsoleAction, ...")
            (Full event_category Cat "eventCategory" "Management, Data")
            (Full read_only Bool "readOnly" "true for every cryptographic call and every read; null in old records")
            (Full management_event Bool "managementEvent" "null in old records")
            (Full request_id Str "requestID" "null on service events")
            (Full addendum_reason Cat "addendum.reason" "DELIVERY_DELAY, UPDATED_DATA, SERVICE_OUTAGE")
            // --- where and how it ended
            (Fold account Cat "recipientAccountId" "account whose trail logged the record; else the caller's; text as found")
            (Fold region Cat "awsRegion" "Region of the endpoint")
            (Fold error_code Cat "errorCode" "null when the call succeeded")
            (Full error_message Str "errorMessage" "null also on some failures (InvalidCiphertextException)")
            (Fold failure Cat "errorCode + errorMessage" "cause class of a failure: key-disabled, key-pending-deletion, key-pending-import, key-unavailable, key-not-found, access-denied, throttled, dry-run, transient, invalid-ciphertext, invalid-usage, unsupported, quota, admin-conflict, policy-error, key-store, client, key-unspecified, other; null on success")
            // --- who
            (Fold principal_type Cat "userIdentity.type" "IAMUser, AssumedRole, Root, AWSService, AWSAccount, ...; `KMS` for KMS-internal events without a type")
            (Fold principal Cat "userIdentity" "stable identity to count by: role ARN for sessions, user ARN, service name, account; never a session")
            (Full principal_arn Str "userIdentity.arn" "identity as logged, with the session")
            (Full principal_account Cat "userIdentity.accountId" "account of the caller")
            (Full session_name Str "userIdentity.arn" "session of an assumed role")
            (Full source_identity Str "userIdentity.sessionContext.sourceIdentity" "who is behind the role, through role chaining")
            (Full access_key_id Str "userIdentity.accessKeyId" "never printed in full by any report")
            (Full mfa Bool "userIdentity.sessionContext.attributes.mfaAuthenticated" "null where not logged")
            (Fold invoked_by Cat "userIdentity.invokedBy" "service that made the call on the principal's behalf; null for direct calls")
            (Full call Cat "userIdentity, eventType" "direct, via-service, service-self, kms-internal")
            (Full source_ip Str "sourceIPAddress" "IP address, service name or `AWS Internal`")
            (Full source_kind Cat "sourceIPAddress" "ip, service, aws-internal")
            (Full user_agent Str "userAgent" "text of the caller's choice")
            (Full vpc_endpoint Str "vpcEndpointId" "VPC endpoint of the call")
            (Full tls_version Cat "tlsDetails.tlsVersion" "null when a service called")
            (Full tls_key_exchange Cat "tlsDetails.keyExchange" "for example X25519MLKEM768 (post-quantum)")
            (Full tls_host Str "tlsDetails.clientProvidedHostHeader" "shows FIPS endpoints")
            // --- which key
            (Fold key_arn Cat "resources[].ARN, response, service details, request, error text" "full ARN of the KMS key; null when the record names no key, or only an alias")
            (Full key_id Cat "the key ARN" "UUID or mrk-...")
            (Fold key_account Cat "the key ARN" "account that owns the key")
            (Fold key_region Cat "the key ARN" "Region of the key")
            (Full key_ref Cat "-" "where the key was found: resources, response, service-details, request, message, built (from key id + awsRegion + account)")
            (Fold alias Cat "resources[].ARN, requestParameters" "alias ARN that the record names")
            (Full cross_account Bool "key_account, principal_account" "true when the caller's account is not the key's; null when either is unknown")
            (Full destination_key_arn Cat "requestParameters.destinationKeyId, resources[]" "ReEncrypt: key that the data is encrypted under afterwards")
            // --- which data
            (Full encryption_context Str "requestParameters.encryptionContext, sourceEncryptionContext" "canonical JSON object, keys sorted; may hold personal data")
            (Fold resource Str "encryption context, constraints of a grant, request of other services" "what the key protects, one name whoever speaks of it: an ARN, else `<context key>=<value>`")
            (Fold bucket Cat "encryption context" "of Decrypt: name of the S3 bucket that was read (`aws:s3:arn`), also where the resource is what keeps its data there, a trail for example")
            (Full algorithm Cat "requestParameters.*Algorithm" "encryption, signing, MAC, key agreement or wrapping algorithm")
            (Full data_key_spec Cat "requestParameters.keySpec, keyPairSpec" "of GenerateDataKey*")
            (Full number_of_bytes Int "requestParameters.numberOfBytes" "of GenerateDataKey*, GenerateRandom")
            (Full message_type Cat "requestParameters.messageType" "RAW, DIGEST, EXTERNAL_MU")
            (Full key_material_id Str "additionalEventData.keyMaterialId, request, response, service details" "key material that was used, imported or became current")
            (Full dry_run Bool "requestParameters.dryRun" "permission probe")
            // --- control plane: keys
            (Wide destination_context Str "requestParameters.destinationEncryptionContext" "canonical JSON object")
            (Wide source_algorithm Cat "requestParameters.sourceEncryptionAlgorithm" "of ReEncrypt")
            (Wide source_key Str "requestParameters.sourceKeyId" "of ReEncrypt, as typed")
            (Wide destination_key_material_id Str "additionalEventData.destinationKeyMaterialId" "of ReEncrypt")
            (Wide requested_key Str "requestParameters.keyId, targetKeyId, destinationKeyId" "key as the caller typed it; null on plain calls whose key is known")
            (Wide description Str "requestParameters.description" "of CreateKey, ReplicateKey, UpdateKeyDescription")
            (Wide key_usage Cat "keyMetadata.keyUsage, requestParameters.keyUsage" "ENCRYPT_DECRYPT, SIGN_VERIFY, GENERATE_VERIFY_MAC, KEY_AGREEMENT")
            (Wide key_spec Cat "keyMetadata.keySpec, customerMasterKeySpec" "SYMMETRIC_DEFAULT, RSA_2048, HMAC_256, ...")
            (Wide key_origin Cat "keyMetadata.origin, serviceEventDetails.keyOrigin" "AWS_KMS, EXTERNAL, AWS_CLOUDHSM, EXTERNAL_KEY_STORE")
            (Wide key_manager Cat "keyMetadata.keyManager" "CUSTOMER, AWS")
            (Wide key_state Cat "responseElements.keyState, keyMetadata.keyState" "state after the call")
            (Wide key_enabled Bool "keyMetadata.enabled" "whether the key was enabled when it was made")
            (Wide key_created Time "keyMetadata.creationDate" "locale text parsed as UTC; null when it cannot be read")
            (Wide key_algorithms Str "keyMetadata.*Algorithms" "JSON array")
            (Wide multi_region Bool "keyMetadata.multiRegion, requestParameters.multiRegion" "whether it is a multi-Region key")
            (Wide multi_region_config Str "keyMetadata.multiRegionConfiguration" "canonical JSON: type, primary, replicas")
            (Wide policy Str "requestParameters.policy, replicaPolicy" "key policy or IAM policy document, JSON text as sent")
            (Wide policy_name Cat "requestParameters.policyName" "`default`, the only name there is")
            (Wide lockout_bypass Bool "requestParameters.bypassPolicyLockoutSafetyCheck" "true when the caller may have locked itself out")
            (Wide tags Str "requestParameters.tags" "canonical JSON object")
            (Wide tag_keys Str "requestParameters.tagKeys" "JSON array; of UntagResource")
            (Wide custom_key_store_id Cat "customKeyStoreId in request, response or additionalEventData" "id of the custom key store")
            (Wide custom_key_store_name Str "customKeyStoreName, newCustomKeyStoreName" "name of the custom key store; the new one where it changes")
            (Wide cloud_hsm_cluster_id Cat "clusterId, cloudHsmClusterId" "id of the CloudHSM cluster")
            (Wide xks Str "xksKeyId, xksKeyConfiguration, xksProxy*" "canonical JSON object of the external key store members, without credentials; of UpdateCustomKeyStore the name of a new one, with null")
            (Wide backing_keys Str "additionalEventData.backingKey, backingKeys" "text as logged, CloudHSM keys")
            (Wide backing_keys_deletion Str "additionalEventData.backingKeysDeletionStatus" "text as logged")
            // --- control plane: deletion, rotation, import
            (Wide pending_window_days Int "pendingWindowInDays in response or request" "days; ScheduleKeyDeletion without it means 30")
            (Wide deletion_date Time "responseElements.deletionDate" "locale text parsed as UTC; null when it cannot be read")
            (Wide rotation_period_days Int "requestParameters.rotationPeriodInDays" "days; EnableKeyRotation without it means 365")
            (Wide rotation_type Cat "serviceEventDetails.rotationType" "AUTOMATIC, ON_DEMAND")
            (Wide previous_key_material_id Str "serviceEventDetails.previousKeyMaterialId" "key material before the rotation")
            (Wide wrapping_key_spec Cat "requestParameters.wrappingKeySpec" "spec of the key that wraps imported material")
            (Wide import_type Cat "requestParameters.importType" "NEW_KEY_MATERIAL, EXISTING_KEY_MATERIAL")
            (Wide key_material_description Str "requestParameters.keyMaterialDescription" "text of whoever imported the material")
            (Wide expiration_model Cat "requestParameters.expirationModel, keyMetadata.expirationModel" "KEY_MATERIAL_EXPIRES, KEY_MATERIAL_DOES_NOT_EXPIRE")
            (Wide valid_to Time "requestParameters.validTo, keyMetadata.validTo" "locale text parsed as UTC; null when it cannot be read")
            // --- control plane: aliases, replicas
            (Wide target_key Str "requestParameters.targetKeyId" "as typed, of CreateAlias and UpdateAlias")
            (Wide replica_region Cat "requestParameters.replicaRegion" "Region of the new replica")
            (Wide primary_region Cat "requestParameters.primaryRegion" "Region that becomes primary")
            (Wide replica_key_arn Cat "responseElements.replicaKeyMetadata.arn" "ARN of the new replica")
            // --- control plane: grants
            (Wide grant_id Str "grantId in response, request or additionalEventData" "id of the grant")
            (Wide grant_name Str "requestParameters.name" "name that makes CreateGrant idempotent")
            (Wide grantee Str "requestParameters.granteePrincipal, granteeServicePrincipal" "principal that may use the key, as typed")
            (Wide grantee_kind Cat "granteePrincipal" "root, user, role, session, service, account, unique-id, aws-internal, unknown")
            (Wide grantee_account Cat "granteePrincipal" "account of the grantee; null when it names none")
            (Wide retiring_principal Str "requestParameters.retiringPrincipal, retiringServicePrincipal" "principal that may retire the grant, as typed")
            (Wide grant_operations Str "requestParameters.operations" "JSON array, sorted, each once; null when the record has none")
            (Wide grant_constraints Str "requestParameters.constraints" "canonical JSON; null when there is none or it is empty")
            // --- control plane: calls that list
            (Wide list_limit Int "requestParameters.limit" "page size asked for")
            (Wide list_marker Str "requestParameters.marker" "page asked for")
            (Wide attestation Str "additionalEventData.recipient" "canonical JSON of the attestation document's measurements")
            // --- other services
            (Wide related_resource Str "requestParameters, responseElements" "resource that another service's record is about")
            (Wide details Str "requestParameters, responseElements" "canonical JSON of what the rules read in trail control, IAM and binding records; of a KMS event, `{\"omitted\":[...]}` where CloudTrail left members out")
        }
    };
}
pub(crate) use with_columns;

macro_rules! table {
    ($(($scope:ident $name:ident $kind:ident $from:literal $doc:literal))*) => {
        /// Every column, in the order of frames and files.
        pub static COLUMNS: &[Column] = &[
            $(Column { name: stringify!($name), kind: Kind::$kind, scope: Scope::$scope, from: $from, doc: $doc }),*
        ];
    };
}
with_columns!(table);
