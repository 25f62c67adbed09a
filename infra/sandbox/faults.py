"""Which dirt goes into which dataset, and under which rule id it has to be found.

``validity`` is stated here a second time on purpose: the catalogue below is what the sandbox
believes, not what our rules say, so that a test comparing the two can fail.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from infra.sandbox import dirt
from infra.sandbox.dirt import Change, on, to


@dataclass(frozen=True)
class CellFault:
    """A wrong cell: every rule in ``rule_ids`` has to name the row, the first one is the point."""

    kind: str
    rule_ids: tuple[str, ...]
    change: Change

    @property
    def column(self) -> str:
        """The column whose rule is the point."""
        return self.rule_ids[0].partition(".")[0]


@dataclass(frozen=True)
class NearMiss:
    """An odd cell that is right: the row must be published."""

    kind: str
    column: str
    change: Change


@dataclass(frozen=True)
class Catalogue:
    """What can happen to one dataset; ``twist`` is the column that a key conflict changes."""

    faults: tuple[CellFault, ...]
    near_misses: tuple[NearMiss, ...]
    twist: str
    twist_values: tuple[str, ...]


def _fault(column: str, rule: str, kind: str, change: dirt.CellChange) -> CellFault:
    return CellFault(kind, (f"{column}.{rule}",), on(column, change))


def _missing(*columns: str, null: str = "") -> tuple[CellFault, ...]:
    return tuple(_fault(c, "required", "missing", to("", null)) for c in columns)


def _near(column: str, kind: str, change: dirt.CellChange) -> NearMiss:
    return NearMiss(kind, column, on(column, change))


def _resident(column: str) -> tuple[CellFault, ...]:
    kinds = {
        "check_digit": dirt.id_check_digit,
        "digits_swapped": dirt.id_digit_swapped,
        "no_such_birthday": dirt.id_no_such_day,
        "born_in_future": dirt.id_born_later,
        "masked": dirt.id_masked,
        "too_short": dirt.id_short,
        "excel_number": dirt.excel_ruined,
    }
    return tuple(_fault(column, "resident_id", k, c) for k, c in kinds.items())


def _resident_near(column: str) -> tuple[NearMiss, ...]:
    kinds = {
        "lower_case_x": dirt.lower_case,
        "full_width": dirt.full_width,
        "ideographic_space": dirt.ideographic_space,
        "no_break_space": dirt.no_break_space,
        "byte_order_mark": dirt.byte_order_mark,
        "abolished_area": dirt.abolished_area,
        "other_province": dirt.other_province,
        "leap_day_birth": dirt.leap_day,
    }
    return tuple(_near(column, k, c) for k, c in kinds.items())


def _uscc(column: str) -> tuple[CellFault, ...]:
    kinds = {
        "check_digit": dirt.uscc_check_digit,
        "illegal_letter": dirt.uscc_illegal_letter,
        "masked": dirt.uscc_masked,
        "wrong_length": dirt.uscc_length,
        "excel_number": dirt.excel_ruined,
    }
    return tuple(_fault(column, "uscc", k, c) for k, c in kinds.items())


def _uscc_near(column: str) -> tuple[NearMiss, ...]:
    return (
        _near(column, "lower_case", dirt.lower_case),
        _near(column, "full_width", dirt.full_width),
        _near(column, "ideographic_space", dirt.ideographic_space),
        _near(column, "other_prefix", dirt.other_prefix),
    )


def _street() -> tuple[CellFault, ...]:
    return (
        *_missing("street_code"),
        _fault("street_code", "division_code", "no_such_county", to("119901001", "999999001")),
        _fault("street_code", "division_code", "too_short", lambda c, _: c[:6]),
        _fault("street_code", "division_code", "a_name_instead", to("东华门街道", "望京街道")),
    )


def _street_near() -> tuple[NearMiss, ...]:
    return (
        _near("street_code", "full_width", dirt.full_width),
        _near("street_code", "plain_space", dirt.plain_space),
    )


def _place() -> tuple[CellFault, ...]:
    both = ("lon.lon_beijing", "lat.lat_beijing")
    return (
        CellFault("swapped", both, dirt.swapped_coordinates),
        CellFault("zero", both, dirt.zero_coordinates),
        _fault("lon", "lon_beijing", "other_city", to("121.473701", "113.264385")),
        _fault("lat", "lat_beijing", "other_city", to("31.230416", "23.129112")),
        _fault("lon", "type", "degrees_and_minutes", to("116°23′", "东经116.4")),
        _fault("lat", "type", "degrees_and_minutes", to("39°54′", "北纬39.9")),
    )


def _place_near() -> tuple[NearMiss, ...]:
    return (
        _near("lon", "on_the_bound", to("115.42", "117.51")),
        _near("lat", "on_the_bound", to("39.44", "41.06")),
    )


def _moments(column: str) -> tuple[CellFault, ...]:
    wrong = ("2026-02-30 08:00:00", "2026-07-01 25:61:00", "2.02206E+13", "昨天下午")
    return (_fault(column, "type", "no_moment", to(*wrong)),)


_WORDS: Final = ("约三次", "12O", "1,2,3")
_NO_DATES: Final = ("2026-02-30", "2026-13-01", "45659.0", "1/7/2026", "不详")

CATALOGUE: Final = {
    "health.disease_case": Catalogue(
        faults=(
            *_missing("person_id", "icd10", null="/"),
            *_missing("onset_date", null="无"),
            *_resident("person_id"),
            *_street(),
            _fault("icd10", "pattern", "no_code", to("67.0", "t67.0", "T67.", "中暑", "T6")),
            CellFault(
                "too_long",
                ("icd10.max_length", "icd10.pattern"),
                on("icd10", to("T67.001", "J18.9001")),
            ),
            _fault("onset_date", "type", "no_date", to(*_NO_DATES)),
        ),
        near_misses=(
            *_resident_near("person_id"),
            *_street_near(),
            _near("icd10", "not_on_the_list", to("Z00", "S72.0", "W19", "H93.1")),
        ),
        twist="street_code",
        twist_values=("110101001", "110105002", "110108001"),
    ),
    "civil.elder_service": Catalogue(
        faults=(
            *_missing("elder_id", "units", "service_code", null="-"),
            *_missing("month", "provider_uscc", null="无"),
            *_resident("elder_id"),
            *_street(),
            _fault("service_code", "range", "no_such_service", to("0", "13", "99", "-1")),
            _fault("service_code", "type", "a_word_instead", to("助餐", "A1")),
            _fault("month", "pattern", "no_month", to("2026-13", "2026年7月", "202607", "7月")),
            _fault("units", "range", "out_of_range", to("0", "-3", "201", "99999")),
            _fault("units", "type", "no_number", to(*_WORDS)),
            *_uscc("provider_uscc"),
            _fault(
                "contact_phone",
                "mobile",
                "no_mobile",
                to("12345678901", "1391234567", "139123456789", "010-62345678", "138****5678"),
            ),
        ),
        near_misses=(
            *_resident_near("elder_id"),
            *_street_near(),
            *_uscc_near("provider_uscc"),
            _near("contact_phone", "prefixed_or_grouped", dirt.mobile_prefixed),
            _near("contact_phone", "full_width", dirt.full_width),
            _near("contact_phone", "null_token", to("无", "-", "")),
            _near("units", "on_the_bound", to("1", "200")),
        ),
        twist="units",
        twist_values=("41", "42", "43"),
    ),
    "transport.link_speed": Catalogue(
        faults=(
            *_missing("link_id", "observed_at", "speed_kmh", "lon", "lat", null="null"),
            _fault("link_id", "pattern", "no_link", to("L12345", "l000001", "L0000012", "路段7")),
            *_moments("observed_at"),
            _fault("speed_kmh", "range", "out_of_range", to("-1", "150.1", "999")),
            _fault("speed_kmh", "type", "no_number", to("畅通", "35km/h", "#REF!")),
            _fault("flow", "range", "out_of_range", to("-1", "2001", "65535")),
            _fault("flow", "type", "no_number", to("12.5辆", "N/A")),
            *_place(),
        ),
        near_misses=(
            *_place_near(),
            _near("observed_at", "on_the_bound", dirt.first_or_last_of_day),
            _near("speed_kmh", "on_the_bound", to("0", "150", "150.0")),
            _near("flow", "on_the_bound", to("0", "2000")),
            _near("flow", "null_token", to("null", "")),
        ),
        twist="speed_kmh",
        twist_values=("11.7", "12.7", "13.7"),
    ),
    "emergency.depot_stock": Catalogue(
        faults=(
            *_missing("depot_id", "depot_name", "lon", "lat", null="/"),
            *_missing("item_code", "qty", "expiry_date", "duty_phone", null="-"),
            _fault("depot_id", "pattern", "no_depot", to("DP1", "dp00001", "库房7")),
            _fault("depot_name", "max_length", "too_long", dirt.lengthened("库", 40)),
            _fault("depot_name", "min_length", "too_short", to("库")),
            *_place(),
            _fault("item_code", "pattern", "no_item", to("HW1", "饮用水", "hw0001")),
            _fault("qty", "range", "out_of_range", to("-1", "1000001")),
            _fault("qty", "type", "no_number", to("若干", "12箱")),
            _fault("expiry_date", "type", "no_date", to("2027-01-01", "2026/02/30", "46023.0")),
            _fault("duty_phone", "phone", "no_phone", to("1391234567", "010-123", "值班室")),
            _fault("vehicle_plate", "plate", "no_plate", to("京I12345", "京AO1234", "A12345")),
            *_street(),
        ),
        near_misses=(
            _near("duty_phone", "prefixed_or_grouped", dirt.mobile_prefixed),
            _near("duty_phone", "landline_forms", dirt.landline_forms),
            _near("vehicle_plate", "other_kinds", dirt.plate_forms),
            _near("vehicle_plate", "full_width", dirt.full_width),
            _near("depot_name", "quoted_newline", lambda n, _: f"{n}\n（二层）"),
            _near("depot_name", "quoted_delimiter", lambda n, _: f'{n};"东门"'),
            _near("depot_name", "rare_character", to("䶮街应急库", "𠮷里应急库", "喆园应急库")),
            _near("depot_name", "on_the_bound", lambda n, _: (n + "库" * 40)[:40]),
            _near("qty", "on_the_bound", to("0")),
            _near("expiry_date", "leap_day", to("2028/02/29")),
            *_street_near(),
        ),
        twist="qty",
        twist_values=("7", "8", "9"),
    ),
    "district.grid_case": Catalogue(
        faults=(
            *_missing("case_id", "reported_at", "category_code", "status", "lon", "lat"),
            *_missing("is_deleted"),
            _fault("case_id", "pattern", "no_case", to("DC2026", "无编号", "dc20260701000001")),
            *_moments("reported_at"),
            *_moments("closed_at"),
            _fault("category_code", "reference", "no_such_category", to("A99", "Z01", "占道经营")),
            *_street(),
            _fault("status", "enum", "no_such_state", to("已完成", "处理中", "结案")),
            _fault("place_note", "max_length", "too_long", dirt.lengthened("边", 60)),
            *_place(),
            _fault("is_deleted", "enum", "no_such_mark", to("0", "N", "未删除")),
        ),
        near_misses=(
            _near("place_note", "quoted_newline", lambda n, _: f"{n}\n近便利店"),
            _near("place_note", "quotes_and_commas", lambda n, _: f'{n},"老槐树"旁'),
            _near("place_note", "rare_character", to("䶮记小吃门前", "𠮷市口路口", "喆园西门")),
            _near("place_note", "on_the_bound", lambda n, _: (n + "边" * 60)[:60]),
            *_place_near(),
            *_street_near(),
        ),
        twist="category_code",
        twist_values=("A01", "B02", "C03"),
    ),
    "econ_it.innovation_base": Catalogue(
        faults=(
            *_uscc("uscc"),
            _fault("seq", "type", "no_number", to("一", "1-2")),
            _fault("seq", "range", "out_of_range", to("0", "-1")),
            *_missing("seq", "org_name", "district", "uscc", null="-"),
            _fault("org_name", "max_length", "too_long", dirt.lengthened("业", 60)),
            _fault("org_name", "min_length", "too_short", to("公司")),
            _fault("district", "enum", "no_such_district", to("宣武区", "崇文区", "亦庄")),
        ),
        near_misses=(
            *_uscc_near("uscc"),
            _near("org_name", "on_the_bound", lambda n, _: (n + "甲" * 60)[:60]),
        ),
        twist="district",
        twist_values=("东城区", "西城区", "朝阳区"),
    ),
    "econ_it.integration_pilot": Catalogue(
        faults=(
            *_missing("seq", "pilot_type", "pilot_year", "org_name", "district", null="/"),
            _fault("seq", "type", "no_number", to("一", "1-2")),
            _fault("seq", "range", "out_of_range", to("0", "-1")),
            _fault("org_name", "max_length", "too_long", dirt.lengthened("业", 60)),
            _fault("org_name", "min_length", "too_short", to("公司")),
            _fault("district", "enum", "no_such_district", to("宣武区", "开发区")),
            _fault("ownership", "max_length", "too_long", dirt.lengthened("营", 10)),
            _fault("industry", "max_length", "too_long", dirt.lengthened("业", 40)),
            _fault("pilot_type", "enum", "no_such_type", to("区级", "省级")),
            _fault("pilot_year", "pattern", "no_year", to("十七年", "2017", "2017国家")),
        ),
        near_misses=(_near("industry", "null_token", to("/", "")),),
        twist="district",
        twist_values=("东城区", "西城区", "朝阳区"),
    ),
}
