"""What to mesh: which products have a body, which share one, where each stands and which colours it shows.

Nothing is tessellated here. A product whose body shows several colours ("glass is glass") is handed to the fast kernel,
which knows one colour per product, as several *parts*: helper products, one per colour, that exist only in the text
given to the kernel and hold the items of that colour under the same placement and the same openings.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

import ifcopenshell
import numpy as np

from ifc_models.mesh_bent import bent_products
from ifc_models.mesh_clips import is_clipped
from ifc_models.mesh_frames import Frames
from ifc_models.mesh_hash import Hashes, outside
from ifc_models.mesh_styles import Colour, Styles
from ifc_models.mesh_sweep import follows_alignment, is_swept

# Representations that show a body. Others (Axis, FootPrint, Annotation, Box, Clearance, …) are no geometry to see.
BODY_IDENTIFIERS = frozenset({"Body", "Body-Fallback", "Facetation", "Tessellation", "Surface", "Body-FallBack"})
BODY_TYPES = frozenset({
    "AdvancedBrep", "AdvancedSweptSolid", "Brep", "CSG", "Clipping", "MappedRepresentation", "SectionedSpine",
    "SolidModel", "Surface3D", "SurfaceModel", "SweptSolid", "Tessellation", "FacetedBrep", "SectionedSolid",
})  # fmt: skip
_NOT_BODY = frozenset({"Axis", "FootPrint", "Footprint", "Annotation", "Plan", "Box", "BoundingBox", "Clearance",
                       "Profile", "CoG", "Lighting", "Reference", "SurveyPoints"})  # fmt: skip
_MAX_ID = 2**31  # the fast kernel's ids are u32: no room for parts above


@dataclass(slots=True)
class Part:
    """One call to the kernel: a product of the file or a helper product, all in one colour."""

    kernel_id: int
    colour: Colour


@dataclass(slots=True)
class Product:
    """A product with a body. `frame` is its row in Plan.frames, -1 where its placement is not a plain one."""

    step_id: int
    parts: list[Part]
    frame: int
    exact: bool = False  # needs the exact kernel: single faces have colours of their own
    swept: bool = False  # sections along an alignment, which are meshed here
    clipped: bool = False  # an extrusion cut by half spaces, which Manifold meshes
    bent: bool = False  # has arcs that the fast kernel draws coarsely
    closed: bool = False  # a mesh with gaps in its surface is wrong
    apart: int = -1  # frame that the parts are meshed in, instead of the world, where kernels place it wrongly


@dataclass(slots=True)
class Plan:
    """What the kernels are asked for. `groups`: products that share one body, the first one is meshed for all."""

    groups: list[list[Product]]
    frames: Frames
    added_text: str = ""  # STEP lines of the helper products, to stand before the file's last ENDSEC
    unplanned: dict[int, str] = field(default_factory=dict)  # products that could not be looked at, and why

    @property
    def products(self) -> Iterable[Product]:
        return (product for group in self.groups for product in group)


def body_representations(product: ifcopenshell.entity_instance) -> list[ifcopenshell.entity_instance]:
    """The product's representations that show a body, empty where it has none."""
    shape = product[6]
    if shape is None or not shape.is_a("IfcProductDefinitionShape"):
        return []
    named: dict[int, ifcopenshell.entity_instance] = {}
    for representation in shape[2] or ():
        if _is_body(representation):
            named.setdefault(representation.id(), representation)  # exporters name one twice: kernels show it twice
    return list(named.values())


def _is_body(representation: ifcopenshell.entity_instance) -> bool:
    identifier, kind = representation[1], representation[2]
    if identifier in BODY_IDENTIFIERS:
        return True
    return identifier not in _NOT_BODY and kind in BODY_TYPES


