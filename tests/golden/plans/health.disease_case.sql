-- row.shape = _mask_0 & 1 · shape None conformity error None {}
--   列数与表头不符 ragged row
-- person_id.required = _mask_0 & 2 · required person_id completeness error None {}
--   证件号码：必填而为空 证件号码: missing
-- person_id.resident_id = _mask_0 & 4 · resident_id person_id accuracy error None {}
--   证件号码：不是有效的公民身份号码（GB 11643-1999） 证件号码: not a valid resident identity number (GB 11643-1999)
-- icd10.required = _mask_0 & 8 · required icd10 completeness error None {}
--   疾病编码：必填而为空 疾病编码: missing
-- icd10.pattern = _mask_0 & 16 · pattern icd10 conformity error None {'pattern': '^[A-Z][0-9]{2}(\\.[0-9]{1,2})?$'}
--   疾病编码：格式不符 疾病编码: does not match
-- icd10.max_length = _mask_0 & 32 · max_length icd10 conformity error None {'length': 6}
--   疾病编码：过长 疾病编码: too long
-- icd10.reference = _mask_0 & 64 · reference icd10 consistency warning 5.0 {'file': 'reference/disease_200.odcs.yaml', 'column': 'icd10'}
--   疾病编码：不在参照表 reference/disease_200.odcs.yaml 内 疾病编码: not in reference/disease_200.odcs.yaml
-- onset_date.required = _mask_0 & 128 · required onset_date completeness error None {}
--   发病日期：必填而为空 发病日期: missing
-- onset_date.type = _mask_0 & 256 · type onset_date conformity error None {}
--   发病日期：不能读作 date yyyy-MM-dd 发病日期: cannot be read as date yyyy-MM-dd
-- street_code.required = _mask_0 & 512 · required street_code completeness error None {}
--   街道代码：必填而为空 街道代码: missing
-- street_code.division_code = _mask_0 & 1024 · division_code street_code conformity error None {'digits': 9}
--   街道代码：不在现行行政区划代码表内（GB/T 2260） 街道代码: not a division code in force (GB/T 2260)
-- row.key_conflict = _mask_0 & 2048 · key_conflict None accuracy error None {}
--   主键（证件号码、疾病编码、发病日期）重复而内容不同 same key (证件号码, 疾病编码, 发病日期), different content

