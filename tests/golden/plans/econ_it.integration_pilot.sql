-- row.shape = _mask_0 & 1 · shape None conformity error None {}
--   列数与表头不符 ragged row
-- seq.required = _mask_0 & 2 · required seq completeness error None {}
--   序号：必填而为空 missing
-- seq.type = _mask_0 & 4 · type seq conformity error None {}
--   序号：不能读作 integer cannot be read as integer
-- seq.range = _mask_0 & 8 · range seq accuracy error None {'minimum': 1.0, 'maximum': None}
--   序号：超出范围 outside [1.0, None]
-- pilot_type.required = _mask_0 & 16 · required pilot_type completeness error None {}
--   试点类型：必填而为空 missing
-- pilot_type.enum = _mask_0 & 32 · enum pilot_type conformity error None {'values': ('国家级', '市级')}
--   试点类型：不在取值表内 not an allowed value
-- pilot_year.required = _mask_0 & 64 · required pilot_year completeness error None {}
--   试点年份：必填而为空 missing
-- pilot_year.pattern = _mask_0 & 128 · pattern pilot_year conformity error None {'pattern': '^20[0-9]{2}(国家级|市级)(第.批)?$'}
--   试点年份：格式不符 does not match
-- org_name.required = _mask_0 & 256 · required org_name completeness error None {}
--   企业名称：必填而为空 missing
-- org_name.min_length = _mask_0 & 512 · min_length org_name conformity error None {'length': 4}
--   企业名称：过短 too short
-- org_name.max_length = _mask_0 & 1024 · max_length org_name conformity error None {'length': 60}
--   企业名称：过长 too long
-- district.required = _mask_0 & 2048 · required district completeness error None {}
--   所在区：必填而为空 missing
-- district.enum = _mask_0 & 4096 · enum district conformity error None {'values': ('东城区', '西城区', '朝阳区', '丰台区', '石景山区', '海淀区', '门头沟区', '房山区', '通州区', '顺义区', '昌平区', '大兴区', '怀柔区', '平谷区', '密云区', '延庆区', '经济技术开发区')}
--   所在区：不在取值表内 not an allowed value
-- ownership.max_length = _mask_0 & 8192 · max_length ownership conformity error None {'length': 10}
--   性质：过长 too long
-- industry.max_length = _mask_0 & 16384 · max_length industry conformity error None {'length': 40}
--   行业：过长 too long
-- row.key_conflict = _mask_0 & 32768 · key_conflict None accuracy error None {}
--   主键（序号）重复而内容不同 same key, different content

