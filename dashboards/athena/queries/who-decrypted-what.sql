-- Who decrypted what: key, principal, service in between, and the resource that the encryption context names.
-- Parameters: 1 first day, 2 last day, as '2026-09-01', UTC, both included.
-- Reads: the days asked for, of all accounts and Regions of the tables; some ten columns.
-- Beware: a resource is null where the call had no encryption context. Services that cache data keys (S3 Bucket Keys,
--   caching SDKs) decrypt once for many reads: few calls do not mean few reads.
SELECT
  key_arn,
  principal,
  coalesce(invoked_by, 'direct') AS through,
  resource,
  count_if(error_code IS NULL) AS decrypted,
  count_if(error_code IS NOT NULL) AS failed,
  min(event_time) AS first_call,
  max(event_time) AS last_call
FROM keytrail.calls_once
WHERE "date" BETWEEN ? AND ?
  AND class = 'kms'
  AND event_name IN ('Decrypt', 'ReEncrypt')
GROUP BY key_arn, principal, coalesce(invoked_by, 'direct'), resource
ORDER BY decrypted DESC, key_arn, principal, through, resource
