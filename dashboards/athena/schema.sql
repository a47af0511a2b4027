-- Tables and views over a lake of `keytrail ingest`, for Athena (engine version 3).
--
-- Before use, replace everywhere in this file:
--   s3://amzn-s3-demo-bucket/lake         where the lake is
--   111122223333,444455556666             accounts that the lake has logs of
--   eu-west-1,us-east-1                   Regions that it has logs of, us-east-1 for global services included
--   2024-01-01                            the first day of the lake
-- Athena takes one statement at a time.
--
-- Partitions are projected: Athena works out their folders from these lists and this range, no catalog is kept and
-- nothing is to be repaired. The price: an account, Region or day that is not listed is not read, and nothing says so.
-- Compare with the folders that there are: aws s3 ls s3://amzn-s3-demo-bucket/lake/events/
-- Values stand as in the names of folders: percent-encoded, where a log has an account or Region of unusual letters, and
-- `__unknown__` where it has none. 'NOW' is the current day in UTC; an event dated later than that is not read.
-- With many accounts, make `account` injected ('projection.account.type' = 'injected', without values): then every query
-- must name the accounts that it is about, account = '…' or account IN (…).
--
-- The files of an inbox, from a writer that has one object at a time, are not read here before they are absorbed.

CREATE DATABASE IF NOT EXISTS keytrail;

-- begin of: keytrail schema events --format athena
CREATE EXTERNAL TABLE IF NOT EXISTS keytrail.events (
  `object_uri` string,
  `record` int,
  `event_id` string,
  `shared_event_id` string,
  `corrects` string,
  `event_time` timestamp,
  `class` string,
  `event_source` string,
  `event_name` string,
  `operation` string,
  `event_version` string,
  `event_type` string,
  `event_category` string,
  `read_only` boolean,
  `management_event` boolean,
  `request_id` string,
  `addendum_reason` string,
  `error_code` string,
  `error_message` string,
  `failure` string,
  `principal_type` string,
  `principal` string,
  `principal_arn` string,
  `principal_account` string,
  `session_name` string,
  `source_identity` string,
  `access_key_id` string,
  `mfa` boolean,
  `invoked_by` string,
  `call` string,
  `source_ip` string,
  `source_kind` string,
  `user_agent` string,
  `vpc_endpoint` string,
  `tls_version` string,
  `tls_key_exchange` string,
  `tls_host` string,
  `key_arn` string,
  `key_id` string,
  `key_account` string,
  `key_region` string,
  `key_ref` string,
  `alias` string,
  `cross_account` boolean,
  `destination_key_arn` string,
  `encryption_context` string,
  `resource` string,
  `bucket` string,
  `algorithm` string,
  `data_key_spec` string,
  `number_of_bytes` bigint,
  `message_type` string,
  `key_material_id` string,
  `dry_run` boolean,
  `destination_context` string,
  `source_algorithm` string,
  `source_key` string,
  `destination_key_material_id` string,
  `requested_key` string,
  `description` string,
  `key_usage` string,
  `key_spec` string,
  `key_origin` string,
  `key_manager` string,
  `key_state` string,
  `key_enabled` boolean,
  `key_created` timestamp,
  `key_algorithms` string,
  `multi_region` boolean,
  `multi_region_config` string,
  `policy` string,
  `policy_name` string,
  `lockout_bypass` boolean,
  `tags` string,
  `tag_keys` string,
  `custom_key_store_id` string,
  `custom_key_store_name` string,
  `cloud_hsm_cluster_id` string,
  `xks` string,
  `backing_keys` string,
  `backing_keys_deletion` string,
  `pending_window_days` bigint,
  `deletion_date` timestamp,
  `rotation_period_days` bigint,
  `rotation_type` string,
  `previous_key_material_id` string,
  `wrapping_key_spec` string,
  `import_type` string,
  `key_material_description` string,
  `expiration_model` string,
  `valid_to` timestamp,
  `target_key` string,
  `replica_region` string,
  `primary_region` string,
  `replica_key_arn` string,
  `grant_id` string,
  `grant_name` string,
  `grantee` string,
  `grantee_kind` string,
  `grantee_account` string,
  `retiring_principal` string,
  `grant_operations` string,
  `grant_constraints` string,
  `list_limit` bigint,
  `list_marker` string,
  `attestation` string,
  `related_resource` string,
  `details` string
)
COMMENT 'keytrail events, version 1'
PARTITIONED BY (`account` string, `region` string, `date` string)
STORED AS PARQUET
LOCATION 's3://amzn-s3-demo-bucket/lake/events/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.account.type' = 'enum',
  'projection.account.values' = '111122223333,444455556666,__unknown__',
  'projection.region.type' = 'enum',
  'projection.region.values' = 'eu-west-1,us-east-1,__unknown__',
  'projection.date.type' = 'date',
  'projection.date.format' = 'yyyy-MM-dd',
  'projection.date.range' = '2024-01-01,NOW',
  'projection.date.interval' = '1',
  'projection.date.interval.unit' = 'DAYS',
  'storage.location.template' = 's3://amzn-s3-demo-bucket/lake/events/account=${account}/region=${region}/date=${date}/'
);
-- end of events

