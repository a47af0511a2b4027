-- Which TLS versions and key exchanges callers of KMS use, and who does not use post-quantum key exchange.
-- Parameters: 1 first day, 2 last day, as '2026-09-01', UTC, both included.
-- Reads: the days asked for, of all accounts and Regions of the tables; some eight columns.
-- Beware: null is a call that a service made, or a record older than this field. That is no weak connection.
SELECT
  tls_version,
  tls_key_exchange,
  coalesce(upper(tls_key_exchange) LIKE '%MLKEM%', false) AS post_quantum,
  call,
  principal,
  count(*) AS calls,
  count(DISTINCT tls_host) AS hosts,
  max(event_time) AS last_call
FROM keytrail.calls_once
WHERE "date" BETWEEN ? AND ?
  AND class = 'kms'
GROUP BY tls_version, tls_key_exchange, coalesce(upper(tls_key_exchange) LIKE '%MLKEM%', false), call, principal
ORDER BY tls_version NULLS LAST, calls DESC, principal, call
