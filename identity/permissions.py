"""Every permission and what the roles may do, as data. A route names its permission; a test reads this table."""

from collections.abc import Iterable, Mapping

PERMISSIONS: Mapping[str, str] = {
    "building.read": "See sites, buildings, storeys, spaces",
    "building.write": "Create and change sites and buildings",
    "model.read": "See models, versions, tiles, original files",
    "model.upload": "Upload a new model or version",
    "element.write": "Change the users' own properties of elements",
    "asset.write": "Create, change and bind assets",
    "point.read": "See points and sources",
    "point.write": "Define and bind points",
    "point.command": "Command a writable point",
    "reading.read": "See values and history",
    "reading.write": "Send readings",
    "source.write": "Define sources",
    "alarm.read": "See alarms and rules",
    "alarm.acknowledge": "Acknowledge and comment alarms",
    "alarm.shelve": "Shelve and unshelve alarms",
    "alarm_rule.write": "Define alarm rules",
    "work_order.read": "See work orders and plans",
    "work_order.write": "Create work orders and work on one's own",
    "work_order.assign": "Assign and cancel work orders, work on those of others",
    "work_order.verify": "Verify or reopen work orders",
    "plan.write": "Define maintenance plans",
    "job.read": "See and cancel jobs",
    "account.read": "See accounts and roles",
    "account.write": "Create and change accounts",
    "key.write": "Create and revoke API keys",
    "audit.read": "Read the audit trail",
    "metrics.read": "Read the server's metrics",
}

_LOOK = {"building.read", "model.read", "point.read", "reading.read", "alarm.read", "work_order.read", "job.read"}
_OPERATE = _LOOK | {"alarm.acknowledge", "work_order.write", "work_order.assign"}
_ENGINEER = _OPERATE | {
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

ROLES: Mapping[str, frozenset[str]] = {
    "administrator": frozenset(PERMISSIONS),
    "bim_modeller": frozenset(_LOOK | {"building.write", "model.upload", "element.write", "asset.write"}),
    "facility_engineer": frozenset(_ENGINEER),
    "duty_operator": frozenset(_OPERATE | {"alarm.shelve", "point.command"}),
    "crew": frozenset(_LOOK | {"work_order.write"}),
    "owner": frozenset(_LOOK - {"job.read"}),
    "auditor": frozenset(_LOOK | {"audit.read", "account.read"}),
    "integration": frozenset(_LOOK | {"reading.write", "point.write", "source.write", "metrics.read"}),
}


def permissions_of(roles: Iterable[str]) -> frozenset[str]:
    """What someone with these roles may do; an unknown role adds nothing."""
    return frozenset().union(*(ROLES.get(role, frozenset()) for role in roles))
