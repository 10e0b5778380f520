"""The storeys of a big model that are meshed already, shown while the rest is still on its way.

The fast kernel is asked storey by storey, from the lowest up. What it answered for all of a storey is written as mesh
arrays of its own; products that a slower kernel has to look at are missing there until the whole model is done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import ifcopenshell

from ifc_models.mesh_plan import Plan, Product
from ifc_models.mesh_rungs import Floats, Mesh
from ifc_models.mesh_shapes import ShapeStore

NOWHERE = 1 << 30  # rank of what is on no storey


class Previews:
    """Orders a plan by storeys, and tells which of them are there."""

    def __init__(
        self, file: ifcopenshell.file, plan: Plan, matrices: Floats, store: ShapeStore, say: Callable[[str], None]
    ) -> None:
        self._plan, self._matrices, self._store, self._say = plan, matrices, store, say
        self._rank = storey_ranks(file)
        plan.groups.sort(key=self._first)
        self._order = {part.kernel_id: self._first(group) for group in plan.groups for part in group[0].parts}
        self._added: set[int] = set()  # leaders whose groups are in the store
        self._shown: set[int] = set()  # ranks
        self._written = 0

    @property
    def order(self) -> Mapping[int, int]:
        """Kernel id → when it is wanted."""
        return self._order

    def show(self, asked: Iterable[int], found: Mapping[int, Mesh], good: Callable[[Product], bool], out: Path) -> None:
        """Write the storeys that are complete now into a folder of `out` and say its name.

        `asked` are the kernel ids that the fast kernel has answered for; `good` says whether its answer is kept.
        """
        seen, late = set(asked), set[int]()
        for group in self._plan.groups:
            if not all(part.kernel_id in seen for part in group[0].parts):
                late.update(self._ranks(group))
            elif group[0].step_id not in self._added and good(group[0]):
                self._store.add_group(group, found, self._matrices)
                self._added.add(group[0].step_id)
        ready = {rank for group in self._plan.groups for rank in self._ranks(group)} - late - self._shown - {NOWHERE}
        wanted = {m.step_id for group in self._plan.groups for m in group if self._of(m) in ready}
        if not wanted:
            return
        self._shown |= ready
        self._written += 1
        folder = out / f"preview-{self._written}"
        folder.mkdir()
        if self._store.save(folder, only=wanted):
            self._say(folder.name)

    def add_rest(self, meshes: Mapping[int, Mesh]) -> None:
        """Add the groups to the store that were not in it yet."""
        for group in self._plan.groups:
            if group[0].step_id not in self._added:
                self._store.add_group(group, meshes, self._matrices)

    def _of(self, product: Product) -> int:
        return self._rank.get(product.step_id, NOWHERE)

    def _ranks(self, group: list[Product]) -> set[int]:
        return {self._of(member) for member in group}

    def _first(self, group: list[Product]) -> int:
        return min(self._of(member) for member in group)


def storey_ranks(file: ifcopenshell.file) -> dict[int, int]:
    """STEP id of a product → which storey it is on, counted from the lowest; as the file says, rooms and parts too."""
    storeys = sorted(file.by_type("IfcBuildingStorey"), key=lambda s: (_number(s.Elevation), s.id()))
    rank = {storey.id(): i for i, storey in enumerate(storeys)}
    children: dict[int, list[int]] = {}
    for kind, whole, parts in (
        ("IfcRelContainedInSpatialStructure", "RelatingStructure", "RelatedElements"),
        ("IfcRelAggregates", "RelatingObject", "RelatedObjects"),
    ):
        for relation in file.by_type(kind):
            parent, members = getattr(relation, whole), getattr(relation, parts)
            if parent is not None:
                children.setdefault(parent.id(), []).extend(each.id() for each in members or ())
    waiting = list(rank)
    while waiting:
        parent_id = waiting.pop()
        for child in children.get(parent_id, ()):
            if child not in rank:
                rank[child] = rank[parent_id]
                waiting.append(child)
    return rank


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
