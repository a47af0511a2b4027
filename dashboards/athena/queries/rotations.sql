-- Which keys were rotated, how often, and who turned rotation on or off.
-- Parameters: 1 first day, 2 last day, as '2026-09-01', UTC, both included.
-- Reads: the days asked for, of all accounts and Regions of the tables; some ten columns, mostly empty.
-- Beware: KMS logs a rotation of key material as RotateKey; RotateKeyOnDemand asks for one. What was set before the first
--   day is not known: a key that is only used has no row. `keytrail scan` judges which keys should rotate.
SELECT
  key_arn,
  min(CASE WHEN event_name = 'CreateKey' AND error_code IS NULL THEN event_time END) AS created_at,
  max(key_spec) AS key_spec,
  max(key_origin) AS key_origin,
  count_if(event_name = 'RotateKey') AS rotations,
  count_if(event_name = 'RotateKey' AND rotation_type = 'ON_DEMAND') AS on_demand,
  max(CASE WHEN event_name = 'RotateKey' THEN event_time END) AS last_rotation,
  count_if(event_name = 'ImportKeyMaterial' AND error_code IS NULL) AS imports,
  max_by(event_name, event_time)
    FILTER (WHERE event_name IN ('EnableKeyRotation', 'DisableKeyRotation') AND error_code IS NULL) AS last_setting,
  max_by(principal, event_time)
    FILTER (WHERE event_name IN ('EnableKeyRotation', 'DisableKeyRotation') AND error_code IS NULL) AS set_by,
  max(CASE WHEN event_name IN ('EnableKeyRotation', 'DisableKeyRotation') AND error_code IS NULL THEN event_time END)
    AS set_at,
  max_by(coalesce(rotation_period_days, 365), event_time)
    FILTER (WHERE event_name = 'EnableKeyRotation' AND error_code IS NULL) AS period_days,
  count_if(operation = 'rotation' AND error_code IS NOT NULL) AS refused
FROM keytrail.calls_once
WHERE "date" BETWEEN ? AND ?
  AND class = 'kms'
  AND key_arn IS NOT NULL
  AND (operation IN ('rotation', 'import') OR event_name = 'CreateKey')
GROUP BY key_arn
ORDER BY last_rotation NULLS FIRST, key_arn