-- normalise
_source_line,
_row_error,
_batch_id,
row_number() OVER (PARTITION BY `seq`, `pilot_type`, `pilot_year`, `org_name`, `district`, `ownership`, `industry`, _row_error, _extra ORDER BY _source_line) > 1 AS _duplicate,
CASE WHEN regexp_replace(translate(`seq`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') IN ('', '/') THEN NULL ELSE regexp_replace(translate(`seq`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') END AS `_n_seq`,
CASE WHEN regexp_replace(`pilot_type`, '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') IN ('', '/') THEN NULL ELSE regexp_replace(`pilot_type`, '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') END AS `_n_pilot_type`,
CASE WHEN regexp_replace(`pilot_year`, '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') IN ('', '/') THEN NULL ELSE regexp_replace(`pilot_year`, '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') END AS `_n_pilot_year`,
CASE WHEN regexp_replace(`org_name`, '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') IN ('', '/') THEN NULL ELSE regexp_replace(`org_name`, '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') END AS `_n_org_name`,
CASE WHEN regexp_replace(`district`, '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') IN ('', '/') THEN NULL ELSE regexp_replace(`district`, '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') END AS `_n_district`,
CASE WHEN regexp_replace(`ownership`, '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') IN ('', '/') THEN NULL ELSE regexp_replace(`ownership`, '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') END AS `_n_ownership`,
CASE WHEN regexp_replace(`industry`, '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') IN ('', '/') THEN NULL ELSE regexp_replace(`industry`, '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') END AS `_n_industry`,

-- cast
*,
CASE WHEN `_n_seq` RLIKE '^[+-]?[0-9]+$' THEN try_cast(`_n_seq` AS BIGINT) END AS `_c_seq`,
`_n_pilot_type` AS `_c_pilot_type`,
`_n_pilot_year` AS `_c_pilot_year`,
`_n_org_name` AS `_c_org_name`,
`_n_district` AS `_c_district`,
`_n_ownership` AS `_c_ownership`,
`_n_industry` AS `_c_industry`,

-- check
*,
CASE WHEN _row_error IS NOT NULL THEN 1L ELSE CASE WHEN `_n_seq` IS NULL THEN 2L ELSE 0L END + CASE WHEN (`_n_seq` IS NOT NULL AND `_c_seq` IS NULL) THEN 4L ELSE 0L END + CASE WHEN (`_n_seq` IS NOT NULL AND coalesce((CAST(`_c_seq` AS DOUBLE) < 1.0D OR isnan(CAST(`_c_seq` AS DOUBLE))), false)) THEN 8L ELSE 0L END + CASE WHEN `_n_pilot_type` IS NULL THEN 16L ELSE 0L END + CASE WHEN (`_n_pilot_type` IS NOT NULL AND coalesce(`_n_pilot_type` NOT IN ('国家级', '市级'), false)) THEN 32L ELSE 0L END + CASE WHEN `_n_pilot_year` IS NULL THEN 64L ELSE 0L END + CASE WHEN (`_n_pilot_year` IS NOT NULL AND coalesce(NOT `_n_pilot_year` RLIKE '^20[0-9]{2}(国家级|市级)(第.批)?$', false)) THEN 128L ELSE 0L END + CASE WHEN `_n_org_name` IS NULL THEN 256L ELSE 0L END + CASE WHEN (`_n_org_name` IS NOT NULL AND coalesce(char_length(`_n_org_name`) < 4, false)) THEN 512L ELSE 0L END + CASE WHEN (`_n_org_name` IS NOT NULL AND coalesce(char_length(`_n_org_name`) > 60, false)) THEN 1024L ELSE 0L END + CASE WHEN `_n_district` IS NULL THEN 2048L ELSE 0L END + CASE WHEN (`_n_district` IS NOT NULL AND coalesce(`_n_district` NOT IN ('东城区', '西城区', '朝阳区', '丰台区', '石景山区', '海淀区', '门头沟区', '房山区', '通州区', '顺义区', '昌平区', '大兴区', '怀柔区', '平谷区', '密云区', '延庆区', '经济技术开发区'), false)) THEN 4096L ELSE 0L END + CASE WHEN (`_n_ownership` IS NOT NULL AND coalesce(char_length(`_n_ownership`) > 10, false)) THEN 8192L ELSE 0L END + CASE WHEN (`_n_industry` IS NOT NULL AND coalesce(char_length(`_n_industry`) > 40, false)) THEN 16384L ELSE 0L END END AS _mask_0,

-- conflict
_source_line,
_batch_id,
_duplicate,
`_c_seq`,
`_c_pilot_type`,
`_c_pilot_year`,
`_c_org_name`,
`_c_district`,
`_c_ownership`,
`_c_industry`,
_mask_0 + CASE WHEN (NOT _duplicate AND NOT ((_mask_0 & 65535L) != 0L)) AND sum(CASE WHEN (NOT _duplicate AND NOT ((_mask_0 & 65535L) != 0L)) THEN 1 ELSE 0 END) OVER (PARTITION BY `_c_seq`) > 1 THEN 32768L ELSE 0L END AS _mask_0,

-- output
`_c_seq` AS `seq`,
`_c_pilot_type` AS `pilot_type`,
`_c_pilot_year` AS `pilot_year`,
`_c_org_name` AS `org_name`,
`_c_district` AS `district`,
`_c_ownership` AS `ownership`,
`_c_industry` AS `industry`,
_source_line,
_batch_id,
DATE '2026-07-15' AS _business_date,
_duplicate,
_mask_0,
CASE WHEN _duplicate OR ((_mask_0 & 65535L) != 0L) THEN 'false' ELSE 'true' END AS _ok,
