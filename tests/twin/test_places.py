from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from twin import assets, places
from twin.db import Conn, row
from twin.errors import Conflict, Invalid, NotFound

NOW = datetime(2026, 5, 4, 8, tzinfo=UTC)


async def model(conn: Conn, building: UUID, name: str = "arc") -> UUID:
    made = await row(
        conn,
        "INSERT INTO model (building_id, name, current_version) VALUES (%s, %s, 1) RETURNING id",
        (building, name),
    )
    assert made
    return UUID(str(made["id"]))


async def element(
    conn: Conn,
    model_id: UUID,
    global_id: str = "0000000000000000000001",
    *,
    ifc_class: str = "IfcPump",
    bbox: list[float] | None = None,
    storey: UUID | None = None,
    space: UUID | None = None,
    version: int = 1,
) -> UUID:
    made = await row(
        conn,
        """INSERT INTO element (model_id, building_id, global_id, ifc_class, name, bbox, storey_id, space_id,
                                content_hash, first_version, last_version)
           SELECT id, building_id, %s, %s, 'Pump 1', %s, %s, %s, '', 1, %s FROM model WHERE id = %s RETURNING id""",
        (global_id, ifc_class, bbox, storey, space, version, model_id),
    )
    assert made
    return UUID(str(made["id"]))


async def test_a_building_is_named_by_its_id_or_its_name(conn: Conn) -> None:
    tower = await places.create_building(conn, "Tower", properties={"floors": 12})
    assert await places.get_building(conn, "Tower") == tower == await places.get_building(conn, tower.id)
    assert (await places.get_site(conn, places.DEFAULT_SITE)).id == tower.site_id
    with pytest.raises(NotFound, match="GET /buildings"):
        await places.get_building(conn, "tower")
    with pytest.raises(Conflict):
        await places.create_building(conn, "Tower")


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "0b0c9d2e-6a53-4c5e-9b3c-3f0d1c2a4e5f"])
async def test_a_building_name_that_could_be_an_id_or_is_empty_is_refused(conn: Conn, name: str) -> None:
    with pytest.raises(Invalid):
        await places.create_building(conn, name)


async def test_a_buildings_own_properties_are_laid_over_and_null_removes_one(conn: Conn) -> None:
    await places.create_building(conn, "Other")
    tower = await places.create_building(conn, "Tower", properties={"floors": 12, "owner": "Li"})
    changed = await places.update_building(conn, "Tower", name="Tower A", properties={"owner": None, "area": 5})
    assert (changed.name, changed.properties) == ("Tower A", {"floors": 12, "area": 5})
    with pytest.raises(Conflict):
        await places.update_building(conn, tower.id, name="Other")


async def test_a_site_needs_a_real_time_zone(conn: Conn) -> None:
    assert (await places.create_site(conn, "Campus", time_zone="Europe/Berlin")).time_zone == "Europe/Berlin"
    with pytest.raises(Invalid, match="Asia/Shanghai"):
        await places.create_site(conn, "Moon", time_zone="Moon/Crater")


async def test_buildings_come_in_pages_by_name(conn: Conn) -> None:
    for name in ("Cedar", "Ash", "Birch"):
        await places.create_building(conn, name)
    first = await places.list_buildings(conn, limit=2)
    rest = await places.list_buildings(conn, limit=2, cursor=first.next)
    assert [building.name for building in first.items + rest.items] == ["Ash", "Birch", "Cedar"]
    assert rest.next is None
    with pytest.raises(Invalid, match="start again"):
        await places.list_buildings(conn, cursor="rubbish")


async def test_a_global_id_in_two_models_needs_to_be_told_apart(conn: Conn) -> None:
    tower = await places.create_building(conn, "Tower")
    first, second = await model(conn, tower.id), await model(conn, tower.id, "mep")
    one, two = await element(conn, first), await element(conn, second)
    gid = "0000000000000000000001"
    with pytest.raises(Conflict) as error:
        await places.resolve_element(conn, gid, building=tower.id)
    assert set(error.value.params["candidates"]) == {str(one), str(two)}
    assert await places.resolve_element(conn, gid, model=second) == two
    assert await places.resolve_element(conn, str(one)) == one
    with pytest.raises(NotFound):
        await places.resolve_element(conn, gid, building=uuid4())


