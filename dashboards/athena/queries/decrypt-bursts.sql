-- Which principal decrypted most in five minutes, against what it does otherwise.
-- Parameters: 1 first day, 2 last day, as '2026-09-01', UTC, both included.
-- Reads: the days asked for, of all accounts and Regions of the tables; some eight columns.
-- Beware: a list to look through, no verdict: averages leave quiet time out and know no time of day. The rule
--   unusual-decrypt-rate of `keytrail scan` does.
WITH buckets AS (
  SELECT
    key_arn,
    principal,
    date_add('minute', minute(event_time) - minute(event_time) % 5, date_trunc('hour', event_time)) AS five_minutes,
    count(*) AS calls
  FROM keytrail.calls_once
  WHERE "date" BETWEEN ? AND ?
    AND class = 'kms'
    AND event_name = 'Decrypt'
    AND error_code IS NULL
  GROUP BY
    key_arn, principal,
    date_add('minute', minute(event_time) - minute(event_time) % 5, date_trunc('hour', event_time))
)
SELECT
  key_arn,
  principal,
  sum(calls) AS calls,
  count(*) AS active_buckets,
  max(calls) AS busiest,
  max_by(five_minutes, calls) AS busiest_at,
  round(CAST(max(calls) AS double) / avg(CAST(calls AS double)), 1) AS times_the_average
FROM buckets
GROUP BY key_arn, principal
ORDER BY times_the_average DESC, busiest DESC, key_arn, principal
