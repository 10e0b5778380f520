"""Materials, classifications and documents of elements and types, as JSON."""

from collections.abc import Callable
from typing import Any, Final

from ifcopenshell import entity_instance as Entity

from ifc_models.properties import plain
from ifc_models.text import Json, to_json
from ifc_models.units import Units

MAX_REFERENCES: Final = 32  # classification references above each other; a cycle ends here


class Associations:
    """Turns what IfcRelAssociates… points to into JSON objects, once per entity."""

    def __init__(self, units: Units) -> None:
        self._units = units
        self._known: dict[int, Json] = {}
        self._readers: dict[str, Callable[[Entity], Json]] = {
            "IfcMaterial": self._material,
            "IfcMaterialLayer": self._single_layer,
            "IfcMaterialLayerWithOffsets": self._single_layer,
            "IfcMaterialLayerSet": self._layer_set,
            "IfcMaterialLayerSetUsage": self._layer_usage,
            "IfcMaterialProfile": self._single_profile,
            "IfcMaterialProfileWithOffsets": self._single_profile,
            "IfcMaterialProfileSet": self._profile_set,
            "IfcMaterialProfileSetUsage": self._profile_usage,
            "IfcMaterialProfileSetUsageTapering": self._profile_usage,
            "IfcMaterialConstituent": self._single_constituent,
            "IfcMaterialConstituentSet": self._constituent_set,
            "IfcMaterialList": self._list,
            "IfcClassification": self._classification,
            "IfcClassificationReference": self._classification_reference,
            "IfcClassificationNotation": self._notation,
            "IfcDocumentInformation": self._document_information,
            "IfcDocumentReference": self._document_reference,
        }

    def json(self, entities: list[Entity]) -> bytes:
        """A JSON list of the descriptions of `entities` (materials, classifications or documents)."""
        return to_json([self.describe(entity) for entity in entities])

    def describe(self, entity: Entity) -> Json:
        """The description of one of them."""
        key = entity.id()
        if key not in self._known:
            reader = self._readers.get(entity.is_a())
            self._known[key] = reader(entity) if reader is not None else {"kind": entity.is_a()}
        return self._known[key]

    def _length(self, value: Any) -> dict[str, Json]:
        return {"value": plain(value), "unit": self._units.length_unit}

    def _material(self, m: Entity) -> Json:
        return _compact({"kind": "material", "name": plain(m.get_argument(0)), "category": _at(m, 2)})

    def _name_of(self, material: Entity | None) -> Json:
        return plain(material.get_argument(0)) if material is not None else None

    def _layer(self, layer: Entity) -> Json:
        return _compact(
            {
                "material": self._name_of(layer.get_argument(0)),
                "thickness": self._length(layer.get_argument(1)),
                "ventilated": _at(layer, 2),
                "name": _at(layer, 3),
                "category": _at(layer, 5),
                "priority": _at(layer, 6),
            }
        )

    def _layer_set(self, layers: Entity) -> Json:
        return _compact(
            {
                "kind": "layer_set",
                "name": _at(layers, 1),
                "layers": [self._layer(layer) for layer in layers.get_argument(0) or ()],
            }
        )

    def _layer_usage(self, usage: Entity) -> Json:
        layers = usage.get_argument(0)
        result: dict[str, Json] = {"kind": "layer_set", **_object(layers and self.describe(layers))}
        result["direction"] = plain(usage.get_argument(1))
        result["sense"] = plain(usage.get_argument(2))
        result["offset"] = self._length(usage.get_argument(3))
        return result

    def _profile(self, profile: Entity) -> Json:
        shape = profile.get_argument(3)
        return _compact(
            {
                "name": _at(profile, 0),
                "material": self._name_of(profile.get_argument(2)),
                "profile": plain(shape.get_argument(1)) if shape is not None else None,
                "profile_type": shape.is_a() if shape is not None else None,
                "category": _at(profile, 5),
            }
        )

    def _profile_set(self, profiles: Entity) -> Json:
        parts: list[Json] = [self._profile(p) for p in profiles.get_argument(2) or ()]
        return _compact({"kind": "profile_set", "name": _at(profiles, 0), "profiles": parts})

    def _profile_usage(self, usage: Entity) -> Json:
        profiles = usage.get_argument(0)
        result: dict[str, Json] = {"kind": "profile_set", **_object(profiles and self.describe(profiles))}
        result["cardinal_point"] = plain(usage.get_argument(1))
        return _compact(result)

    def _constituent(self, part: Entity) -> Json:
        return _compact(
            {
                "name": _at(part, 0),
                "material": self._name_of(part.get_argument(2)),
                "fraction": _at(part, 3),
                "category": _at(part, 4),
            }
        )

    def _constituent_set(self, parts: Entity) -> Json:
        members: list[Json] = [self._constituent(p) for p in parts.get_argument(2) or ()]
        return _compact({"kind": "constituent_set", "name": _at(parts, 0), "constituents": members})

    def _single_layer(self, layer: Entity) -> Json:
        return {"kind": "layer_set", "layers": [self._layer(layer)]}

    def _single_profile(self, profile: Entity) -> Json:
        return {"kind": "profile_set", "profiles": [self._profile(profile)]}

    def _single_constituent(self, part: Entity) -> Json:
        return {"kind": "constituent_set", "constituents": [self._constituent(part)]}

    def _list(self, materials: Entity) -> Json:
        names: list[Json] = [self._name_of(m) for m in materials.get_argument(0) or ()]
        return {"kind": "list", "materials": names}

    def _classification(self, c: Entity) -> Json:
        return _compact(
            {
                "kind": "system",
                "system": _at(c, 3),
                "source": _at(c, 0),
                "edition": _at(c, 1),
                "location": _at(c, 5),
            }
        )

    def _classification_reference(self, reference: Entity) -> Json:
        result: dict[str, Json] = {
            "kind": "reference",
            "code": _at(reference, 1),
            "name": _at(reference, 2),
            "location": _at(reference, 0),
        }
        above, steps, path = _entity(reference, 3), 0, []
        while above is not None and above.is_a() == "IfcClassificationReference" and steps < MAX_REFERENCES:
            path.append(_at(above, 1))
            above, steps = _entity(above, 3), steps + 1
        if above is not None and above.is_a() == "IfcClassification":
            result["system"] = _at(above, 3)
            result["edition"] = _at(above, 1)
        if path:
            result["path"] = list(reversed(path))
        return _compact(result)

    def _notation(self, notation: Entity) -> Json:
        facets = notation.get_argument(0) or ()
        return {"kind": "notation", "code": ".".join(str(plain(f.get_argument(0))) for f in facets)}

    def _document_information(self, d: Entity) -> Json:
        names = d.get_attribute_names()
        location = _at(d, names.index("Location")) if "Location" in names else None
        return _compact(
            {
                "kind": "information",
                "identification": _at(d, 0),
                "name": _at(d, 1),
                "description": _at(d, 2),
                "location": location,
                "purpose": _at(d, names.index("Purpose")) if "Purpose" in names else None,
                "revision": _at(d, names.index("Revision")) if "Revision" in names else None,
            }
        )

    def _document_reference(self, d: Entity) -> Json:
        names = d.get_attribute_names()
        result: dict[str, Json] = {
            "kind": "reference",
            "location": _at(d, 0),
            "identification": _at(d, 1),
            "name": _at(d, 2),
        }
        if "Description" in names:
            result["description"] = _at(d, names.index("Description"))
        if "ReferencedDocument" in names:
            information = _entity(d, names.index("ReferencedDocument"))
            if information is not None:
                result["document"] = self.describe(information)
        return _compact(result)


def _at(entity: Entity, index: int) -> Json:
    return plain(entity.get_argument(index)) if index < len(entity) else None


def _entity(entity: Entity, index: int) -> Entity | None:
    value = entity.get_argument(index) if index < len(entity) else None
    return value if isinstance(value, Entity) else None


def _object(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _compact(value: dict[str, Json]) -> dict[str, Json]:
    return {key: entry for key, entry in value.items() if entry is not None}
