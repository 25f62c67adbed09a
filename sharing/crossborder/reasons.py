"""Why an export may not go or an assessment does not serve, and what to do: whole texts.

A decision keeps its reason as ``Words.stored`` writes it; one of an earlier version, which held
both languages in one text, stays as it was and reads the same to everybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from contracts.errors import UsageError
from contracts.words import Words

if TYPE_CHECKING:
    from datetime import date

    from sharing.crossborder.assessments import Assessment, AssessmentRow
    from sharing.crossborder.decide import Decision, Facts, Scope

#: What to do where the zone's negative list decides nothing, by the row that says so.
_UNDETERMINED: Final = {
    13: Words(
        "尚未添加自贸区负面清单，无法判定；请由数据主管部门添加清单"
        "（… crossborder zone-list）后再判定。",
        "No negative list of the zone is known, so nothing is decided: have the data"
        " authority add it (… crossborder zone-list), and decide again.",
    ),
    16: Words(
        "凭列名不能断定数据是否在负面清单内；请数据主管部门对照清单：不在清单内的，登记"
        "（… crossborder paper EXPORTER outside_zone_list NUMBER）后再判定。",
        "No name of a column tells whether the data is on the negative list: have the data"
        " authority read it, and record that the data is outside, where it is"
        " (… crossborder paper EXPORTER outside_zone_list NUMBER); then decide again.",
    ),
}


def reason_of(
    scope: Scope, facts: Facts, decision: Decision, relied: Assessment | None
) -> Words | None:
    """Return why an export is denied or undetermined; None where the rule says enough."""
    is_over = facts.is_assessment_over and decision.row not in (0, 11, 12)
    if relied is not None and is_over and decision.outcome == "deny":
        return _over(relied)
    held_by = ", ".join(facts.holders)
    match decision.row:
        case 0 | 1 if facts.is_held_by_organ and not facts.is_state_organ:
            return Words(
                f"数据来自 {held_by}，由 {scope.exporter} 出境不改变其性质；请数据持有单位办理。",
                f"The data is {held_by}'s, and stays so when {scope.exporter} exports it:"
                " its holder is to apply.",
            )
        case 11:
            return Words(
                "境外司法或者执法机构的请求须经主管机关批准；请先报批并由数据主管部门登记批准文件"
                "（… crossborder paper）。",
                "A request of a foreign judicial or law-enforcement body goes to the competent"
                " authority: apply there, and have its approval recorded (… crossborder paper).",
            )
        case 12:
            return Words(
                f"{scope.exporter} 对 {scope.dataset} 没有可用于“{scope.destination.purpose}”"
                f"的权利或授权；请先向 {held_by} 申请。",
                f"{scope.exporter} has no right to {scope.dataset} and no grant of it for"
                f' "{scope.destination.purpose}": ask {held_by} for one.',
            )
        case 13 | 16:
            return _UNDETERMINED[decision.row]
        case _:
            return None


def unknown_assessment(assessment_id: str) -> UsageError:
    """Return the refusal of a number that is not on record."""
    return UsageError(
        Words(
            f"没有安全评估 {assessment_id!r} 的登记。",
            f"There is no record of a security assessment {assessment_id!r}.",
        ),
        Words(
            "请先登记其结果：… crossborder assess。",
            "Record its result first: … crossborder assess.",
        ),
    )


def out_of_time(day: date, last: AssessmentRow) -> UsageError:
    """Return the refusal of a paper's day that is not within the time its assessment held."""
    return UsageError(
        Words(
            f"{day} 不在安全评估 {last.id} 的最近日期 {last.on_date}"
            f" 至届满日 {last.last_day} 之间。",
            f"{day} is not from {last.on_date}, the newest date of the security assessment"
            f" {last.id}, to {last.last_day}, its end.",
        ),
        Words(
            "请填写文件日期；已届满的须重新申报，另用新编号。",
            "Give the date of the paper; what is over is assessed anew, under a new number.",
        ),
    )


def of_another(assessment_id: str, owner: str, exporter: str) -> UsageError:
    """Return the refusal of an assessment that is another exporter's."""
    return UsageError(
        Words(
            f"安全评估 {assessment_id} 属于 {owner}，不属于 {exporter}。",
            f"The security assessment {assessment_id} is of {owner}, not of {exporter}.",
        ),
        Words(
            "请填写出境者自己的评估：… crossborder assessments。",
            "Name one of the exporter's own: … crossborder assessments.",
        ),
    )


def _over(relied: Assessment) -> Words:
    return Words(
        f"安全评估 {relied.id} 的有效期已于 {relied.last_day} 届满；"
        "请重新申报评估并登记结果（… crossborder assess）后再判定。",
        f"The security assessment {relied.id} ended on {relied.last_day}: have it assessed anew,"
        " record the result (… crossborder assess), and decide again.",
    )
