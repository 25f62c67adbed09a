"""Invariants 2 and 3: what is visible was audited, passed and logged; one batch a period."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from contracts.words import Words
from jobs.audit.digest import digest_of
from jobs.names import Step
from jobs.publish.run import is_same_period
from jobs.tables import silver, staged
from jobs.tables.silver import CARRIED, GOOD
from jobs.verify.lake import by_no_stage, file_problem, foreign_commits, stages_of
from jobs.verify.report import checked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deltalake import DeltaTable

    from jobs.tables.silver import Publication
    from jobs.verify.lake import Lake
    from jobs.verify.report import Checked

_UNPUBLISHED: Final = Words("有无人发布的行可见", "rows are visible that nobody published")
_NO_BATCH: Final = Words(
    "有可见的文件不属于任何已发布的批次", "a visible file belongs to no published batch"
)
_NOT_PASSED: Final = Words(
    "有可见的文件含未通过的行", "a visible file holds rows that did not pass"
)


def visible(lake: Lake) -> Iterator[Checked]:
    """Check every file, row and publication that silver shows."""
    known = {(row.table, row.batch_id) for row in lake.batches}
    for name, table in lake.silver.items():
        commits = silver.publications(table)
        in_force = silver.in_force(table)
        stages = {p.stage for p in commits if p.kind == "withdraw"}
        yield from _files(name, table, frozenset({p.stage for p in in_force} | stages))
        foreign = foreign_commits(table)
        yield checked(2, f"silver/{name}", by_no_stage(foreign))
        published = {p.batch_id for p in in_force}
        for batch_id in lake.visible[name]:
            problem = None if batch_id in published else _UNPUBLISHED
            yield checked(2, f"silver/{name}@{batch_id}", problem)
        for publication in in_force:
            is_known = (name, publication.batch_id) in known
            yield from _publication(lake, name, publication, is_known=is_known)


def _files(name: str, table: DeltaTable, stages: frozenset[str]) -> Iterator[Checked]:
    """Check that visible files are published batches' good rows, as the log names them."""
    for file in staged.files(table):
        path = str(file["path"])
        state = path.split("/")[2:3]
        if staged.stage_of_file(path) not in stages:
            problem: Words | None = _NO_BATCH
        elif state not in ([f"_ok={GOOD}"], [f"_ok={CARRIED}"]):
            problem = _NOT_PASSED
        else:
            problem = file_problem(table, file)
        yield checked(2, f"silver/{name}/{path}", problem)


def _publication(
    lake: Lake, table: str, publication: Publication, *, is_known: bool
) -> Iterator[Checked]:
    subject = f"{table}@{publication.batch_id}"
    is_recovering = Step.PUBLISH.of(publication.batch_id) in lake.recovering
    passed = ("publish", publication.digest)
    verdicts = lake.leaves_of("verdict", subject)
    has_passed = any((v.facts.get("decision"), v.facts.get("digest")) == passed for v in verdicts)
    results = lake.checks.get(publication.batch_id, [])
    logged = {leaf.facts.get("digest") for leaf in lake.leaves_of("publication", subject)}
    problems = {
        Words(
            f"第 {publication.version} 版在 governance.batches 中没有记录",
            f"version {publication.version} has no row in governance.batches",
        ): not is_known,
        Words("可见的版本没有发布存证", "the visible version has no publication leaf"): not logged,
        Words("其发布存证写的是另一结论", "its publication leaf names another verdict"): bool(
            logged
        )
        and publication.digest not in logged,
        Words(
            "存证日志中没有通过的结论", "there is no passing verdict in the evidence log"
        ): not has_passed,
        Words(
            "检查结果不是结论所依据的结果",
            "the check results are not those the verdict was given on",
        ): publication.digest != digest_of(results, "publish"),
    }
    for problem, is_so in problems.items():
        where = f"silver/{subject}"
        yield checked(2, where, problem if is_so else None, is_recovering=is_so and is_recovering)


def periods(lake: Lake) -> Iterator[Checked]:
    """Check that of one period one batch is visible, and that it is the newest published."""
    for name, table in lake.silver.items():
        contract = lake.contract_of(name)
        if contract is None:
            continue
        shown, in_force = stages_of(table), silver.in_force(table)
        if contract.load.mode == "merge_key":
            yield _newest_merge(name, table, shown)
            continue
        for publication in in_force:
            rivals = [
                p.batch_id
                for p in in_force
                if p.order < publication.order
                and p.batch_id in shown
                and is_same_period(contract, p, publication)
            ]
            where = f"silver/{name} {publication.business_date}"
            yield checked(3, where, _outlived(min(rivals), publication) if rivals else None)


def _outlived(rival: str, publication: Publication) -> Words:
    return Words(
        f"批次 {rival} 仍可见，而 {publication.batch_id} 更新",
        f"batch {rival} is visible although {publication.batch_id} is newer",
    )


def _newest_merge(name: str, table: DeltaTable, shown: frozenset[str | None]) -> Checked:
    """Check that a merge table shows the stage of its newest commit, and nothing else."""
    commits = silver.publications(table)
    newest = commits[-1].stage if commits else None
    others = sorted(str(s) for s in shown - {newest})
    if not others:
        return checked(3, f"silver/{name}", None)
    problem = Words(
        f"它展示的是 {others[0]}，其最新提交是 {newest}",
        f"it shows {others[0]}, its newest commit is {newest}",
    )
    return checked(3, f"silver/{name}", problem)