-- trim
_source_line,
_row_error,
_batch_id,
row_number() OVER (PARTITION BY `person_id`, `icd10`, `onset_date`, `street_code`, _row_error, _extra ORDER BY _source_line) > 1 AS _duplicate,
upper(regexp_replace(translate(`person_id`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]', '')) AS `_t_person_id`,
regexp_replace(`icd10`, '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') AS `_t_icd10`,
regexp_replace(translate(`onset_date`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '^[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+|[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]+$', '') AS `_t_onset_date`,
upper(regexp_replace(translate(`street_code`, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～', '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~'), '[\\s\\p{Z}\\u0085\\u200B-\\u200D\\u2060\\uFEFF]', '')) AS `_t_street_code`,

-- normalise
_source_line,
_row_error,
_batch_id,
_duplicate,
CASE WHEN `_t_person_id` IN ('', '/', '无') THEN NULL WHEN `_t_person_id` RLIKE '^[0-9]{15}$' THEN concat(concat(substring(`_t_person_id`, 1, 6), '19', substring(`_t_person_id`, 7)), substring('10X98765432', 1 + pmod((ascii(substring(concat(substring(`_t_person_id`, 1, 6), '19', substring(`_t_person_id`, 7)), 1, 1)) - 48) * 7 + (ascii(substring(concat(substring(`_t_person_id`, 1, 6), '19', substring(`_t_person_id`, 7)), 2, 1)) - 48) * 9 + (ascii(substring(concat(substring(`_t_person_id`, 1, 6), '19', substring(`_t_person_id`, 7)), 3, 1)) - 48) * 10 + (ascii(substring(concat(substring(`_t_person_id`, 1, 6), '19', substring(`_t_person_id`, 7)), 4, 1)) - 48) * 5 + (ascii(substring(concat(substring(`_t_person_id`, 1, 6), '19', substring(`_t_person_id`, 7)), 5, 1)) - 48) * 8 + (ascii(substring(concat(substring(`_t_person_id`, 1, 6), '19', substring(`_t_person_id`, 7)), 6, 1)) - 48) * 4 + (ascii(substring(concat(substring(`_t_person_id`, 1, 6), '19', substring(`_t_person_id`, 7)), 7, 1)) - 48) * 2 + (ascii(substring(concat(substring(`_t_person_id`, 1, 6), '19', substring(`_t_person_id`, 7)), 8, 1)) - 48) * 1 + (ascii(substring(concat(substring(`_t_person_id`, 1, 6), '19', substring(`_t_person_id`, 7)), 9, 1)) - 48) * 6 + (ascii(substring(concat(substring(`_t_person_id`, 1, 6), '19', substring(`_t_person_id`, 7)), 10, 1)) - 48) * 3 + (ascii(substring(concat(substring(`_t_person_id`, 1, 6), '19', substring(`_t_person_id`, 7)), 11, 1)) - 48) * 7 + (ascii(substring(concat(substring(`_t_person_id`, 1, 6), '19', substring(`_t_person_id`, 7)), 12, 1)) - 48) * 9 + (ascii(substring(concat(substring(`_t_person_id`, 1, 6), '19', substring(`_t_person_id`, 7)), 13, 1)) - 48) * 10 + (ascii(substring(concat(substring(`_t_person_id`, 1, 6), '19', substring(`_t_person_id`, 7)), 14, 1)) - 48) * 5 + (ascii(substring(concat(substring(`_t_person_id`, 1, 6), '19', substring(`_t_person_id`, 7)), 15, 1)) - 48) * 8 + (ascii(substring(concat(substring(`_t_person_id`, 1, 6), '19', substring(`_t_person_id`, 7)), 16, 1)) - 48) * 4 + (ascii(substring(concat(substring(`_t_person_id`, 1, 6), '19', substring(`_t_person_id`, 7)), 17, 1)) - 48) * 2, 11), 1)) ELSE `_t_person_id` END AS `_n_person_id`,
CASE WHEN `_t_icd10` IN ('', '/', '无') THEN NULL ELSE `_t_icd10` END AS `_n_icd10`,
CASE WHEN `_t_onset_date` IN ('', '/', '无') THEN NULL ELSE `_t_onset_date` END AS `_n_onset_date`,
CASE WHEN `_t_street_code` IN ('', '/', '无') THEN NULL ELSE `_t_street_code` END AS `_n_street_code`,

-- cast
*,
`_n_person_id` AS `_c_person_id`,
`_n_icd10` AS `_c_icd10`,
CASE WHEN to_date(try_to_timestamp(`_n_onset_date`, 'yyyy-MM-dd')) BETWEEN DATE '1000-01-01' AND DATE '9999-12-31' THEN to_date(try_to_timestamp(`_n_onset_date`, 'yyyy-MM-dd')) END AS `_c_onset_date`,
`_n_street_code` AS `_c_street_code`,

-- check
*,
CASE WHEN _row_error IS NOT NULL THEN 1L ELSE CASE WHEN `_n_person_id` IS NULL THEN 2L ELSE 0L END + CASE WHEN (`_n_person_id` IS NOT NULL AND coalesce(NOT (`_n_person_id` RLIKE '^[1-9][0-9]{16}[0-9X]$' AND to_date(try_to_timestamp(substring(`_n_person_id`, 7, 8), 'yyyyMMdd')) IS NOT NULL AND to_date(try_to_timestamp(substring(`_n_person_id`, 7, 8), 'yyyyMMdd')) <= DATE '2026-07-15' AND year(to_date(try_to_timestamp(substring(`_n_person_id`, 7, 8), 'yyyyMMdd'))) >= 1850 AND substring('10X98765432', 1 + pmod((ascii(substring(`_n_person_id`, 1, 1)) - 48) * 7 + (ascii(substring(`_n_person_id`, 2, 1)) - 48) * 9 + (ascii(substring(`_n_person_id`, 3, 1)) - 48) * 10 + (ascii(substring(`_n_person_id`, 4, 1)) - 48) * 5 + (ascii(substring(`_n_person_id`, 5, 1)) - 48) * 8 + (ascii(substring(`_n_person_id`, 6, 1)) - 48) * 4 + (ascii(substring(`_n_person_id`, 7, 1)) - 48) * 2 + (ascii(substring(`_n_person_id`, 8, 1)) - 48) * 1 + (ascii(substring(`_n_person_id`, 9, 1)) - 48) * 6 + (ascii(substring(`_n_person_id`, 10, 1)) - 48) * 3 + (ascii(substring(`_n_person_id`, 11, 1)) - 48) * 7 + (ascii(substring(`_n_person_id`, 12, 1)) - 48) * 9 + (ascii(substring(`_n_person_id`, 13, 1)) - 48) * 10 + (ascii(substring(`_n_person_id`, 14, 1)) - 48) * 5 + (ascii(substring(`_n_person_id`, 15, 1)) - 48) * 8 + (ascii(substring(`_n_person_id`, 16, 1)) - 48) * 4 + (ascii(substring(`_n_person_id`, 17, 1)) - 48) * 2, 11), 1) = substring(`_n_person_id`, 18, 1)), false)) THEN 4L ELSE 0L END + CASE WHEN `_n_icd10` IS NULL THEN 8L ELSE 0L END + CASE WHEN (`_n_icd10` IS NOT NULL AND coalesce(NOT `_n_icd10` RLIKE '^[A-Z][0-9]{2}(\\.[0-9]{1,2})?$', false)) THEN 16L ELSE 0L END + CASE WHEN (`_n_icd10` IS NOT NULL AND coalesce(char_length(`_n_icd10`) > 6, false)) THEN 32L ELSE 0L END + CASE WHEN (`_n_icd10` IS NOT NULL AND coalesce(`_n_icd10` NOT IN ('A01', 'A02', 'A03', 'A04', 'A09', 'A15', 'A16', 'A37', 'A38', 'A41', 'A46', 'A49', 'A51', 'A53', 'A82', 'A87', 'A90', 'B00', 'B01', 'B02', 'B05', 'B06', 'B08', 'B15', 'B16', 'B17', 'B18', 'B20', 'B26', 'B34', 'B35', 'B37', 'B54', 'B86', 'C15', 'C16', 'C18', 'C20', 'C22', 'C25', 'C34', 'C50', 'C53', 'C61', 'C64', 'C67', 'C73', 'C83', 'C91', 'C92', 'D17', 'D25', 'D50', 'D64', 'D69', 'E03', 'E04', 'E05', 'E10', 'E11', 'E14', 'E55', 'E66', 'E78', 'E79', 'E86', 'E87', 'F01', 'F03', 'F10', 'F20', 'F31', 'F32', 'F33', 'F41', 'F51', 'G20', 'G30', 'G40', 'G43', 'G45', 'G47', 'G51', 'G62', 'H10', 'H25', 'H26', 'H35', 'H40', 'H52', 'H60', 'H65', 'H66', 'H81', 'H90', 'I05', 'I10', 'I11', 'I12', 'I20', 'I21', 'I24', 'I25', 'I26', 'I42', 'I44', 'I47', 'I48', 'I49', 'I50', 'I60', 'I61', 'I63', 'I64', 'I65', 'I67', 'I69', 'I70', 'I80', 'I83', 'I84', 'J00', 'J01', 'J02', 'J03', 'J04', 'J06', 'J10', 'J11', 'J12', 'J15', 'J18', 'J20', 'J30', 'J31', 'J32', 'J40', 'J42', 'J43', 'J44', 'J45', 'J47', 'J84', 'K02', 'K04', 'K05', 'K21', 'K25', 'K26', 'K29', 'K30', 'K35', 'K40', 'K52', 'K56', 'K57', 'K59', 'K70', 'K74', 'K80', 'K81', 'K85', 'K92', 'L20', 'L23', 'L30', 'L40', 'L50', 'L70', 'M06', 'M10', 'M17', 'M47', 'M51', 'M54', 'M75', 'M81', 'N18', 'N20', 'N39', 'N30', 'N40', 'N60', 'N76', 'N80', 'O20', 'O99', 'R05', 'R50', 'R55', 'T67.0', 'T67.1', 'T67.2', 'T67.3', 'T67.4', 'T67.5', 'T67.6', 'T67.7', 'T67.8', 'T67.9'), false)) THEN 64L ELSE 0L END + CASE WHEN `_n_onset_date` IS NULL THEN 128L ELSE 0L END + CASE WHEN (`_n_onset_date` IS NOT NULL AND `_c_onset_date` IS NULL) THEN 256L ELSE 0L END + CASE WHEN `_n_street_code` IS NULL THEN 512L ELSE 0L END + CASE WHEN (`_n_street_code` IS NOT NULL AND coalesce(`_n_street_code` NOT IN ('110101001', '110101002', '110101003', '110101004', '110101005', '110101006', '110101007', '110101008', '110101009', '110101010', '110101011', '110101012', '110101013', '110101014', '110101015', '110101016', '110101017', '110102001', '110102003', '110102007', '110102009', '110102010', '110102011', '110102012', '110102013', '110102014', '110102015', '110102016', '110102017', '110102018', '110102019', '110102020', '110105001', '110105002', '110105003', '110105004', '110105005', '110105006', '110105007', '110105008', '110105009', '110105010', '110105011', '110105012', '110105013', '110105014', '110105015', '110105016', '110105017', '110105018', '110105019', '110105020', '110105021', '110105022', '110105023', '110105024', '110105025', '110105026', '110105027', '110105028', '110105029', '110105030', '110105031', '110105032', '110105033', '110105034', '110105035', '110105036', '110105037', '110105038', '110105039', '110105040', '110105041', '110105042', '110105043', '110106001', '110106002', '110106003', '110106004', '110106005', '110106006', '110106007', '110106008', '110106009', '110106010', '110106011', '110106012', '110106013', '110106014', '110106015', '110106016', '110106017', '110106018', '110106020', '110106021', '110106022', '110106023', '110106024', '110106025', '110106100', '110106101', '110107001', '110107002', '110107003', '110107004', '110107005', '110107006', '110107009', '110107010', '110107011', '110108001', '110108002', '110108003', '110108004', '110108005', '110108006', '110108007', '110108008', '110108010', '110108011', '110108012', '110108013', '110108014', '110108015', '110108016', '110108017', '110108018', '110108019', '110108020', '110108021', '110108022', '110108023', '110108024', '110108025', '110108026', '110108027', '110108028', '110108029', '110108030', '110109001', '110109002', '110109003', '110109004', '110109005', '110109006', '110109007', '110109101', '110109104', '110109105', '110109106', '110109107', '110109108', '110111001', '110111002', '110111004', '110111005', '110111006', '110111007', '110111008', '110111009', '110111010', '110111011', '110111012', '110111101', '110111103', '110111104', '110111105', '110111107', '110111108', '110111109', '110111110', '110111111', '110111112', '110111115', '110111208', '110111209', '110111210', '110111211', '110111212', '110111213', '110112001', '110112002', '110112003', '110112004', '110112007', '110112008', '110112009', '110112010', '110112011', '110112012', '110112013', '110112104', '110112105', '110112106', '110112109', '110112110', '110112114', '110112117', '110112119', '110112120', '110112121', '110112209', '110113001', '110113002', '110113003', '110113004', '110113005', '110113006', '110113007', '110113008', '110113009', '110113010', '110113011', '110113012', '110113013', '110113101', '110113104', '110113105', '110113106', '110113108', '110113109', '110113110', '110113111', '110113112', '110113113', '110113115', '110113116', '110114001', '110114002', '110114003', '110114004', '110114005', '110114007', '110114008', '110114009', '110114010', '110114011', '110114012', '110114013', '110114104', '110114110', '110114111', '110114112', '110114113', '110114115', '110114116', '110114118', '110114119', '110114120', '110115001', '110115002', '110115003', '110115004', '110115005', '110115006', '110115007', '110115008', '110115009', '110115010', '110115011', '110115012', '110115013', '110115103', '110115104', '110115105', '110115106', '110115107', '110115108', '110115109', '110115110', '110115111', '110115403', '110115404', '110115405', '110115406', '110116001', '110116002', '110116003', '110116004', '110116005', '110116102', '110116103', '110116105', '110116106', '110116107', '110116108', '110116109', '110116110', '110116111', '110116211', '110116213', '110116400', '110117001', '110117002', '110117003', '110117004', '110117005', '110117006', '110117101', '110117102', '110117104', '110117105', '110117106', '110117108', '110117110', '110117111', '110117112', '110117114', '110117213', '110117214', '110118001', '110118002', '110118003', '110118100', '110118101', '110118102', '110118103', '110118104', '110118105', '110118106', '110118107', '110118108', '110118109', '110118110', '110118111', '110118112', '110118113', '110118114', '110118115', '110118116', '110118400', '110119001', '110119002', '110119003', '110119100', '110119101', '110119102', '110119103', '110119104', '110119105', '110119106', '110119107', '110119108', '110119109', '110119110', '110119200', '110119201', '110119202', '110119203'), false)) THEN 1024L ELSE 0L END END AS _mask_0,

-- conflict
_source_line,
_batch_id,
_duplicate,
`_c_person_id`,
`_c_icd10`,
`_c_onset_date`,
`_c_street_code`,
_mask_0 + CASE WHEN (NOT _duplicate AND NOT ((_mask_0 & 4031L) != 0L)) AND sum(CASE WHEN (NOT _duplicate AND NOT ((_mask_0 & 4031L) != 0L)) THEN 1 ELSE 0 END) OVER (PARTITION BY `_c_person_id`, `_c_icd10`, `_c_onset_date`) > 1 THEN 2048L ELSE 0L END AS _mask_0,

-- output
`_c_person_id` AS `person_id`,
`_c_icd10` AS `icd10`,
`_c_onset_date` AS `onset_date`,
`_c_street_code` AS `street_code`,
_source_line,
_batch_id,
DATE '2026-07-15' AS _business_date,
_duplicate,
_mask_0,
CASE WHEN _duplicate OR ((_mask_0 & 4031L) != 0L) THEN 'false' ELSE 'true' END AS _ok,