-- `date` is the day that the name of the object tells, the day of its delivery mostly; objects whose name tells no day are
-- in objects_undated.
-- begin of: keytrail schema objects --format athena
CREATE EXTERNAL TABLE IF NOT EXISTS keytrail.objects (
  `uri` string,
  `etag` string,
  `size` bigint,
  `compressed` bigint,
  `inflated` bigint,
  `sha256` string,
  `content_sha256` string,
  `sound` boolean,
  `records` bigint,
  `kept` bigint,
  `kms` bigint,
  `related` bigint,
  `rejected` string,
  `notes` string,
  `skip` string,
  `detail` string,
  `begins` boolean,
  `first_account` string,
  `first_region` string,
  `first_time` string,
  `first_event_time` timestamp,
  `last_event_time` timestamp
)
COMMENT 'keytrail objects, version 1'
PARTITIONED BY (`account` string, `region` string, `date` string)
STORED AS PARQUET
LOCATION 's3://amzn-s3-demo-bucket/lake/objects/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.account.type' = 'enum',
  'projection.account.values' = '111122223333,444455556666,__unknown__',
  'projection.region.type' = 'enum',
  'projection.region.values' = 'eu-west-1,us-east-1,__unknown__',
  'projection.date.type' = 'date',
  'projection.date.format' = 'yyyy-MM-dd',
  'projection.date.range' = '2024-01-01,NOW',
  'projection.date.interval' = '1',
  'projection.date.interval.unit' = 'DAYS',
  'storage.location.template' = 's3://amzn-s3-demo-bucket/lake/objects/account=${account}/region=${region}/date=${date}/'
);

CREATE EXTERNAL TABLE IF NOT EXISTS keytrail.objects_undated (
  `uri` string,
  `etag` string,
  `size` bigint,
  `compressed` bigint,
  `inflated` bigint,
  `sha256` string,
  `content_sha256` string,
  `sound` boolean,
  `records` bigint,
  `kept` bigint,
  `kms` bigint,
  `related` bigint,
  `rejected` string,
  `notes` string,
  `skip` string,
  `detail` string,
  `begins` boolean,
  `first_account` string,
  `first_region` string,
  `first_time` string,
  `first_event_time` timestamp,
  `last_event_time` timestamp
)
COMMENT 'keytrail objects, version 1'
PARTITIONED BY (`account` string, `region` string)
STORED AS PARQUET
LOCATION 's3://amzn-s3-demo-bucket/lake/objects/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.account.type' = 'enum',
  'projection.account.values' = '111122223333,444455556666,__unknown__',
  'projection.region.type' = 'enum',
  'projection.region.values' = 'eu-west-1,us-east-1,__unknown__',
  'storage.location.template' = 's3://amzn-s3-demo-bucket/lake/objects/account=${account}/region=${region}/date=__unknown__/'
);
-- end of objects

