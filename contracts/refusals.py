"""What one of our types refuses, in words: pydantic's kinds of errors in both languages.

pydantic words its errors in English; a kind that is not listed here is quoted as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args

from pydantic import BaseModel

from contracts.words import Words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

_NUMBER, _WHOLE, _DAY = "应为数值", "应为整数", "应为日期（YYYY-MM-DD）"
_BOOLEAN, _LIST, _MAPPING = "应为 true 或 false", "应为列表", "应为映射"
#: The kinds that authors of contracts meet; ``{…}`` is filled from the error's context.
_CHINESE: Final[Mapping[str, str]] = {
    "missing": "缺少必填项",
    "extra_forbidden": "此处不允许有这一项",
    "string_type": "应为文本",
    "string_pattern_mismatch": "文本应符合格式 {pattern}",
    "string_too_short": "文本至少应有 {min_length} 个字符",
    "string_too_long": "文本至多应有 {max_length} 个字符",
    "too_short": "至少应有 {min_length} 项",
    "too_long": "至多应有 {max_length} 项",
    "greater_than": "应大于 {gt}",
    "greater_than_equal": "应不小于 {ge}",
    "less_than": "应小于 {lt}",
    "less_than_equal": "应不大于 {le}",
    "finite_number": "应为有限的数值",
    **dict.fromkeys(("float_type", "float_parsing", "decimal_type", "decimal_parsing"), _NUMBER),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), _WHOLE),
    **dict.fromkeys(("bool_type", "bool_parsing"), _BOOLEAN),
    **dict.fromkeys(("date_type", "date_parsing", "date_from_datetime_parsing"), _DAY),
    **dict.fromkeys(("time_type", "time_parsing"), "应为时刻（HH:MM）"),
    **dict.fromkeys(("list_type", "tuple_type", "set_type", "frozen_set_type"), _LIST),
    **dict.fromkeys(("dict_type", "model_type"), _MAPPING),
}


def problem(error: ErrorDetails) -> Words:
    """Return in words what one of our types refuses."""
    kind, context = error["type"], error.get("ctx") or {}
    if kind == "literal_error":
        given = repr(error["input"])
        return Words(
            f"{given} 不是此处可用的词", f"{given} is none of the words that may stand here"
        )
    refused = getattr(context.get("error"), "problem", None)
    if isinstance(refused, Words):
        return refused
    english = error["msg"].removeprefix("Value error, ")
    chinese = _CHINESE[kind].format(**context) if kind in _CHINESE else english
    return Words(chinese, english)


def remedy(kind: type[BaseModel], error: ErrorDetails) -> Words:
    """Return what an author does about a value that one of our types refuses."""
    context = error.get("ctx") or {}
    match error["type"]:
        case "missing":
            return Words("请补上。", "Add it.")
        case "extra_forbidden":
            names = _fields(_part(kind, error["loc"][:-1]))
            return Words(
                f"请删去，或更正其名称：{'、'.join(names)}。",
                f"Take it out, or correct its name: {', '.join(names)}.",
            )
        case "literal_error":
            expected = context.get("expected")
            return Words(
                f"请写其中之一：{expected or '所列的词'}。",
                f"Write one of {expected or 'the listed words'}.",
            )
        case "model_type" | "dict_type":
            names = _fields(_part(kind, error["loc"]))
            return Words(
                f"请写成映射，其键为：{'、'.join(names)}。",
                f"Write a mapping of: {', '.join(names)}.",
            )
        case _:
            told = getattr(context.get("error"), "remedy", None)
            return told if isinstance(told, Words) else Words("请更正该值。", "Correct the value.")


def _fields(part: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in part.model_fields.items()]


def _part(kind: type[BaseModel], loc: tuple[int | str, ...]) -> type[BaseModel]:
    """Return the type that stands at a place within ``kind``, as far as types are nested."""
    for step in loc:
        found = kind.model_fields.get(str(step)) or next(
            (f for f in kind.model_fields.values() if f.alias == step), None
        )
        inner = [found.annotation, *get_args(found.annotation)] if found else []
        inner += [deeper for one in list(inner) for deeper in get_args(one)]
        kind = next((t for t in inner if isinstance(t, type) and issubclass(t, BaseModel)), kind)
    return kind
