-- row.shape = _mask_0 & 1 · shape None conformity error None {}
--   列数与表头不符 ragged row
-- seq.required = _mask_0 & 2 · required seq completeness error None {}
--   序号：必填而为空 missing
-- seq.type = _mask_0 & 4 · type seq conformity error None {}
--   序号：不能读作 integer cannot be read as integer
-- seq.range = _mask_0 & 8 · range seq accuracy error None {'minimum': 1.0, 'maximum': None}
--   序号：超出范围 outside [1.0, None]
-- org_name.required = _mask_0 & 16 · required org_name completeness error None {}
--   单位名称：必填而为空 missing
-- org_name.min_length = _mask_0 & 32 · min_length org_name conformity error None {'length': 4}
--   单位名称：过短 too short
-- org_name.max_length = _mask_0 & 64 · max_length org_name conformity error None {'length': 60}
--   单位名称：过长 too long
-- district.required = _mask_0 & 128 · required district completeness error None {}
--   所属区：必填而为空 missing
-- district.enum = _mask_0 & 256 · enum district conformity error None {'values': ('东城区', '西城区', '朝阳区', '丰台区', '石景山区', '海淀区', '门头沟区', '房山区', '通州区', '顺义区', '昌平区', '大兴区', '怀柔区', '平谷区', '密云区', '延庆区', '经济技术开发区')}
--   所属区：不在取值表内 not an allowed value
-- uscc.required = _mask_0 & 512 · required uscc completeness error None {}
--   统一社会信用代码：必填而为空 missing
-- uscc.uscc = _mask_0 & 1024 · uscc uscc accuracy error None {}
--   统一社会信用代码：不是有效的统一社会信用代码（GB 32100-2015） not a valid unified social credit code
-- row.key_conflict = _mask_0 & 2048 · key_conflict None accuracy error None {}
--   主键（统一社会信用代码）重复而内容不同 same key, different content

