-- row.shape = _mask_0 & 1 · shape None conformity error None {}
--   列数与表头不符 ragged row
-- visit_id.required = _mask_0 & 2 · required visit_id completeness error None {}
--   VISIT_ID：必填而为空 VISIT_ID: missing
-- resident_id.resident_id = _mask_0 & 4 · resident_id resident_id accuracy error None {}
--   RESIDENT_ID：不是有效的公民身份号码（GB 11643-1999） RESIDENT_ID: not a valid resident identity number (GB 11643-1999)
-- uscc.uscc = _mask_0 & 8 · uscc uscc accuracy error None {}
--   USCC：不是有效的统一社会信用代码（GB 32100-2015） USCC: not a valid unified social credit code (GB 32100-2015)
-- plate.plate = _mask_0 & 16 · plate plate conformity error None {}
--   PLATE：不是机动车号牌（GA 36-2018） PLATE: not a vehicle plate (GA 36-2018)
-- mobile.mobile = _mask_0 & 32 · mobile mobile conformity error None {}
--   MOBILE：不是手机号码 MOBILE: not a mobile number
-- phone.phone = _mask_0 & 64 · phone phone conformity error None {}
--   PHONE：不是电话号码 PHONE: not a telephone number
-- lon_beijing.type = _mask_0 & 128 · type lon_beijing conformity error None {}
--   LON_BEIJING：不能读作 number LON_BEIJING: cannot be read as number
-- lon_beijing.lon_beijing = _mask_0 & 256 · lon_beijing lon_beijing accuracy error None {}
--   LON_BEIJING：经度不在北京范围（WGS84） LON_BEIJING: longitude outside Beijing (WGS84)
-- lat_beijing.type = _mask_0 & 512 · type lat_beijing conformity error None {}
--   LAT_BEIJING：不能读作 number LAT_BEIJING: cannot be read as number
-- lat_beijing.lat_beijing = _mask_0 & 1024 · lat_beijing lat_beijing accuracy error None {}
--   LAT_BEIJING：纬度不在北京范围（WGS84） LAT_BEIJING: latitude outside Beijing (WGS84)
-- gb4754.gb4754 = _mask_0 & 2048 · gb4754 gb4754 conformity error None {}
--   GB4754：不是国民经济行业代码（GB/T 4754-2017） GB4754: not an industry code (GB/T 4754-2017)
-- division_6.division_code = _mask_0 & 4096 · division_code division_6 conformity error None {'digits': 6}
--   DIVISION_6：不在现行行政区划代码表内（GB/T 2260） DIVISION_6: not a division code in force (GB/T 2260)
-- division_9.division_code = _mask_0 & 8192 · division_code division_9 conformity error None {'digits': 9}
--   DIVISION_9：不在现行行政区划代码表内（GB/T 2260） DIVISION_9: not a division code in force (GB/T 2260)
-- division_12.division_code = _mask_0 & 16384 · division_code division_12 conformity error None {'digits': 12}
--   DIVISION_12：不在现行行政区划代码表内（GB/T 2260） DIVISION_12: not a division code in force (GB/T 2260)
-- day.required = _mask_0 & 32768 · required day completeness error None {}
--   DAY：必填而为空 DAY: missing
-- day.type = _mask_0 & 65536 · type day conformity error None {}
--   DAY：不能读作 date yyyy年M月d日 DAY: cannot be read as date yyyy年M月d日
-- serial.type = _mask_0 & 131072 · type serial conformity error None {}
--   SERIAL：不能读作 date excel-serial SERIAL: cannot be read as date excel-serial
-- local.type = _mask_0 & 262144 · type local conformity error None {}
--   LOCAL：不能读作 timestamp yyyy-MM-dd HH:mm:ss LOCAL: cannot be read as timestamp yyyy-MM-dd HH:mm:ss
-- zoned.type = _mask_0 & 524288 · type zoned conformity error None {}
--   ZONED：不能读作 timestamp yyyy-MM-dd'T'HH:mm:ssXXX ZONED: cannot be read as timestamp yyyy-MM-dd'T'HH:mm:ssXXX
-- literal.type = _mask_0 & 1048576 · type literal conformity error None {}
--   LITERAL：不能读作 timestamp yyyy-MM-dd'T'HH:mm:ss'Z' LITERAL: cannot be read as timestamp yyyy-MM-dd'T'HH:mm:ss'Z'
-- region.type = _mask_0 & 2097152 · type region conformity error None {}
--   REGION：不能读作 timestamp yyyy-MM-dd HH:mm VV REGION: cannot be read as timestamp yyyy-MM-dd HH:mm VV
-- division.division_code = _mask_0 & 4194304 · division_code division conformity error None {}
--   DIVISION：不在现行行政区划代码表内（GB/T 2260） DIVISION: not a division code in force (GB/T 2260)
-- division.reference = _mask_0 & 8388608 · reference division consistency error 0.0 {'file': 'reference/grid_category.odcs.yaml', 'column': 'category_code'}
--   DIVISION：不在参照表 reference/grid_category.odcs.yaml 内 DIVISION: not in reference/grid_category.odcs.yaml
-- flag.type = _mask_0 & 16777216 · type flag conformity error None {}
--   FLAG：不能读作 boolean FLAG: cannot be read as boolean
-- price.type = _mask_0 & 33554432 · type price conformity error None {}
--   PRICE：不能读作 number PRICE: cannot be read as number
-- share.type = _mask_0 & 67108864 · type share conformity error None {}
--   SHARE：不能读作 number SHARE: cannot be read as number
-- share.range = _mask_0 & 134217728 · range share accuracy error None {'minimum': 0.0, 'maximum': 99.5}
--   SHARE：超出范围 [0.0, 99.5] SHARE: outside [0.0, 99.5]
-- low.type = _mask_0 & 268435456 · type low conformity error None {}
--   LOW：不能读作 integer LOW: cannot be read as integer
-- low.range = _mask_0 & 536870912 · range low accuracy error None {'minimum': -3.0, 'maximum': None}
--   LOW：超出范围 [-3.0, None] LOW: outside [-3.0, None]
-- step.type = _mask_0 & 1073741824 · type step conformity error None {}
--   STEP：不能读作 number STEP: cannot be read as number
-- step.exclusive_range = _mask_0 & 2147483648 · exclusive_range step accuracy error None {'minimum': 0.0, 'maximum': 9.0}
--   STEP：超出范围 (0.0, 9.0) STEP: outside (0.0, 9.0)
-- step.multiple_of = _mask_0 & 4294967296 · multiple_of step accuracy error None {'of': 0.1}
--   STEP：不是 0.1 的倍数 STEP: not a multiple of 0.1
-- word.pattern = _mask_0 & 8589934592 · pattern word conformity error None {'pattern': "^\\p{IsHan}'+$"}
--   WORD：格式不符 WORD: does not match
-- word.min_length = _mask_0 & 17179869184 · min_length word conformity error None {'length': 1}
--   WORD：过短 WORD: too short
-- word.max_length = _mask_0 & 34359738368 · max_length word conformity error None {'length': 9}
--   WORD：过长 WORD: too long
-- kind.enum = _mask_0 & 68719476736 · enum kind conformity error None {'values': ("甲'", '乙\\', '3')}
--   KIND：不在取值表内 KIND: not an allowed value
-- item.reference = _mask_0 & 137438953472 · reference item consistency warning 5.0 {'file': 'reference/heat_items.odcs.yaml', 'column': 'item_code'}
--   ITEM：不在参照表 reference/heat_items.odcs.yaml 内 ITEM: not in reference/heat_items.odcs.yaml
-- row.reference.kind+word = _mask_0 & 274877906944 · table_reference None consistency error 0.0 {'columns': ('kind', 'word'), 'file': 'reference/grid_category.odcs.yaml', 'targets': ('category_code', 'name')}
--   kind+word：合起来不在参照表 reference/grid_category.odcs.yaml 内 kind+word: together not in reference/grid_category.odcs.yaml
-- row.key_conflict = _mask_0 & 549755813888 · key_conflict None accuracy error None {}
--   主键（VISIT_ID）重复而内容不同 same key (VISIT_ID), different content