def plan(file: ifcopenshell.file, only: Collection[int] | None = None) -> Plan:
    """Plan the meshing of every product with a body, openings left out; `only` restricts it to these STEP ids."""
    planner = _Planner(file)
    for entity in file.by_type("IfcProduct"):
        if (only is not None and entity.id() not in only) or entity[6] is None:
            continue
        if entity.is_a("IfcFeatureElementSubtraction"):
            continue
        planner.add(entity)
    planner.add_cut()
    groups = [group for group in planner.groups.values() if group]
    return Plan(groups, planner.frames, planner.splitter.text(), planner.unplanned)


UNREADABLE = (ArithmeticError, AttributeError, IndexError, RuntimeError, TypeError, ValueError)
"""What reading an entity raises that lacks what the schema demands, or has it otherwise."""


class _Planner:
    """Sorts products into groups that share a body. What opens a body is part of it: equal walls have equal holes."""

    def __init__(self, file: ifcopenshell.file) -> None:
        self.frames = Frames(file)
        self.groups: dict[object, list[Product]] = defaultdict(list)
        self.unplanned: dict[int, str] = {}
        self._file = file
        self._styles = Styles(file)
        self.splitter = _Splitter(file, self._styles)
        self._voided = voided(file)
        self._bent = bent_products(file, self.frames.unit)
        self._cut: list[tuple[ifcopenshell.entity_instance, int, list[int]]] = []  # product, frame, frames of openings

    def add(self, entity: ifcopenshell.entity_instance) -> None:
        """Add a product; one that lacks what the schema demands, or has it otherwise, is named with the reason."""
        try:
            self._add(entity)
        except UNREADABLE as error:
            self.unplanned[entity.id()] = f"its body could not be read ({type(error).__name__}: {error})"[:300]

    def _add(self, entity: ifcopenshell.entity_instance) -> None:
        step_id = entity.id()
        representations = body_representations(entity)
        if not representations:
            return
        key, source = _sharing_key(representations)
        frame = self.frames.add(entity[5], source)
        if step_id in self._voided:
            openings = [self.frames.add(self._file.by_id(i)[5], None) for i in self._voided[step_id]]
            if frame >= 0 and min(openings) >= 0:
                self._cut.append((entity, frame, openings))
            else:
                self._join(step_id, entity, representations, frame)
        else:
            colour = self._styles.element_colour(step_id)
            self._join((key, colour) if frame >= 0 else step_id, entity, representations, frame)

    def add_cut(self) -> None:
        """Group the products with openings, once all frames are known.

        Few have a double: only those whose openings lie alike, and whose bodies look alike, are looked into.
        """
        alike: dict[object, list[tuple[ifcopenshell.entity_instance, int, list[bytes]]]] = defaultdict(list)
        matrices = self.frames.matrices()
        for entity, frame, openings in self._cut:
            try:
                to_frame = np.linalg.inv(matrices[frame])
                where = [np.rint(to_frame @ matrices[row] * 1e5).tobytes() for row in openings]
            except np.linalg.LinAlgError:
                self._join(entity.id(), entity, body_representations(entity), frame)
                continue
            body = outside(_solids(body_representations(entity)))
            alike[body, tuple(sorted(where))].append((entity, frame, where))
        hashes = Hashes()
        for products in alike.values():
            for entity, frame, where in products:
                key = self._cut_key(entity, where, hashes) if len(products) > 1 else entity.id()
                self._join(key, entity, body_representations(entity), frame)

    def _cut_key(self, entity: ifcopenshell.entity_instance, where: list[bytes], hashes: Hashes) -> object:
        """What two products whose openings lie alike must have in common to show the same body."""
        try:
            cuts = [(self._opening_hash(i, hashes), at) for i, at in zip(self._voided[entity.id()], where, strict=True)]
            representations = _innermost(body_representations(entity))
            bodies = tuple(hashes.of(r) for r in representations)
            shown = tuple(self._styles.colours_below(r) for r in representations)
        except UNREADABLE:
            return entity.id()
        return bodies, shown, tuple(sorted(cuts)), self._styles.element_colour(entity.id())

    def _opening_hash(self, step_id: int, hashes: Hashes) -> bytes:
        return b"".join(hashes.of(r) for r in body_representations(self._file.by_id(step_id)))

    def _join(
        self,
        key: object,
        entity: ifcopenshell.entity_instance,
        representations: list[ifcopenshell.entity_instance],
        frame: int,
    ) -> None:
        """Put a product into its group; the first of it is looked at more closely."""
        members = self.groups[key]
        if members:
            members.append(replace(members[0], step_id=entity.id(), frame=frame))
            return
        openings = self._voided.get(entity.id(), ())
        items = [item for r in representations for item in r[3]]
        aligned = entity[5] is not None and entity[5].is_a("IfcLinearPlacement")
        apart = aligned and frame >= 0 and not openings
        # The fast kernel loses one or the other of several solids when it cuts them together.
        several = bool(openings) and len(_solids(representations)) > 1
        singly = several and len(representations) == 1 and not any(item.is_a("IfcMappedItem") for item in items)
        parts, exact = self.splitter.parts(
            entity, representations, self._styles.element_colour(entity.id()), openings, apart=apart, singly=singly
        )
        product = Product(entity.id(), parts, frame, exact or (aligned and not apart) or follows_alignment(items))
        product.swept = is_swept(items) and not openings and frame >= 0
        product.bent = entity.id() in self._bent
        product.closed = bool(openings)
        product.clipped = frame >= 0 and len(parts) == 1 and not (openings or product.exact) and is_clipped(items)
        product.exact = product.exact or (several and not singly)
        if apart and not exact:
            product.apart = self.frames.add(entity[5], None)
        members.append(product)


