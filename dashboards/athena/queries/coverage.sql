-- What was looked at, per account, Region and day of delivery, and where is nothing.
-- Parameters: 1 first day, 2 last day, as '2026-09-01', UTC, both included.
-- Reads: objects only, which is small: one row per object of the trail.
-- Beware: a day without objects is unproved, neither idle nor lost: CloudTrail writes nothing in a quiet hour. Days before
--   the first and after the last object of all are not shown. Records are counted with their copies. Objects whose name
--   tells no day are not here: see unread-objects.sql for those that could not be read.
WITH told AS (
  SELECT
    account,
    region,
    CAST("date" AS date) AS day,
    count(*) AS objects,
    count_if("skip" IS NOT NULL) AS unread,
    count_if(rejected IS NOT NULL) AS with_bad_records,
    sum(records) AS records,
    sum(kms) AS kms,
    sum(related) AS related,
    sum(compressed) AS bytes,
    min(first_event_time) AS first_event,
    max(last_event_time) AS last_event
  FROM keytrail.objects
  WHERE "date" BETWEEN ? AND ?
  GROUP BY account, region, CAST("date" AS date)
),
places AS (
  SELECT DISTINCT account, region
  FROM told
),
days AS (
  SELECT t.day
  FROM (SELECT min(day) AS first_day, max(day) AS last_day FROM told) AS span
  CROSS JOIN UNNEST(sequence(span.first_day, span.last_day, INTERVAL '1' DAY)) AS t (day)
)
SELECT
  places.account,
  places.region,
  days.day,
  coalesce(told.objects, 0) AS objects,
  coalesce(told.unread, 0) AS unread,
  coalesce(told.with_bad_records, 0) AS with_bad_records,
  coalesce(told.records, 0) AS records,
  coalesce(told.kms, 0) AS kms,
  coalesce(told.related, 0) AS related,
  coalesce(told.bytes, 0) AS bytes,
  told.first_event,
  told.last_event,
  CASE
    WHEN told.objects IS NULL THEN 'nothing delivered'
    WHEN told.unread > 0 OR told.with_bad_records > 0 THEN 'incomplete'
    ELSE 'read'
  END AS state
FROM places
CROSS JOIN days
LEFT JOIN told ON told.account = places.account AND told.region = places.region AND told.day = days.day
ORDER BY places.account, places.region, days.day
