"""Alarm rules: defined, changed, and tried against history."""

from datetime import timedelta
from typing import Any

import pytest

from maintenance.rules import (
    AlarmRule,
    RuleInput,
    change_rule,
    check_against_history,
    create_rule,
    delete_rule,
    get_rule,
    list_rules,
)
from telemetry.history import History
from tests.maintenance.conftest import ENGINEER, NOON, World, at, build
from twin.db import Conn, Database, rows
from twin.errors import Invalid, NotFound


async def a_rule(conn: Conn, world: World, **fields: Any) -> AlarmRule:
    given = {"name": "Hot bearing", "kind": "high", "limit": 80.0, "severity": "high", **fields}
    return await create_rule(conn, ENGINEER, world.point, RuleInput(**given))


@pytest.mark.clause("6.4.3c")
async def test_a_rule_needs_little_and_fills_in_the_rest(conn: Conn, world: World) -> None:
    rule = await a_rule(conn, world)
    assert (rule.point, rule.unit, rule.limit, rule.deadband, rule.on_delay) == (world.point, "DEG_C", 80, 0, 0)
    assert (rule.enabled, rule.latching, rule.work_order, rule.building_id) == (True, False, False, world.building)
    assert (await list_rules(conn, building=world.building, point=world.point)).items == [rule]


async def test_a_rule_changes_field_by_field_and_is_audited(conn: Conn, world: World) -> None:
    rule = await a_rule(conn, world, on_delay=30.0)
    changed = await change_rule(conn, ENGINEER, rule.id, {"limit": 75.5, "crew": "li"})
    assert (changed.limit, changed.crew, changed.on_delay, changed.name) == (75.5, "li", 30, "Hot bearing")
    await delete_rule(conn, ENGINEER, rule.id)
    with pytest.raises(NotFound):
        await get_rule(conn, rule.id)
    audited = await rows(conn, "SELECT action, before, after FROM audit ORDER BY id")
    actions = [each["action"] for each in audited if each["action"].startswith("alarm_rule")]
    assert actions == ["alarm_rule.create", "alarm_rule.update", "alarm_rule.delete"]
    assert len(await rows(conn, "SELECT FROM event WHERE topic = 'alarm_rule'")) == 3


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"kind": "sideways"}, "kind"),
        ({"severity": "urgent"}, "severity"),
        ({"limit": float("nan")}, "limit"),
        ({"limit": float("inf")}, "limit"),
        ({"deadband": -1.0}, "deadband"),
        ({"on_delay": -1.0}, "on_delay"),
        ({"on_delay": 1e9}, "on_delay"),
    ],
)
async def test_a_rule_that_cannot_be_says_which_field(
    conn: Conn, world: World, fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as caught:
        await a_rule(conn, world, **fields)
    assert [each.field for each in caught.value.fields] == [field]


async def test_a_rule_needs_a_point_that_has_numbers(conn: Conn, world: World) -> None:
    given = RuleInput(name="x", kind="high", limit=1.0, severity="low")
    with pytest.raises(Invalid, match="POST /points"):
        await create_rule(conn, ENGINEER, "no.such.point", given)
    await conn.execute("UPDATE point SET kind = 'text'")
    with pytest.raises(Invalid, match="text"):
        await create_rule(conn, ENGINEER, world.point, given)


async def test_a_rule_is_tried_against_history(db: Database) -> None:
    await History(db).start(now=NOON)
    series = [
        (0, 70, 0),
        (60, 85, 0),
        (120, 86, 0),
        (180, 0, 2),
        (240, 87, 0),
        (300, 60, 0),
        (360, 99, 0),
        (420, 99, 0),
    ]
    async with db.transaction() as conn:
        world = await build(conn)
        for second, value, quality in series:
            await conn.execute(
                "INSERT INTO reading (point_id, ts, num, q, stored_at) VALUES (%s, %s, %s, %s, %s)",
                (world.handle, at(second), float(value), quality, at(second)),
            )
        rule = await a_rule(conn, world, on_delay=60.0)
        found = await check_against_history(conn, rule.id, NOON, NOON + timedelta(hours=1))
        assert (found.readings, found.unusable) == (8, 1)
        assert [(each.rose_at, each.returned_at, each.value) for each in found.episodes] == [
            (at(120), at(300), 85),
            (at(420), None, 99),
        ]
        assert found.active_seconds == 180 + 3600 - 420
        nothing = await check_against_history(conn, rule.id, NOON, at(120))
        assert (nothing.readings, nothing.episodes) == (2, [])  # half-open
        with pytest.raises(Invalid, match="366 days"):
            await check_against_history(conn, rule.id, NOON, NOON - timedelta(hours=1))
