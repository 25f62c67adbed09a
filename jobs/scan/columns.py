"""Kinds that no single cell shows: a column is one of names where most of its cells look so.

Chinese names, addresses, birth dates and exact coordinates, judged on an even sample of the cells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from contracts.model import Level
    from contracts.vocabulary import PersonalKind

    Flags = np.ndarray[tuple[int], np.dtype[np.bool_]]

_SAMPLE: Final = 500
_FEW: Final = 10
_MOST: Final = 0.8
#: The commonest single-character surnames: over nine in ten Chinese names begin with one of them.
_SURNAMES: Final = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶"
    "程魏苏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾"
    "毛郝龚邵万钱严覃武戴莫孔向汤温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰"
    "焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁"
)
_COMPOUND: Final = "欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|慕容|令狐|宇文|长孙|司徒"
#: Endings of places, bodies and things that begin like a surname.
_NO_NAME: Final = (
    r"[区县市省街道镇乡村局委办厂店路桥站所院校园司会处队馆寺庙宫塔山河湖库楼里号级类型式期年月日"
    r"业品料油气煤电水药费税险]$"
)
_NAME: Final = rf"^(?:[{_SURNAMES}]\p{{Han}}{{1,2}}|(?:{_COMPOUND})\p{{Han}}{{1,2}})$"
_ADDRESS: Final = (
    r"\p{Han}(?:路|街|巷|胡同|里|园|小区|村|苑|庄|条)[^，。；]{0,14}[0-9一二三四五六七八九十]+"
    r"(?:号|弄|栋|幢|楼|单元|室)"
)
_ISO_DATE: Final = r"^(?:18|19|20)\d{2}[\-/.年]?\d{1,2}[\-/.月]?\d{1,2}日?$"
_EXACT: Final = r"^-?\d{1,3}\.\d{4,}$"
#: Beijing with its neighbours, degrees east: numbers there with four decimals are places.
_LONGITUDES: Final = (115.0, 118.0)
#: Dates of birth spread over lives; dates of permits over a few years.
_LIVES_Y: Final = 50
_PATTERNS: Final = (_NAME, _NO_NAME, _ADDRESS, _EXACT, _ISO_DATE)
_OF_KIND: Final[Mapping[PersonalKind, str]] = {
    "name": _NAME,
    "address": _ADDRESS,
    "coordinate": _EXACT,
    "birth_date": _ISO_DATE,
}


def whole_column_kinds(
    columns: Mapping[str, pa.Array], born: frozenset[str]
) -> Iterator[tuple[str, PersonalKind, Level, int, int]]:
    """Yield (column, kind, level, cells looked at, cells that look so).

    All columns' samples are read together: a pattern is compiled once a table.
    """
    samples = {n: s for n, c in columns.items() if (s := _sample(c)) is not None}
    if not samples:
        return
    joined = pa.concat_arrays(list(samples.values()))
    looks = {pattern: _are(joined, pattern) for pattern in _PATTERNS}
    at = 0
    for name, sample in samples.items():
        place = slice(at, at + len(sample))
        at = place.stop
        kind = _kind(sample, {p: look[place] for p, look in looks.items()}, is_born=name in born)
        if kind is not None:
            yield name, kind, "L3", len(sample), int(looks[_OF_KIND[kind]][place].sum())


def _sample(cells: pa.Array) -> pa.Array | None:
    """Return an even sample of a column's filled cells; None of a column with few values."""
    step = max(1, -(-len(cells) // _SAMPLE))
    taken = cells.take(pa.array(np.arange(0, len(cells), step))) if step > 1 else cells
    filled = taken.filter(pc.greater(pc.binary_length(taken), 0)).cast(pa.string())
    return filled if pc.count_distinct(filled).as_py() >= _FEW else None


def _kind(sample: pa.Array, looks: Mapping[str, Flags], *, is_born: bool) -> PersonalKind | None:
    if (looks[_NAME] & ~looks[_NO_NAME]).mean() >= _MOST:
        return "name"
    if looks[_ADDRESS].mean() >= _MOST:
        return "address"
    if looks[_EXACT].mean() >= _MOST and _is_place(sample.filter(pa.array(looks[_EXACT]))):
        return "coordinate"
    dates = looks[_ISO_DATE]
    if dates.mean() >= _MOST and (is_born or _are_lives(sample.filter(pa.array(dates)))):
        return "birth_date"
    return None


def _are(values: pa.Array, pattern: str) -> Flags:
    return np.asarray(pc.match_substring_regex(values, pattern).to_numpy(zero_copy_only=False))


def _is_place(values: pa.Array) -> bool:
    numbers = np.asarray(values.cast(pa.float64()))
    low, high = _LONGITUDES
    return bool(((numbers >= low) & (numbers <= high)).mean() >= _MOST)


def _are_lives(dates: pa.Array) -> bool:
    """Tell whether dates lie as births do: over lives, and most of them a working life ago."""
    years = np.asarray(pc.utf8_slice_codeunits(dates, 0, 4).cast(pa.int32()))
    early, middle, late = np.quantile(years, [0.02, 0.5, 0.98])
    return bool(late - early >= _LIVES_Y and middle < 2000)  # noqa: PLR2004  (a year)