async def test_an_element_that_is_still_in_its_model_wins_over_one_that_is_gone(conn: Conn) -> None:
    tower = await places.create_building(conn, "Tower")
    first, second = await model(conn, tower.id), await model(conn, tower.id, "mep")
    await element(conn, first, version=0)
    here = await element(conn, second)
    assert await places.resolve_element(conn, "0000000000000000000001") == here


@pytest.mark.clause("6.4.3b")
async def test_a_location_names_room_and_storey_and_looks_from_inside_the_room(conn: Conn) -> None:
    tower = await places.create_building(conn, "Tower")
    made = await row(
        conn, "INSERT INTO storey (building_id, name, elevation) VALUES (%s, 'B1', -4.0) RETURNING id", (tower.id,)
    )
    assert made
    arc = await model(conn, tower.id)
    room = await element(conn, arc, "r", ifc_class="IfcSpace", bbox=[0.0, 0.0, -4.0, 6.0, 5.0, -0.5], storey=made["id"])
    pump = await element(conn, arc, "p", bbox=[0.2, 0.2, -4.0, 1.0, 1.0, -3.2], storey=made["id"], space=room)
    location = await places.locate(conn, pump)
    assert (location.storey_name, location.space_name) == ("B1", "Pump 1")
    assert location.position == pytest.approx([0.6, 0.6, -3.6])
    assert location.viewpoint
    eye = location.viewpoint["eye"]
    assert 0 < eye[0] < 6 and 0 < eye[1] < 5 and -4.0 < eye[2] < -0.5
    assert eye[0] > 1.0 or eye[1] > 1.0  # from the open side of the room, not from the wall


async def test_an_element_without_a_shape_in_a_room_is_shown_as_the_room(conn: Conn) -> None:
    tower = await places.create_building(conn, "Tower")
    arc = await model(conn, tower.id)
    room = await element(conn, arc, "r", ifc_class="IfcSpace", bbox=[0, 0, 0, 4, 4, 3])
    sensor = await element(conn, arc, "s", ifc_class="IfcSensor", space=room)
    assert (await places.locate(conn, sensor)).position == [2, 2, 1.5]
    nowhere = await places.locate(conn, await element(conn, arc, "n"))
    assert (nowhere.position, nowhere.viewpoint) == (None, None)


async def test_a_replaced_pump_keeps_its_life_and_the_place_its_history(conn: Conn) -> None:
    tower = await places.create_building(conn, "Tower")
    arc = await model(conn, tower.id)
    here, there = await element(conn, arc, "here"), await element(conn, arc, "there")
    old = await assets.create_asset(conn, tower.id, "P-1", "Old pump")
    new = await assets.create_asset(conn, tower.id, "P-2", "New pump", serial="42")
    year = timedelta(days=365)
    await assets.bind_asset(conn, old.id, here, since=NOW - 2 * year)
    await assets.bind_asset(conn, new.id, here, since=NOW - year)  # replaced
    await assets.bind_asset(conn, old.id, there, since=NOW - year / 2)  # repaired, put elsewhere
    assert await assets.asset_of(conn, here, NOW - 1.5 * year) == old.id
    assert await assets.asset_of(conn, here, NOW - year) == new.id
    assert await assets.asset_of(conn, here, NOW - 3 * year) is None
    assert [each.asset_id for each in await assets.bindings_of(conn, element=here)] == [new.id, old.id]
    assert [each.element_id for each in await assets.bindings_of(conn, asset=old.id)] == [there, here]
    with pytest.raises(Conflict, match="end that binding first"):
        await assets.bind_asset(conn, old.id, here, since=NOW - 3 * year)


async def test_an_asset_is_bound_only_within_its_building(conn: Conn) -> None:
    tower, other = await places.create_building(conn, "Tower"), await places.create_building(conn, "Other")
    foreign = await element(conn, await model(conn, other.id))
    asset = await assets.create_asset(conn, tower.id, "P-1", "Pump")
    with pytest.raises(Conflict):
        await assets.bind_asset(conn, asset.id, foreign, since=NOW)
    with pytest.raises(Conflict, match="another code"):
        await assets.create_asset(conn, tower.id, "P-1", "Pump")
    with pytest.raises(Invalid):
        await assets.update_asset(conn, asset.id, {"code": "P-2"})
    changed = await assets.update_asset(conn, asset.id, {"serial": "7", "properties": {"kW": 3}})
    assert (changed.serial, changed.properties, changed.name) == ("7", {"kW": 3}, "Pump")
