-- Who administered keys: every change asked for, granted or refused.
-- Parameters: 1 first day, 2 last day, as '2026-09-01', UTC, both included.
-- Reads: the days asked for, of all accounts and Regions of the tables; some twelve columns.
-- Beware: an operation of KMS that is newer than the Keytrail that read it has the group 'unknown': those are here, as they
--   may be changes. Changes of policies of IAM and of trails are in events_once, by class.
SELECT
  principal,
  principal_type,
  session_name,
  mfa,
  source_ip,
  operation,
  event_name,
  coalesce(key_arn, alias) AS key,
  coalesce(failure, 'done') AS outcome,
  count(*) AS calls,
  min(event_time) AS first_call,
  max(event_time) AS last_call
FROM keytrail.calls_once
WHERE "date" BETWEEN ? AND ?
  AND class = 'kms'
  AND operation NOT IN ('crypto', 'read')
GROUP BY
  principal, principal_type, session_name, mfa, source_ip, operation, event_name, coalesce(key_arn, alias),
  coalesce(failure, 'done')
ORDER BY first_call, principal, event_name, key, outcome
