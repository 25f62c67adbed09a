"""Measures how many mutants the tests kill in the modules that hold rules, policy and evidence.

    python -m bench.mutants [--modules jobs/share/masking.py …] [--sample N] [--seed S] [--floor 80]

mutmut changes one thing at a time inside functions and runs the tests that reach it, in a copy of
the tree. Tables of constants at module level (weights, alphabets, patterns) it does not touch: the
golden plans in ``tests/golden/plans`` stand for those. Tests that need Spark are left out.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
_RULES: Final = ("tests/unit/contracts", "tests/unit/jobs")
_EVIDENCE: Final = "tests/unit/lineage/evidence"
_SHARING: Final = "tests/unit/sharing"
#: Each module that decides something (or one function of it, after a colon), and the tests that
#: have to notice when it changes.
MODULES: Final[dict[str, tuple[str, ...]]] = {
    "contracts/rules.py": _RULES,
    "contracts/sla.py": _RULES,
    "contracts/crosscheck.py": _RULES,
    "contracts/reference.py": _RULES,
    "jobs/rules/plan.py": _RULES,
    "jobs/rules/predicates.py": _RULES,
    "jobs/checks/compare.py": _RULES,
    "jobs/audit/digest.py": _RULES,
    "jobs/audit/run.py:decide": _RULES,
    "jobs/share/masking.py": ("tests/property/test_masking.py",),
    "lineage/levels.py": ("tests/unit/lineage", "tests/property/test_lineage.py"),
    "lineage/evidence/hashing.py": (f"{_EVIDENCE}/test_hashing.py",),
    "lineage/evidence/note.py": (f"{_EVIDENCE}/test_note.py", f"{_EVIDENCE}/test_checkpoint.py"),
    "lineage/evidence/verify.py": (f"{_EVIDENCE}/test_verify.py",),
    "sharing/tables/ceiling.py": (f"{_SHARING}/tables/test_ceiling.py",),
    "sharing/grants/grants.py": (f"{_SHARING}/grants/test_grants.py",),
    "sharing/gateway/signing.py": (f"{_SHARING}/gateway/test_signing.py",),
}
_COPIED: Final = (
    "bench",
    "cli",
    "contracts",
    "dags",
    "docs",
    "infra",
    "jobs",
    "lineage",
    "portal",
    "sharing",
    "tests",
)
#: What mutmut's exit codes mean (its ``stats.py``): a test failed, or the mutant never ended.
_SURVIVED, _NO_TESTS = (0, 5), (33, 34)


@dataclass(frozen=True)
class Score:
    """What became of one module's mutants; ``survivors`` are their names in mutmut."""

    module: str
    killed: int
    total: int
    survivors: tuple[str, ...]

    @property
    def percent(self) -> float:
        """The share of mutants that some test noticed."""
        return 100.0 * self.killed / self.total if self.total else 100.0


def workspace(folder: Path, module: str, tests: tuple[str, ...]) -> None:
    """Copy the tree and tell mutmut what to change and how to notice."""
    for name in _COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    options = {
        "source_paths": [module],
        "pytest_add_cli_args_test_selection": list(tests),
        "pytest_add_cli_args": ["-m", "not spark and not e2e", "-p", "no:cacheprovider"],
        "also_copy": [*_COPIED, "pyproject.toml"],
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in options.items()]
    settings = (ROOT / "pyproject.toml").read_text("utf-8")
    text = "\n".join([settings, "[tool.mutmut]", *lines, ""])
    (folder / "pyproject.toml").write_text(text, "utf-8")


def _mutmut(folder: Path, names: list[str], children: int) -> str:
    """Run mutmut in a workspace and return what it wrote."""
    environment = os.environ | {"PYTHONPATH": str(folder), "HYPOTHESIS_STORAGE_DIRECTORY": ".hypo"}
    done = subprocess.run(
        [sys.executable, "-m", "mutmut", "run", "--max-children", str(children), *names],
        cwd=folder,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    return done.stdout[-2000:] + done.stderr[-2000:]


def _results(folder: Path, module: str) -> dict[str, int | None]:
    meta = folder / "mutants" / f"{module}.meta"
    if not meta.is_file():
        return {}
    found: dict[str, int | None] = json.loads(meta.read_text("utf-8"))["exit_code_by_key"]
    return found


def measure(subject: str, tests: tuple[str, ...], sample: int, seed: int, children: int) -> Score:
    """Return a module's score; raises RuntimeError when mutmut could not run its tests."""
    module, _, function = subject.partition(":")
    with tempfile.TemporaryDirectory(prefix="mutants-") as made:
        folder = Path(made)
        workspace(folder, module, tests)
        _mutmut(folder, ["none.at.all"], children)  # makes the mutants, and runs none
        mine = f".x_{function}__" if function else ".x"
        names = sorted(n for n in _results(folder, module) if mine in n)
        if sample and sample < len(names):
            names = sorted(random.Random(f"{seed}{subject}").sample(names, sample))  # noqa: S311
        output = _mutmut(folder, names, children)
        codes = {n: c for n, c in _results(folder, module).items() if n in set(names)}
    unknown = [n for n, c in codes.items() if c is None]
    if unknown or not names:
        raise RuntimeError(
            f"{subject}: {len(unknown)} of {len(names)} mutants did not run\n{output}"
        )
    lost = tuple(n for n, c in codes.items() if c in (*_SURVIVED, *_NO_TESTS))
    return Score(subject, len(codes) - len(lost), len(codes), lost)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.mutants", description=(__doc__ or "").split("\n", 1)[0]
    )
    parser.add_argument("--modules", nargs="+", choices=MODULES, default=list(MODULES))
    parser.add_argument("--sample", type=int, default=0, help="mutants a module; 0 means all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--floor", type=float, default=80.0, help="percent that must be killed")
    parser.add_argument("--children", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end")
    return parser.parse_args()


def main() -> int:
    """Measure, print a line a module and the total; 1 when the total is below the floor."""
    options = _arguments()
    total: Counter[str] = Counter()
    scores = []
    for module in options.modules:
        score = measure(module, MODULES[module], options.sample, options.seed, options.children)
        scores.append(score)
        total.update(killed=score.killed, all=score.total)
        print(f"{module:34} {score.killed:4} of {score.total:4} {score.percent:5.1f} %", flush=True)
        for name in score.survivors:
            print(f"    survived: {name}", flush=True)
    percent = 100.0 * total["killed"] / total["all"]
    print(f"{'total':34} {total['killed']:4} of {total['all']:4} {percent:5.1f} %")
    if options.json:
        found = {s.module: {"killed": s.killed, "total": s.total} for s in scores}
        print(json.dumps({"percent": round(percent, 1), "modules": found}))
    return 0 if percent >= options.floor else 1


if __name__ == "__main__":
    sys.exit(main())
