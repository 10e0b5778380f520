"""Brick (https://brickschema.org): its classes and the namespaces its graphs use, a vocabulary of the whole program."""

import gzip
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

BRICK: Final = "https://brickschema.org/schema/Brick#"
BOT: Final = "https://w3id.org/bot#"
REF: Final = "https://brickschema.org/schema/Brick/ref#"
REC: Final = "https://w3id.org/rec#"
RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS: Final = "http://www.w3.org/2000/01/rdf-schema#"
QUDT: Final = "http://qudt.org/schema/qudt/"
UNIT: Final = "http://qudt.org/vocab/unit/"
QUANTITY: Final = "http://qudt.org/vocab/quantitykind/"
XSD: Final = "http://www.w3.org/2001/XMLSchema#"

_CLASSES: Final = Path(__file__).with_name("brick_classes.txt.gz")


@cache
def brick_classes() -> Mapping[str, str]:
    """Every class of Brick 1.3 to 1.5 by its local name: equipment, point, location, system, collection or other."""
    lines = gzip.decompress(_CLASSES.read_bytes()).decode().splitlines()
    return dict(line.split("\t") for line in lines if line and not line.startswith("#"))
