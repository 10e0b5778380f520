"""The tileset.json of a building: 3D Tiles 1.1 over the tiles of every model's current version.

Everything is in the building frame, z up. Tiles carry float64 translations; the root's `extras.origin` is a good point
to subtract before anything becomes float32.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
import orjson

from ifc_models.extract import Extract
from twin.db import Conn, objects, rows
from viewer.tiles import Tile

_MIN_HALF = 0.005  # m: a flat bounding box is not valid in 3D Tiles


@dataclass(frozen=True, slots=True)
class TileEntry:
    """One tile as the tileset lists it. `bbox`: min x y z, max x y z, m."""

    hash: str
    storey: str | None
    layer: str
    model: str
    discipline: str
    elements: int
    triangles: int
    bytes: int
    bbox: Sequence[float]
    preview: str | None = None  # the name of its storey, which has no id before the model's first version is stored


async def tileset(conn: Conn, building_id: UUID) -> dict[str, Any]:
    """The building's tileset; without children where it has no model. Tile addresses are relative to
    `/api/v1/buildings/{id}/tileset.json`. A model whose first version is being imported shows its whole storeys."""
    entries = await objects(
        conn,
        TileEntry,
        """SELECT t.hash, t.storey_id::text AS storey, t.layer, m.name AS model, m.discipline, t.elements, t.triangles,
                  t.bytes, t.bbox
           FROM model m
           JOIN tile t ON t.model_id = m.id AND t.version = m.current_version
           LEFT JOIN storey s ON s.id = t.storey_id
           WHERE m.building_id = %s
           ORDER BY s.elevation NULLS FIRST, t.storey_id, t.layer, m.name, t.part, t.hash""",
        (building_id,),
    )
    entries += await objects(
        conn,
        TileEntry,
        """SELECT t.hash, NULL AS storey, t.layer, m.name AS model, m.discipline, t.elements, t.triangles, t.bytes,
                  t.bbox, coalesce(t.storey_name, '') AS preview
           FROM tile_preview t JOIN model m ON m.id = t.model_id AND m.current_version IS NULL
           WHERE t.building_id = %s
           ORDER BY t.elevation NULLS FIRST, t.storey_index, t.layer, m.name, t.part, t.hash""",
        (building_id,),
    )
    storeys = await rows(
        conn,
        """SELECT id::text AS id, name, elevation FROM storey WHERE building_id = %s
           ORDER BY elevation NULLS FIRST, name, id""",
        (building_id,),
    )
    return compose(entries, storeys, "../../tiles/{}.glb")


async def version_tileset(conn: Conn, model_id: UUID, n: int) -> dict[str, Any]:
    """The tiles of one version of a model. Tile addresses are relative to
    `/api/v1/models/{id}/versions/{n}/tileset.json`."""
    entries = await objects(
        conn,
        TileEntry,
        """SELECT t.hash, t.storey_id::text AS storey, t.layer, m.name AS model, m.discipline, t.elements, t.triangles,
                  t.bytes, t.bbox
           FROM tile t JOIN model m ON m.id = t.model_id
           LEFT JOIN storey s ON s.id = t.storey_id
           WHERE t.model_id = %s AND t.version = %s
           ORDER BY s.elevation NULLS FIRST, t.storey_id, t.layer, t.part, t.hash""",
        (model_id, n),
    )
    storeys = await rows(
        conn,
        """SELECT s.id::text AS id, s.name, s.elevation FROM storey s JOIN model m ON m.building_id = s.building_id
           WHERE m.id = %s ORDER BY s.elevation NULLS FIRST, s.name, s.id""",
        (model_id,),
    )
    return compose(entries, storeys, "../../../../tiles/{}.glb")


def compose(entries: Sequence[TileEntry], storeys: Iterable[dict[str, Any]], address: str) -> dict[str, Any]:
    """The document. `address` is the tiles' address with a `{}` for the hash."""
    low, high = _union(entries)
    centre = (low + high) / 2
    diagonal = float(np.linalg.norm(high - low))
    root: dict[str, Any] = {
        "boundingVolume": {"box": _box(low, high)},
        "geometricError": diagonal,
        "refine": "ADD",
        "extras": {
            "origin": [float(v) for v in np.rint(centre)],
            "elements": sum(e.elements for e in entries),
            "triangles": sum(e.triangles for e in entries),
            "bytes": sum(e.bytes for e in entries),
            "storeys": list(storeys),
        },
    }
    if entries:  # the specification wants no empty list
        root["children"] = [_child(entry, address) for entry in entries]
    return {"asset": {"version": "1.1", "generator": "bim-twin"}, "geometricError": 2 * diagonal, "root": root}


def _child(entry: TileEntry, address: str) -> dict[str, Any]:
    box = np.asarray(entry.bbox, dtype=np.float64)
    return {
        "boundingVolume": {"box": _box(box[:3], box[3:])},
        "geometricError": 0,
        "content": {
            "uri": address.format(entry.hash),
            "extras": {
                "storey": entry.storey,
                "layer": entry.layer,
                "model": entry.model,
                "discipline": entry.discipline,
                "elements": entry.elements,
                "triangles": entry.triangles,
                "bytes": entry.bytes,
                **({"preview": entry.preview} if entry.preview is not None else {}),
            },
        },
    }


def _union(entries: Sequence[TileEntry]) -> tuple[np.ndarray[Any, np.dtype[np.float64]], ...]:
    if not entries:
        return np.full(3, -1.0), np.full(3, 1.0)
    boxes = np.array([entry.bbox for entry in entries], dtype=np.float64)
    return boxes[:, :3].min(axis=0), boxes[:, 3:].max(axis=0)


def _box(low: np.ndarray[Any, np.dtype[np.float64]], high: np.ndarray[Any, np.dtype[np.float64]]) -> list[float]:
    """3D Tiles' box: the centre and three half axes."""
    half = np.maximum((high - low) / 2, _MIN_HALF)
    return [*((low + high) / 2).tolist(), *np.diag(half).ravel().tolist()]


def tileset_of(extract: Extract, tiles: Sequence[Tile]) -> bytes:
    """The tileset.json of one model's tiles in the same folder, its storeys named by GlobalId: no server needed."""
    global_id = {storey.element: extract.elements[storey.element].global_id for storey in extract.storeys}
    entries = [
        TileEntry(
            tile.hash,
            global_id.get(tile.storey_index) if tile.storey_index is not None else None,
            tile.layer,
            extract.header.file_name,
            "arc",
            tile.elements,
            tile.triangles,
            tile.bytes,
            tile.bbox,
        )
        for tile in tiles
    ]
    storeys = [{"id": global_id[s.element], "name": s.name, "elevation": s.elevation} for s in extract.storeys]
    return orjson.dumps(compose(entries, storeys, "{}.glb"), option=orjson.OPT_INDENT_2)
