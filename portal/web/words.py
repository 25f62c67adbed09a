"""The words of the web pages, in Chinese and in English; an unknown key is shown as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from portal import words as portal_words
from portal.words import Word

if TYPE_CHECKING:
    from collections.abc import Mapping

STATE: Final[Mapping[str, Word]] = {
    "draft": Word("草稿", "draft"),
    "submitted": Word("已提交", "submitted", "warn"),
    "supplement": Word("待补正", "to be supplemented", "warn"),
    "accepted": Word("已受理", "accepted", "warn"),
    "agreed": Word("已同意", "agreed", "good"),
    "refused": Word("不予提供", "refused", "bad"),
    "delivered": Word("已交付", "delivered", "good"),
    "in_use": Word("使用中", "in use", "good"),
    "suspended": Word("已暂停", "suspended", "bad"),
    "closed": Word("已办结", "closed"),
}
ACTION: Final[Mapping[str, Word]] = {
    "draft": Word("起草", "draft"),
    "submit": Word("提交", "submit"),
    "ask_supplement": Word("一次性告知补正", "ask for what is missing"),
    "resubmit": Word("补正后再交", "resubmit"),
    "accept": Word("受理", "accept"),
    "agree": Word("同意", "agree"),
    "agree_as_authority": Word("核准", "approve as authority"),
    "refuse": Word("不予提供", "refuse"),
    "extend": Word("同意延期", "allow more time"),
    "deliver": Word("交付", "deliver"),
    "note_first_read": Word("首次读取", "first read"),
    "suspend": Word("暂停", "suspend"),
    "resume": Word("恢复", "resume"),
    "withdraw": Word("撤回申请", "withdraw"),
    "close": Word("办结", "close"),
    "end_service": Word("终止服务（经协商并备案）", "end the service, after talks and filed"),
    "stop_service": Word("责令停止", "stop the service"),
    "destroy": Word("销毁证明", "prove destruction"),
    "dispute": Word("提出争议", "open a dispute"),
    "settle_dispute": Word("争议协商一致", "settle the dispute"),
    "bring_to_authority": Word("提请主管部门协调", "bring it to the authority"),
    "rule_on_dispute": Word("协调处理", "rule on the dispute"),
    "refer_to_government": Word("报请政府决定", "refer it to the government"),
    "note_government_ruling": Word("登记政府决定", "record the government's decision"),
}
#: What is stated with a step.
STATEMENT: Final[Mapping[str, Word]] = {
    "reason": Word("理由", "reason"),
    "legal_basis": Word("法律依据", "legal basis"),
    "missing": Word("缺少的材料", "what is missing"),
    "method": Word("处置方式", "how it was disposed of"),
    "proof": Word("凭据", "proof"),
    "pia_id": Word("个人信息保护影响评估编号", "impact assessment"),
    "consultation": Word("协商情况", "talks with whoever has it"),
    "filing": Word("备案号", "filing number"),
    "outcome": Word("处理结果", "outcome"),
    "document": Word("文号", "number of the document"),
    "unregistered": Word("目录未登记", "not registered in the catalogue"),
}
#: What may be stated with a step besides what it needs.
OPTIONAL: Final[Mapping[str, tuple[str, ...]]] = {"agree_as_authority": ("pia_id",)}
FIELD: Final[Mapping[str, Word]] = {
    "title": Word("名称", "title"),
    "recipient": Word("接收方", "recipient"),
    "body": Word("申请部门", "asking body"),
    "purpose": Word("用途", "purpose"),
    "legal_basis": Word("法律依据", "legal basis"),
    "scenario": Word("应用场景", "scenario"),
    "scope": Word("使用范围", "scope"),
    "mode": Word("共享方式", "mode"),
    "until": Word("使用期限至", "last day"),
}
USE: Final[Mapping[str, Word]] = {
    "scenario": Word("场景", "scenario"),
    "process": Word("过程", "process"),
    "effect": Word("成效", "effect"),
    "storage": Word("存储", "storage"),
}
ATTRIBUTE: Final = portal_words.ATTRIBUTE
CYCLE: Final = portal_words.CYCLE
GRADE: Final = portal_words.GRADE
MODE: Final[Mapping[str, Word]] = {
    "api": Word("接口", "API"),
    "batch": Word("批量交换", "batch exchange"),
    "file": Word("文件下载", "file download"),
}
MASK: Final[Mapping[str, Word]] = {
    "keep": Word("原值", "as it is"),
    "drop": Word("不提供", "left out"),
    "hmac_sm3": Word("假名", "pseudonym"),
    "sm4": Word("加密", "encrypted"),
    "partial": Word("部分遮盖", "partly hidden"),
    "prefix": Word("只留前几位", "its beginning"),
    "round_coordinate": Word("坐标取整", "rounded position"),
    "truncate_date": Word("日期取整", "rounded date"),
    "generalise": Word("分段", "in bands"),
}
DEADLINE: Final[Mapping[str, Word]] = {
    "answer": Word("答复", "answer"),
    "delivery": Word("交付", "delivery"),
    "calendar": Word("工作日历", "calendar of working days"),
}
CORRECTION: Final[Mapping[str, Word]] = {
    "open": Word("待答复", "open", "warn"),
    "corrected": Word("已改正", "corrected", "good"),
    "rejected": Word("不成立", "rejected"),
}
ROLE: Final[Mapping[str, Word]] = {
    "requester": Word("申请人", "requester"),
    "steward": Word("数据管家", "steward"),
    "cdo": Word("首席数据官", "CDO"),
    "authority": Word("数据主管部门", "data authority"),
    "sysadmin": Word("系统管理员", "system administrator"),
    "secadmin": Word("安全管理员", "security administrator"),
    "auditor": Word("审计员", "auditor"),
}
#: What was done to accounts (sharing.accounts): in English as it is recorded.
EVENT: Final[Mapping[str, Word]] = {
    "bootstrap": Word("首次设立", "bootstrap"),
    "add": Word("新建", "add"),
    "roles": Word("授予角色", "roles"),
    "disable": Word("停用", "disable"),
    "reset_password": Word("重置口令", "reset_password"),
    "change_password": Word("更改口令", "change_password"),
    "login": Word("登录", "login"),
    "logout": Word("退出", "logout"),
    "log_out": Word("强制退出", "log_out"),
    "lock": Word("锁定", "lock"),
}
#: Why a login failed (sharing.accounts.failures).
FAILURE: Final[Mapping[str, Word]] = {
    "unknown": Word("没有此账户", "unknown"),
    "disabled": Word("账户已停用", "disabled"),
    "locked": Word("账户已锁定", "locked"),
    "expired": Word("一次性口令已过期", "expired"),
    "password": Word("口令错误", "password"),
}
