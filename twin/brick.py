"""The names of Brick's classes (https://brickschema.org): a vocabulary of the whole program, like QUDT's."""

import gzip
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

_CLASSES: Final = Path(__file__).with_name("brick_classes.txt.gz")


@cache
def brick_classes() -> Mapping[str, str]:
    """Every class of Brick 1.3 to 1.5 by its local name: equipment, point, location, system, collection or other."""
    lines = gzip.decompress(_CLASSES.read_bytes()).decode().splitlines()
    return dict(line.split("\t") for line in lines if line and not line.startswith("#"))
