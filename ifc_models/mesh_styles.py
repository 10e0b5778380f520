"""Colours of an IFC file: which RGBA each representation item shows.

A colour comes from the item's own style (IfcStyledItem), else from the element's material
(IfcMaterialDefinitionRepresentation), else there is none, and the viewer's palette decides.
"""

from __future__ import annotations

from collections.abc import Iterator

import ifcopenshell

Colour = tuple[int, int, int, int]  # RGBA, 0…255
NO_COLOUR: Colour = (0, 0, 0, 0)  # the file says nothing

_DEPTH = 64  # boolean trees and material sets nested deeper than this are not followed


def _byte(value: float) -> int:
    return round(max(0.0, min(1.0, float(value))) * 255)


def _surface_colour(style: ifcopenshell.entity_instance) -> Colour | None:
    """The colour of an IfcSurfaceStyle: its diffuse colour where given as one, else its surface colour."""
    for shading in style.Styles:
        if not shading.is_a("IfcSurfaceStyleShading"):
            continue
        # By index: asking ifcopenshell for an attribute that a schema lacks makes it import (and compile) its rules.
        colour, transparency = shading[0], (shading[1] or 0.0) if len(shading) > 1 else 0.0
        diffuse = shading[2] if shading.is_a("IfcSurfaceStyleRendering") else None
        if diffuse is not None and diffuse.is_a("IfcColourRgb"):
            colour = diffuse
        if colour is None:
            continue
        # An element that is wholly transparent cannot be seen or picked; exporters write 1.0 by mistake.
        alpha = max(_byte(1.0 - transparency), 26)
        return (_byte(colour.Red), _byte(colour.Green), _byte(colour.Blue), alpha)
    return None


class Styles:
    """Colours looked up by item and by element, read from the file once."""

    def __init__(self, file: ifcopenshell.file) -> None:
        self._file = file
        self._by_style: dict[int, Colour | None] = {}
        self.by_item: dict[int, Colour] = {}
        for styled in _by_type(file, "IfcStyledItem"):
            item = styled[0]
            if item is not None and (colour := self._styled(styled)) is not None:
                self.by_item[item.id()] = colour
        self._by_material = self._material_colours()
        self._of_element = self._element_materials() if self._by_material else {}
        self._textured = {face_set.id() for face_set in self._indexed_colours()}

    def item_colour(self, item: ifcopenshell.entity_instance) -> Colour | None:
        """The item's own colour, or that of the first operand that has one; None where nothing is said."""
        for _ in range(_DEPTH):
            colour = self.by_item.get(item.id())
            if colour is not None:
                return colour
            if item.is_a("IfcBooleanResult"):
                item = item.FirstOperand
            elif item.is_a("IfcCsgSolid"):
                item = item.TreeRootExpression
            else:
                return None
        return None

    def colours_below(self, representation: ifcopenshell.entity_instance) -> tuple[Colour | None, ...]:
        """The colours of a representation's items in their order; what they map is not looked into."""
        return tuple(self.item_colour(item) for item in representation[3])

    def has_face_colours(self, item: ifcopenshell.entity_instance) -> bool:
        """Whether single faces of the item have colours of their own (IfcIndexedColourMap)."""
        return item.id() in self._textured

    def element_colour(self, element_id: int) -> Colour:
        """The colour of the element's material, NO_COLOUR where it has none."""
        return self._of_element.get(element_id, NO_COLOUR)

    def _styled(self, styled: ifcopenshell.entity_instance) -> Colour | None:
        for style in styled[1] or ():
            if (colour := self._style(style)) is not None:
                return colour
        return None

    def _style(self, style: ifcopenshell.entity_instance) -> Colour | None:
        if style.is_a("IfcPresentationStyleAssignment"):
            return next((c for s in style.Styles if s.id() and (c := self._style(s)) is not None), None)
        if not style.is_a("IfcSurfaceStyle"):
            return None
        key = style.id()
        if key not in self._by_style:
            self._by_style[key] = _surface_colour(style)
        return self._by_style[key]

    def _indexed_colours(self) -> Iterator[ifcopenshell.entity_instance]:
        for colour_map in _by_type(self._file, "IfcIndexedColourMap"):
            if colour_map.MappedTo is not None:
                yield colour_map.MappedTo

    def _material_colours(self) -> dict[int, Colour]:
        colours: dict[int, Colour] = {}
        for definition in _by_type(self._file, "IfcMaterialDefinitionRepresentation"):
            for representation in definition.Representations:
                for styled in representation.Items:
                    if styled.is_a("IfcStyledItem") and (colour := self._styled(styled)) is not None:
                        colours.setdefault(definition.RepresentedMaterial.id(), colour)
        return colours

    def _element_materials(self) -> dict[int, Colour]:
        """Colour by element: its own material's, else its type's."""
        own: dict[int, Colour] = {}
        for relation in _by_type(self._file, "IfcRelAssociatesMaterial"):
            colour = self._material_colour(relation.RelatingMaterial)
            if colour is not None:
                for related in _related(relation):
                    own.setdefault(related.id(), colour)
        for relation in _by_type(self._file, "IfcRelDefinesByType"):
            colour = own.get(relation.RelatingType.id()) if relation.RelatingType else None
            if colour is not None:
                for related in _related(relation):
                    own.setdefault(related.id(), colour)
        return own

    def _material_colour(self, material: ifcopenshell.entity_instance | None) -> Colour | None:
        """The first colour found in a material or a set of them (layers, profiles, constituents, list)."""
        waiting = [material]
        for _ in range(_DEPTH):
            if not waiting:
                return None
            found = waiting.pop(0)
            if found is None:
                continue
            if (colour := self._by_material.get(found.id())) is not None:
                return colour
            waiting += _inner_materials(found)
        return None


_INNER = {  # class: index of the attribute that holds what it is made of
    "IfcMaterialLayerSetUsage": 0,
    "IfcMaterialLayerSet": 0,
    "IfcMaterialLayer": 0,
    "IfcMaterialLayerWithOffsets": 0,
    "IfcMaterialList": 0,
    "IfcMaterialProfileSetUsage": 0,
    "IfcMaterialProfileSetUsageTapering": 0,
    "IfcMaterialProfileSet": 2,
    "IfcMaterialProfile": 2,
    "IfcMaterialProfileWithOffsets": 2,
    "IfcMaterialConstituentSet": 2,
    "IfcMaterialConstituent": 2,
}


def _inner_materials(material: ifcopenshell.entity_instance) -> list[ifcopenshell.entity_instance]:
    index = _INNER.get(material.is_a())
    value = material[index] if index is not None else None
    return list(value) if isinstance(value, tuple) else [value] if value is not None else []


def _by_type(file: ifcopenshell.file, ifc_class: str) -> list[ifcopenshell.entity_instance]:
    """Instances of a class; none where the file's schema does not know the class."""
    try:
        return list(file.by_type(ifc_class))
    except RuntimeError:
        return []


def _related(relation: ifcopenshell.entity_instance) -> Iterator[ifcopenshell.entity_instance]:
    """The objects of a relation; real files leave some or all of them out."""
    yield from (related for related in relation.RelatedObjects or () if related is not None)
