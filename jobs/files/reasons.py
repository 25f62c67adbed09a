"""Why a file cannot be read, where it takes many words: the problem and the remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.words import Words

if TYPE_CHECKING:
    from collections.abc import Sequence


def unpacks_too_far(unpacked: int, parts: int, most_bytes: int, most_parts: int) -> list[Words]:
    """Tell that an archive holds more than is opened."""
    return [
        Words(
            f"压缩包解开后有 {unpacked} 字节、{parts} 个成员，"
            f"超过 {most_bytes} 字节、{most_parts} 个成员的上限。",
            f"The archive unpacks to {unpacked} bytes in {parts} parts, more than"
            f" {most_bytes} in {most_parts}.",
        ),
        Words(
            "请以 CSV 交付数据：这样的压缩包不予打开。",
            "Deliver the data as CSV; an archive like this is not opened.",
        ),
    ]


def in_no_encoding(encodings: Sequence[str], line: int | None) -> list[Words]:
    """Tell that a text is in none of these encodings, or not in the only one it declares."""
    zh, en = ("", "") if line is None else (f"（约在第 {line} 行）", f" (near line {line})")
    problem = (
        Words(
            f"文本既不是 {'，也不是 '.join(encodings)}{zh}。",
            f"The text is neither {' nor '.join(encodings)}{en}.",
        )
        if len(encodings) > 1
        else Words(
            f"文本不是其声明的 {encodings[0]}{zh}。",
            f"The text is not the {encodings[0]} it declares{en}.",
        )
    )
    remedy = Words(
        "请只用两种编码之一导出，不要混用。", "Export it in one of the two, without mixing them."
    )
    return [problem, remedy]
