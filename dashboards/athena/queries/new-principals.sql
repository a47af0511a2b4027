-- Who used a key for the first time lately.
-- Parameters: 1 first day of the past to compare with, 2 last day, 3 day from which on a principal is new; as
--   '2026-09-01', UTC, all included.
-- Reads: the days asked for, of all accounts and Regions of the tables; some eight columns. A longer past costs more and
--   finds less that is only rare.
-- Beware: new is who is in no record of that key between the first and the third day. A principal is a role, not a session.
--   On a key that is new itself everyone is: `key_is_new`.
WITH pairs AS (
  SELECT
    key_arn,
    principal,
    principal_type,
    coalesce(invoked_by, 'direct') AS through,
    min("date") AS first_day,
    min(event_time) AS first_call,
    min_by(event_name, event_time) AS first_operation,
    count(*) AS calls,
    count_if(error_code IS NOT NULL) AS failed
  FROM keytrail.calls_once
  WHERE "date" BETWEEN ? AND ?
    AND class = 'kms'
    AND key_arn IS NOT NULL
    AND principal IS NOT NULL
  GROUP BY key_arn, principal, principal_type, coalesce(invoked_by, 'direct')
),
known AS (
  SELECT
    pairs.*,
    min(first_day) OVER (PARTITION BY key_arn, principal) AS principal_since,
    min(first_day) OVER (PARTITION BY key_arn) AS key_since
  FROM pairs
)
SELECT
  key_arn,
  principal,
  principal_type,
  through,
  first_call,
  first_operation,
  calls,
  failed,
  key_since = principal_since AND key_since = first_day AS key_is_new
FROM known
WHERE principal_since >= ?
ORDER BY first_call, key_arn, principal, through
