"""Why an export may not go, where the rule alone does not say it, and what to do: whole texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sharing.crossborder.assessments import Assessment
    from sharing.crossborder.decide import Decision, Facts, Scope

#: What to do where the zone's negative list decides nothing, by the row that says so.
_UNDETERMINED: Final = {
    13: (
        "尚未添加自贸区负面清单，无法判定；请由数据主管部门添加清单后再判定。"
        " No negative list of the zone is known, so nothing is decided: have the data"
        " authority add it (… crossborder zone-list), and decide again."
    ),
    16: (
        "凭列名不能断定数据是否在负面清单内；请数据主管部门对照清单：不在清单内的，登记后再判定。"
        " No name of a column tells whether the data is on the negative list: have the data"
        " authority read it, and record that the data is outside, where it is"
        " (… crossborder paper EXPORTER outside_zone_list NUMBER); then decide again."
    ),
}


def reason_of(scope: Scope, facts: Facts, decision: Decision, relied: Assessment | None) -> str:
    """Return why an export is denied or undetermined, Chinese first; empty where it is neither."""
    is_over = facts.is_assessment_over and decision.row not in (0, 11, 12)
    if relied is not None and is_over and decision.outcome == "deny":
        return _over(relied)
    held_by = ", ".join(facts.holders)
    match decision.row:
        case 0 | 1 if facts.is_held_by_organ and not facts.is_state_organ:
            return (
                f"数据来自 {held_by}，由 {scope.exporter} 出境不改变其性质；请数据持有单位办理。"
                f" The data is {held_by}'s, and stays so when {scope.exporter} exports it:"
                " its holder is to apply."
            )
        case 11:
            return (
                "境外司法或者执法机构的请求须经主管机关批准；请先报批并由数据主管部门登记批准文件。"
                " A request of a foreign judicial or law-enforcement body goes to the competent"
                " authority: apply there, and have its approval recorded (… crossborder paper)."
            )
        case 12:
            return (
                f"{scope.exporter} 对 {scope.dataset} 没有可用于“{scope.destination.purpose}”"
                f"的权利或授权；请先向 {held_by} 申请。"
                f" {scope.exporter} has no right to {scope.dataset} and no grant of it for this"
                f" purpose: ask {held_by} for one."
            )
        case 13 | 16:
            return _UNDETERMINED[decision.row]
        case _:
            return ""


def _over(relied: Assessment) -> str:
    return (
        f"安全评估 {relied.id} 的有效期已于 {relied.last_day} 届满；"
        "请重新申报评估并登记结果后再判定。"
        f" The security assessment {relied.id} ended on {relied.last_day}: have it assessed anew, "
        "record the result (… crossborder assess), and decide again."
    )
