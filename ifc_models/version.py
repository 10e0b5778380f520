"""What a version of a model consists of, as `store` takes it and says what it changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from ifc_models.extract import ElementGeometry, Extract


class FloorShape(Protocol):
    """The floor of a room (`spatial.placement.Footprint`): shapely polygon, m2, m."""

    @property
    def polygon(self) -> Any: ...
    @property
    def area(self) -> float: ...
    @property
    def height(self) -> float: ...


class ElementPlacement(Protocol):
    """Where each of N elements is (`spatial.placement.Placement`); element indices, -1: nowhere."""

    @property
    def storey(self) -> NDArray[np.int64]: ...
    @property
    def space(self) -> NDArray[np.int64]: ...
    @property
    def storey_derived(self) -> NDArray[np.bool_]: ...
    @property
    def space_derived(self) -> NDArray[np.bool_]: ...
    @property
    def footprints(self) -> Mapping[int, FloorShape]: ...


class StoredTile(Protocol):
    """A tile whose blob is recorded already (`viewer.tiles.Tile`)."""

    @property
    def storey_index(self) -> int | None: ...
    @property
    def layer(self) -> str: ...
    @property
    def part(self) -> int: ...
    @property
    def hash(self) -> str: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def bytes(self) -> int: ...
    @property
    def elements(self) -> int: ...
    @property
    def triangles(self) -> int: ...
    @property
    def bbox(self) -> Sequence[float]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVersion:
    """Everything a version consists of.

    `boxes` (N, 6) m and `measures` (N, 8, `ifc_models.measures`) are NaN without a mesh; `shapes`: element index → mesh
    hash; `ends`: element index → its openings (n, 7, `spatial.ends`). `package` and `meshes` name blobs that bring this
    version back and spare the next one work.
    """

    model_id: UUID
    building_id: UUID
    file_hash: str
    file_name: str
    extract: Extract
    geometry: Sequence[ElementGeometry] = ()
    placement: ElementPlacement | None = None
    boxes: NDArray[np.float64] | None = None
    shapes: Mapping[int, bytes] = field(default_factory=dict)
    measures: NDArray[np.float64] | None = None
    ends: Mapping[int, NDArray[np.float64]] = field(default_factory=dict)
    tiles: Sequence[StoredTile] = ()
    actor_name: str | None = None
    restored: int | None = None  # the version that this one shows again
    converter: str | None = None
    package: str | None = None
    meshes: str | None = None


@dataclass(frozen=True, slots=True)
class Matched:
    """How many elements with a new GlobalId were recognised, may be recognised by a person, or were not."""

    certain: int = 0
    likely: int = 0
    lost: int = 0


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """The number of the version and what it changed, in elements; `changed` counts moved ones and new GlobalIds too."""

    version: int
    added: int
    changed: int
    removed: int
    unchanged: int
    matched: Matched = Matched()
