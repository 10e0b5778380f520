"""Where a product stood in the file before, from the words that differ: the rest is as the new file has it."""

from __future__ import annotations

import re
from typing import Final

import ifcopenshell
import numpy as np
from numpy.typing import NDArray

from ifc_models.mesh_frames import axis_matrices

Floats = NDArray[np.float64]

_DEEPEST: Final = 1000  # placements, one in the other
_RECORD: Final = re.compile(r"#\d+\s*=\s*(\w+)\s*\((.*)\)\s*;?\s*$", re.DOTALL)
_Z, _X = (0.0, 0.0, 1.0), (1.0, 0.0, 0.0)


class Placements:
    """Matrices of IfcLocalPlacements. `was`: records that stand for those of `file`, by STEP id."""

    def __init__(self, file: ifcopenshell.file, unit: float, was: dict[int, bytes]) -> None:
        """`unit`: metres per length unit of the file."""
        self._file, self._unit, self._was = file, unit, was

    def matrix(self, step_id: int) -> Floats | None:
        """(4, 4) placement → world, m; None where it is another kind of placement, or not to be read."""
        out = np.eye(4)
        try:
            for _ in range(_DEEPEST):
                parent, axes = self._values(step_id, "IFCLOCALPLACEMENT")
                out = self._axes(_reference(axes)) @ out
                if parent == "$":
                    return out if np.isfinite(out).all() and abs(np.linalg.det(out)) > 0.5 else None
                step_id = _reference(parent)
        except (LookupError, RuntimeError, ValueError):
            return None
        return None

    def _axes(self, step_id: int) -> Floats:
        point, z, x = self._values(step_id, "IFCAXIS2PLACEMENT3D")
        origin = np.array([self._numbers(point, "IFCCARTESIANPOINT")]) * self._unit
        up = _Z if z == "$" else self._numbers(z, "IFCDIRECTION")
        along = _X if x == "$" else self._numbers(x, "IFCDIRECTION")
        return axis_matrices(origin, np.array([up]), np.array([along])).reshape(4, 4)

    def _numbers(self, reference: str, name: str) -> tuple[float, float, float]:
        x, y, z = (float(value.strip("() ")) for value in self._values(_reference(reference), name))
        return x, y, z

    def _values(self, step_id: int, name: str) -> list[str]:
        """The attributes of a record of this class, as written. Raises LookupError for another one."""
        old = self._was.get(step_id)
        text = old.decode("ascii") if old is not None else str(self._file.by_id(step_id))
        match = _RECORD.match(text.strip())
        if match is None or match[1].upper() != name:
            raise LookupError(step_id)
        return [value.strip() for value in match[2].split(",")]


def _reference(text: str) -> int:
    if not text.startswith("#"):
        raise LookupError(text)
    return int(text[1:])
