-- How many different encryption contexts each principal touched with a key, in all and in its busiest hour.
-- Parameters: 1 first day, 2 last day, as '2026-09-01', UTC, both included.
-- Reads: the days asked for, of all accounts and Regions of the tables, twice; some eight columns, one of them long.
-- Beware: a context is what the caller said it is. One context per object is normal for some services; look for who does
--   in an hour what it never did in a day. Contexts may hold personal data: this only counts them.
WITH touched AS (
  SELECT key_arn, principal, encryption_context, date_trunc('hour', event_time) AS hour, count(*) AS calls
  FROM keytrail.calls_once
  WHERE "date" BETWEEN ? AND ?
    AND class = 'kms'
    AND operation = 'crypto'
    AND error_code IS NULL
    AND encryption_context IS NOT NULL
  GROUP BY key_arn, principal, encryption_context, date_trunc('hour', event_time)
),
hours AS (
  SELECT key_arn, principal, hour, count(*) AS contexts, sum(calls) AS calls
  FROM touched
  GROUP BY key_arn, principal, hour
),
pairs AS (
  SELECT key_arn, principal, count(DISTINCT encryption_context) AS contexts
  FROM touched
  GROUP BY key_arn, principal
)
SELECT
  hours.key_arn,
  hours.principal,
  pairs.contexts,
  sum(hours.calls) AS calls,
  count(*) AS active_hours,
  max(hours.contexts) AS contexts_in_busiest_hour,
  max_by(hours.hour, hours.contexts) AS busiest_hour,
  round(avg(CAST(hours.contexts AS double)), 1) AS contexts_per_active_hour
FROM hours
JOIN pairs ON pairs.key_arn = hours.key_arn AND pairs.principal = hours.principal
GROUP BY hours.key_arn, hours.principal, pairs.contexts
ORDER BY contexts_in_busiest_hour DESC, hours.key_arn, hours.principal