-- normalise
_source_line,
_row_error,
_batch_id,
row_number() OVER (PARTITION BY `seq`, `org_name`, `district`, `uscc`, _row_error, _extra ORDER BY _source_line) > 1 AS _duplicate,
CASE WHEN regexp_replace(translate(`seq`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') IN ('', '-', '/') THEN NULL ELSE regexp_replace(translate(`seq`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') END AS `_n_seq`,
CASE WHEN regexp_replace(`org_name`, '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') IN ('', '-', '/') THEN NULL ELSE regexp_replace(`org_name`, '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') END AS `_n_org_name`,
CASE WHEN regexp_replace(`district`, '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') IN ('', '-', '/') THEN NULL ELSE regexp_replace(`district`, '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') END AS `_n_district`,
CASE WHEN upper(regexp_replace(translate(`uscc`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]', '')) IN ('', '-', '/') THEN NULL ELSE upper(regexp_replace(translate(`uscc`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]', '')) END AS `_n_uscc`,

-- cast
*,
CASE WHEN `_n_seq` RLIKE '^[+-]?[0-9]+$' THEN try_cast(`_n_seq` AS BIGINT) END AS `_c_seq`,
`_n_org_name` AS `_c_org_name`,
`_n_district` AS `_c_district`,
`_n_uscc` AS `_c_uscc`,

-- check
*,
CASE WHEN _row_error IS NOT NULL THEN 1L ELSE CASE WHEN `_n_seq` IS NULL THEN 2L ELSE 0L END + CASE WHEN (`_n_seq` IS NOT NULL AND `_c_seq` IS NULL) THEN 4L ELSE 0L END + CASE WHEN (`_n_seq` IS NOT NULL AND coalesce((CAST(`_c_seq` AS DOUBLE) < 1.0D OR isnan(CAST(`_c_seq` AS DOUBLE))), false)) THEN 8L ELSE 0L END + CASE WHEN `_n_org_name` IS NULL THEN 16L ELSE 0L END + CASE WHEN (`_n_org_name` IS NOT NULL AND coalesce(char_length(`_n_org_name`) < 4, false)) THEN 32L ELSE 0L END + CASE WHEN (`_n_org_name` IS NOT NULL AND coalesce(char_length(`_n_org_name`) > 60, false)) THEN 64L ELSE 0L END + CASE WHEN `_n_district` IS NULL THEN 128L ELSE 0L END + CASE WHEN (`_n_district` IS NOT NULL AND coalesce(`_n_district` NOT IN ('东城区', '西城区', '朝阳区', '丰台区', '石景山区', '海淀区', '门头沟区', '房山区', '通州区', '顺义区', '昌平区', '大兴区', '怀柔区', '平谷区', '密云区', '延庆区', '经济技术开发区'), false)) THEN 256L ELSE 0L END + CASE WHEN `_n_uscc` IS NULL THEN 512L ELSE 0L END + CASE WHEN (`_n_uscc` IS NOT NULL AND coalesce(NOT (`_n_uscc` RLIKE '^[0123456789ABCDEFGHJKLMNPQRTUWXY]{18}$' AND substring('0123456789ABCDEFGHJKLMNPQRTUWXY', 1 + pmod(31 - pmod((instr('0123456789ABCDEFGHJKLMNPQRTUWXY', substring(`_n_uscc`, 1, 1)) - 1) * 1 + (instr('0123456789ABCDEFGHJKLMNPQRTUWXY', substring(`_n_uscc`, 2, 1)) - 1) * 3 + (instr('0123456789ABCDEFGHJKLMNPQRTUWXY', substring(`_n_uscc`, 3, 1)) - 1) * 9 + (instr('0123456789ABCDEFGHJKLMNPQRTUWXY', substring(`_n_uscc`, 4, 1)) - 1) * 27 + (instr('0123456789ABCDEFGHJKLMNPQRTUWXY', substring(`_n_uscc`, 5, 1)) - 1) * 19 + (instr('0123456789ABCDEFGHJKLMNPQRTUWXY', substring(`_n_uscc`, 6, 1)) - 1) * 26 + (instr('0123456789ABCDEFGHJKLMNPQRTUWXY', substring(`_n_uscc`, 7, 1)) - 1) * 16 + (instr('0123456789ABCDEFGHJKLMNPQRTUWXY', substring(`_n_uscc`, 8, 1)) - 1) * 17 + (instr('0123456789ABCDEFGHJKLMNPQRTUWXY', substring(`_n_uscc`, 9, 1)) - 1) * 20 + (instr('0123456789ABCDEFGHJKLMNPQRTUWXY', substring(`_n_uscc`, 10, 1)) - 1) * 29 + (instr('0123456789ABCDEFGHJKLMNPQRTUWXY', substring(`_n_uscc`, 11, 1)) - 1) * 25 + (instr('0123456789ABCDEFGHJKLMNPQRTUWXY', substring(`_n_uscc`, 12, 1)) - 1) * 13 + (instr('0123456789ABCDEFGHJKLMNPQRTUWXY', substring(`_n_uscc`, 13, 1)) - 1) * 8 + (instr('0123456789ABCDEFGHJKLMNPQRTUWXY', substring(`_n_uscc`, 14, 1)) - 1) * 24 + (instr('0123456789ABCDEFGHJKLMNPQRTUWXY', substring(`_n_uscc`, 15, 1)) - 1) * 10 + (instr('0123456789ABCDEFGHJKLMNPQRTUWXY', substring(`_n_uscc`, 16, 1)) - 1) * 30 + (instr('0123456789ABCDEFGHJKLMNPQRTUWXY', substring(`_n_uscc`, 17, 1)) - 1) * 28, 31), 31), 1) = substring(`_n_uscc`, 18, 1)), false)) THEN 1024L ELSE 0L END END AS _mask_0,

-- conflict
_source_line,
_batch_id,
_duplicate,
`_c_seq`,
`_c_org_name`,
`_c_district`,
`_c_uscc`,
_mask_0 + CASE WHEN (NOT _duplicate AND NOT ((_mask_0 & 4095L) != 0L)) AND sum(CASE WHEN (NOT _duplicate AND NOT ((_mask_0 & 4095L) != 0L)) THEN 1 ELSE 0 END) OVER (PARTITION BY `_c_uscc`) > 1 THEN 2048L ELSE 0L END AS _mask_0,

-- output
`_c_seq` AS `seq`,
`_c_org_name` AS `org_name`,
`_c_district` AS `district`,
`_c_uscc` AS `uscc`,
_source_line,
_batch_id,
DATE '2026-07-15' AS _business_date,
_duplicate,
_mask_0,
CASE WHEN _duplicate OR ((_mask_0 & 4095L) != 0L) THEN 'false' ELSE 'true' END AS _ok,