-- trim
_source_line,
_row_error,
_batch_id,
row_number() OVER (PARTITION BY `visit_id`, `resident_id`, `uscc`, `plate`, `mobile`, `phone`, `lon_beijing`, `lat_beijing`, `gb4754`, `division_6`, `division_9`, `division_12`, `day`, `serial`, `local`, `zoned`, `literal`, `region`, `division`, `flag`, `price`, `share`, `low`, `step`, `word`, `kind`, `item`, _row_error, _extra ORDER BY _source_line) > 1 AS _duplicate,
regexp_replace(`visit_id`, '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') AS `_t_visit_id`,
upper(regexp_replace(translate(`resident_id`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]', '')) AS `_t_resident_id`,
upper(regexp_replace(translate(`uscc`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]', '')) AS `_t_uscc`,
upper(regexp_replace(translate(`plate`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]', '')) AS `_t_plate`,
upper(regexp_replace(translate(`mobile`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]', '')) AS `_t_mobile`,
upper(regexp_replace(translate(`phone`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]', '')) AS `_t_phone`,
regexp_replace(translate(`lon_beijing`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') AS `_t_lon_beijing`,
regexp_replace(translate(`lat_beijing`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') AS `_t_lat_beijing`,
upper(regexp_replace(translate(`gb4754`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]', '')) AS `_t_gb4754`,
upper(regexp_replace(translate(`division_6`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]', '')) AS `_t_division_6`,
upper(regexp_replace(translate(`division_9`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]', '')) AS `_t_division_9`,
upper(regexp_replace(translate(`division_12`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]', '')) AS `_t_division_12`,
regexp_replace(translate(`day`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') AS `_t_day`,
regexp_replace(translate(`serial`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') AS `_t_serial`,
regexp_replace(translate(`local`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') AS `_t_local`,
regexp_replace(translate(`zoned`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') AS `_t_zoned`,
regexp_replace(translate(`literal`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') AS `_t_literal`,
regexp_replace(translate(`region`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') AS `_t_region`,
upper(regexp_replace(translate(`division`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]', '')) AS `_t_division`,
regexp_replace(translate(`flag`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') AS `_t_flag`,
regexp_replace(translate(`price`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') AS `_t_price`,
regexp_replace(translate(`share`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') AS `_t_share`,
regexp_replace(translate(`low`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') AS `_t_low`,
regexp_replace(translate(`step`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') AS `_t_step`,
regexp_replace(`word`, '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') AS `_t_word`,
regexp_replace(`kind`, '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') AS `_t_kind`,
regexp_replace(`item`, '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') AS `_t_item`,

-- normalise
_source_line,
_row_error,
_batch_id,
_duplicate,
CASE WHEN `_t_visit_id` IN ('', '/') THEN NULL ELSE `_t_visit_id` END AS `_n_visit_id`,
CASE WHEN `_t_resident_id` IN ('', '/') THEN NULL WHEN `_t_resident_id` RLIKE '^[0-9]{15}$' THEN concat(concat(substring(`_t_resident_id`, 1, 6), '19', substring(`_t_resident_id`, 7)), substring('10X98765432', 1 + pmod((ascii(substring(concat(substring(`_t_resident_id`, 1, 6), '19', substring(`_t_resident_id`, 7)), 1, 1)) - 48) * 7 + (ascii(substring(concat(substring(`_t_resident_id`, 1, 6), '19', substring(`_t_resident_id`, 7)), 2, 1)) - 48) * 9 + (ascii(substring(concat(substring(`_t_resident_id`, 1, 6), '19', substring(`_t_resident_id`, 7)), 3, 1)) - 48) * 10 + (ascii(substring(concat(substring(`_t_resident_id`, 1, 6), '19', substring(`_t_resident_id`, 7)), 4, 1)) - 48) * 5 + (ascii(substring(concat(substring(`_t_resident_id`, 1, 6), '19', substring(`_t_resident_id`, 7)), 5, 1)) - 48) * 8 + (ascii(substring(concat(substring(`_t_resident_id`, 1, 6), '19', substring(`_t_resident_id`, 7)), 6, 1)) - 48) * 4 + (ascii(substring(concat(substring(`_t_resident_id`, 1, 6), '19', substring(`_t_resident_id`, 7)), 7, 1)) - 48) * 2 + (ascii(substring(concat(substring(`_t_resident_id`, 1, 6), '19', substring(`_t_resident_id`, 7)), 8, 1)) - 48) * 1 + (ascii(substring(concat(substring(`_t_resident_id`, 1, 6), '19', substring(`_t_resident_id`, 7)), 9, 1)) - 48) * 6 + (ascii(substring(concat(substring(`_t_resident_id`, 1, 6), '19', substring(`_t_resident_id`, 7)), 10, 1)) - 48) * 3 + (ascii(substring(concat(substring(`_t_resident_id`, 1, 6), '19', substring(`_t_resident_id`, 7)), 11, 1)) - 48) * 7 + (ascii(substring(concat(substring(`_t_resident_id`, 1, 6), '19', substring(`_t_resident_id`, 7)), 12, 1)) - 48) * 9 + (ascii(substring(concat(substring(`_t_resident_id`, 1, 6), '19', substring(`_t_resident_id`, 7)), 13, 1)) - 48) * 10 + (ascii(substring(concat(substring(`_t_resident_id`, 1, 6), '19', substring(`_t_resident_id`, 7)), 14, 1)) - 48) * 5 + (ascii(substring(concat(substring(`_t_resident_id`, 1, 6), '19', substring(`_t_resident_id`, 7)), 15, 1)) - 48) * 8 + (ascii(substring(concat(substring(`_t_resident_id`, 1, 6), '19', substring(`_t_resident_id`, 7)), 16, 1)) - 48) * 4 + (ascii(substring(concat(substring(`_t_resident_id`, 1, 6), '19', substring(`_t_resident_id`, 7)), 17, 1)) - 48) * 2, 11), 1)) ELSE `_t_resident_id` END AS `_n_resident_id`,
CASE WHEN `_t_uscc` IN ('', '/') THEN NULL ELSE `_t_uscc` END AS `_n_uscc`,
CASE WHEN `_t_plate` IN ('', '/') THEN NULL ELSE `_t_plate` END AS `_n_plate`,
CASE WHEN `_t_mobile` IN ('', '/') THEN NULL ELSE `_t_mobile` END AS `_n_mobile`,
CASE WHEN `_t_phone` IN ('', '/') THEN NULL ELSE `_t_phone` END AS `_n_phone`,
CASE WHEN `_t_lon_beijing` IN ('', '/') THEN NULL ELSE `_t_lon_beijing` END AS `_n_lon_beijing`,
CASE WHEN `_t_lat_beijing` IN ('', '/') THEN NULL ELSE `_t_lat_beijing` END AS `_n_lat_beijing`,
CASE WHEN `_t_gb4754` IN ('', '/') THEN NULL ELSE `_t_gb4754` END AS `_n_gb4754`,
CASE WHEN `_t_division_6` IN ('', '/') THEN NULL ELSE `_t_division_6` END AS `_n_division_6`,
CASE WHEN `_t_division_9` IN ('', '/') THEN NULL ELSE `_t_division_9` END AS `_n_division_9`,
CASE WHEN `_t_division_12` IN ('', '/') THEN NULL ELSE `_t_division_12` END AS `_n_division_12`,
CASE WHEN `_t_day` IN ('', '/') THEN NULL ELSE `_t_day` END AS `_n_day`,
CASE WHEN `_t_serial` IN ('', '/') THEN NULL ELSE `_t_serial` END AS `_n_serial`,
CASE WHEN `_t_local` IN ('', '/') THEN NULL ELSE `_t_local` END AS `_n_local`,
CASE WHEN `_t_zoned` IN ('', '/') THEN NULL ELSE `_t_zoned` END AS `_n_zoned`,
CASE WHEN `_t_literal` IN ('', '/') THEN NULL ELSE `_t_literal` END AS `_n_literal`,
CASE WHEN `_t_region` IN ('', '/') THEN NULL ELSE `_t_region` END AS `_n_region`,
CASE WHEN `_t_division` IN ('', '/') THEN NULL ELSE `_t_division` END AS `_n_division`,
CASE WHEN `_t_flag` IN ('', '/') THEN NULL ELSE `_t_flag` END AS `_n_flag`,
CASE WHEN `_t_price` IN ('', '/') THEN NULL ELSE `_t_price` END AS `_n_price`,
CASE WHEN `_t_share` IN ('', '/') THEN NULL ELSE `_t_share` END AS `_n_share`,
CASE WHEN `_t_low` IN ('', '/') THEN NULL ELSE `_t_low` END AS `_n_low`,
CASE WHEN `_t_step` IN ('', '/') THEN NULL ELSE `_t_step` END AS `_n_step`,
CASE WHEN `_t_word` IN ('', '/') THEN NULL ELSE `_t_word` END AS `_n_word`,
CASE WHEN `_t_kind` IN ('', '/') THEN NULL ELSE `_t_kind` END AS `_n_kind`,
CASE WHEN `_t_item` IN ('', '/') THEN NULL ELSE `_t_item` END AS `_n_item`,

-- cast
*,
`_n_visit_id` AS `_c_visit_id`,
`_n_resident_id` AS `_c_resident_id`,
`_n_uscc` AS `_c_uscc`,
`_n_plate` AS `_c_plate`,
`_n_mobile` AS `_c_mobile`,
`_n_phone` AS `_c_phone`,
CASE WHEN abs(CASE WHEN `_n_lon_beijing` RLIKE '^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?$' THEN try_cast(`_n_lon_beijing` AS double) END) <= 1.7976931348623157E308D THEN CASE WHEN `_n_lon_beijing` RLIKE '^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?$' THEN try_cast(`_n_lon_beijing` AS double) END END AS `_c_lon_beijing`,
CASE WHEN abs(CASE WHEN `_n_lat_beijing` RLIKE '^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?$' THEN try_cast(`_n_lat_beijing` AS double) END) <= 1.7976931348623157E308D THEN CASE WHEN `_n_lat_beijing` RLIKE '^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?$' THEN try_cast(`_n_lat_beijing` AS double) END END AS `_c_lat_beijing`,
`_n_gb4754` AS `_c_gb4754`,
`_n_division_6` AS `_c_division_6`,
`_n_division_9` AS `_c_division_9`,
`_n_division_12` AS `_c_division_12`,
CASE WHEN to_date(try_to_timestamp(`_n_day`, 'yyyy年M月d日')) BETWEEN DATE '1000-01-01' AND DATE '9999-12-31' THEN to_date(try_to_timestamp(`_n_day`, 'yyyy年M月d日')) END AS `_c_day`,
CASE WHEN CASE WHEN `_n_serial` RLIKE '^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?$' THEN try_cast(`_n_serial` AS DOUBLE) END BETWEEN 61 AND 2958465 THEN date_add(DATE '1899-12-30', CAST(CASE WHEN `_n_serial` RLIKE '^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?$' THEN try_cast(`_n_serial` AS DOUBLE) END AS INT)) END AS `_c_serial`,
to_utc_timestamp(CASE WHEN to_date(try_to_timestamp(`_n_local`, 'yyyy-MM-dd HH:mm:ss')) BETWEEN DATE '1000-01-01' AND DATE '9999-12-31' THEN try_to_timestamp(`_n_local`, 'yyyy-MM-dd HH:mm:ss') END, 'Asia/Shanghai') AS `_c_local`,
CASE WHEN to_date(try_to_timestamp(`_n_zoned`, 'yyyy-MM-dd\'T\'HH:mm:ssXXX')) BETWEEN DATE '1000-01-01' AND DATE '9999-12-31' THEN try_to_timestamp(`_n_zoned`, 'yyyy-MM-dd\'T\'HH:mm:ssXXX') END AS `_c_zoned`,
CASE WHEN to_date(try_to_timestamp(`_n_literal`, 'yyyy-MM-dd\'T\'HH:mm:ss\'Z\'')) BETWEEN DATE '1000-01-01' AND DATE '9999-12-31' THEN try_to_timestamp(`_n_literal`, 'yyyy-MM-dd\'T\'HH:mm:ss\'Z\'') END AS `_c_literal`,
CASE WHEN to_date(try_to_timestamp(`_n_region`, 'yyyy-MM-dd HH:mm VV')) BETWEEN DATE '1000-01-01' AND DATE '9999-12-31' THEN try_to_timestamp(`_n_region`, 'yyyy-MM-dd HH:mm VV') END AS `_c_region`,
`_n_division` AS `_c_division`,
CASE WHEN `_n_flag` IN ('是', '1', 'true', 'TRUE', 'Y') THEN true WHEN `_n_flag` IN ('否', '0', 'false', 'FALSE', 'N') THEN false END AS `_c_flag`,
CASE WHEN abs(CASE WHEN `_n_price` RLIKE '^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?$' AND char_length(regexp_extract(`_n_price`, '[.]([0-9]+)', 1)) - (CASE WHEN `_n_price` RLIKE '[eE]' THEN try_cast(regexp_extract(`_n_price`, '[eE]([+-]?[0-9]+)$', 1) AS INT) ELSE 0 END) - (char_length(regexp_replace(regexp_replace(`_n_price`, '[eE].*$', ''), '[^0-9]', '')) - char_length(regexp_replace(regexp_replace(regexp_replace(`_n_price`, '[eE].*$', ''), '[^0-9]', ''), '0+$', ''))) <= 2 THEN try_cast(`_n_price` AS decimal(10,2)) END) <= 1.7976931348623157E308D THEN CASE WHEN `_n_price` RLIKE '^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?$' AND char_length(regexp_extract(`_n_price`, '[.]([0-9]+)', 1)) - (CASE WHEN `_n_price` RLIKE '[eE]' THEN try_cast(regexp_extract(`_n_price`, '[eE]([+-]?[0-9]+)$', 1) AS INT) ELSE 0 END) - (char_length(regexp_replace(regexp_replace(`_n_price`, '[eE].*$', ''), '[^0-9]', '')) - char_length(regexp_replace(regexp_replace(regexp_replace(`_n_price`, '[eE].*$', ''), '[^0-9]', ''), '0+$', ''))) <= 2 THEN try_cast(`_n_price` AS decimal(10,2)) END END AS `_c_price`,
CASE WHEN abs(CASE WHEN `_n_share` RLIKE '^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?$' THEN try_cast(`_n_share` AS double) END) <= 1.7976931348623157E308D THEN CASE WHEN `_n_share` RLIKE '^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?$' THEN try_cast(`_n_share` AS double) END END AS `_c_share`,
CASE WHEN `_n_low` RLIKE '^[+-]?[0-9]+$' THEN try_cast(`_n_low` AS BIGINT) END AS `_c_low`,
CASE WHEN abs(CASE WHEN `_n_step` RLIKE '^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?$' THEN try_cast(`_n_step` AS double) END) <= 1.7976931348623157E308D THEN CASE WHEN `_n_step` RLIKE '^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?$' THEN try_cast(`_n_step` AS double) END END AS `_c_step`,
`_n_word` AS `_c_word`,
`_n_kind` AS `_c_kind`,
`_n_item` AS `_c_item`,

-- check
*,
CASE WHEN _row_error IS NOT NULL THEN 1L ELSE CASE WHEN `_n_visit_id` IS NULL THEN 2L ELSE 0L END + CASE WHEN (`_n_resident_id` IS NOT NULL AND coalesce(NOT (`_n_resident_id` RLIKE '^[1-9][0-9]{16}[0-9X]$' AND to_date(try_to_timestamp(substring(`_n_resident_id`, 7, 8), 'yyyyMMdd')) IS NOT NULL AND to_date(try_to_timestamp(substring(`_n_resident_id`, 7, 8), 'yyyyMMdd')) <= DATE '2026-07-15' AND year(to_date(try_to_timestamp(substring(`_n_resident_id`, 7, 8), 'yyyyMMdd'))) >= 1850 AND substring('10X98765432', 1 + pmod((ascii(substring(`_n_resident_id`, 1, 1)) - 48) * 7 + (ascii(substring(`_n_resident_id`, 2, 1)) - 48) * 9 + (ascii(substring(`_n_resident_id`, 3, 1)) - 48) * 10 + (ascii(substring(`_n_resident_id`, 4, 1)) - 48) * 5 + (ascii(substring(`_n_resident_id`, 5, 1)) - 48) * 8 + (ascii(substring(`_n_resident_id`, 6, 1)) - 48) * 4 + (ascii(substring(`_n_resident_id`, 7, 1)) - 48) * 2 + (ascii(substring(`_n_resident_id`, 8, 1)) - 48) * 1 + (ascii(substring(`_n_resident_id`, 9, 1)) - 48) * 6 + (ascii(substring(`_n_resident_id`, 10, 1)) - 48) * 3 + (ascii(substring(`_n_resident_id`, 11, 1)) - 48) * 7 + (ascii(substring(`_n_resident_id`, 12, 1)) - 48) * 9 + (ascii(substring(`_n_resident_id`, 13, 1)) - 48) * 10 + (ascii(substring(`_n_resident_id`, 14, 1)) - 48) * 5 + (ascii(substring(`_n_resident_id`, 15, 1)) - 48) * 8 + (ascii(substring(`_n_resident_id`, 16, 1)) - 48) * 4 + (ascii(substring(`_n_resident_id`, 17, 1)) - 48) * 2, 11), 1) = substring(`_n_resident_id`, 18, 1)), false)) THEN 4L ELSE 0L END + CASE WHEN (`_n_uscc` IS NOT NULL AND coalesce(NOT (`_n_uscc` RLIKE '^[0123456789ABCDEFGHJKLMNPQRTUWXY]{18}$' AND substring('0123456789ABCDEFGHJKLMNPQRTUWXY', 1 + pmod(31 - pmod((instr('0123456789ABCDEFGHJKLMNPQRTUWXY', substring(`_n_uscc`, 1, 1)) - 1) * 1 + (instr('0123456789ABCDEFGHJKLMNPQRTUWXY', substring(`_n_uscc`, 2, 1)) - 1) * 3 + (instr('0123456789ABCDEFGHJKLMNPQRTUWXY', substring(`_n_uscc`, 3, 1)) - 1) * 9 + (instr('0123456789ABCDEFGHJKLMNPQRTUWXY', substring(`_n_uscc`, 4, 1)) - 1) * 27 + (instr('0123456789ABCDEFGHJKLMNPQRTUWXY', substring(`_n_uscc`, 5, 1)) - 1) * 19 + (instr('0123456789ABCDEFGHJKLMNPQRTUWXY', substring(`_n_uscc`, 6, 1)) - 1) * 26 + (instr('0123456789ABCDEFGHJKLMNPQRTUWXY', substring(`_n_uscc`, 7, 1)) - 1) * 16 + (instr('0123456789ABCDEFGHJKLMNPQRTUWXY', substring(`_n_uscc`, 8, 1)) - 1) * 17 + (instr('0123456789ABCDEFGHJKLMNPQRTUWXY', substring(`_n_uscc`, 9, 1)) - 1) * 20 + (instr('0123456789ABCDEFGHJKLMNPQRTUWXY', substring(`_n_uscc`, 10, 1)) - 1) * 29 + (instr('0123456789ABCDEFGHJKLMNPQRTUWXY', substring(`_n_uscc`, 11, 1)) - 1) * 25 + (instr('0123456789ABCDEFGHJKLMNPQRTUWXY', substring(`_n_uscc`, 12, 1)) - 1) * 13 + (instr('0123456789ABCDEFGHJKLMNPQRTUWXY', substring(`_n_uscc`, 13, 1)) - 1) * 8 + (instr('0123456789ABCDEFGHJKLMNPQRTUWXY', substring(`_n_uscc`, 14, 1)) - 1) * 24 + (instr('0123456789ABCDEFGHJKLMNPQRTUWXY', substring(`_n_uscc`, 15, 1)) - 1) * 10 + (instr('0123456789ABCDEFGHJKLMNPQRTUWXY', substring(`_n_uscc`, 16, 1)) - 1) * 30 + (instr('0123456789ABCDEFGHJKLMNPQRTUWXY', substring(`_n_uscc`, 17, 1)) - 1) * 28, 31), 31), 1) = substring(`_n_uscc`, 18, 1)), false)) THEN 8L ELSE 0L END + CASE WHEN (`_n_plate` IS NOT NULL AND coalesce(NOT `_n_plate` RLIKE '^[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]([A-HJ-NP-Z][A-HJ-NP-Z0-9]{5}|[A-HJ-NP-Z][A-HJ-NP-Z0-9]{4}[警学挂]|[A-HJ-NP-Z][A-HJK][A-HJ-NP-Z0-9][0-9]{4}|[A-HJ-NP-Z][0-9]{5}[A-HJK])$', false)) THEN 16L ELSE 0L END + CASE WHEN (`_n_mobile` IS NOT NULL AND coalesce(NOT regexp_replace(regexp_replace(`_n_mobile`, '^(\\+86|0086)', ''), '[-－]', '') RLIKE '^1[3-9][0-9]{9}$', false)) THEN 32L ELSE 0L END + CASE WHEN (`_n_phone` IS NOT NULL AND coalesce(NOT regexp_replace(regexp_replace(`_n_phone`, '^(\\+86|0086)', ''), '[-－]', '') RLIKE '^(1[3-9][0-9]{9}|(010)?[2-8][0-9]{7}|[19][0-9]{4})$', false)) THEN 64L ELSE 0L END + CASE WHEN (`_n_lon_beijing` IS NOT NULL AND `_c_lon_beijing` IS NULL) THEN 128L ELSE 0L END + CASE WHEN (`_n_lon_beijing` IS NOT NULL AND coalesce((CAST(`_c_lon_beijing` AS DOUBLE) < 115.4D OR CAST(`_c_lon_beijing` AS DOUBLE) > 117.53D OR isnan(CAST(`_c_lon_beijing` AS DOUBLE))), false)) THEN 256L ELSE 0L END + CASE WHEN (`_n_lat_beijing` IS NOT NULL AND `_c_lat_beijing` IS NULL) THEN 512L ELSE 0L END + CASE WHEN (`_n_lat_beijing` IS NOT NULL AND coalesce((CAST(`_c_lat_beijing` AS DOUBLE) < 39.42D OR CAST(`_c_lat_beijing` AS DOUBLE) > 41.08D OR isnan(CAST(`_c_lat_beijing` AS DOUBLE))), false)) THEN 1024L ELSE 0L END + CASE WHEN (`_n_gb4754` IS NOT NULL AND coalesce(NOT `_n_gb4754` RLIKE '^[A-T]([0-9]{2}([0-9]([0-9])?)?)?$', false)) THEN 2048L ELSE 0L END + CASE WHEN (`_n_division_6` IS NOT NULL AND coalesce(`_n_division_6` NOT IN ('110000', '110100', '110101', '110102', '110105', '110106', '110107', '110108', '110109', '110111', '110112', '110113', '110114', '110115', '110116', '110117', '110118', '110119', '120000', '130000', '140000', '150000', '210000', '220000', '230000', '310000', '320000', '330000', '340000', '350000', '360000', '370000', '410000', '420000', '430000', '440000', '450000', '460000', '500000', '510000', '520000', '530000', '540000', '610000', '620000', '630000', '640000', '650000'), false)) THEN 4096L ELSE 0L END + CASE WHEN (`_n_division_9` IS NOT NULL AND coalesce(`_n_division_9` NOT IN ('110101001', '110101002', '110101003', '110101004', '110101005', '110101006', '110101007', '110101008', '110101009', '110101010', '110101011', '110101012', '110101013', '110101014', '110101015', '110101016', '110101017', '110102001', '110102003', '110102007', '110102009', '110102010', '110102011', '110102012', '110102013', '110102014', '110102015', '110102016', '110102017', '110102018', '110102019', '110102020', '110105001', '110105002', '110105003', '110105004', '110105005', '110105006', '110105007', '110105008', '110105009', '110105010', '110105011', '110105012', '110105013', '110105014', '110105015', '110105016', '110105017', '110105018', '110105019', '110105020', '110105021', '110105022', '110105023', '110105024', '110105025', '110105026', '110105027', '110105028', '110105029', '110105030', '110105031', '110105032', '110105033', '110105034', '110105035', '110105036', '110105037', '110105038', '110105039', '110105040', '110105041', '110105042', '110105043', '110106001', '110106002', '110106003', '110106004', '110106005', '110106006', '110106007', '110106008', '110106009', '110106010', '110106011', '110106012', '110106013', '110106014', '110106015', '110106016', '110106017', '110106018', '110106020', '110106021', '110106022', '110106023', '110106024', '110106025', '110106100', '110106101', '110107001', '110107002', '110107003', '110107004', '110107005', '110107006', '110107009', '110107010', '110107011', '110108001', '110108002', '110108003', '110108004', '110108005', '110108006', '110108007', '110108008', '110108010', '110108011', '110108012', '110108013', '110108014', '110108015', '110108016', '110108017', '110108018', '110108019', '110108020', '110108021', '110108022', '110108023', '110108024', '110108025', '110108026', '110108027', '110108028', '110108029', '110108030', '110109001', '110109002', '110109003', '110109004', '110109005', '110109006', '110109007', '110109101', '110109104', '110109105', '110109106', '110109107', '110109108', '110111001', '110111002', '110111004', '110111005', '110111006', '110111007', '110111008', '110111009', '110111010', '110111011', '110111012', '110111101', '110111103', '110111104', '110111105', '110111107', '110111108', '110111109', '110111110', '110111111', '110111112', '110111115', '110111208', '110111209', '110111210', '110111211', '110111212', '110111213', '110112001', '110112002', '110112003', '110112004', '110112007', '110112008', '110112009', '110112010', '110112011', '110112012', '110112013', '110112104', '110112105', '110112106', '110112109', '110112110', '110112114', '110112117', '110112119', '110112120', '110112121', '110112209', '110113001', '110113002', '110113003', '110113004', '110113005', '110113006', '110113007', '110113008', '110113009', '110113010', '110113011', '110113012', '110113013', '110113101', '110113104', '110113105', '110113106', '110113108', '110113109', '110113110', '110113111', '110113112', '110113113', '110113115', '110113116', '110114001', '110114002', '110114003', '110114004', '110114005', '110114007', '110114008', '110114009', '110114010', '110114011', '110114012', '110114013', '110114104', '110114110', '110114111', '110114112', '110114113', '110114115', '110114116', '110114118', '110114119', '110114120', '110115001', '110115002', '110115003', '110115004', '110115005', '110115006', '110115007', '110115008', '110115009', '110115010', '110115011', '110115012', '110115013', '110115103', '110115104', '110115105', '110115106', '110115107', '110115108', '110115109', '110115110', '110115111', '110115403', '110115404', '110115405', '110115406', '110116001', '110116002', '110116003', '110116004', '110116005', '110116102', '110116103', '110116105', '110116106', '110116107', '110116108', '110116109', '110116110', '110116111', '110116211', '110116213', '110116400', '110117001', '110117002', '110117003', '110117004', '110117005', '110117006', '110117101', '110117102', '110117104', '110117105', '110117106', '110117108', '110117110', '110117111', '110117112', '110117114', '110117213', '110117214', '110118001', '110118002', '110118003', '110118100', '110118101', '110118102', '110118103', '110118104', '110118105', '110118106', '110118107', '110118108', '110118109', '110118110', '110118111', '110118112', '110118113', '110118114', '110118115', '110118116', '110118400', '110119001', '110119002', '110119003', '110119100', '110119101', '110119102', '110119103', '110119104', '110119105', '110119106', '110119107', '110119108', '110119109', '110119110', '110119200', '110119201', '110119202', '110119203'), false)) THEN 8192L ELSE 0L END + CASE WHEN (`_n_division_12` IS NOT NULL AND coalesce((NOT `_n_division_12` RLIKE '^[0-9]{12}$' OR substring(`_n_division_12`, 1, 9) NOT IN ('110101001', '110101002', '110101003', '110101004', '110101005', '110101006', '110101007', '110101008', '110101009', '110101010', '110101011', '110101012', '110101013', '110101014', '110101015', '110101016', '110101017', '110102001', '110102003', '110102007', '110102009', '110102010', '110102011', '110102012', '110102013', '110102014', '110102015', '110102016', '110102017', '110102018', '110102019', '110102020', '110105001', '110105002', '110105003', '110105004', '110105005', '110105006', '110105007', '110105008', '110105009', '110105010', '110105011', '110105012', '110105013', '110105014', '110105015', '110105016', '110105017', '110105018', '110105019', '110105020', '110105021', '110105022', '110105023', '110105024', '110105025', '110105026', '110105027', '110105028', '110105029', '110105030', '110105031', '110105032', '110105033', '110105034', '110105035', '110105036', '110105037', '110105038', '110105039', '110105040', '110105041', '110105042', '110105043', '110106001', '110106002', '110106003', '110106004', '110106005', '110106006', '110106007', '110106008', '110106009', '110106010', '110106011', '110106012', '110106013', '110106014', '110106015', '110106016', '110106017', '110106018', '110106020', '110106021', '110106022', '110106023', '110106024', '110106025', '110106100', '110106101', '110107001', '110107002', '110107003', '110107004', '110107005', '110107006', '110107009', '110107010', '110107011', '110108001', '110108002', '110108003', '110108004', '110108005', '110108006', '110108007', '110108008', '110108010', '110108011', '110108012', '110108013', '110108014', '110108015', '110108016', '110108017', '110108018', '110108019', '110108020', '110108021', '110108022', '110108023', '110108024', '110108025', '110108026', '110108027', '110108028', '110108029', '110108030', '110109001', '110109002', '110109003', '110109004', '110109005', '110109006', '110109007', '110109101', '110109104', '110109105', '110109106', '110109107', '110109108', '110111001', '110111002', '110111004', '110111005', '110111006', '110111007', '110111008', '110111009', '110111010', '110111011', '110111012', '110111101', '110111103', '110111104', '110111105', '110111107', '110111108', '110111109', '110111110', '110111111', '110111112', '110111115', '110111208', '110111209', '110111210', '110111211', '110111212', '110111213', '110112001', '110112002', '110112003', '110112004', '110112007', '110112008', '110112009', '110112010', '110112011', '110112012', '110112013', '110112104', '110112105', '110112106', '110112109', '110112110', '110112114', '110112117', '110112119', '110112120', '110112121', '110112209', '110113001', '110113002', '110113003', '110113004', '110113005', '110113006', '110113007', '110113008', '110113009', '110113010', '110113011', '110113012', '110113013', '110113101', '110113104', '110113105', '110113106', '110113108', '110113109', '110113110', '110113111', '110113112', '110113113', '110113115', '110113116', '110114001', '110114002', '110114003', '110114004', '110114005', '110114007', '110114008', '110114009', '110114010', '110114011', '110114012', '110114013', '110114104', '110114110', '110114111', '110114112', '110114113', '110114115', '110114116', '110114118', '110114119', '110114120', '110115001', '110115002', '110115003', '110115004', '110115005', '110115006', '110115007', '110115008', '110115009', '110115010', '110115011', '110115012', '110115013', '110115103', '110115104', '110115105', '110115106', '110115107', '110115108', '110115109', '110115110', '110115111', '110115403', '110115404', '110115405', '110115406', '110116001', '110116002', '110116003', '110116004', '110116005', '110116102', '110116103', '110116105', '110116106', '110116107', '110116108', '110116109', '110116110', '110116111', '110116211', '110116213', '110116400', '110117001', '110117002', '110117003', '110117004', '110117005', '110117006', '110117101', '110117102', '110117104', '110117105', '110117106', '110117108', '110117110', '110117111', '110117112', '110117114', '110117213', '110117214', '110118001', '110118002', '110118003', '110118100', '110118101', '110118102', '110118103', '110118104', '110118105', '110118106', '110118107', '110118108', '110118109', '110118110', '110118111', '110118112', '110118113', '110118114', '110118115', '110118116', '110118400', '110119001', '110119002', '110119003', '110119100', '110119101', '110119102', '110119103', '110119104', '110119105', '110119106', '110119107', '110119108', '110119109', '110119110', '110119200', '110119201', '110119202', '110119203')), false)) THEN 16384L ELSE 0L END + CASE WHEN `_n_day` IS NULL THEN 32768L ELSE 0L END + CASE WHEN (`_n_day` IS NOT NULL AND `_c_day` IS NULL) THEN 65536L ELSE 0L END + CASE WHEN (`_n_serial` IS NOT NULL AND `_c_serial` IS NULL) THEN 131072L ELSE 0L END + CASE WHEN (`_n_local` IS NOT NULL AND `_c_local` IS NULL) THEN 262144L ELSE 0L END + CASE WHEN (`_n_zoned` IS NOT NULL AND `_c_zoned` IS NULL) THEN 524288L ELSE 0L END + CASE WHEN (`_n_literal` IS NOT NULL AND `_c_literal` IS NULL) THEN 1048576L ELSE 0L END + CASE WHEN (`_n_region` IS NOT NULL AND `_c_region` IS NULL) THEN 2097152L ELSE 0L END + CASE WHEN (`_n_division` IS NOT NULL AND coalesce(`_n_division` NOT IN ('110000', '110100', '110101', '110102', '110105', '110106', '110107', '110108', '110109', '110111', '110112', '110113', '110114', '110115', '110116', '110117', '110118', '110119', '120000', '130000', '140000', '150000', '210000', '220000', '230000', '310000', '320000', '330000', '340000', '350000', '360000', '370000', '410000', '420000', '430000', '440000', '450000', '460000', '500000', '510000', '520000', '530000', '540000', '610000', '620000', '630000', '640000', '650000'), false)) THEN 4194304L ELSE 0L END + CASE WHEN (`_n_division` IS NOT NULL AND coalesce(`_n_division` NOT IN ('A01', 'A02', 'A03', 'A04', 'A05', 'A06', 'A07', 'A08', 'A09', 'A10', 'B01', 'B02', 'B03', 'B04', 'B05', 'B06', 'B07', 'B08', 'B09', 'B10', 'C01', 'C02', 'C03', 'C04', 'C05', 'C06', 'C07', 'C08', 'C09', 'C10', 'D01', 'D02', 'D03', 'D04', 'D05', 'D06'), false)) THEN 8388608L ELSE 0L END + CASE WHEN (`_n_flag` IS NOT NULL AND `_c_flag` IS NULL) THEN 16777216L ELSE 0L END + CASE WHEN (`_n_price` IS NOT NULL AND `_c_price` IS NULL) THEN 33554432L ELSE 0L END + CASE WHEN (`_n_share` IS NOT NULL AND `_c_share` IS NULL) THEN 67108864L ELSE 0L END + CASE WHEN (`_n_share` IS NOT NULL AND coalesce((CAST(`_c_share` AS DOUBLE) < 0.0D OR CAST(`_c_share` AS DOUBLE) > 99.5D OR isnan(CAST(`_c_share` AS DOUBLE))), false)) THEN 134217728L ELSE 0L END + CASE WHEN (`_n_low` IS NOT NULL AND `_c_low` IS NULL) THEN 268435456L ELSE 0L END + CASE WHEN (`_n_low` IS NOT NULL AND coalesce((CAST(`_c_low` AS DOUBLE) < -3.0D OR isnan(CAST(`_c_low` AS DOUBLE))), false)) THEN 536870912L ELSE 0L END + CASE WHEN (`_n_step` IS NOT NULL AND `_c_step` IS NULL) THEN 1073741824L ELSE 0L END + CASE WHEN (`_n_step` IS NOT NULL AND coalesce((CAST(`_c_step` AS DOUBLE) <= 0.0D OR CAST(`_c_step` AS DOUBLE) >= 9.0D OR isnan(CAST(`_c_step` AS DOUBLE))), false)) THEN 2147483648L ELSE 0L END + CASE WHEN (`_n_step` IS NOT NULL AND coalesce((`_c_step` IS NOT NULL AND coalesce(try_cast(`_n_step` AS DECIMAL(38,10)) % CAST('0.1' AS DECIMAL(38,10)) != 0, true)), false)) THEN 4294967296L ELSE 0L END + CASE WHEN (`_n_word` IS NOT NULL AND coalesce(NOT `_n_word` RLIKE '^\\p{IsHan}\'+$', false)) THEN 8589934592L ELSE 0L END + CASE WHEN (`_n_word` IS NOT NULL AND coalesce(char_length(`_n_word`) < 1, false)) THEN 17179869184L ELSE 0L END + CASE WHEN (`_n_word` IS NOT NULL AND coalesce(char_length(`_n_word`) > 9, false)) THEN 34359738368L ELSE 0L END + CASE WHEN (`_n_kind` IS NOT NULL AND coalesce(`_n_kind` NOT IN ('甲\'', '乙\\', '3'), false)) THEN 68719476736L ELSE 0L END + CASE WHEN (`_n_item` IS NOT NULL AND coalesce(`_n_item` NOT IN ('HW0001', 'HW0002', 'HW0003', 'HW0004', 'HW0005', 'HW0006', 'HW0007', 'HW0008', 'HW0009', 'HW0010'), false)) THEN 137438953472L ELSE 0L END + CASE WHEN (`_n_kind` IS NOT NULL AND `_n_word` IS NOT NULL AND named_struct('c0', `_n_kind`, 'c1', `_n_word`) NOT IN (named_struct('c0', 'A01', 'c1', '占道经营'), named_struct('c0', 'A02', 'c1', '店外经营'), named_struct('c0', 'A03', 'c1', '游商小贩'), named_struct('c0', 'A04', 'c1', '非法小广告'), named_struct('c0', 'A05', 'c1', '暴露垃圾'), named_struct('c0', 'A06', 'c1', '积存渣土'), named_struct('c0', 'A07', 'c1', '道路遗撒'), named_struct('c0', 'A08', 'c1', '露天焚烧'), named_struct('c0', 'A09', 'c1', '绿地脏乱'), named_struct('c0', 'A10', 'c1', '河道脏乱'), named_struct('c0', 'B01', 'c1', '井盖缺失或破损'), named_struct('c0', 'B02', 'c1', '路灯故障'), named_struct('c0', 'B03', 'c1', '道路破损'), named_struct('c0', 'B04', 'c1', '护栏破损'), named_struct('c0', 'B05', 'c1', '交通标志破损'), named_struct('c0', 'B06', 'c1', '公共座椅破损'), named_struct('c0', 'B07', 'c1', '垃圾箱破损'), named_struct('c0', 'B08', 'c1', '消火栓损坏'), named_struct('c0', 'B09', 'c1', '无障碍设施损坏'), named_struct('c0', 'B10', 'c1', '架空线缆隐患'), named_struct('c0', 'C01', 'c1', '违法建设'), named_struct('c0', 'C02', 'c1', '私搭乱建'), named_struct('c0', 'C03', 'c1', '堵塞消防通道'), named_struct('c0', 'C04', 'c1', '电动自行车违规停放'), named_struct('c0', 'C05', 'c1', '机动车乱停放'), named_struct('c0', 'C06', 'c1', '共享单车乱停放'), named_struct('c0', 'C07', 'c1', '施工扬尘'), named_struct('c0', 'C08', 'c1', '噪声扰民'), named_struct('c0', 'C09', 'c1', '危险树木'), named_struct('c0', 'C10', 'c1', '积水内涝'), named_struct('c0', 'D01', 'c1', '高温中暑求助'), named_struct('c0', 'D02', 'c1', '孤寡老人走访'), named_struct('c0', 'D03', 'c1', '停水'), named_struct('c0', 'D04', 'c1', '停电'), named_struct('c0', 'D05', 'c1', '停气'), named_struct('c0', 'D06', 'c1', '停暖'))) THEN 274877906944L ELSE 0L END END AS _mask_0,

-- conflict
_source_line,
_batch_id,
_duplicate,
`_c_visit_id`,
`_c_resident_id`,
`_c_uscc`,
`_c_plate`,
`_c_mobile`,
`_c_phone`,
`_c_lon_beijing`,
`_c_lat_beijing`,
`_c_gb4754`,
`_c_division_6`,
`_c_division_9`,
`_c_division_12`,
`_c_day`,
`_c_serial`,
`_c_local`,
`_c_zoned`,
`_c_literal`,
`_c_region`,
`_c_division`,
`_c_flag`,
`_c_price`,
`_c_share`,
`_c_low`,
`_c_step`,
`_c_word`,
`_c_kind`,
`_c_item`,
_mask_0 + CASE WHEN (NOT _duplicate AND NOT ((_mask_0 & 962072674303L) != 0L)) AND sum(CASE WHEN (NOT _duplicate AND NOT ((_mask_0 & 962072674303L) != 0L)) THEN 1 ELSE 0 END) OVER (PARTITION BY `_c_visit_id`) > 1 THEN 549755813888L ELSE 0L END AS _mask_0,

-- output
`_c_visit_id` AS `visit_id`,
`_c_resident_id` AS `resident_id`,
`_c_uscc` AS `uscc`,
`_c_plate` AS `plate`,
`_c_mobile` AS `mobile`,
`_c_phone` AS `phone`,
`_c_lon_beijing` AS `lon_beijing`,
`_c_lat_beijing` AS `lat_beijing`,
`_c_gb4754` AS `gb4754`,
`_c_division_6` AS `division_6`,
`_c_division_9` AS `division_9`,
`_c_division_12` AS `division_12`,
`_c_day` AS `day`,
`_c_serial` AS `serial`,
`_c_local` AS `local`,
`_c_zoned` AS `zoned`,
`_c_literal` AS `literal`,
`_c_region` AS `region`,
`_c_division` AS `division`,
`_c_flag` AS `flag`,
`_c_price` AS `price`,
`_c_share` AS `share`,
`_c_low` AS `low`,
`_c_step` AS `step`,
`_c_word` AS `word`,
`_c_kind` AS `kind`,
`_c_item` AS `item`,
_source_line,
_batch_id,
DATE '2026-07-15' AS _business_date,
_duplicate,
_mask_0,
CASE WHEN _duplicate OR ((_mask_0 & 962072674303L) != 0L) THEN 'false' ELSE 'true' END AS _ok,
