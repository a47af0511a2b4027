-- When each key was last used, by whom, and how long ago that is.
-- Parameters: 1 first day, 2 last day, as '2026-09-01', UTC, both included.
-- Reads: the days asked for, of all accounts and Regions of the tables; some eight columns.
-- Beware: use is a cryptographic call that succeeded. A key that appears in no record of these days is not in the result:
--   compare with `aws kms list-keys`. Trails may leave KMS events out, and services that cache data keys call rarely.
--   Idle days count to the last day on which any event was logged. One of several uses in the last second is named.
WITH per_key AS (
  SELECT
    key_arn,
    count_if(operation = 'crypto' AND error_code IS NULL) AS uses,
    max(CASE WHEN operation = 'crypto' AND error_code IS NULL THEN event_time END) AS last_use,
    max_by(principal, event_time) FILTER (WHERE operation = 'crypto' AND error_code IS NULL) AS last_user,
    max_by(event_name, event_time) FILTER (WHERE operation = 'crypto' AND error_code IS NULL) AS last_operation,
    max(event_time) AS last_mention
  FROM keytrail.calls_once
  WHERE "date" BETWEEN ? AND ?
    AND class = 'kms'
    AND key_arn IS NOT NULL
  GROUP BY key_arn
)
SELECT
  key_arn,
  uses,
  last_use,
  last_user,
  last_operation,
  date_diff('day', date_trunc('day', last_use), date_trunc('day', max(last_mention) OVER ())) AS idle_days,
  last_mention
FROM per_key
ORDER BY last_use NULLS FIRST, key_arn
