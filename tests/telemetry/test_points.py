"""Points are defined, bound, changed and retired, and a model can describe them all."""

import json
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from psycopg.types.json import Jsonb

from identity.actor import CLI
from telemetry.points import NewPoint, PointFilter, create_point, get_point, list_points, update_point
from telemetry.seeding import points_for_demo, points_from_elements
from telemetry.sources import create_source, get_source, list_sources
from telemetry.units import get_unit, units
from twin.db import Conn, row, rows
from twin.errors import Conflict, Invalid, Language, NotFound
from twin.places import create_building

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LANGUAGES: tuple[Language, Language] = ("en", "zh")


async def building_of(conn: Conn, name: str = "Tower") -> UUID:
    return (await create_building(conn, name)).id


async def element(conn: Conn, building: UUID, ifc_class: str, name: str, **psets: object) -> UUID:
    """An element in a model's current version, as an import would leave it."""
    model = await row(
        conn,
        """INSERT INTO model (building_id, name, current_version) VALUES (%s, 'arc', 1)
           ON CONFLICT (building_id, name) DO UPDATE SET current_version = 1 RETURNING id""",
        (building,),
    )
    for ancestor in (ifc_class, "IfcDistributionElement" if ifc_class not in ("IfcSpace", "IfcWall") else "IfcProduct"):
        await conn.execute("INSERT INTO ifc_class VALUES (%s, %s) ON CONFLICT DO NOTHING", (ifc_class, ancestor))
    assert model is not None
    made = await row(
        conn,
        """INSERT INTO element (model_id, building_id, global_id, ifc_class, name, psets, content_hash, first_version,
             last_version) VALUES (%s, %s, %s, %s, %s, %s, '', 1, 1) RETURNING id""",
        (model["id"], building, uuid4().hex[:22], ifc_class, name, Jsonb(psets)),
    )
    assert made is not None
    return UUID(str(made["id"]))


async def test_a_point_is_bound_listed_found_and_told(conn: Conn) -> None:
    building = await building_of(conn)
    pump = await element(conn, building, "IfcPump", "P-1")
    new = NewPoint(key="p1.power", name=" Power ", kind="number", unit="KiloW", element_id=pump)
    point = await create_point(conn, CLI, building, new)
    assert (point.name, point.quantity, point.unit_symbol, point.latest) == ("Power", "Power", "kW", None)
    assert point.element is not None and point.element.id == pump
    assert await get_point(conn, "p1.power") == await get_point(conn, point.id) == point
    assert (await list_points(conn, PointFilter(element_id=pump))).items == [point]
    assert (await list_points(conn, PointFilter(building_id=building, q="POW"))).items == [point]
    assert (await list_points(conn, PointFilter(q="%"))).items == []
    event = await row(conn, "SELECT data FROM event WHERE topic = 'point'")
    assert event is not None and event["data"]["handle"] == point.handle


async def test_a_key_is_taken_once_on_the_server(conn: Conn) -> None:
    one, two = await building_of(conn), await building_of(conn, "Annex")
    await create_point(conn, CLI, one, NewPoint(key="k", name="K", kind="number"))
    with pytest.raises(Conflict):
        await create_point(conn, CLI, two, NewPoint(key="k", name="K", kind="number"))


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"key": ""}, "key"), ({"key": " a"}, "key"), ({"key": "a\nb"}, "key"), ({"key": "x" * 201}, "key"),
        ({"name": " "}, "name"), ({"kind": "float"}, "kind"), ({"unit": "Celsius"}, "unit"),
        ({"kind": "bool", "unit": "DEG_C"}, "unit"), ({"min_value": 2.0, "max_value": 1.0}, "min_value"),
        ({"labels": {"0": "off"}}, "labels"), ({"kind": "enum", "labels": {"zero": "off"}}, "labels"),
        ({"expected_interval": 0.0}, "expected_interval"),
    ],
)  # fmt: skip
async def test_a_point_that_makes_no_sense_is_refused_with_the_field(
    conn: Conn, wrong: dict[str, object], field: str
) -> None:
    building = await building_of(conn)
    facts: dict[str, object] = {"key": "k", "name": "K", "kind": "number", **wrong}
    with pytest.raises(Invalid) as refused:
        await create_point(conn, CLI, building, NewPoint(**facts))  # type: ignore[arg-type]
    assert [each.field for each in refused.value.fields] == [field]
    assert all(refused.value.fields[0].text(lang) != refused.value.fields[0].code for lang in LANGUAGES)


async def test_an_element_of_another_building_is_refused(conn: Conn) -> None:
    building, other = await building_of(conn), await building_of(conn, "Annex")
    pump = await element(conn, other, "IfcPump", "P-1")
    with pytest.raises(Invalid, match="another building"):
        await create_point(conn, CLI, building, NewPoint(key="k", name="K", kind="number", element_id=pump))
    with pytest.raises(NotFound):
        await create_point(conn, CLI, building, NewPoint(key="k", name="K", kind="number", element_id=uuid4()))


