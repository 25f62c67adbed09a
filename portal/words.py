"""The words for every state, in Chinese and in English, and how grave it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from contracts.words import Words

if TYPE_CHECKING:
    from collections.abc import Mapping

Tone = Literal["good", "warn", "bad", "idle"]


@dataclass(frozen=True)
class Word(Words):
    """A term; ``tone`` colours it, never alone: the word is always there."""

    tone: Tone = "idle"


DELIVERY: Final[Mapping[str, Word]] = {
    "received": Word("按时收到", "received", "good"),
    "late": Word("迟交", "late", "warn"),
    "missing": Word("缺交", "missing", "bad"),
    "refused": Word("拒收", "refused", "bad"),
    "duplicate": Word("重复交付", "duplicate", "warn"),
    "expected": Word("待交", "expected"),
    "not_due": Word("未到期", "not due"),
}
BATCH: Final[Mapping[str, Word]] = {
    "published": Word("已发布", "published", "good"),
    "held": Word("暂扣待定", "held", "bad"),
    "rejected": Word("已退回", "rejected", "bad"),
    "refused": Word("已拒收", "refused", "bad"),
    "failed": Word("处理失败", "failed", "bad"),
    "withdrawn": Word("已撤回", "withdrawn", "warn"),
    "superseded": Word("已被取代", "superseded"),
    "landed": Word("处理中", "in progress"),
}
CHECK: Final[Mapping[str, Word]] = {
    "failed": Word("不合格", "failed", "bad"),
    "error": Word("检查出错", "error", "bad"),
    "not_executable": Word("不可执行", "not executable"),
    "passed": Word("合格", "passed", "good"),
}
SEVERITY: Final[Mapping[str, Word]] = {
    "error": Word("错误", "error", "bad"),
    "warning": Word("警告", "warning", "warn"),
    "info": Word("提示", "info"),
}
PUBLICATION: Final[Mapping[str, Word]] = {
    "published": Word("已发布", "published", "good"),
    "waiting": Word("等待输入", "waiting", "warn"),
    "held": Word("暂扣待定", "held", "bad"),
    "none": Word("无记录", "no record"),
}
#: GB/T 36344-2018, in the standard's order.
DIMENSION: Final[Mapping[str, Word]] = {
    "conformity": Word("规范性", "conformity"),
    "completeness": Word("完整性", "completeness"),
    "accuracy": Word("准确性", "accuracy"),
    "consistency": Word("一致性", "consistency"),
    "timeliness": Word("时效性", "timeliness"),
    "accessibility": Word("可访问性", "accessibility"),
}
#: What a content scan tells apart (jobs.scan.findings).
CONTENT: Final[Mapping[str, Word]] = {
    "resident_id": Word("居民身份号码", "resident ID numbers"),
    "passport": Word("护照号码", "passport numbers"),
    "bank_card": Word("银行卡号", "bank card numbers"),
    "mobile": Word("手机号码", "mobile numbers"),
    "email": Word("电子邮箱", "e-mail addresses"),
    "plate": Word("机动车号牌", "vehicle plates"),
    "name": Word("姓名", "names of persons"),
    "address": Word("住址", "addresses of persons"),
    "birth_date": Word("出生日期", "dates of birth"),
    "coordinate": Word("个人位置", "positions of persons"),
    "population": Word("百万人以上", "rows of over a million persons"),
    "public_code": Word("公开代码", "public codes only"),
}
#: Sharing attributes (State Council Decree 809, Art. 14).
ATTRIBUTE: Final[Mapping[str, Word]] = {
    "unconditional": Word("无条件共享", "unconditional", "good"),
    "conditional": Word("有条件共享", "conditional", "warn"),
    "not_shared": Word("不予共享", "not shared", "bad"),
}
#: GB/T 43697-2024.
GRADE: Final[Mapping[str, Word]] = {
    "general": Word("一般数据", "general"),
    "important": Word("重要数据", "important"),
    "core": Word("核心数据", "core"),
}
CYCLE: Final[Mapping[str, Word]] = {
    "daily": Word("每日", "daily"),
    "weekly": Word("每周", "weekly"),
    "monthly": Word("每月", "monthly"),
    "quarterly": Word("每季", "quarterly"),
    "yearly": Word("每年", "yearly"),
    "adhoc": Word("不定期", "as it comes"),
}
#: Where an entry stands in the catalogue's register (sharing.catalogue.steps).
REGISTER: Final[Mapping[str, Word]] = {
    "unregistered": Word("未登记", "not registered"),
    "assessed": Word("已评估", "assessed", "warn"),
    "withheld": Word("评估不通过", "withheld", "bad"),
    "submitted": Word("待审核", "submitted", "warn"),
    "returned": Word("已退回", "returned", "bad"),
    "catalogued": Word("已编目", "catalogued", "good"),
    "changed": Word("变更中", "being changed", "warn"),
}
#: Scores that are no number: none of them may ever look like a good one.
NOT_SCORED: Final[Mapping[str, Word]] = {
    "not_checked": Word("未检查", "not checked"),
    "not_executable": Word("不可执行", "not executable"),
    "error": Word("检查出错", "check error", "bad"),
}


def word_for(table: Mapping[str, Word], key: str) -> Word:
    """Return the word for a state; one that the table lacks is shown as it is written."""
    return table.get(key) or Word(key, key)
