-- Which volumes, buckets, secrets and other resources failed in the services that use them, and which key is behind it.
-- Parameters: 1 first day, 2 last day, as '2026-09-01', UTC, both included.
-- Reads: the days asked for, of all accounts and Regions of the tables, twice; some ten columns.
-- Beware: where the record names no key, it is looked for by the resource, among the calls to KMS and the bindings of the
--   same days; a resource that used several keys has all of them in `keys`, a resource of older days none. Objects of S3
--   are put together by bucket.
WITH named AS (
  SELECT
    CASE WHEN resource LIKE 'arn:aws%:s3:::%' THEN split_part(resource, '/', 1) ELSE resource END AS place,
    class,
    key_arn,
    event_source,
    event_name,
    error_code,
    failure,
    principal,
    event_time
  FROM keytrail.calls_once
  WHERE "date" BETWEEN ? AND ?
    AND resource IS NOT NULL
),
protected AS (
  SELECT place, array_join(array_sort(array_agg(DISTINCT key_arn)), ', ') AS keys
  FROM named
  WHERE key_arn IS NOT NULL
    AND class IN ('kms', 'binding')
  GROUP BY place
)
SELECT
  failed.place,
  coalesce(failed.key_arn, protected.keys) AS keys,
  CASE
    WHEN failed.key_arn IS NOT NULL THEN 'named by the record'
    WHEN protected.keys IS NOT NULL THEN 'by resource'
  END AS known,
  failed.event_source,
  failed.event_name,
  failed.error_code,
  failed.failure,
  count(*) AS calls,
  count(DISTINCT failed.principal) AS principals,
  min(failed.event_time) AS first_failure,
  max(failed.event_time) AS last_failure
FROM named AS failed
LEFT JOIN protected ON protected.place = failed.place
WHERE failed.class = 'failure'
GROUP BY
  failed.place, failed.key_arn, protected.keys, failed.event_source, failed.event_name, failed.error_code, failed.failure
ORDER BY calls DESC, failed.place, failed.error_code
