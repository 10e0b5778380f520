"""Tiles read back and compared with the extract that they were made from."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ifc_models.extract import ElementEntry, Extract, Header, MeshArrays, load_extract
from tests.viewer.decode import decode
from viewer.guid import bytes_of_global_id, global_id_of_bytes
from viewer.palette import ROOM_ALPHA, colour_of, layer_of
from viewer.tile_folder import FileStoreys, build_folder, unpack
from viewer.tiles import Tile, build_tiles

MODELS = [
    "arch/Duplex_A_20110907.ifc",
    "mep/3rooms_Heater_AirTerminal_with_SB.ifc",
    "struct/HHS_Office_construction.ifc",
]
TRIANGLES, LINES = 4, 1
ROOT = Path(__file__).parents[2]

Built = tuple[Extract, MeshArrays, list[Tile]]


@pytest.fixture(params=MODELS)
def built(request: pytest.FixtureRequest, extract_of: Callable[[str], Path], tmp_path: Path) -> Built:
    folder = extract_of(request.param)
    return load_extract(folder), MeshArrays.load(folder), build_folder(folder, tmp_path)


def instances(mesh: MeshArrays) -> Iterator[tuple[int, NDArray[Any], NDArray[Any]]]:
    """Element, (T, 3, 3) corners in the building, (T, 4) RGBA."""
    v, t = mesh.shape_vertices.astype(int), mesh.shape_triangles.astype(int)
    rows = zip(mesh.instance_element.tolist(), mesh.instance_shape.tolist(), mesh.instance_matrix, strict=True)
    for element, s, m in rows:
        world = mesh.positions[v[s] : v[s + 1]] @ m[:3, :3].T + m[:3, 3]
        triangles = slice(t[s], t[s + 1])
        yield element, world[mesh.triangles[triangles]], mesh.materials[mesh.triangle_material[triangles]]


def area(corners: NDArray[Any]) -> NDArray[np.float64]:
    doubled: NDArray[np.float64] = np.linalg.norm(
        np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
    )
    return doubled / 2


def by_element(built: Built) -> dict[tuple[str, int], list[tuple[NDArray[Any], NDArray[Any]]]]:
    """(GlobalId, occurrence) → corners and colours of its triangles, per primitive."""
    found: dict[tuple[str, int], list[tuple[NDArray[Any], NDArray[Any]]]] = {}
    for tile in built[2]:
        decoded = decode(tile.path)
        for p in decoded.primitives:
            if p.mode != TRIANGLES:
                continue
            assert p.colours is not None
            triangles = p.indices.reshape(-1, 3)
            assert (p.features[triangles] == p.features[triangles[:, :1]]).all()
            owner = p.features[triangles[:, 0]]
            for f in np.unique(owner).tolist():
                rows = triangles[owner == f]
                name = (decoded.global_ids[f], decoded.occurrences[f])
                found.setdefault(name, []).append((p.positions[rows], p.colours[rows[:, 0]]))
    return found


def test_every_element_with_geometry_is_in_exactly_one_tile(built: Built) -> None:
    extract, mesh, tiles = built
    names = [
        name for tile in tiles for d in [decode(tile.path)] for name in zip(d.global_ids, d.occurrences, strict=True)
    ]
    entries = [extract.elements[i] for i in mesh.instance_element.tolist()]
    shown = {(e.global_id, e.occurrence) for e in entries}
    assert len(names) == len(set(names))
    assert set(names) == shown
    assert sum(tile.elements for tile in tiles) == len(shown)


def test_positions_are_within_five_millimetres_and_areas_within_one_percent(built: Built) -> None:
    extract, mesh, _ = built
    found = by_element(built)
    for element, corners, _ in instances(mesh):
        entry = extract.elements[element]
        shown = np.concatenate([c for c, _ in found[entry.global_id, entry.occurrence]])
        assert np.abs(shown.min(axis=(0, 1)) - corners.min(axis=(0, 1))).max() < 0.005
        assert np.abs(shown.max(axis=(0, 1)) - corners.max(axis=(0, 1))).max() < 0.005
        if area(corners).sum() > 0.05:
            assert area(shown).sum() == pytest.approx(area(corners).sum(), rel=0.01)


def test_colours_of_the_file_are_kept_and_the_palette_fills_the_rest(built: Built) -> None:
    extract, mesh, _ = built
    found = by_element(built)
    for element, corners, colours in instances(mesh):
        entry = extract.elements[element]
        default = colour_of(extract.class_ancestors[entry.ifc_class])
        wanted = {tuple(c) if c[3] else default for c in colours[area(corners) > 1e-8].tolist()}
        if entry.ifc_class == "IfcSpace":
            wanted = {(*c[:3], min(c[3], ROOM_ALPHA)) for c in wanted}
        shown = np.concatenate([c for _, c in found[entry.global_id, entry.occurrence]])
        srgb = np.where(shown[:, :3] <= 0.0031308, shown[:, :3] * 12.92, 1.055 * shown[:, :3] ** (1 / 2.4) - 0.055)
        got = np.unique(np.hstack([srgb, shown[:, 3:]]) * 255, axis=0)
        for colour in wanted:  # linear bytes are coarse in the dark
            assert (np.abs(got - colour).max(axis=1) <= 8).any(), (entry.ifc_class, colour, got)


def test_glass_is_drawn_with_the_transparent_and_walls_with_the_opaque(built: Built) -> None:
    for tile in built[2]:
        for p in decode(tile.path).primitives:
            if p.mode == TRIANGLES:
                assert p.colours is not None
                used = p.colours[np.unique(p.indices)]
                assert (used[:, 3] < 1).all() if p.transparent else (used[:, 3] == 1).all()


def test_normals_of_bent_surfaces_are_unit_and_point_as_the_triangles_turn(built: Built) -> None:
    turned = []
    for tile in built[2]:
        for p in decode(tile.path).primitives:
            if p.mode != TRIANGLES or p.normals is None:
                continue
            triangles = p.indices.reshape(-1, 3)
            corners = p.positions[triangles]
            face = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
            size = np.linalg.norm(face, axis=1)
            big = size > 1e-3
            normal = p.normals[triangles[big, 0]]
            normal = normal / np.linalg.norm(normal, axis=1, keepdims=True)
            cosine = np.einsum("ij,ij->i", normal, face[big] / size[big, None])
            turned.append(cosine)
    cosines = np.concatenate(turned)
    assert np.mean(cosines > 0.7) > 0.95  # round things may be coarse
    assert np.mean(cosines > 0) > 0.998


def test_edges_of_a_wall_are_its_outline_and_not_its_diagonals(built: Built) -> None:
    extract, _, tiles = built
    kinds = {entry.global_id: entry.ifc_class for entry in extract.elements}
    for tile in tiles:
        decoded = decode(tile.path)
        for p in decoded.primitives:
            if p.mode != LINES:
                continue
            ends = p.positions[p.indices.reshape(-1, 2)]
            owners = p.features[p.indices.reshape(-1, 2)]
            assert (owners[:, 0] == owners[:, 1]).all()
            for f, name in enumerate(decoded.global_ids):
                if kinds[name] == "IfcBeam" and np.sum(owners[:, 0] == f) == 12:  # a plain box
                    length = np.abs(ends[owners[:, 0] == f, 0] - ends[owners[:, 0] == f, 1])
                    assert len(length) == 12
    assert any(p.mode == LINES for tile in tiles for p in decode(tile.path).primitives)


def test_the_same_extract_gives_the_same_bytes(extract_of: Callable[[str], Path], tmp_path: Path) -> None:
    folder = extract_of(MODELS[0])
    first, second = (build_folder(folder, tmp_path / name) for name in ("a", "b"))
    assert [tile.hash for tile in first] == [tile.hash for tile in second]


def test_another_process_with_other_hashes_makes_the_same_bytes(
    extract_of: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = extract_of(MODELS[1])
    unpack(here := build_folder(folder, tmp_path / "here"))
    command = [sys.executable, "-m", "viewer.tile_folder", str(folder), str(tmp_path / "there")]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": "4"}, check=True, timeout=90)
    there = {path.name: path.read_bytes() for path in (tmp_path / "there").iterdir() if path.suffix != ".json"}
    assert there == {tile.path.name: tile.path.read_bytes() for tile in here}


def box_model(
    elements: list[ElementEntry], centres: list[tuple[float, float, float]], matrix: NDArray[np.float64] | None = None
) -> tuple[Extract, MeshArrays, FileStoreys]:
    """One 1 m box per element."""
    corners = np.array([[x, y, z] for z in (0, 1) for y in (0, 1) for x in (0, 1)], dtype=np.float32)
    faces = [[0, 2, 1], [1, 2, 3], [4, 5, 6], [5, 7, 6], [0, 1, 4], [1, 5, 4],
             [2, 6, 3], [3, 6, 7], [0, 4, 2], [2, 4, 6], [1, 3, 5], [3, 7, 5]]  # fmt: skip
    count = len(elements)
    matrices = np.broadcast_to(np.eye(4) if matrix is None else matrix, (count, 4, 4)).copy()
    matrices[:, :3, 3] = centres
    mesh = MeshArrays(
        corners, np.array(faces, np.uint32), np.zeros(12, np.uint16), np.array([0, 8], np.uint64),
        np.array([0, 12], np.uint64), np.zeros((1, 4), np.uint8), np.arange(count, dtype=np.uint32),
        np.zeros(count, np.uint32), matrices,
    )  # fmt: skip
    ancestors = {"IfcWall": ["IfcWall", "IfcBuildingElement", "IfcElement", "IfcProduct"]}
    extract = Extract(Header("IFC4", "IFC4", "x", 0), None, [], elements, [], [], [], [], ancestors, {})
    return extract, mesh, FileStoreys(np.full(count, -1))


def entry(global_id: str, occurrence: int = 0) -> ElementEntry:
    return ElementEntry(step_id=1, global_id=global_id, ifc_class="IfcWall", occurrence=occurrence)


def test_a_box_has_twelve_edges_eight_corners_and_no_normals(tmp_path: Path) -> None:
    (tile,) = build_tiles(*box_model([entry("0" * 22)], [(0, 0, 0)]), tmp_path)
    opaque, edges = decode(tile.path).primitives
    assert len(opaque.indices) == 36
    assert len(opaque.positions) == 8
    assert opaque.normals is None
    assert len(edges.indices) == 24


def test_a_flat_triangle_shows_the_side_that_it_has_in_the_model(built: Built) -> None:
    """Rounding turns thin triangles: those keep a normal of their own."""
    _, mesh, tiles = built
    flat = [p for tile in tiles for p in decode(tile.path).primitives if p.mode == TRIANGLES and p.normals is None]
    shown = np.concatenate([unit_normals(p.positions[p.indices.reshape(-1, 3)]) for p in flat])
    wanted = np.concatenate([unit_normals(corners) for _, corners, _ in instances(mesh)])
    wanted = np.unique(np.rint(wanted * 500), axis=0) / 500
    near = cKDTree(wanted).query(shown)[0]
    assert len(shown) > 500
    assert np.degrees(near.max()) < 2.5


def unit_normals(corners: NDArray[Any]) -> NDArray[np.float64]:
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    kept: NDArray[np.float64] = (normals / np.maximum(length, 1e-30))[length[:, 0] > 1e-12]
    return kept


def test_a_global_id_that_is_none_is_kept_as_text(tmp_path: Path) -> None:
    names = ["0123456789012345678901", "Wand Nr. 7 (Süd)", "zzzzzzzzzzzzzzzzzzzzzz"]
    centres = [(float(i), 0.0, 0.0) for i in range(3)]
    (tile,) = build_tiles(*box_model([entry(name) for name in names], centres), tmp_path)
    assert decode(tile.path).global_ids == names


def test_a_repeated_global_id_keeps_its_occurrence(tmp_path: Path) -> None:
    elements = [entry("0" * 22, occurrence) for occurrence in range(3)]
    (tile,) = build_tiles(*box_model(elements, [(float(i), 0.0, 0.0) for i in range(3)]), tmp_path)
    assert decode(tile.path).occurrences == [0, 1, 2]


def test_a_site_of_kilometres_is_cut_until_millimetres_are_kept(tmp_path: Path) -> None:
    centres = [(x * 97.0 + 4e6, y * 131.0 + 5e6, 0.0) for x in range(20) for y in range(20)]
    elements = [entry(f"{i:022d}") for i in range(400)]
    tiles = build_tiles(*box_model(elements, centres), tmp_path)
    assert len(tiles) > 30
    seen = set()
    for tile in tiles:
        decoded = decode(tile.path)
        for f, name in enumerate(decoded.global_ids):
            seen.add(name)
            low = np.min(
                [p.positions[p.features == f].min(axis=0) for p in decoded.primitives if f in p.features], axis=0
            )
            assert np.abs(low - centres[int(name)]).max() < 0.005
    assert len(seen) == 400


def test_more_than_65535_elements_make_several_tiles(tmp_path: Path) -> None:
    count = 66_000
    elements = [entry(f"{i:022d}") for i in range(count)]
    centres = [((i % 256) * 1.1, (i // 256) * 1.1, 0.0) for i in range(count)]
    tiles = build_tiles(*box_model(elements, centres), tmp_path)
    assert len(tiles) > 1
    assert max(tile.elements for tile in tiles) <= 65_535
    assert sum(tile.elements for tile in tiles) == count
    assert sorted(tile.part for tile in tiles) == list(range(len(tiles)))


def test_a_mirrored_instance_still_faces_outwards(tmp_path: Path) -> None:
    mirror = np.diag([-1.0, 1.0, 1.0, 1.0])
    (tile,) = build_tiles(*box_model([entry("0" * 22)], [(0, 0, 0)], mirror), tmp_path)
    p = decode(tile.path).primitives[0]
    corners = p.positions[p.indices.reshape(-1, 3)]
    face = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    outwards = corners.mean(axis=1) - p.positions.mean(axis=0)
    assert (np.einsum("ij,ij->i", face, outwards) > 0).all()


def test_a_model_without_a_mesh_has_no_tiles(tmp_path: Path) -> None:
    extract, _, storeys = box_model([entry("0" * 22)], [(0, 0, 0)])
    assert build_tiles(extract, MeshArrays.empty(), storeys, tmp_path) == []


@pytest.mark.parametrize("name", ["0123456789ABCDEFGHIJKL", "3vB2YO$MX4xv5uCqZZG05x", "0" * 22, "3" + "$" * 21])
def test_a_global_id_survives_its_sixteen_bytes(name: str) -> None:
    data = bytes_of_global_id(name)
    assert data is not None
    assert len(data) == 16
    assert global_id_of_bytes(data) == name


@pytest.mark.parametrize("name", ["", "short", "4" + "0" * 21, "0" * 21 + "ä", "0" * 23])
def test_what_is_no_global_id_has_no_sixteen_bytes(name: str) -> None:
    assert bytes_of_global_id(name) is None


@pytest.mark.parametrize(
    ("ancestors", "layer"),
    [
        (["IfcPump", "IfcFlowMovingDevice", "IfcDistributionFlowElement", "IfcDistributionElement"], "services"),
        (["IfcSpace", "IfcSpatialStructureElement", "IfcProduct"], "spaces"),
        (["IfcFurniture", "IfcFurnishingElement", "IfcElement"], "furniture"),
        (["IfcWallStandardCase", "IfcWall", "IfcBuildingElement"], "shell"),
        (["IfcElectricalElement", "IfcElement"], "services"),
    ],
)
def test_the_layer_comes_from_the_nearest_listed_ancestor(ancestors: list[str], layer: str) -> None:
    assert layer_of(ancestors) == layer
