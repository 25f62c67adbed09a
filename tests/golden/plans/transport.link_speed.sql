-- row.shape = _mask_0 & 1 · shape None conformity error None {}
--   列数与表头不符 ragged row
-- link_id.required = _mask_0 & 2 · required link_id completeness error None {}
--   路段编号：必填而为空 missing
-- link_id.pattern = _mask_0 & 4 · pattern link_id conformity error None {'pattern': '^L[0-9]{6}$'}
--   路段编号：格式不符 does not match
-- observed_at.required = _mask_0 & 8 · required observed_at completeness error None {}
--   观测时间：必填而为空 missing
-- observed_at.type = _mask_0 & 16 · type observed_at conformity error None {}
--   观测时间：不能读作 timestamp yyyy-MM-dd HH:mm:ss cannot be read as timestamp yyyy-MM-dd HH:mm:ss
-- speed_kmh.required = _mask_0 & 32 · required speed_kmh completeness error None {}
--   平均速度（公里/小时）：必填而为空 missing
-- speed_kmh.type = _mask_0 & 64 · type speed_kmh conformity error None {}
--   平均速度（公里/小时）：不能读作 number cannot be read as number
-- speed_kmh.range = _mask_0 & 128 · range speed_kmh accuracy error None {'minimum': 0.0, 'maximum': 150.0}
--   平均速度（公里/小时）：超出范围 outside [0.0, 150.0]
-- flow.type = _mask_0 & 256 · type flow conformity error None {}
--   流量（辆）：不能读作 integer cannot be read as integer
-- flow.range = _mask_0 & 512 · range flow accuracy error None {'minimum': 0.0, 'maximum': 2000.0}
--   流量（辆）：超出范围 outside [0.0, 2000.0]
-- lon.required = _mask_0 & 1024 · required lon completeness error None {}
--   经度：必填而为空 missing
-- lon.type = _mask_0 & 2048 · type lon conformity error None {}
--   经度：不能读作 number cannot be read as number
-- lon.lon_beijing = _mask_0 & 4096 · lon_beijing lon accuracy error None {}
--   经度：经度不在北京范围（WGS84） longitude outside Beijing
-- lat.required = _mask_0 & 8192 · required lat completeness error None {}
--   纬度：必填而为空 missing
-- lat.type = _mask_0 & 16384 · type lat conformity error None {}
--   纬度：不能读作 number cannot be read as number
-- lat.lat_beijing = _mask_0 & 32768 · lat_beijing lat accuracy error None {}
--   纬度：纬度不在北京范围（WGS84） latitude outside Beijing
-- row.key_conflict = _mask_0 & 65536 · key_conflict None accuracy error None {}
--   主键（路段编号、观测时间）重复而内容不同 same key, different content

