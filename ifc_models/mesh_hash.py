"""Bodies that are the same although the file writes them twice: a hash over what they say, whatever their numbers."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any, Final

import ifcopenshell

_DEEPEST: Final = 200  # levels; hazards.py keeps deeper ones away from kernels, and here they are their own kind


class Hashes:
    """16 bytes per entity over its class and attributes, what it refers to included; each entity is read once."""

    def __init__(self) -> None:
        self._known: dict[int, bytes] = {}

    def of(self, entity: ifcopenshell.entity_instance) -> bytes:
        """The hash. Contexts, and who owns what, say nothing about a shape and are left out."""
        return self._of(entity, 0)

    def _of(self, entity: ifcopenshell.entity_instance, depth: int) -> bytes:
        key = entity.id()
        if key and key in self._known:
            return self._known[key]
        if depth > _DEEPEST:
            return b"%d" % key  # equal to nothing else
        values = [self._value(entity.get_argument(i), depth) for i in range(len(entity))]
        digest = blake2b(f"{entity.is_a()}({','.join(values)})".encode(), digest_size=16).digest()
        if key:
            self._known[key] = digest
        return digest

    def _value(self, value: Any, depth: int) -> str:
        if isinstance(value, float):
            return f"{value:.9g}"
        if isinstance(value, tuple):
            return "(" + ",".join([self._value(item, depth) for item in value]) + ")"
        if not isinstance(value, ifcopenshell.entity_instance):
            return repr(value)
        return "context" if value.is_a("IfcRepresentationContext") else self._of(value, depth + 1).hex()


def outside(items: Iterable[ifcopenshell.entity_instance]) -> tuple[object, ...]:
    """What equal items have in common on the face of it: their classes and their own numbers."""
    return tuple(
        (item.is_a(), *(v for v in map(item.get_argument, range(len(item))) if isinstance(v, float))) for item in items
    )