-- Optional: what `keytrail scan … --format parquet` writes, if its files are put there.
-- begin of: keytrail schema findings --format athena
CREATE EXTERNAL TABLE IF NOT EXISTS keytrail.findings (
  `id` string,
  `incident` string,
  `rule` string,
  `severity` string,
  `confidence` string,
  `status` string,
  `title` string,
  `account` string,
  `region` string,
  `key_arn` string,
  `key_id` string,
  `key_alias` string,
  `principal_arn` string,
  `principal_type` string,
  `invoked_by` string,
  `first_seen` timestamp,
  `last_seen` timestamp,
  `count` bigint,
  `facts` string,
  `details` string,
  `evidence` string,
  `remediation` string,
  `controls` string,
  `attack` string,
  `supersedes` string,
  `suppression_reason` string,
  `suppression_until` string,
  `run` string
)
COMMENT 'keytrail findings, version 1'
STORED AS PARQUET
LOCATION 's3://amzn-s3-demo-bucket/lake-findings/';
-- end of findings

-- Every object that was looked at, with and without a day.
CREATE OR REPLACE VIEW keytrail.objects_all AS
SELECT dated.*
FROM keytrail.objects AS dated
UNION ALL
SELECT undated.*, '__unknown__' AS "date"
FROM keytrail.objects_undated AS undated;

-- One row per event and log. A lake keeps every copy; this keeps, of the rows that share account, Region, event id, name
-- and time, one that corrects another event if there is one, else the first by object and record. An event that another
-- record corrects is left out. event_id is never null: a record without eventID has one made of its request or content.
--
-- Limits on account, Region and date reach both tables below. For that a correction must have the UTC date of what it
-- corrects. If yours move events to other days, take out the line that says "same day": then every query looks for
-- corrections on all days.
-- `copy` is always 1.
CREATE OR REPLACE VIEW keytrail.events_once AS
WITH corrected AS (
  SELECT DISTINCT account, region, "date", corrects
  FROM keytrail.events
  WHERE corrects IS NOT NULL
),
copies AS (
  SELECT
    logged.*,
    row_number() OVER (
      PARTITION BY logged.account, logged.region, logged."date", logged.event_id, logged.event_name, logged.event_time
      ORDER BY CASE WHEN logged.corrects IS NULL THEN 1 ELSE 0 END, logged.object_uri, logged.record
    ) AS copy
  FROM keytrail.events AS logged
  LEFT JOIN corrected
    ON corrected.account = logged.account
    AND corrected.region = logged.region
    AND corrected."date" = logged."date" -- same day
    AND corrected.corrects = logged.event_id
  -- A correction that names its own id stays.
  WHERE corrected.corrects IS NULL OR logged.corrects = logged.event_id
)
SELECT *
FROM copies
WHERE copy = 1;

-- One row per call. A call with a key of another account stands in the logs of both, with different event ids and one
-- shared_event_id. This keeps the record of the key's owner; without one, a record that names a key; then the first by
-- account. The counts of `keytrail scan` are counts of these rows.
--
-- Which record is kept depends on the logs that the tables list: if only the caller's is there, it stays. A limit on
-- account or Region does not reach the tables below, as the two records have different accounts: it is applied
-- afterwards, to what was kept. A limit on the date does.
-- `copy` and `twin` are always 1.
CREATE OR REPLACE VIEW keytrail.calls_once AS
WITH twins AS (
  SELECT
    logged.*,
    row_number() OVER (
      PARTITION BY
        logged."date",
        logged.shared_event_id,
        CASE WHEN logged.shared_event_id IS NULL THEN logged.account END,
        CASE WHEN logged.shared_event_id IS NULL THEN logged.region END,
        CASE WHEN logged.shared_event_id IS NULL THEN logged.event_id END,
        CASE WHEN logged.shared_event_id IS NULL THEN logged.event_name END,
        CASE WHEN logged.shared_event_id IS NULL THEN logged.event_time END
      ORDER BY
        CASE WHEN logged.key_account = logged.account THEN 0 ELSE 1 END,
        CASE WHEN logged.key_arn IS NULL THEN 1 ELSE 0 END,
        logged.account, logged.object_uri, logged.record
    ) AS twin
  FROM keytrail.events_once AS logged
)
SELECT *
FROM twins
WHERE twin = 1;
