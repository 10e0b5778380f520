"""Do the models of one building lie where each other lies: architecture, structure and services share one frame, or
somebody exported with another origin, another unit or another rotation."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from ifc_models.extract import Finding
from ifc_models.findings import Findings
from twin.db import Conn, objects

APART: Final = 5.0  # m between two models before anybody is warned: a boiler house stands beside its house
UNLIKE: Final = 100.0  # times as long: one of them was exported in another unit
_OUTLIERS: Final = 2.0  # percent of the elements on either side that say nothing about where a model is


@dataclass(frozen=True, slots=True)
class Extent:
    """Where a model of the building is. `low` and `high` in m, building frame."""

    name: str
    low: list[float]
    high: list[float]


async def find_misalignment(conn: Conn, building_id: UUID, model_id: UUID, boxes: NDArray[np.float64]) -> list[Finding]:
    """Warnings where the model with these element boxes (n, 6) does not meet the building's other shown models."""
    others = await objects(
        conn,
        Extent,
        """SELECT m.name,
                  ARRAY[min(t.bbox[1]), min(t.bbox[2]), min(t.bbox[3])] AS low,
                  ARRAY[max(t.bbox[4]), max(t.bbox[5]), max(t.bbox[6])] AS high
           FROM model m JOIN tile t ON t.model_id = m.id AND t.version = m.current_version
           WHERE m.building_id = %s AND m.id <> %s GROUP BY m.id ORDER BY m.name""",
        (building_id, model_id),
    )
    return misalignment(boxes, others)


def misalignment(boxes: NDArray[np.float64], others: list[Extent]) -> list[Finding]:
    """`ifc.not_aligned` and `ifc.other_scale` where a model does not lie with the others; NaN rows have no mesh."""
    known = boxes[~np.isnan(boxes).any(axis=1)]
    found = Findings()
    if not len(known) or not others:
        return []
    low = np.percentile(known[:, :3], _OUTLIERS, axis=0)
    high = np.percentile(known[:, 3:], 100 - _OUTLIERS, axis=0)
    size = max(float((high - low).max()), 1e-3)
    ratios = [size / max(float((np.array(o.high) - o.low).max()), 1e-3) for o in others]
    if all(max(ratio, 1 / ratio) > UNLIKE for ratio in ratios):  # then it cannot lie where they lie either
        ratio = max(ratios[0], 1 / ratios[0])
        found.add("ifc.other_scale", others[0].name, other=others[0].name, ratio=f"{ratio:.0f}")
        return found.list()
    # One that does lie with it is enough: the others may be a far-off annexe, or the ones that are wrong.
    gaps = [np.maximum(np.maximum(np.array(o.low) - high, low - np.array(o.high)), 0.0) for o in others]
    distances = [float(np.linalg.norm(gap)) for gap in gaps]
    if min(distances) > APART:
        nearest = others[int(np.argmin(distances))]
        found.add("ifc.not_aligned", nearest.name, other=nearest.name, metres=f"{min(distances):.0f}")
    return found.list()
