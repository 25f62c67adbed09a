"""Originals: matched from the log by a stranger, and a sealed one opened by an auditor only."""

from __future__ import annotations

import hashlib
import json
import stat
from collections import Counter
from datetime import date
from typing import TYPE_CHECKING

import pytest
from argon2 import PasswordHasher

from cli.main import main
from contracts.moment import utc_now
from jobs.verify import lake as verified
from jobs.verify.facts import of_leaves
from lineage.evidence import verify_dossier
from lineage.evidence.custody import gaps_of
from lineage.evidence.dossier import compile_dossier
from lineage.evidence.log import EvidenceLog
from lineage.evidence.machine import this_machine
from lineage.evidence.scope import DatasetScope
from sharing.accounts import accounts
from sharing.accounts.passwords import Passwords
from sharing.control import Control

if TYPE_CHECKING:
    from pathlib import Path

    from sharing.people import Role
    from tests.support.selling import Lake

QUICK = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


def test_a_dataset_s_dossier_reaches_back_to_the_provider_s_files(
    lake: Lake, sold: tuple[str, str]
) -> None:
    scope = DatasetScope("shop.sale", date(2026, 7, 1), date(2026, 7, 2))
    made = compile_dossier(lake.home, scope, [], "2026-07-04T00:00:00Z")
    kinds = Counter(leaf.type for leaf in made.leaves)
    assert kinds == {
        "contract": 1,
        "delivery": 2,
        "landing": 2,
        "verdict": 3,  # one was held before it was released
        "publication": 2,
    }
    assert made.gaps == ()
    assert list(verify_dossier.check(made.files, made.files["log.vkey"])) == []
    for leaf in made.leaves:
        if leaf.type == "landing":
            (file,) = lake.home.drop.rglob(f"sale_{int(leaf.subject[17:19])}.csv")
            assert leaf.facts["file_sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
            assert this_machine().facts().items() <= leaf.facts.items()
    for kind in ("contract", "delivery", "landing", "verdict"):
        rest = [leaf for leaf in made.leaves if leaf.type != kind]
        gaps = gaps_of(rest)
        assert {gap.kind for gap in gaps} == {kind}
        told = gaps[0].to_json()
        assert (told["zh"] or "").endswith("。")
        assert (told["en"] or "").endswith(".")


def test_a_sealed_original_is_matched_sealed_and_opened_by_an_auditor_only(
    lake: Lake, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    batch_id = lake.publish("guest", 3, ["PERSON_ID", "110101199003071234"])
    log = EvidenceLog(lake.home)
    landing = log.find(f"landing:shop__guest@{batch_id}")
    assert landing is not None
    kept = lake.home.raw("shop", "guest", batch_id) / "guest_3.csv"
    (delivered,) = lake.home.drop.rglob("guest_3.csv")
    assert landing.leaf.facts["sealed_sha256"] == hashlib.sha256(kept.read_bytes()).hexdigest()
    assert landing.leaf.facts["file_sha256"] == hashlib.sha256(delivered.read_bytes()).hexdigest()
    with Control(lake.home) as control:
        three: dict[Role, str] = {"sysadmin": "sun", "secadmin": "li", "auditor": "zhang"}
        accounts.bootstrap(control, QUICK, "root", three, utc_now())
    out = tmp_path / "clear.csv"
    before = log.size
    assert _of_originals(lake) == []
    ask = ["evidence", "open", batch_id, "--out", str(out), "--reason", "庭审核对"]
    assert _ended([*ask, "--as", "li"]) != 0
    assert not out.exists()
    assert log.size == before, "who may not leaves nothing"
    assert _ended([*ask, "--as", "zhang"]) == 0
    assert out.read_bytes() == delivered.read_bytes()
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    (entry,) = (json.loads(entry) for _, entry in log.entries(before))
    assert entry["type"] == "opening"
    assert entry["subject"].startswith(f"shop__guest@{batch_id}/")
    assert entry["facts"]["actor"] == "zhang"
    assert "庭审核对" not in json.dumps(entry, ensure_ascii=False)
    for name in ("file_sha256", "file_sm3", "sealed_sha256", "sealed_sm3"):
        assert entry["facts"][name] == landing.leaf.facts[name]
    assert _ended([*ask, "--as", "zhang"]) == 2, "never written over"
    sound = kept.read_bytes()
    kept.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
    changed = [*ask[:4], str(tmp_path / "other.csv"), *ask[5:], "--as", "zhang"]
    assert _ended(changed) != 0
    assert not (tmp_path / "other.csv").exists()
    assert log.size == before + 1
    assert _of_originals(lake) == ["its kept original is not the sealed file that the leaf names"]
    capsys.readouterr()


def _ended(words: list[str]) -> int:
    with pytest.raises(SystemExit) as ended:
        main(words)
    return int(ended.value.code or 0)


def _of_originals(lake: Lake) -> list[str]:
    """Return what verify finds of kept originals."""
    found = of_leaves(verified.Lake(lake.home, lake.tree))
    return [f.problem.en for _, f in found if f and "original" in f.problem.en]
