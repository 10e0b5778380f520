"""Every permission and what the built-in roles may do, as data. A route names its permission."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Permission:
    """What a grant may allow, in the languages of the pages.

    `scoped`: a grant on a site, building, storey or system gives it there. Any other permission concerns the whole
    server and comes only with a grant that is not limited.
    """

    en: str
    zh: str
    scoped: bool = True


PERMISSIONS: Final[Mapping[str, Permission]] = {
    "building.read": Permission("See sites, buildings, storeys, spaces", "查看园区、建筑、楼层、房间"),
    "building.write": Permission("Create and change sites and buildings", "新建和修改园区、建筑"),
    "model.read": Permission("See models, versions, tiles, original files", "查看模型、版本、瓦片、原始文件"),
    "model.upload": Permission("Upload a new model or version", "上传模型或新版本"),
    "model.check": Permission("Check models, against IDS documents too", "检查模型（含 IDS 文档）"),
    "model.export": Permission("Export enriched models, COBie and element lists", "导出增强模型、COBie 和构件清单"),
    "element.write": Permission("Change the users' own properties of elements", "修改构件的自定义属性"),
    "asset.write": Permission("Create, change and bind assets", "新建、修改和绑定资产"),
    "point.read": Permission("See points and sources", "查看测点和数据源"),
    "point.write": Permission("Define and bind points", "定义和绑定测点"),
    "point.command": Permission("Command a writable point", "下发控制指令"),
    "reading.read": Permission("See values and history", "查看实时值和历史"),
    "reading.write": Permission("Send readings", "上送读数"),
    "source.write": Permission("Define sources", "定义数据源"),
    "history.write": Permission(
        "Set how long readings are kept, remove and compress them", "设定读数的保留期限、清除和压缩读数", scoped=False
    ),
    "alarm.read": Permission("See alarms and rules", "查看告警和告警规则"),
    "alarm.acknowledge": Permission("Acknowledge and comment alarms", "确认告警、添加备注"),
    "alarm.shelve": Permission("Shelve and unshelve alarms", "搁置和恢复告警"),
    "alarm_rule.write": Permission("Define alarm rules", "定义告警规则"),
    "work_order.read": Permission("See work orders and plans", "查看工单和保养计划"),
    "work_order.write": Permission("Create work orders and work on one's own", "新建工单、处理自己的工单"),
    "work_order.assign": Permission(
        "Assign and cancel work orders, work on those of others", "派发和取消工单、处理他人的工单"
    ),
    "work_order.verify": Permission("Verify or reopen work orders", "验收或退回工单"),
    "plan.write": Permission("Define maintenance plans", "制定保养计划"),
    "topic.read": Permission("See issues (BCF topics)", "查看问题（BCF 议题）"),
    "topic.write": Permission("Create, change and import issues", "新建、修改和导入问题"),
    "job.read": Permission("See and cancel jobs", "查看和取消后台任务"),
    "account.read": Permission("See accounts, roles and grants", "查看账号、角色和授权", scoped=False),
    "account.write": Permission("Create and change accounts", "新建和修改账号", scoped=False),
    "role.write": Permission("Define roles", "定义角色", scoped=False),
    "grant.write": Permission(
        "Give roles to accounts and keys, and take them away", "为账号和密钥授予或撤销角色", scoped=False
    ),
    "key.write": Permission("Create and revoke API keys", "新建和吊销 API 密钥", scoped=False),
    "audit.read": Permission("Read the audit trail", "查看审计记录", scoped=False),
    "metrics.read": Permission("Read the server's metrics", "查看服务器指标", scoped=False),
}

FAMILIES: Final = ("building", "model", "point", "reading", "alarm", "work_order", "topic", "job")
"""Families of rows; `FAMILY.read` says who sees them and where (twin/migrations/sql/0007_access.sql)."""

ADMINISTERING: Final = frozenset({"account.write", "role.write", "grant.write", "key.write"})
"""Who holds one of these cannot be an auditor, whose trail is about them (separation of duty)."""

_LOOK = {
    "building.read",
    "model.read",
    "point.read",
    "reading.read",
    "alarm.read",
    "work_order.read",
    "topic.read",
    "job.read",
}
_OPERATE = _LOOK | {"alarm.acknowledge", "work_order.write", "work_order.assign", "topic.write"}
_ENGINEER = _OPERATE | {
    "model.check",
    "model.export",
    "element.write",
    "asset.write",
    "point.write",
    "point.command",
    "source.write",
    "alarm.shelve",
    "alarm_rule.write",
    "work_order.verify",
    "plan.write",
}

ADMINISTRATOR: Final = "administrator"
AUDITOR: Final = "auditor"

ROLES: Final[Mapping[str, frozenset[str]]] = {
    ADMINISTRATOR: frozenset(PERMISSIONS),
    "bim_modeller": frozenset(
        _LOOK
        | {
            "building.write",
            "model.upload",
            "model.check",
            "model.export",
            "element.write",
            "asset.write",
            "topic.write",
        }
    ),
    "facility_engineer": frozenset(_ENGINEER),
    "duty_operator": frozenset(_OPERATE | {"alarm.shelve", "point.command"}),
    "crew": frozenset(_LOOK | {"work_order.write"}),
    "owner": frozenset(_LOOK - {"job.read"}),
    AUDITOR: frozenset(_LOOK | {"audit.read", "account.read"}),
    "integration": frozenset(_LOOK | {"reading.write", "point.write", "source.write", "metrics.read"}),
}

TITLES: Final[Mapping[str, tuple[str, str]]] = {
    ADMINISTRATOR: ("Administrator", "管理员"),
    "bim_modeller": ("BIM modeller", "BIM 建模员"),
    "facility_engineer": ("Facility engineer", "设施工程师"),
    "duty_operator": ("Duty operator", "值班员"),
    "crew": ("Maintenance crew", "维修班组"),
    "owner": ("Owner", "业主"),
    AUDITOR: ("Auditor", "审计员"),
    "integration": ("Integration", "系统对接"),
}
"""What the built-in roles are called, in English and Chinese."""


def permissions_of(roles: Iterable[str]) -> frozenset[str]:
    """What someone with these built-in roles may do; an unknown role adds nothing."""
    return frozenset().union(*(ROLES.get(role, frozenset()) for role in roles))