def _innermost(representations: list[ifcopenshell.entity_instance]) -> list[ifcopenshell.entity_instance]:
    """The representations, or what their only mapped item maps: the frame stands for where it is mapped to."""
    items = representations[0][3]
    if len(representations) == 1 and len(items) == 1 and items[0].is_a("IfcMappedItem"):
        return [items[0][0][1]]
    return representations


def _solids(representations: list[ifcopenshell.entity_instance]) -> list[ifcopenshell.entity_instance]:
    return [item for r in _innermost(representations) for item in r[3]]


def _sharing_key(
    representations: list[ifcopenshell.entity_instance],
) -> tuple[object, ifcopenshell.entity_instance | None]:
    """What two products must have in common to show the same body, and the mapping operator that is theirs alone."""
    if len(representations) == 1:
        items = representations[0][3]
        if len(items) == 1 and items[0].is_a("IfcMappedItem"):
            return ("mapped", items[0][0].id()), items[0][1]
    return ("same", tuple(r.id() for r in representations)), None


def voided(file: ifcopenshell.file) -> dict[int, list[int]]:
    """STEP ids of the openings that cut a product: its own, and those of the wholes that it is part of."""
    openings: dict[int, list[int]] = defaultdict(list)
    for relation in file.by_type("IfcRelVoidsElement"):
        if relation.RelatingBuildingElement is not None and relation.RelatedOpeningElement is not None:
            openings[relation.RelatingBuildingElement.id()].append(relation.RelatedOpeningElement.id())
    if openings:
        for relation in file.by_type("IfcRelAggregates"):
            whole = openings.get(relation.RelatingObject.id())
            if whole:
                for part in relation.RelatedObjects:
                    openings[part.id()] += whole
    return openings


