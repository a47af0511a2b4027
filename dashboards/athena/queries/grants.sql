-- Which grants were made, by whom and for whom, and which of them are still open.
-- Parameters: 1 first day, 2 last day, as '2026-09-01', UTC, both included.
-- Reads: the days asked for, of all accounts and Regions of the tables; some fifteen columns, mostly empty.
-- Beware: `open` says that no end is in these days: a grant also ends with its key, and by RetireGrant on days that are not
--   asked for. Without `created_at` the grant is older than the first day. Grants that services make and end by the
--   thousand are here too.
SELECT
  key_arn,
  grant_id,
  min(CASE WHEN event_name = 'CreateGrant' THEN event_time END) AS created_at,
  min_by(principal, event_time) FILTER (WHERE event_name = 'CreateGrant') AS created_by,
  min_by(coalesce(invoked_by, 'direct'), event_time) FILTER (WHERE event_name = 'CreateGrant') AS created_through,
  max(grantee) AS grantee,
  max(grantee_kind) AS grantee_kind,
  max(grantee_account) AS grantee_account,
  coalesce(max(grantee_account) <> max(key_account), false) AS to_other_account,
  max(grant_operations) AS operations,
  max(grant_constraints) AS constraints,
  max(retiring_principal) AS retiring_principal,
  min(CASE WHEN event_name <> 'CreateGrant' THEN event_time END) AS ended_at,
  min_by(event_name, event_time) FILTER (WHERE event_name <> 'CreateGrant') AS ended_how,
  min_by(principal, event_time) FILTER (WHERE event_name <> 'CreateGrant') AS ended_by,
  count_if(event_name <> 'CreateGrant') = 0 AS open
FROM keytrail.calls_once
WHERE "date" BETWEEN ? AND ?
  AND class = 'kms'
  AND event_name IN ('CreateGrant', 'RetireGrant', 'RevokeGrant')
  AND error_code IS NULL
  AND grant_id IS NOT NULL
GROUP BY key_arn, grant_id
ORDER BY open DESC, to_other_account DESC, created_at, grant_id
