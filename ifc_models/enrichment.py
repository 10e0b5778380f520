"""What an enriched export adds to a model's elements, as the server hands it to the worker."""

from typing import Final

import msgspec

PREFIX: Final = "Twin_"  # of every property set that we add

Scalar = bool | int | float | str


class Document(msgspec.Struct, frozen=True):
    """A document to refer to (IfcDocumentReference)."""

    location: str | None = None
    identification: str | None = None
    name: str | None = None


class Additions(msgspec.Struct, frozen=True):
    """What one element gets; it is known by GlobalId and occurrence. `classifications`: (system, code)."""

    global_id: str
    occurrence: int
    psets: dict[str, dict[str, Scalar]] = {}
    documents: list[Document] = []
    classifications: list[tuple[str, str]] = []


class Enrichment(msgspec.Struct, frozen=True):
    """All additions to a model. `seed` makes their GlobalIds, the same in every export of this model."""

    seed: str
    elements: list[Additions]
