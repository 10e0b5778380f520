"""tileset.json from real rows, and of a folder."""

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import orjson
import pytest

from ifc_models.extract import load_extract
from twin import places
from twin.db import Conn
from viewer.tile_folder import build_folder
from viewer.tileset import tileset, tileset_of


@pytest.fixture
async def building(conn: Conn) -> tuple[places.Building, UUID]:
    """A building with one storey and a model of two versions, the second one shown."""
    made = await places.create_building(conn, "Tileset House")
    async with conn.cursor() as cursor:
        await cursor.execute(
            "INSERT INTO storey (building_id, name, elevation) VALUES (%s, 'Ground', 0.5) RETURNING id", (made.id,)
        )
        row = await cursor.fetchone()
        assert row is not None
        storey: UUID = row["id"]
        await cursor.execute("INSERT INTO blob VALUES ('f', 1, 'x'), ('old', 1, 'x'), ('a', 1, 'x'), ('b', 1, 'x')")
        await cursor.execute(
            "INSERT INTO model (building_id, name, discipline, current_version) "
            "VALUES (%s, 'HVAC', 'mep', 2) RETURNING id",
            (made.id,),
        )
        row = await cursor.fetchone()
        assert row is not None
        model = row["id"]
        for n in (1, 2):
            await cursor.execute(
                "INSERT INTO model_version (model_id, n, file_hash, file_name, bytes, schema, report) "
                "VALUES (%s, %s, 'f', 'f.ifc', 1, 'IFC4', '{}')",
                (model, n),
            )
        for version, storey_id, layer, digest, box in (
            (1, storey, "shell", "old", [0, 0, 0, 1, 1, 1]),
            (2, storey, "services", "a", [100.0, 10.0, 0.0, 140.0, 30.0, 3.0]),
            (2, None, "shell", "b", [90.0, 0.0, 0.0, 150.0, 40.0, 0.0]),
        ):
            await cursor.execute(
                "INSERT INTO tile (model_id, version, storey_id, layer, part, hash, bytes, elements, triangles, bbox) "
                "VALUES (%s, %s, %s, %s, 0, %s, 1000, 3, 30, %s)",
                (model, version, storey_id, layer, digest, box),
            )
    return made, storey


async def test_the_tileset_lists_the_current_versions_tiles_with_what_they_are(
    conn: Conn, building: tuple[places.Building, UUID]
) -> None:
    made, storey = building
    document = await tileset(conn, made.id)
    assert document["asset"]["version"] == "1.1"
    children = document["root"]["children"]
    assert [child["content"]["uri"] for child in children] == ["../../tiles/b.glb", "../../tiles/a.glb"]
    assert children[1]["content"]["extras"] == {
        "storey": str(storey),
        "layer": "services",
        "model": "HVAC",
        "discipline": "mep",
        "elements": 3,
        "triangles": 30,
        "bytes": 1000,
    }
    assert children[0]["content"]["extras"]["storey"] is None


async def test_the_root_says_where_and_how_much(conn: Conn, building: tuple[places.Building, UUID]) -> None:
    made, storey = building
    root = (await tileset(conn, made.id))["root"]
    assert root["boundingVolume"]["box"] == [120.0, 20.0, 1.5, 30.0, 0, 0, 0, 20.0, 0, 0, 0, 1.5]
    assert root["extras"] == {
        "origin": [120.0, 20.0, 2.0],
        "elements": 6,
        "triangles": 60,
        "bytes": 2000,
        "storeys": [{"id": str(storey), "name": "Ground", "elevation": 0.5}],
    }
    flat = root["children"][0]["boundingVolume"]["box"]
    assert flat[11] > 0  # a box without height is not valid


async def test_a_building_without_a_model_has_an_empty_tileset(conn: Conn) -> None:
    made = await places.create_building(conn, "Empty House")
    document = await tileset(conn, made.id)
    assert "children" not in document["root"]
    assert document["root"]["extras"]["elements"] == 0


def test_a_folders_tileset_names_its_files_and_storeys(extract_of: Callable[[str], Path], tmp_path: Path) -> None:
    folder = extract_of("arch/Duplex_A_20110907.ifc")
    extract, tiles = load_extract(folder), build_folder(folder, tmp_path)
    document = orjson.loads(tileset_of(extract, tiles))
    uris = {child["content"]["uri"] for child in document["root"]["children"]}
    assert uris == {path.name for path in tmp_path.iterdir()}
    storeys = {storey["id"] for storey in document["root"]["extras"]["storeys"]}
    shown = {child["content"]["extras"]["storey"] for child in document["root"]["children"]}
    assert shown - {None} <= storeys
