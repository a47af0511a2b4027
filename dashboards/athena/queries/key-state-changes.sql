-- Who disabled, enabled, scheduled for deletion or spared which key, and how long it stayed so.
-- Parameters: 1 first day, 2 last day, as '2026-09-01', UTC, both included.
-- Reads: the days asked for, of all accounts and Regions of the tables; some ten columns, mostly empty.
-- Beware: changes that KMS makes by itself (material that expires, a key store that goes away) are not all logged. A key
--   whose deletion was cancelled stays disabled until it is enabled.
SELECT
  key_arn,
  event_time,
  event_name,
  principal,
  session_name,
  source_ip,
  pending_window_days,
  deletion_date,
  lead(event_name) OVER (PARTITION BY key_arn ORDER BY event_time, event_id) AS next_change,
  date_diff('minute', event_time, lead(event_time) OVER (PARTITION BY key_arn ORDER BY event_time, event_id))
    AS minutes_until_then
FROM keytrail.calls_once
WHERE "date" BETWEEN ? AND ?
  AND class = 'kms'
  AND error_code IS NULL
  AND key_arn IS NOT NULL
  AND event_name IN (
    'CreateKey', 'EnableKey', 'DisableKey', 'ScheduleKeyDeletion', 'CancelKeyDeletion', 'DeleteKey', 'ImportKeyMaterial',
    'DeleteImportedKeyMaterial', 'DeleteExpiredKeyMaterial'
  )
ORDER BY key_arn, event_time, event_id