class _Splitter:
    """Cuts bodies of several colours into helper products, written as STEP lines."""

    def __init__(self, file: ifcopenshell.file, styles: Styles) -> None:
        self._styles = styles
        self._next = int(file.get_max_id())
        self._lines: list[str] = []
        self._colours: dict[int, dict[Colour | None, list[int]]] = {}
        self._maps: dict[tuple[int, Colour | None], int] = {}
        self.room = self._next < _MAX_ID

    def text(self) -> str:
        return "\n".join(self._lines)

    def parts(
        self,
        entity: ifcopenshell.entity_instance,
        representations: list[ifcopenshell.entity_instance],
        default: Colour,
        openings: Iterable[int],
        *,
        apart: bool = False,
        singly: bool = False,
    ) -> tuple[list[Part], bool]:
        """The product's parts, and whether it needs the exact kernel.

        `apart`: helper products only, at the origin. `singly`: a helper for each item.
        """
        by_colour: dict[Colour, list[tuple[ifcopenshell.entity_instance, list[int]]]] = defaultdict(list)
        exact = False
        for representation in representations:
            exact = exact or any(self._styles.has_face_colours(item) for item in representation[3])
            for colour, items in self._split(representation, 0).items():
                by_colour[colour or default].append((representation, items))
        if apart and (not self.room or len(representations) > 1):
            return [Part(entity.id(), default)], True
        repeated = len(entity[6][2]) > len({r.id() for r in entity[6][2]})
        whole = len(by_colour) <= 1 and not (apart or repeated or singly)
        if whole or not self.room or len(representations) > 1:
            colour = max(by_colour, key=lambda c: sum(len(items) for _, items in by_colour[c]), default=default)
            return [Part(entity.id(), colour)], exact or (len(by_colour) > 1 and len(representations) == 1)
        placement = f"#{entity[5].id()}" if entity[5] is not None and not apart else "$"
        return [
            Part(self._helper(representation, lot, placement, openings), colour)
            for colour, found in by_colour.items()
            for representation, items in found
            for lot in ([[item] for item in items] if singly else [items])
        ], exact

    def _helper(
        self,
        representation: ifcopenshell.entity_instance,
        items: list[int],
        placement: str,
        openings: Iterable[int],
    ) -> int:
        shape = self._representation(representation, items)
        definition = self._add(f"IFCPRODUCTDEFINITIONSHAPE($,$,(#{shape}))")
        product = self._add(f"IFCBUILDINGELEMENTPROXY({self._guid()},$,$,$,$,{placement},#{definition},$,$)")
        for opening in openings:
            self._add(f"IFCRELVOIDSELEMENT({self._guid()},$,$,$,#{product},#{opening})")
        return product

    def _split(self, representation: ifcopenshell.entity_instance, depth: int) -> dict[Colour | None, list[int]]:
        """Item ids by colour; an item that maps a representation of several colours becomes one mapped item each."""
        key = representation.id()
        if key in self._colours:
            return self._colours[key]
        found: dict[Colour | None, list[int]] = defaultdict(list)
        self._colours[key] = found  # before the loop: a representation that maps itself ends here
        for item in representation[3]:
            colour = self._styles.item_colour(item)
            if colour is None and item.is_a("IfcMappedItem") and depth < 16:
                self._split_mapped(item, found, depth)
            else:
                found[colour].append(item.id())
        return found

    def _split_mapped(
        self, item: ifcopenshell.entity_instance, found: dict[Colour | None, list[int]], depth: int
    ) -> None:
        source, target = item[0], item[1]
        mapped = source[1]
        colours = self._split(mapped, depth + 1)
        for colour, items in list(colours.items()):
            if len(colours) == 1 or not self.room:
                found[colour].append(item.id())
                continue
            key = (source.id(), colour)
            if key not in self._maps:
                representation = self._representation(mapped, items)
                self._maps[key] = self._add(f"IFCREPRESENTATIONMAP(#{source[0].id()},#{representation})")
            found[colour].append(self._add(f"IFCMAPPEDITEM(#{self._maps[key]},#{target.id()})"))

    def _representation(self, like: ifcopenshell.entity_instance, items: list[int]) -> int:
        """A representation with some of another's items."""
        references = ",".join(f"#{item}" for item in items)
        kind = f"'{like[2]}'" if like[2] else "$"
        return self._add(f"IFCSHAPEREPRESENTATION(#{like[0].id()},'Body',{kind},({references}))")

    def _add(self, line: str) -> int:
        self._next += 1
        self._lines.append(f"#{self._next}={line};")
        return self._next

    def _guid(self) -> str:
        return f"'{self._next + 1:022d}'"
