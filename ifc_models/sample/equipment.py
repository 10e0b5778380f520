"""All technical products by key."""

from __future__ import annotations

from ifc_models.sample.electrics import ELECTRICAL
from ifc_models.sample.mechanics import MECHANICAL
from ifc_models.sample.model import Product
from ifc_models.sample.products import FACING

PRODUCTS: dict[str, Product] = {p.key: p for p in (*MECHANICAL, *ELECTRICAL)}

__all__ = ["FACING", "PRODUCTS"]
