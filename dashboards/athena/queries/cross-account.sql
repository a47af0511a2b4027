-- Which accounts use keys of other accounts.
-- Parameters: 1 first day, 2 last day, as '2026-09-01', UTC, both included.
-- Reads: the days asked for, of all accounts and Regions of the tables; some ten columns.
-- Beware: the owner's log names a caller from elsewhere by account and unique id, not by role; the caller's own log names
--   the role: look there by shared_event_id in events_once. Calls that services make for an account are not cross-account.
--   Grants to other accounts are in grants.sql.
SELECT
  principal_account,
  key_account,
  key_arn,
  principal,
  event_name,
  count_if(error_code IS NULL) AS succeeded,
  count_if(error_code IS NOT NULL) AS failed,
  min(event_time) AS first_call,
  max(event_time) AS last_call,
  max(shared_event_id) AS a_shared_event_id
FROM keytrail.calls_once
WHERE "date" BETWEEN ? AND ?
  AND class = 'kms'
  AND cross_account
GROUP BY principal_account, key_account, key_arn, principal, event_name
ORDER BY succeeded DESC, key_arn, principal, event_name
