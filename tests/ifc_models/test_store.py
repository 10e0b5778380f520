"""Versions in the database: identity, comparison, report, and what the API reads back."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import RFC_4122, UUID

import numpy as np
import pytest
from shapely import Polygon

from ifc_models import elements, models
from ifc_models.diff import DiffFilter, list_diff
from ifc_models.extract import ElementGeometry, Extract, load_extract
from ifc_models.ordered_ids import ordered_ids
from ifc_models.report import build_report
from ifc_models.store import NewVersion, StoredVersion, finish_version, store_version
from ifc_models.version import Matched
from tests.ifc_models import hostile
from tests.ifc_models.conftest import Find, read_here
from twin.blobs import Blob, record_blob
from twin.db import Conn, row, rows
from twin.errors import Invalid, NotFound
from twin.places import create_building

OFFICE = "arch/LargeBuilding_whale.ifc"
HVAC, DUPLEX = "mep/hvac_heating_luartx.ifc", "arch/Duplex_A_20110907.ifc"
VERSIONS = "versions/duplex_xbim_versioncomparer/"
Key = bytes


@dataclass(frozen=True)
class Footprint:
    polygon: Polygon
    area: float
    height: float


@dataclass(frozen=True)
class Placed:
    storey: np.ndarray
    space: np.ndarray
    storey_derived: np.ndarray
    space_derived: np.ndarray
    footprints: dict[int, Footprint]


@dataclass(frozen=True)
class Tile:
    storey_index: int | None = None
    layer: str = "shell"
    part: int = 0
    hash: str = "f" * 64
    bytes: int = 1234
    elements: int = 2
    triangles: int = 24
    bbox: tuple[float, ...] = (0.0, 0.0, 0.0, 1.0, 1.0, 1.0)
    key: Key | None = None


async def store(conn: Conn, extract: Extract, *, name: str = "arc", **more: Any) -> tuple[models.Model, StoredVersion]:
    """Store an extract as the next version of a model; (model, what came of it)."""
    found = await row(conn, "SELECT id FROM building WHERE name = 'B'")
    building: UUID = found["id"] if found else (await create_building(conn, "B")).id
    for hash in ("e" * 64, "f" * 64):
        await record_blob(conn, Blob(hash, 5, "application/x-step"))
    model = await models.ensure_model(conn, building, name)
    stored = await store_version(
        conn,
        NewVersion(
            model_id=model.id,
            building_id=building,
            file_hash="e" * 64,
            file_name="a.ifc",
            extract=extract,
            actor_name="account:li",
            **more,
        ),
    )
    return model, stored


async def element(conn: Conn, global_id: str, model: UUID | None = None) -> elements.Element:
    found = await row(
        conn,
        "SELECT id FROM element WHERE global_id = %s AND (%s::uuid IS NULL OR model_id = %s)",
        (global_id, model, model),
    )
    assert found is not None, global_id
    return await elements.get_element(conn, found["id"])


@pytest.mark.clause("6.4.2a-1")
async def test_a_first_version_adds_everything_and_a_second_of_the_same_file_nothing(
    conn: Conn, extract_of: Find
) -> None:
    extract = extract_of(DUPLEX)
    model, first = await store(conn, extract)
    n = len(extract.elements)
    assert first == StoredVersion(1, n, 0, 0, 0)
    before = await rows(conn, "SELECT id, global_id, occurrence FROM element ORDER BY id")
    _, second = await store(conn, extract)
    assert second == StoredVersion(2, 0, 0, 0, n)
    assert await rows(conn, "SELECT id, global_id, occurrence FROM element ORDER BY id") == before
    assert await elements.class_counts(conn, model.id) == extract.header.by_class
    assert (await models.get_model(conn, model.id)).current_version == 2


async def test_a_new_version_keeps_ids_and_own_properties_and_marks_what_is_gone(conn: Conn, extract_of: Find) -> None:
    baseline, without_slab = extract_of(VERSIONS + "Duplex_baseline.ifc"), extract_of(VERSIONS + "Duplex_delslab.ifc")
    left = {e.global_id for e in baseline.elements} - {e.global_id for e in without_slab.elements}
    slabs = {e.name for e in without_slab.elements if e.ifc_class == "IfcSlab"}
    [deleted] = [e.global_id for e in baseline.elements if e.ifc_class == "IfcSlab" and e.name not in slabs]
    model, _ = await store(conn, baseline)
    slab = await element(conn, deleted)
    await elements.patch_element(conn, slab.id, {"inspected": True})
    _, second = await store(conn, without_slab)
    # Each export gives the parts of the stairs and their openings new GlobalIds; only the slab is gone.
    assert (second.removed, second.added) == (1, 0)
    assert second.matched == Matched(certain=len(left) - 1, likely=0, lost=1)
    assert second.added + second.changed + second.unchanged == len(without_slab.elements)
    after = await elements.get_element(conn, slab.id)
    assert (after.current, after.last_version, after.own_properties) == (False, 1, {"inspected": True})
    listed = await elements.list_elements(conn, model=model.id, q=deleted)
    assert listed.items == []
    _, third = await store(conn, baseline)
    assert third.added == 1
    assert (await elements.get_element(conn, slab.id)).current


async def test_a_moved_door_is_the_only_change(conn: Conn, extract_of: Find) -> None:
    model, _ = await store(conn, extract_of(VERSIONS + "Duplex_baseline.ifc"))
    before = {e.global_id: e for e in extract_of(VERSIONS + "Duplex_baseline.ifc").elements}
    after = extract_of(VERSIONS + "Duplex_movedoor.ifc")
    moved = {
        e.global_id for e in after.elements if e.global_id in before and e.placement != before[e.global_id].placement
    }
    assert moved
    _, second = await store(conn, after)
    page = await list_diff(conn, model.id, 1, 2, DiffFilter())
    assert page.counts is not None
    assert (page.counts.added, page.counts.removed) == (0, 0)
    assert second.changed == page.counts.moved + page.counts.changed + page.counts.rekeyed
    # Parts of the stairs have new GlobalIds in every export; but for them, it is the door and its opening.
    assert {i.global_id for i in page.items if "placement" in i.changes} == moved
    assert {i.global_id for i in page.items if "global_id" not in i.changes} == moved


async def test_repeated_global_ids_are_rows_of_their_own(conn: Conn, tmp_path: Path) -> None:
    body = hostile.BASE + hostile.wall(20, "00000000000000000000AA") + hostile.wall(30, "00000000000000000000AA")
    extract = read_here(hostile.write(tmp_path / "twice.ifc", body), tmp_path)
    await store(conn, extract)
    found = await rows(conn, "SELECT occurrence FROM element WHERE ifc_class = 'IfcWall' ORDER BY occurrence")
    assert [each["occurrence"] for each in found] == [0, 1]


async def test_models_share_the_storeys_of_their_building(conn: Conn, extract_of: Find) -> None:
    await store(conn, extract_of(VERSIONS + "Duplex_baseline.ifc"), name="arc")
    await store(conn, extract_of("mep/Duplex_Electrical_20121207.ifc"), name="mep")
    found = await rows(conn, "SELECT name, elevation FROM storey ORDER BY elevation")
    assert [each["name"] for each in found] == ["T/FDN", "Level 1", "Level 2", "Roof"]


@pytest.mark.clause("6.4.2b")
async def test_what_geometry_places_is_marked_as_derived(conn: Conn, extract_of: Find) -> None:
    extract = extract_of(DUPLEX)
    n, at = len(extract.elements), next(i for i, e in enumerate(extract.elements) if e.ifc_class == "IfcDoor")
    rooms = [i for i, e in enumerate(extract.elements) if e.ifc_class == "IfcSpace"]
    storey = np.array([e.storey for e in extract.elements])
    space = np.full(n, -1)
    space[at] = rooms[0]
    derived = np.zeros(n, bool)
    derived[at] = True
    floor = Footprint(Polygon([(0, 0), (4, 0), (4, 3), (0, 3)]), 12.0, 2.5)
    boxes = np.full((n, 6), np.nan)
    boxes[at] = [0, 0, 0, 1, 1, 1]
    await store(
        conn,
        extract,
        placement=Placed(storey, space, np.zeros(n, bool), derived, {rooms[0]: floor}),
        boxes=boxes,
        geometry=[ElementGeometry(at, "box", "why")],
        shapes={at: b"x" * 16},
        tiles=[Tile()],
    )
    placed = await element(conn, extract.elements[at].global_id)
    assert placed.space_derived
    assert placed.location.space_id == (await element(conn, extract.elements[rooms[0]].global_id)).id
    assert (placed.geometry, placed.geometry_note, placed.bbox) == ("box", "why", [0, 0, 0, 1, 1, 1])
    room = await row(conn, "SELECT footprint, area, height FROM space WHERE area IS NOT NULL")
    assert room is not None
    assert (room["footprint"]["type"], room["area"], room["height"]) == ("Polygon", 12.0, 2.5)
    assert await row(conn, "SELECT count(*) AS n FROM space") == {"n": len(rooms)}


@pytest.mark.clause("6.4.3b")
async def test_an_element_has_type_psets_materials_place_and_relations(conn: Conn, extract_of: Find) -> None:
    extract = extract_of(OFFICE)
    await store(conn, extract)
    entry = next(
        e for e in extract.elements if e.ifc_class == "IfcDoor" and e.type >= 0 and extract.types[e.type].psets != b"{}"
    )
    door = await element(conn, entry.global_id)
    type_ = extract.types[entry.type]
    assert door.type is not None
    assert (door.type.global_id, door.type.name) == (type_.global_id, type_.name)
    inherited = {
        (pset, name) for pset, ps in door.psets.items() for name, entry in ps.items() if entry.get("inherited")
    }
    own = json.loads(entry.psets)
    expected = {(s, p) for s, ps in json.loads(type_.psets).items() for p in ps if p not in own.get(s, {})}
    assert inherited == expected
    assert inherited
    assert door.location.storey_name == extract.elements[entry.storey].name
    assert "fills" in {r.kind for r in door.relations if r.direction == "from"}
    assert door.attributes["OverallHeight"]["unit"] == "mm"
    walls = await elements.list_elements(conn, ifc_class="IfcWall")
    assert {w.ifc_class for w in walls.items} == {"IfcWall", "IfcWallStandardCase"} & set(extract.header.by_class)
    wall = await elements.get_element(conn, walls.items[0].id)
    assert wall.materials


@pytest.mark.clause("6.4.2b")
async def test_ports_show_what_is_connected_and_systems_what_is_in_them(conn: Conn, extract_of: Find) -> None:
    extract = extract_of(HVAC)
    await store(conn, extract)
    feeds = next(r for r in extract.relations if r.kind == "feeds")
    upstream = await element(conn, extract.elements[feeds.from_].global_id)
    downstream = await element(conn, extract.elements[feeds.to].global_id)
    assert downstream.id in {port.connected_element_id for port in upstream.ports}
    assert {port.flow_direction for port in upstream.ports} <= {"SOURCE", "SINK", "SOURCEANDSINK", "NOTDEFINED", None}
    assert (downstream.id, "from") in {(r.id, r.direction) for r in upstream.relations if r.kind == "feeds"}
    building = upstream.building_id
    groups = await elements.list_groups(conn, building)
    assert len(groups) == len(extract.groups)
    for group, entry in ((g, next(x for x in extract.groups if x.global_id == g.global_id)) for g in groups):
        assert group.members == len(entry.members)
        found = await elements.list_elements(conn, system=group.id, limit=1000)
        assert len(found.items) >= len(entry.members)
        if found.items:
            assert group.id in {g.id for g in (await elements.get_element(conn, found.items[0].id)).systems}


@pytest.mark.clause("6.4.3b")
async def test_elements_are_found_by_property_text_storey_and_class(conn: Conn, extract_of: Find) -> None:
    extract = extract_of(DUPLEX)
    await store(conn, extract)
    external = {
        e.global_id
        for e in extract.elements
        if json.loads(e.psets).get("Pset_WallCommon", {}).get("IsExternal", {}).get("value") is True
        or (
            e.type >= 0
            and json.loads(extract.types[e.type].psets).get("Pset_WallCommon", {}).get("IsExternal", {}).get("value")
            is True
            and "IsExternal" not in json.loads(e.psets).get("Pset_WallCommon", {})
        )
    }
    found = await elements.list_elements(conn, property="Pset_WallCommon.IsExternal:true", limit=1000)
    assert external
    assert {e.global_id for e in found.items} == external
    a_wall = found.items[0]
    assert a_wall in (await elements.list_elements(conn, q=a_wall.global_id[3:15])).items
    assert (await elements.list_elements(conn, q="100%_")).items == []
    on_storey = await elements.list_elements(conn, storey=a_wall.storey_id, ifc_class="IfcWall", limit=1000)
    assert a_wall in on_storey.items
    assert all(e.storey_id == a_wall.storey_id for e in on_storey.items)
    assert (await elements.list_elements(conn, ifc_class="IfcNothing")).items == []
    with pytest.raises(Invalid):
        await elements.list_elements(conn, property="IsExternal=true")


async def test_pages_go_through_all_elements_once(conn: Conn, extract_of: Find) -> None:
    extract = extract_of(DUPLEX)
    await store(conn, extract)
    seen: list[UUID] = []
    cursor = None
    while True:
        page = await elements.list_elements(conn, limit=70, cursor=cursor)
        seen += [e.id for e in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == len(extract.elements)


def test_new_ids_sort_as_they_were_asked_for_and_no_two_are_the_same() -> None:
    some, many = ordered_ids(3), ordered_ids(5000)
    assert many == sorted(set(many))
    assert {(each.version, each.variant) for each in (*some, *many)} == {(7, RFC_4122)}
    assert not set(some) & set(many)


async def test_what_nothing_tells_apart_is_taken_in_the_order_of_the_files_however_rows_come(
    conn: Conn, tmp_path: Path
) -> None:
    """Lines without a name in one place; the first one's row was written again since, and comes last."""

    def lines(name: str, global_ids: list[str]) -> Extract:
        drawn = "".join(f"#{20 + n}=IFCANNOTATION('{g}',$,$,$,$,#9,$);\n" for n, g in enumerate(global_ids))
        held = hostile.contained(90, ",".join(f"#{20 + n}" for n in range(len(global_ids))))
        (folder := tmp_path / name).mkdir()
        return read_here(hostile.write(folder / "lines.ifc", hostile.BASE + drawn + held), folder)

    olds, news = ([f"{n}{letter:0>21}" for n in range(3)] for letter in "AB")
    await store(conn, lines("first", olds[::-1]))
    await conn.execute("UPDATE element SET own_properties = '{}' WHERE global_id = %s", (olds[-1],))
    await conn.execute("SET LOCAL enable_indexscan = off")
    await conn.execute("SET LOCAL enable_bitmapscan = off")
    was = {each["global_id"]: each["id"] for each in await rows(conn, "SELECT id, global_id FROM element")}
    _, second = await store(conn, lines("second", [news[1], news[2], news[0]]))
    assert second.matched == Matched(certain=3, likely=0, lost=0)
    now = {each["id"]: each["global_id"] for each in await rows(conn, "SELECT id, global_id FROM element")}
    assert [now[was[old]] for old in olds[::-1]] == [news[1], news[2], news[0]]


