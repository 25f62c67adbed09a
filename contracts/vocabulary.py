"""The words that contracts use of levels and persons, each closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The three grades of GB/T 43697-2024.
Gb43697 = Literal["general", "important", "core"]
#: What a column tells of a person without naming one; several together may single one out.
QuasiIdentifier = Literal["district", "birth_date", "sex", "occupation", "ethnicity", "household"]
#: What a content scan tells apart; a column ``holds`` those that are meant to be in it.
PersonalKind = Literal[
    "resident_id",
    "passport",
    "bank_card",
    "mobile",
    "email",
    "plate",
    "name",
    "address",
    "birth_date",
    "coordinate",
]
#: The registered functions that a lowering may name (lineage.levels says what each may take off).
LoweringFunction = Literal[
    "aggregate_k",
    "drop",
    "generalise",
    "hmac_sm3",
    "partial",
    "sm4",
    "truncate_date",
    "truncate_place",
]


#: What the register calls a mask: each takes one level off (lineage.levels).
MASK_LOWERS: Final[Mapping[str, LoweringFunction]] = {
    "generalise": "generalise",
    "hmac_sm3": "hmac_sm3",
    "partial": "partial",
    "prefix": "truncate_place",
    "round_coordinate": "truncate_place",
    "sm4": "sm4",
    "truncate_date": "truncate_date",
}