-- normalise
_source_line,
_row_error,
_batch_id,
row_number() OVER (PARTITION BY `link_id`, `observed_at`, `speed_kmh`, `flow`, `lon`, `lat`, _row_error, _extra ORDER BY _source_line) > 1 AS _duplicate,
CASE WHEN regexp_replace(`link_id`, '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') IN ('', 'null') THEN NULL ELSE regexp_replace(`link_id`, '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') END AS `_n_link_id`,
CASE WHEN regexp_replace(translate(`observed_at`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') IN ('', 'null') THEN NULL ELSE regexp_replace(translate(`observed_at`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') END AS `_n_observed_at`,
CASE WHEN regexp_replace(translate(`speed_kmh`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') IN ('', 'null') THEN NULL ELSE regexp_replace(translate(`speed_kmh`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') END AS `_n_speed_kmh`,
CASE WHEN regexp_replace(translate(`flow`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') IN ('', 'null') THEN NULL ELSE regexp_replace(translate(`flow`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') END AS `_n_flow`,
CASE WHEN regexp_replace(translate(`lon`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') IN ('', 'null') THEN NULL ELSE regexp_replace(translate(`lon`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') END AS `_n_lon`,
CASE WHEN regexp_replace(translate(`lat`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') IN ('', 'null') THEN NULL ELSE regexp_replace(translate(`lat`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') END AS `_n_lat`,

-- cast
*,
`_n_link_id` AS `_c_link_id`,
to_utc_timestamp(CASE WHEN to_date(try_to_timestamp(`_n_observed_at`, 'yyyy-MM-dd HH:mm:ss')) BETWEEN DATE '1000-01-01' AND DATE '9999-12-31' THEN try_to_timestamp(`_n_observed_at`, 'yyyy-MM-dd HH:mm:ss') END, 'Asia/Shanghai') AS `_c_observed_at`,
CASE WHEN abs(CASE WHEN `_n_speed_kmh` RLIKE '^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?$' THEN try_cast(`_n_speed_kmh` AS double) END) <= 1.7976931348623157E308D THEN CASE WHEN `_n_speed_kmh` RLIKE '^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?$' THEN try_cast(`_n_speed_kmh` AS double) END END AS `_c_speed_kmh`,
CASE WHEN `_n_flow` RLIKE '^[+-]?[0-9]+$' THEN try_cast(`_n_flow` AS BIGINT) END AS `_c_flow`,
CASE WHEN abs(CASE WHEN `_n_lon` RLIKE '^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?$' THEN try_cast(`_n_lon` AS double) END) <= 1.7976931348623157E308D THEN CASE WHEN `_n_lon` RLIKE '^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?$' THEN try_cast(`_n_lon` AS double) END END AS `_c_lon`,
CASE WHEN abs(CASE WHEN `_n_lat` RLIKE '^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?$' THEN try_cast(`_n_lat` AS double) END) <= 1.7976931348623157E308D THEN CASE WHEN `_n_lat` RLIKE '^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?$' THEN try_cast(`_n_lat` AS double) END END AS `_c_lat`,

-- check
*,
CASE WHEN _row_error IS NOT NULL THEN 1L ELSE CASE WHEN `_n_link_id` IS NULL THEN 2L ELSE 0L END + CASE WHEN (`_n_link_id` IS NOT NULL AND coalesce(NOT `_n_link_id` RLIKE '^L[0-9]{6}$', false)) THEN 4L ELSE 0L END + CASE WHEN `_n_observed_at` IS NULL THEN 8L ELSE 0L END + CASE WHEN (`_n_observed_at` IS NOT NULL AND `_c_observed_at` IS NULL) THEN 16L ELSE 0L END + CASE WHEN `_n_speed_kmh` IS NULL THEN 32L ELSE 0L END + CASE WHEN (`_n_speed_kmh` IS NOT NULL AND `_c_speed_kmh` IS NULL) THEN 64L ELSE 0L END + CASE WHEN (`_n_speed_kmh` IS NOT NULL AND coalesce((CAST(`_c_speed_kmh` AS DOUBLE) < 0.0D OR CAST(`_c_speed_kmh` AS DOUBLE) > 150.0D OR isnan(CAST(`_c_speed_kmh` AS DOUBLE))), false)) THEN 128L ELSE 0L END + CASE WHEN (`_n_flow` IS NOT NULL AND `_c_flow` IS NULL) THEN 256L ELSE 0L END + CASE WHEN (`_n_flow` IS NOT NULL AND coalesce((CAST(`_c_flow` AS DOUBLE) < 0.0D OR CAST(`_c_flow` AS DOUBLE) > 2000.0D OR isnan(CAST(`_c_flow` AS DOUBLE))), false)) THEN 512L ELSE 0L END + CASE WHEN `_n_lon` IS NULL THEN 1024L ELSE 0L END + CASE WHEN (`_n_lon` IS NOT NULL AND `_c_lon` IS NULL) THEN 2048L ELSE 0L END + CASE WHEN (`_n_lon` IS NOT NULL AND coalesce((CAST(`_c_lon` AS DOUBLE) < 115.4D OR CAST(`_c_lon` AS DOUBLE) > 117.53D OR isnan(CAST(`_c_lon` AS DOUBLE))), false)) THEN 4096L ELSE 0L END + CASE WHEN `_n_lat` IS NULL THEN 8192L ELSE 0L END + CASE WHEN (`_n_lat` IS NOT NULL AND `_c_lat` IS NULL) THEN 16384L ELSE 0L END + CASE WHEN (`_n_lat` IS NOT NULL AND coalesce((CAST(`_c_lat` AS DOUBLE) < 39.42D OR CAST(`_c_lat` AS DOUBLE) > 41.08D OR isnan(CAST(`_c_lat` AS DOUBLE))), false)) THEN 32768L ELSE 0L END END AS _mask_0,

-- conflict
_source_line,
_batch_id,
_duplicate,
`_c_link_id`,
`_c_observed_at`,
`_c_speed_kmh`,
`_c_flow`,
`_c_lon`,
`_c_lat`,
_mask_0 + CASE WHEN (NOT _duplicate AND NOT ((_mask_0 & 131071L) != 0L)) AND sum(CASE WHEN (NOT _duplicate AND NOT ((_mask_0 & 131071L) != 0L)) THEN 1 ELSE 0 END) OVER (PARTITION BY `_c_link_id`, `_c_observed_at`) > 1 THEN 65536L ELSE 0L END AS _mask_0,

-- output
`_c_link_id` AS `link_id`,
`_c_observed_at` AS `observed_at`,
`_c_speed_kmh` AS `speed_kmh`,
`_c_flow` AS `flow`,
`_c_lon` AS `lon`,
`_c_lat` AS `lat`,
_source_line,
_batch_id,
DATE '2026-07-15' AS _business_date,
_duplicate,
_mask_0,
CASE WHEN _duplicate OR ((_mask_0 & 131071L) != 0L) THEN 'false' ELSE 'true' END AS _ok,
