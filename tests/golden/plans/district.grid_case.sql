-- row.shape = _mask_0 & 1 · shape None conformity error None {}
--   列数与表头不符 ragged row
-- case_id.required = _mask_0 & 2 · required case_id completeness error None {}
--   案件编号：必填而为空 案件编号: missing
-- case_id.pattern = _mask_0 & 4 · pattern case_id conformity error None {'pattern': '^[A-Z]{2}[0-9]{14}$'}
--   案件编号：格式不符 案件编号: does not match
-- reported_at.required = _mask_0 & 8 · required reported_at completeness error None {}
--   上报时间：必填而为空 上报时间: missing
-- reported_at.type = _mask_0 & 16 · type reported_at conformity error None {}
--   上报时间：不能读作 timestamp yyyy-MM-dd HH:mm:ss 上报时间: cannot be read as timestamp yyyy-MM-dd HH:mm:ss
-- category_code.required = _mask_0 & 32 · required category_code completeness error None {}
--   案件类别：必填而为空 案件类别: missing
-- category_code.reference = _mask_0 & 64 · reference category_code consistency error 5.0 {'file': 'reference/grid_category.odcs.yaml', 'column': 'category_code'}
--   案件类别：不在参照表 reference/grid_category.odcs.yaml 内 案件类别: not in reference/grid_category.odcs.yaml
-- street_code.required = _mask_0 & 128 · required street_code completeness error None {}
--   街道代码：必填而为空 街道代码: missing
-- street_code.division_code = _mask_0 & 256 · division_code street_code conformity error None {'digits': 9}
--   街道代码：不在现行行政区划代码表内（GB/T 2260） 街道代码: not a division code in force (GB/T 2260)
-- status.required = _mask_0 & 512 · required status completeness error None {}
--   状态：必填而为空 状态: missing
-- status.enum = _mask_0 & 1024 · enum status conformity error None {'values': ('待派遣', '处置中', '已结案', '作废')}
--   状态：不在取值表内 状态: not an allowed value
-- place_note.max_length = _mask_0 & 2048 · max_length place_note conformity error None {'length': 60}
--   位置描述：过长 位置描述: too long
-- lon.required = _mask_0 & 4096 · required lon completeness error None {}
--   经度：必填而为空 经度: missing
-- lon.type = _mask_0 & 8192 · type lon conformity error None {}
--   经度：不能读作 number 经度: cannot be read as number
-- lon.lon_beijing = _mask_0 & 16384 · lon_beijing lon accuracy error None {}
--   经度：经度不在北京范围（WGS84） 经度: longitude outside Beijing (WGS84)
-- lat.required = _mask_0 & 32768 · required lat completeness error None {}
--   纬度：必填而为空 纬度: missing
-- lat.type = _mask_0 & 65536 · type lat conformity error None {}
--   纬度：不能读作 number 纬度: cannot be read as number
-- lat.lat_beijing = _mask_0 & 131072 · lat_beijing lat accuracy error None {}
--   纬度：纬度不在北京范围（WGS84） 纬度: latitude outside Beijing (WGS84)
-- closed_at.type = _mask_0 & 262144 · type closed_at conformity error None {}
--   结案时间：不能读作 timestamp yyyy-MM-dd HH:mm:ss 结案时间: cannot be read as timestamp yyyy-MM-dd HH:mm:ss
-- is_deleted.required = _mask_0 & 524288 · required is_deleted completeness error None {}
--   是否删除：必填而为空 是否删除: missing
-- is_deleted.enum = _mask_0 & 1048576 · enum is_deleted conformity error None {'values': ('是', '否')}
--   是否删除：不在取值表内 是否删除: not an allowed value
-- row.key_conflict = _mask_0 & 2097152 · key_conflict None accuracy error None {}
--   主键（案件编号）重复而内容不同 same key (案件编号), different content

