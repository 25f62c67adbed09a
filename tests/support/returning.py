"""A tree with one product that returns its rows to the districts."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any, Final

import yaml

from contracts.layout import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PRODUCT: Final = "drug.returned_pharmacy"
_SHOWN: Final = {
    "pharmacy_licence_no": {"mask": "keep"},
    "pharmacy_name": {"mask": "keep"},
    "street_code": {"mask": "keep"},
    "business_date": {"mask": "keep"},
    "pharmacy_phone": {"mask": "partial", "keep_first": 3, "keep_last": 4},
}
_SQL: Final = """SELECT
  pharmacy_licence_no, pharmacy_name, street_code, DATE '{business_date}' AS business_date,
  pharmacy_phone
FROM drug__pharmacy
"""


def returning_tree(folder: Path, **changes: Any) -> Path:
    """Write the packaged contracts with the product, whose ``return`` is changed so."""
    root = folder / "contracts"
    shutil.copytree(ROOT / "contracts", root, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for other in (root / "products").iterdir():
        other.unlink()
    (root / "products" / "returned_pharmacy.sql").write_text(_SQL)
    document = _document({"column": "street_code", "columns": _SHOWN, **changes})
    (root / "products" / "returned_pharmacy.odcs.yaml").write_text(
        yaml.safe_dump(document, allow_unicode=True, sort_keys=False)
    )
    return root


def _document(returns: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": PRODUCT,
        "name": "药店回流",
        "version": "1.0.0",
        "status": "active",
        "domain": "drug",
        "tenant": "beijing",
        "description": {"purpose": "各区取回本区药店", "usage": "区级监管", "limitations": "无"},
        "schema": [
            {
                "name": "returned_pharmacy",
                "physicalName": "药店回流",
                "physicalType": "table",
                "logicalType": "object",
                "dataGranularityDescription": "每个药店每天一行",
                "properties": [
                    _column("pharmacy_licence_no", "许可证号", "L1", key=1),
                    _column("pharmacy_name", "药店名称", "L1"),
                    _column("street_code", "街道（乡镇）代码", "L1"),
                    _column("business_date", "业务日期", "L1", kind="date", key=2),
                    _column("pharmacy_phone", "药店电话", "L2"),
                ],
            }
        ],
        "customProperties": [
            {
                "property": "product",
                "value": {
                    "inputs": ["drug.pharmacy"],
                    "sql": "returned_pharmacy.sql",
                    "return": returns,
                },
            },
            {
                "property": "catalogue",
                "value": {"code": "342002/000901", "format": "delta", "cycle": "daily",
                          "source_dept": "drug"},
            },
            {
                "property": "sharing",
                "value": {"attribute": "conditional", "scope": ["dongcheng"], "mode": "api",
                          "purposes": ["区级监管"], "open": False,
                          "legal_basis": "政务数据共享条例 第二十四条"},
            },
            {
                "property": "grading",
                "value": {"gb43697": "general", "level": "L2", "personal_information": False,
                          "sensitive": False, "secrecy_review": "SR-2026-0901"},
            },
            {"property": "thresholds", "value": {"bad_rows_percent": 0, "on_fail": "hold"}},
        ],
    }  # fmt: skip


def _column(
    name: str, word: str, level: str, *, kind: str = "string", key: int = 0
) -> dict[str, Any]:
    source = [] if name == "business_date" else [f"drug.pharmacy.{name}"]
    made: dict[str, Any] = {
        "name": name,
        "businessName": word,
        "description": word,
        "logicalType": kind,
        "physicalType": kind,
        "required": bool(key),
        "classification": level,
        "transformLogic": name if source else "DATE '{business_date}'",
        "transformDescription": "原样",
        "customProperties": [{"property": "release", "value": {"mask": "keep"}}],
    }
    if source:
        made["transformSourceObjects"] = source
    if key:
        made |= {"primaryKey": True, "primaryKeyPosition": key}
    return made
