-- What the requests to each key cost, and who makes them.
-- Parameters: 1 price of 10,000 requests, for example 0.03; 2 first day, 3 last day, as '2026-09-01', UTC, both included.
-- Reads: the days asked for, of all accounts and Regions of the tables; some eight columns.
-- Beware: an estimate. It assumes one price for every request, and that every logged API call is one: look the price up
--   for your Region. Asymmetric keys other than RSA_2048 and the generation of key pairs cost more, the free requests of a
--   month are not taken off, keys themselves and custom key stores are not in it. What trails leave out is not counted.
SELECT
  key_account,
  key_arn,
  principal,
  coalesce(invoked_by, 'direct') AS through,
  count(*) AS requests,
  count_if(error_code IS NOT NULL) AS failed,
  round(count(*) * CAST(? AS double) / 10000, 4) AS cost,
  round(100.0 * count(*) / sum(count(*)) OVER (), 2) AS percent_of_all
FROM keytrail.calls_once
WHERE "date" BETWEEN ? AND ?
  AND class = 'kms'
  AND event_type = 'AwsApiCall'
GROUP BY key_account, key_arn, principal, coalesce(invoked_by, 'direct')
ORDER BY requests DESC, key_arn, principal, through