@pytest.mark.clause("6.4.2a-2")
async def test_own_properties_lie_over_the_models_and_null_takes_them_away(conn: Conn, extract_of: Find) -> None:
    extract = extract_of(DUPLEX)
    await store(conn, extract)
    wall = (await elements.list_elements(conn, property="Pset_WallCommon.IsExternal:true")).items[0]
    before, after = await elements.patch_element(
        conn, wall.id, {"Pset_WallCommon.IsExternal": False, "paint": "RAL 9010"}
    )
    assert (before, after) == ({}, {"Pset_WallCommon.IsExternal": False, "paint": "RAL 9010"})
    shown = await elements.get_element(conn, wall.id)
    assert shown.psets["Pset_WallCommon"]["IsExternal"] == {"value": False, "own": True}
    assert shown.psets["own"]["paint"]["value"] == "RAL 9010"
    assert [e.id for e in (await elements.list_elements(conn, property="own.paint:RAL 9010")).items] == [wall.id]
    await elements.patch_element(conn, wall.id, {"paint": None})
    assert "own" not in (await elements.get_element(conn, wall.id)).psets
    with pytest.raises(NotFound):
        await elements.patch_element(conn, UUID(int=0), {})


async def test_the_report_adds_up(conn: Conn, extract_of: Find) -> None:
    extract = extract_of(DUPLEX)
    bodies = [i for i, e in enumerate(extract.elements) if e.has_body and e.ifc_class != "IfcOpeningElement"]
    geometry = [
        ElementGeometry(bodies[0], "lost", "no surface"),
        ElementGeometry(bodies[1], "box"),
        *[ElementGeometry(i, "ifclite") for i in bodies[2:]],
    ]
    model, stored = await store(conn, extract, geometry=geometry, tiles=[Tile()])
    report = build_report(
        model=model.name, extract=extract, geometry=geometry, tiles=[Tile()], stored=stored, seconds={"total": 1.0}
    )
    assert sum(report["by_class"].values()) == len(extract.elements)
    assert report["with_geometry"] + len(report["without_geometry"]) == len(bodies)
    assert [d["rung"] for d in report["degraded"]] == ["box"]
    assert report["added"] + report["changed"] + report["unchanged"] == len(extract.elements)
    assert (report["tiles"], report["tile_bytes"], report["storeys"], report["spaces"]) == (1, 1234, 4, 21)
    await finish_version(conn, model.id, stored.version, report)
    version = await models.get_version(conn, model.id, 1)
    assert version.report == json.loads(json.dumps(report))
    assert [v.version for v in (await models.list_versions(conn, model.id)).items] == [1]
    with pytest.raises(NotFound):
        await models.get_version(conn, model.id, 2)


def test_extracts_survive_the_way_through_a_file(tmp_path: Path) -> None:
    extract = read_here(hostile.good(tmp_path / "good.ifc"), tmp_path)
    assert load_extract(tmp_path) == extract
