-- Which objects gave no records, or not all of them, and why.
-- Parameters: 1 first day, 2 last day, as '2026-09-01', UTC, both included; objects without a day are always there.
-- Reads: objects only, which is small: one row per object of the trail.
-- Beware: `keytrail ingest` reads an object again when its reason may pass, a network failure say; the row then changes.
--   What was never listed is not here: objects outside the source, the period or the accounts asked for.
SELECT
  account,
  region,
  "date",
  uri,
  "skip",
  detail,
  size,
  records,
  kept,
  json_format(json_extract(rejected, '$.counts')) AS rejected_records
FROM keytrail.objects_all
WHERE ("date" BETWEEN ? AND ? OR "date" = '__unknown__')
  AND ("skip" IS NOT NULL OR rejected IS NOT NULL)
ORDER BY "skip" NULLS LAST, uri
