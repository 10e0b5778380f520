"""Versions of real models: what public change cases say changed is what is found."""

import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from api.finishing import Finished, Placed, make_tiles, place_model
from ifc_models import models, tasks
from ifc_models.diff import DiffFilter, DiffItem, list_diff
from ifc_models.extract import Extract, MeshArrays, load_geometry
from ifc_models.mesh_parts import merge_result
from ifc_models.package import load_package
from ifc_models.protocol import Request, Task
from ifc_models.sandbox import WorkerLimits
from ifc_models.store import NewVersion, StoredVersion, store_version
from twin.blobs import Blob, record_blob
from twin.db import Conn, rows
from twin.places import create_building
from viewer.tile_keys import KnownTile
from viewer.tiles import build_tiles

M1 = "versions/design_change_M1/IFC/"
DUPLEX = "versions/duplex_xbim_versioncomparer/"


@dataclass(frozen=True)
class Converted:
    """A file as an import hands it to the store."""

    extract: Extract
    folder: Path
    placed: Placed
    done: Finished


Convert = Callable[[str], Converted]


@pytest.fixture(scope="session")
def convert(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Convert:
    """Reads, meshes, places and tiles a file with the worker's own functions; each file once."""

    @cache
    def converted(name: str) -> Converted:
        out = tmp_path_factory.mktemp("converted")
        path = shared / "ifc" / name
        task: Task
        for task in ("read", "mesh"):
            request = Request(task=task, path=str(path), file_name=path.name, out=str(out), limits=WorkerLimits())
            tasks.run(request, lambda *_: None)
        return Converted(merge_result(out), out, place_model(out), make_tiles(out, out))

    return converted


class Stored:
    """A model that takes versions."""

    def __init__(self, conn: Conn, convert: Convert) -> None:
        self.conn, self._convert = conn, convert
        self.model: UUID | None = None
        self._n = 0

    async def add(self, name: str) -> StoredVersion:
        """Store a file under ../shared/ifc as the next version."""
        self._n += 1
        made = self._convert(name)
        done = made.done
        if self.model is None:
            building = (await create_building(self.conn, "B")).id
            self.model = (await models.ensure_model(self.conn, building, "m")).id
        for blob in ("e" * 64, *(tile.hash for tile in done.tiles)):
            await record_blob(self.conn, Blob(blob, 5, "application/x-step"))
        found = await models.get_model(self.conn, self.model)
        return await store_version(
            self.conn,
            NewVersion(
                model_id=found.id, building_id=found.building_id, file_hash="e" * 64, file_name="a.ifc",
                extract=made.extract, geometry=load_geometry(made.folder),
                placement=made.placed.placement, boxes=made.placed.boxes,
                shapes=made.placed.shapes, measures=made.placed.measures, tiles=done.tiles,
            ),
        )  # fmt: skip

    async def diff(self, **wanted: Any) -> list[DiffItem]:
        """What differs between the last two versions, openings left out."""
        assert self.model is not None
        page = await list_diff(self.conn, self.model, self._n - 1, self._n, DiffFilter(**wanted), limit=1000)
        return [item for item in page.items if item.ifc_class != "IfcOpeningElement"]


@pytest.fixture
def stored(conn: Conn, convert: Convert) -> Stored:
    return Stored(conn, convert)


def summary(items: list[DiffItem]) -> dict[str, int]:
    """How often a class has a kind of difference with these changes."""
    return dict(Counter(" ".join((item.ifc_class, item.kind, *item.changes)) for item in items))


# What each export of the Duplex gives new GlobalIds: parts of stairs, and the roof's slab.
RENUMBERED = {"IfcMember rekeyed global_id": 4, "IfcSlab rekeyed global_id": 1, "IfcStairFlight rekeyed global_id": 2}
BRICK = "IfcWallStandardCase changed shape"
CASES: dict[tuple[str, str], dict[str, int]] = {
    (M1 + "M1.ifc", "M1_A-MP.ifc"): {"IfcBeam moved placement": 2},  # two beams by 2 m
    (M1 + "M1.ifc", "M1_All-A.ifc"): {"IfcBeam added": 2, "IfcColumn added": 2, "IfcBeam changed shape": 4},
    (M1 + "M1.ifc", "M1_All-D.ifc"): {"IfcBeam removed": 2, "IfcColumn removed": 4, "IfcBeam changed shape": 4},
    # deleted and drawn again in the same place: they are what they were, under other names
    (M1 + "M1.ifc", "M1_All-DA(M).ifc"): {
        "IfcBeam changed properties global_id": 2, "IfcColumn changed properties global_id": 4,
    },
    # the top level goes up by a metre: beams move along, columns grow
    (M1 + "M1.ifc", "M1_R-MI(M).ifc"): {
        "IfcBuildingStorey changed placement properties": 1, "IfcBeam moved placement": 4, "IfcColumn changed shape": 8,
    },
    (DUPLEX + "Duplex_baseline.ifc", "Duplex_movedoor.ifc"): {"IfcDoor moved placement": 1, BRICK: 1, **RENUMBERED},
    (DUPLEX + "Duplex_baseline.ifc", "Duplex_doubledoor.ifc"): {
        "IfcDoor changed placement shape properties type": 1, f"{BRICK} properties": 1, **RENUMBERED,
    },
    (DUPLEX + "Duplex_baseline.ifc", "Duplex_delslab.ifc"): {"IfcSlab removed": 1, **RENUMBERED},
    (DUPLEX + "Duplex_baseline.ifc", "Duplex_cutpastewindow.ifc"): {
        "IfcWindow removed": 1, "IfcWindow added": 1, f"{BRICK} properties": 2, **RENUMBERED,
    },
}  # fmt: skip


@pytest.mark.clause("6.4.2a-1")
@pytest.mark.parametrize(("before", "after"), CASES, ids=[after for _, after in CASES])
async def test_what_a_public_change_case_changed_is_what_is_found(stored: Stored, before: str, after: str) -> None:
    await stored.add(before)
    second = await stored.add(f"{before.rpartition('/')[0]}/{after}")
    assert summary(await stored.diff()) == CASES[before, after]
    again = await stored.add(before)  # and back
    assert (again.added, again.removed) == (second.removed, second.added)


async def test_a_storey_that_is_raised_stays_the_storey_people_know(stored: Stored) -> None:
    await stored.add(M1 + "M1.ifc")
    before = await rows(stored.conn, "SELECT id, name FROM storey ORDER BY elevation")
    await stored.add(M1 + "M1_R-MI(M).ifc")
    after = await rows(stored.conn, "SELECT id, name FROM storey ORDER BY elevation")
    assert after == before
    [raised] = await stored.diff(ifc_class="IfcBuildingStorey")
    assert {(d.name, d.before, d.after) for d in raised.differences} >= {("elevation", 6.5, 7.5)}


async def test_relations_are_those_of_the_shown_version_and_what_holds_for_both_is_not_written_again(
    stored: Stored, convert: Convert
) -> None:
    async def written() -> dict[tuple[str, str, str], str]:
        found = await rows(
            stored.conn,
            """SELECT r.ctid::text AS at, r.kind, a.global_id AS a, b.global_id AS b FROM element_relation r
               JOIN element a ON a.id = r.from_id JOIN element b ON b.id = r.to_id""",
        )
        return {(each["kind"], each["a"], each["b"]): each["at"] for each in found}

    await stored.add(DUPLEX + "Duplex_baseline.ifc")
    before = await written()
    for name in ("Duplex_delslab.ifc", "Duplex_baseline.ifc"):
        await stored.add(DUPLEX + name)
        file, after = convert(DUPLEX + name).extract, await written()
        ids = [element.global_id for element in file.elements]
        assert after.keys() == {(r.kind, ids[r.from_], ids[r.to]) for r in file.relations}
        assert before.keys() - after.keys() and after.keys() - before.keys()  # also by other GlobalIds
        same = before.keys() & after.keys()
        assert len(same) > 300 and all(after[edge] == before[edge] for edge in same)
        before = after


async def test_types_and_systems_keep_their_rows_under_new_global_ids(stored: Stored) -> None:
    await stored.add(DUPLEX + "Duplex_baseline.ifc")
    query = """SELECT 'type' AS of, id, ifc_class, name FROM element_type
               UNION ALL SELECT 'group', id, ifc_class, name FROM element_group ORDER BY id"""
    before = await rows(stored.conn, query)
    await stored.conn.execute("UPDATE element_type SET global_id = 'x' || global_id")  # as another export would have it
    await stored.conn.execute("UPDATE element_group SET global_id = 'x' || global_id")
    await stored.add(DUPLEX + "Duplex_movedoor.ifc")
    after = {each["id"] for each in await rows(stored.conn, query)}
    names = Counter((each["of"], each["ifc_class"], each["name"]) for each in before)
    alone = [e for e in before if e["name"] and names[e["of"], e["ifc_class"], e["name"]] == 1]
    assert len(alone) > 10
    assert {each["id"] for each in alone} <= after
    found = await rows(stored.conn, "SELECT DISTINCT type_id FROM element WHERE type_id IS NOT NULL")
    assert {each["id"] for each in alone if each["of"] == "type"} & {each["type_id"] for each in found}


async def test_only_what_changed_is_kept_twice(stored: Stored) -> None:
    await stored.add(DUPLEX + "Duplex_baseline.ifc")
    assert await rows(stored.conn, "SELECT * FROM element_past") == []
    second = await stored.add(DUPLEX + "Duplex_movedoor.ifc")
    [kept] = await rows(stored.conn, "SELECT count(*) AS n FROM element_past")
    # and rows whose type or whole got another GlobalId
    assert second.changed <= kept["n"] < (second.changed + second.unchanged) / 3


def test_a_package_brings_back_what_was_packed(convert: Convert) -> None:
    made = convert(DUPLEX + "Duplex_baseline.ifc")
    package = load_package(made.done.package)
    assert package.extract.elements == made.extract.elements
    assert package.geometry == load_geometry(made.folder)
    assert package.shapes == made.placed.shapes
    assert np.array_equal(package.boxes, made.placed.boxes, equal_nan=True)
    assert np.array_equal(package.measures, made.placed.measures, equal_nan=True)
    assert package.storey.tolist() == made.placed.placement.storey.tolist()
    assert {i: f.area for i, f in package.footprints.items()} == {
        i: f.area for i, f in made.placed.placement.footprints.items()
    }
    assert [t.hash for t in package.tiles] == [t.hash for t in made.done.tiles]


def test_a_damaged_package_is_an_error_that_says_so(tmp_path: Path) -> None:
    path = tmp_path / "package"
    for data in (b"", b"no package", zlib.compress(b"\x81\xa3abc")):
        path.write_bytes(data)
        with pytest.raises(ValueError, match=r"\w"):
            load_package(path)


async def test_only_tiles_whose_members_changed_are_written_again(convert: Convert, tmp_path: Path) -> None:
    before, after = convert(DUPLEX + "Duplex_baseline.ifc"), convert(DUPLEX + "Duplex_baseline.ifc")
    mesh = MeshArrays.load(after.folder)
    known = [
        KnownTile(tile.key or b"", tile.part, tile.hash, tile.bytes, tile.elements, tile.triangles, tile.bbox)
        for tile in before.done.tiles
    ]
    same = build_tiles(after.extract, mesh, after.placed.placement, tmp_path, known)
    assert [tile.is_stored for tile in same] == [True] * len(known)
    assert [replace(tile, is_stored=False, path=Path()) for tile in same] == [
        replace(tile, path=Path()) for tile in before.done.tiles
    ]
    mesh.instance_matrix = mesh.instance_matrix.copy()
    mesh.instance_matrix[0, 0, 3] += 1.0
    moved = build_tiles(after.extract, mesh, after.placed.placement, tmp_path, known)
    [written] = [tile for tile in moved if not tile.is_stored]
    whole = build_tiles(after.extract, mesh, after.placed.placement, tmp_path)
    assert {tile.hash for tile in whole} == {tile.hash for tile in moved}
    assert written.path.exists()