async def test_a_point_changes_retires_and_comes_back(conn: Conn) -> None:
    building = await building_of(conn)
    point = await create_point(conn, CLI, building, NewPoint(key="k", name="K", kind="number", unit="KiloW"))
    changed = await update_point(conn, CLI, point.id, {"unit": "W", "name": "New"}, now=NOW)
    assert (changed.unit, changed.quantity, changed.name) == ("W", "Power", "New")
    assert (await update_point(conn, CLI, "k", {}, now=NOW, retired=True)).retired_at == NOW
    assert (await list_points(conn)).items == []
    assert len((await list_points(conn, PointFilter(retired=True))).items) == 1
    assert (await update_point(conn, CLI, "k", {}, now=NOW, retired=False)).retired_at is None
    with pytest.raises(Invalid) as refused:
        await update_point(conn, CLI, "k", {"kind": "text"}, now=NOW)
    assert refused.value.fields[0].code == "point.unchangeable"


async def test_points_come_in_pages_by_key(conn: Conn) -> None:
    building = await building_of(conn)
    for key in ("c", "a", "b"):
        await create_point(conn, CLI, building, NewPoint(key=key, name=key, kind="number"))
    first = await list_points(conn, limit=2)
    second = await list_points(conn, limit=2, cursor=first.next)
    assert [[each.key for each in page.items] for page in (first, second)] == [["a", "b"], ["c"]]


def described(key: str, **rest: object) -> dict[str, str]:
    facts = {"key": key, "kind": "bool", "unit": "UNITLESS", "brick": "On_Off_Status", "quantity": "Dimensionless",
             "writable": False, "sim": "pump_run", **rest}  # fmt: skip
    return {"value": json.dumps(facts), "type": "IfcText"}


async def test_a_model_describes_its_points_and_a_second_building_gets_keys_of_its_own(conn: Conn) -> None:
    one, two = await building_of(conn), await building_of(conn, "Annex 2")
    flow = described("b1.flow", kind="number", unit="M3-PER-HR", quantity="VolumeFlowRate", sim="pump_flow")
    for building in (one, two):
        await element(conn, building, "IfcPump", "泵 Pump", Twin_Points={"PumpRun": described("b1.run"), "Flow": flow})
        await element(conn, building, "IfcWall", "Wall", Pset_WallCommon={})
        assert await points_from_elements(conn, CLI, building) == 2
        assert await points_from_elements(conn, CLI, building) == 0, "a second time changes nothing"
    [run] = (await list_points(conn, PointFilter(building_id=one, q="run"))).items
    assert (run.key, run.name, run.kind, run.unit) == ("b1.run", "泵 Pump · 运行 runs", "bool", None)
    assert run.properties == {"sim": "pump_run", "role": "PumpRun"}
    assert [each.key for each in (await list_points(conn, PointFilter(building_id=two))).items] == [
        "annex_2.b1.flow",
        "annex_2.b1.run",
    ]


async def test_a_description_that_is_no_json_names_the_element(conn: Conn) -> None:
    building = await building_of(conn)
    await element(conn, building, "IfcPump", "Pump", Twin_Points={"PumpRun": {"value": "run it"}})
    with pytest.raises(Invalid, match="PumpRun") as refused:
        await points_from_elements(conn, CLI, building)
    assert refused.value.where


async def test_any_model_gets_believable_points(conn: Conn) -> None:
    building = await building_of(conn)
    room, closet = [await element(conn, building, "IfcSpace", name) for name in ("101", "Closet")]
    await conn.execute("INSERT INTO space (element_id, area) VALUES (%s, 30), (%s, 3)", (room, closet))
    await element(conn, building, "IfcPump", "P-1")
    await element(conn, building, "IfcFlowMovingDevice", "Supply Fan 3")
    await element(conn, building, "IfcFlowTerminal", "Sink")
    assert await points_for_demo(conn, CLI, building) == 1 + 2 + 1 + 3 + 3
    assert await points_for_demo(conn, CLI, building) == 0
    found = await rows(conn, "SELECT properties->>'role' AS role FROM point ORDER BY 1")
    assert [each["role"] for each in found].count("Temperature") == 2
    assert {each["role"] for each in found} >= {"CO2", "PumpRun", "FanRun", "OutsideTemperature"}


async def test_sources_are_declared_once_and_found_by_name(conn: Conn) -> None:
    made = await create_source(conn, CLI, "gateway-1", "http")
    assert (made.online, made.accepted, made.clock_suspect) == (False, 0, False)
    assert await get_source(conn, "gateway-1") == await get_source(conn, made.id)
    assert [each.name for each in (await list_sources(conn)).items] == ["gateway-1"]
    with pytest.raises(Conflict):
        await create_source(conn, CLI, "gateway-1", "http")
    await conn.execute("UPDATE source SET seen_at = now() - interval '14 minutes'")
    assert (await get_source(conn, made.id)).online
    await conn.execute("UPDATE source SET seen_at = now() - interval '16 minutes', clock_skew = '90 s'")
    source = await get_source(conn, made.id)
    assert (source.online, source.clock_skew, source.clock_suspect) == (False, 90.0, True)


def test_every_unit_is_named_in_both_languages_and_unknown_ones_get_a_hint() -> None:
    assert all(unit.en and unit.zh and unit.quantities for unit in units().values())
    with pytest.raises(Invalid, match="DEG_C"):
        get_unit("deg_c")
