-- Which calls to KMS failed, by key and cause.
-- Parameters: 1 first day, 2 last day, as '2026-09-01', UTC, both included.
-- Reads: the days asked for, of all accounts and Regions of the tables; some ten columns.
-- Beware: retries count. `dry-run` is a probe that would have succeeded. A failure in the log of another service has a row
--   of its own there: see failing-resources.sql.
SELECT
  coalesce(key_arn, alias, requested_key) AS key,
  failure,
  error_code,
  event_name,
  coalesce(invoked_by, 'direct') AS through,
  count(*) AS calls,
  count(DISTINCT principal) AS principals,
  min(event_time) AS first_failure,
  max(event_time) AS last_failure
FROM keytrail.calls_once
WHERE "date" BETWEEN ? AND ?
  AND class = 'kms'
  AND error_code IS NOT NULL
GROUP BY coalesce(key_arn, alias, requested_key), failure, error_code, event_name, coalesce(invoked_by, 'direct')
ORDER BY calls DESC, key, failure, error_code, event_name, through