-- trim
_source_line,
_row_error,
_batch_id,
row_number() OVER (PARTITION BY `case_id`, `reported_at`, `category_code`, `street_code`, `status`, `place_note`, `lon`, `lat`, `closed_at`, `is_deleted`, _row_error, _extra ORDER BY _source_line) > 1 AS _duplicate,
regexp_replace(`case_id`, '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') AS `_t_case_id`,
regexp_replace(translate(`reported_at`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') AS `_t_reported_at`,
regexp_replace(`category_code`, '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') AS `_t_category_code`,
upper(regexp_replace(translate(`street_code`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]', '')) AS `_t_street_code`,
regexp_replace(`status`, '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') AS `_t_status`,
regexp_replace(`place_note`, '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') AS `_t_place_note`,
regexp_replace(translate(`lon`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') AS `_t_lon`,
regexp_replace(translate(`lat`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') AS `_t_lat`,
regexp_replace(translate(`closed_at`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') AS `_t_closed_at`,
regexp_replace(`is_deleted`, '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') AS `_t_is_deleted`,

-- normalise
_source_line,
_row_error,
_batch_id,
_duplicate,
CASE WHEN `_t_case_id` IN ('', '/') THEN NULL ELSE `_t_case_id` END AS `_n_case_id`,
CASE WHEN `_t_reported_at` IN ('', '/') THEN NULL ELSE `_t_reported_at` END AS `_n_reported_at`,
CASE WHEN `_t_category_code` IN ('', '/') THEN NULL ELSE `_t_category_code` END AS `_n_category_code`,
CASE WHEN `_t_street_code` IN ('', '/') THEN NULL ELSE `_t_street_code` END AS `_n_street_code`,
CASE WHEN `_t_status` IN ('', '/') THEN NULL ELSE `_t_status` END AS `_n_status`,
CASE WHEN `_t_place_note` IN ('', '/') THEN NULL ELSE `_t_place_note` END AS `_n_place_note`,
CASE WHEN `_t_lon` IN ('', '/') THEN NULL ELSE `_t_lon` END AS `_n_lon`,
CASE WHEN `_t_lat` IN ('', '/') THEN NULL ELSE `_t_lat` END AS `_n_lat`,
CASE WHEN `_t_closed_at` IN ('', '/') THEN NULL ELSE `_t_closed_at` END AS `_n_closed_at`,
CASE WHEN `_t_is_deleted` IN ('', '/') THEN NULL ELSE `_t_is_deleted` END AS `_n_is_deleted`,

-- cast
*,
`_n_case_id` AS `_c_case_id`,
to_utc_timestamp(CASE WHEN to_date(try_to_timestamp(`_n_reported_at`, 'yyyy-MM-dd HH:mm:ss')) BETWEEN DATE '1000-01-01' AND DATE '9999-12-31' THEN try_to_timestamp(`_n_reported_at`, 'yyyy-MM-dd HH:mm:ss') END, 'Asia/Shanghai') AS `_c_reported_at`,
`_n_category_code` AS `_c_category_code`,
`_n_street_code` AS `_c_street_code`,
`_n_status` AS `_c_status`,
`_n_place_note` AS `_c_place_note`,
CASE WHEN abs(CASE WHEN `_n_lon` RLIKE '^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?$' THEN try_cast(`_n_lon` AS double) END) <= 1.7976931348623157E308D THEN CASE WHEN `_n_lon` RLIKE '^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?$' THEN try_cast(`_n_lon` AS double) END END AS `_c_lon`,
CASE WHEN abs(CASE WHEN `_n_lat` RLIKE '^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?$' THEN try_cast(`_n_lat` AS double) END) <= 1.7976931348623157E308D THEN CASE WHEN `_n_lat` RLIKE '^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?$' THEN try_cast(`_n_lat` AS double) END END AS `_c_lat`,
to_utc_timestamp(CASE WHEN to_date(try_to_timestamp(`_n_closed_at`, 'yyyy-MM-dd HH:mm:ss')) BETWEEN DATE '1000-01-01' AND DATE '9999-12-31' THEN try_to_timestamp(`_n_closed_at`, 'yyyy-MM-dd HH:mm:ss') END, 'Asia/Shanghai') AS `_c_closed_at`,
`_n_is_deleted` AS `_c_is_deleted`,

-- check
*,
CASE WHEN _row_error IS NOT NULL THEN 1L ELSE CASE WHEN `_n_case_id` IS NULL THEN 2L ELSE 0L END + CASE WHEN (`_n_case_id` IS NOT NULL AND coalesce(NOT `_n_case_id` RLIKE '^[A-Z]{2}[0-9]{14}$', false)) THEN 4L ELSE 0L END + CASE WHEN `_n_reported_at` IS NULL THEN 8L ELSE 0L END + CASE WHEN (`_n_reported_at` IS NOT NULL AND `_c_reported_at` IS NULL) THEN 16L ELSE 0L END + CASE WHEN `_n_category_code` IS NULL THEN 32L ELSE 0L END + CASE WHEN (`_n_category_code` IS NOT NULL AND coalesce(`_n_category_code` NOT IN ('A01', 'A02', 'A03', 'A04', 'A05', 'A06', 'A07', 'A08', 'A09', 'A10', 'B01', 'B02', 'B03', 'B04', 'B05', 'B06', 'B07', 'B08', 'B09', 'B10', 'C01', 'C02', 'C03', 'C04', 'C05', 'C06', 'C07', 'C08', 'C09', 'C10', 'D01', 'D02', 'D03', 'D04', 'D05', 'D06'), false)) THEN 64L ELSE 0L END + CASE WHEN `_n_street_code` IS NULL THEN 128L ELSE 0L END + CASE WHEN (`_n_street_code` IS NOT NULL AND coalesce(`_n_street_code` NOT IN ('110101001', '110101002', '110101003', '110101004', '110101005', '110101006', '110101007', '110101008', '110101009', '110101010', '110101011', '110101012', '110101013', '110101014', '110101015', '110101016', '110101017', '110102001', '110102003', '110102007', '110102009', '110102010', '110102011', '110102012', '110102013', '110102014', '110102015', '110102016', '110102017', '110102018', '110102019', '110102020', '110105001', '110105002', '110105003', '110105004', '110105005', '110105006', '110105007', '110105008', '110105009', '110105010', '110105011', '110105012', '110105013', '110105014', '110105015', '110105016', '110105017', '110105018', '110105019', '110105020', '110105021', '110105022', '110105023', '110105024', '110105025', '110105026', '110105027', '110105028', '110105029', '110105030', '110105031', '110105032', '110105033', '110105034', '110105035', '110105036', '110105037', '110105038', '110105039', '110105040', '110105041', '110105042', '110105043', '110106001', '110106002', '110106003', '110106004', '110106005', '110106006', '110106007', '110106008', '110106009', '110106010', '110106011', '110106012', '110106013', '110106014', '110106015', '110106016', '110106017', '110106018', '110106020', '110106021', '110106022', '110106023', '110106024', '110106025', '110106100', '110106101', '110107001', '110107002', '110107003', '110107004', '110107005', '110107006', '110107009', '110107010', '110107011', '110108001', '110108002', '110108003', '110108004', '110108005', '110108006', '110108007', '110108008', '110108010', '110108011', '110108012', '110108013', '110108014', '110108015', '110108016', '110108017', '110108018', '110108019', '110108020', '110108021', '110108022', '110108023', '110108024', '110108025', '110108026', '110108027', '110108028', '110108029', '110108030', '110109001', '110109002', '110109003', '110109004', '110109005', '110109006', '110109007', '110109101', '110109104', '110109105', '110109106', '110109107', '110109108', '110111001', '110111002', '110111004', '110111005', '110111006', '110111007', '110111008', '110111009', '110111010', '110111011', '110111012', '110111101', '110111103', '110111104', '110111105', '110111107', '110111108', '110111109', '110111110', '110111111', '110111112', '110111115', '110111208', '110111209', '110111210', '110111211', '110111212', '110111213', '110112001', '110112002', '110112003', '110112004', '110112007', '110112008', '110112009', '110112010', '110112011', '110112012', '110112013', '110112104', '110112105', '110112106', '110112109', '110112110', '110112114', '110112117', '110112119', '110112120', '110112121', '110112209', '110113001', '110113002', '110113003', '110113004', '110113005', '110113006', '110113007', '110113008', '110113009', '110113010', '110113011', '110113012', '110113013', '110113101', '110113104', '110113105', '110113106', '110113108', '110113109', '110113110', '110113111', '110113112', '110113113', '110113115', '110113116', '110114001', '110114002', '110114003', '110114004', '110114005', '110114007', '110114008', '110114009', '110114010', '110114011', '110114012', '110114013', '110114104', '110114110', '110114111', '110114112', '110114113', '110114115', '110114116', '110114118', '110114119', '110114120', '110115001', '110115002', '110115003', '110115004', '110115005', '110115006', '110115007', '110115008', '110115009', '110115010', '110115011', '110115012', '110115013', '110115103', '110115104', '110115105', '110115106', '110115107', '110115108', '110115109', '110115110', '110115111', '110115403', '110115404', '110115405', '110115406', '110116001', '110116002', '110116003', '110116004', '110116005', '110116102', '110116103', '110116105', '110116106', '110116107', '110116108', '110116109', '110116110', '110116111', '110116211', '110116213', '110116400', '110117001', '110117002', '110117003', '110117004', '110117005', '110117006', '110117101', '110117102', '110117104', '110117105', '110117106', '110117108', '110117110', '110117111', '110117112', '110117114', '110117213', '110117214', '110118001', '110118002', '110118003', '110118100', '110118101', '110118102', '110118103', '110118104', '110118105', '110118106', '110118107', '110118108', '110118109', '110118110', '110118111', '110118112', '110118113', '110118114', '110118115', '110118116', '110118400', '110119001', '110119002', '110119003', '110119100', '110119101', '110119102', '110119103', '110119104', '110119105', '110119106', '110119107', '110119108', '110119109', '110119110', '110119200', '110119201', '110119202', '110119203'), false)) THEN 256L ELSE 0L END + CASE WHEN `_n_status` IS NULL THEN 512L ELSE 0L END + CASE WHEN (`_n_status` IS NOT NULL AND coalesce(`_n_status` NOT IN ('待派遣', '处置中', '已结案', '作废'), false)) THEN 1024L ELSE 0L END + CASE WHEN (`_n_place_note` IS NOT NULL AND coalesce(char_length(`_n_place_note`) > 60, false)) THEN 2048L ELSE 0L END + CASE WHEN `_n_lon` IS NULL THEN 4096L ELSE 0L END + CASE WHEN (`_n_lon` IS NOT NULL AND `_c_lon` IS NULL) THEN 8192L ELSE 0L END + CASE WHEN (`_n_lon` IS NOT NULL AND coalesce((CAST(`_c_lon` AS DOUBLE) < 115.4D OR CAST(`_c_lon` AS DOUBLE) > 117.53D OR isnan(CAST(`_c_lon` AS DOUBLE))), false)) THEN 16384L ELSE 0L END + CASE WHEN `_n_lat` IS NULL THEN 32768L ELSE 0L END + CASE WHEN (`_n_lat` IS NOT NULL AND `_c_lat` IS NULL) THEN 65536L ELSE 0L END + CASE WHEN (`_n_lat` IS NOT NULL AND coalesce((CAST(`_c_lat` AS DOUBLE) < 39.42D OR CAST(`_c_lat` AS DOUBLE) > 41.08D OR isnan(CAST(`_c_lat` AS DOUBLE))), false)) THEN 131072L ELSE 0L END + CASE WHEN (`_n_closed_at` IS NOT NULL AND `_c_closed_at` IS NULL) THEN 262144L ELSE 0L END + CASE WHEN `_n_is_deleted` IS NULL THEN 524288L ELSE 0L END + CASE WHEN (`_n_is_deleted` IS NOT NULL AND coalesce(`_n_is_deleted` NOT IN ('是', '否'), false)) THEN 1048576L ELSE 0L END END AS _mask_0,

-- conflict
_source_line,
_batch_id,
_duplicate,
`_c_case_id`,
`_c_reported_at`,
`_c_category_code`,
`_c_street_code`,
`_c_status`,
`_c_place_note`,
`_c_lon`,
`_c_lat`,
`_c_closed_at`,
`_c_is_deleted`,
_mask_0 + CASE WHEN (NOT _duplicate AND NOT ((_mask_0 & 4194303L) != 0L)) AND sum(CASE WHEN (NOT _duplicate AND NOT ((_mask_0 & 4194303L) != 0L)) THEN 1 ELSE 0 END) OVER (PARTITION BY `_c_case_id`) > 1 THEN 2097152L ELSE 0L END AS _mask_0,

-- output
`_c_case_id` AS `case_id`,
`_c_reported_at` AS `reported_at`,
`_c_category_code` AS `category_code`,
`_c_street_code` AS `street_code`,
`_c_status` AS `status`,
`_c_place_note` AS `place_note`,
`_c_lon` AS `lon`,
`_c_lat` AS `lat`,
`_c_closed_at` AS `closed_at`,
`_c_is_deleted` AS `is_deleted`,
_source_line,
_batch_id,
DATE '2026-07-15' AS _business_date,
_duplicate,
_mask_0,
CASE WHEN _duplicate OR ((_mask_0 & 4194303L) != 0L) THEN 'false' ELSE 'true' END AS _ok,
