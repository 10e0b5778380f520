"""Which layer an IFC class belongs to and how it looks where the file gives no colour.

Both tables are read by ancestor: the nearest ancestor that is listed decides, so one line serves a whole family and
every schema (IFC2X3 names are listed beside those of IFC4).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

Layer = Literal["shell", "spaces", "services", "furniture"]
Rgba = tuple[int, int, int, int]  # sRGB and alpha, 0…255

LAYER_OF: Final[dict[str, Layer]] = {
    "IfcProduct": "shell",
    "IfcSpace": "spaces",
    "IfcSpatialZone": "spaces",
    "IfcExternalSpatialElement": "spaces",
    "IfcDistributionElement": "services",
    "IfcElectricalElement": "services",  # IFC2X3
    "IfcEquipmentElement": "services",  # IFC2X3
    "IfcTransportElement": "services",
    "IfcTransportationDevice": "services",
    "IfcPort": "services",
    "IfcFurnishingElement": "furniture",
}

PALETTE: Final[dict[str, Rgba]] = {
    "IfcProduct": (196, 196, 192, 255),
    # structure and envelope: warm, quiet greys
    "IfcWall": (226, 222, 214, 255),
    "IfcCurtainWall": (170, 186, 198, 255),
    "IfcSlab": (186, 183, 177, 255),
    "IfcRoof": (150, 112, 98, 255),
    "IfcColumn": (168, 166, 162, 255),
    "IfcBeam": (160, 158, 154, 255),
    "IfcMember": (152, 154, 156, 255),
    "IfcPlate": (150, 182, 204, 120),
    "IfcFooting": (156, 150, 142, 255),
    "IfcPile": (148, 142, 134, 255),
    "IfcCovering": (232, 228, 220, 255),
    "IfcDoor": (166, 128, 92, 255),
    "IfcWindow": (150, 190, 214, 110),
    "IfcStair": (178, 172, 164, 255),
    "IfcStairFlight": (178, 172, 164, 255),
    "IfcRamp": (176, 172, 164, 255),
    "IfcRailing": (112, 118, 124, 255),
    "IfcChimney": (152, 112, 98, 255),
    "IfcReinforcingElement": (134, 96, 82, 255),
    "IfcElementAssembly": (172, 170, 166, 255),
    "IfcBuildingElementProxy": (188, 184, 178, 255),
    # outside
    "IfcSite": (146, 160, 124, 255),
    "IfcGeographicElement": (138, 158, 112, 255),
    "IfcCivilElement": (160, 158, 152, 255),
    "IfcPavement": (128, 128, 130, 255),
    "IfcKerb": (170, 168, 164, 255),
    "IfcRail": (104, 98, 94, 255),
    "IfcTrackElement": (146, 138, 128, 255),
    "IfcCourse": (162, 152, 138, 255),
    # rooms: a veil
    "IfcSpace": (112, 162, 208, 56),
    "IfcSpatialZone": (150, 140, 200, 48),
    "IfcExternalSpatialElement": (150, 190, 150, 40),
    # services: one family colour each
    "IfcDistributionElement": (120, 144, 160, 255),
    "IfcFlowSegment": (110, 150, 176, 255),
    "IfcFlowFitting": (102, 140, 166, 255),
    "IfcFlowController": (196, 132, 70, 255),
    "IfcFlowMovingDevice": (70, 126, 168, 255),
    "IfcFlowStorageDevice": (96, 138, 150, 255),
    "IfcFlowTreatmentDevice": (122, 150, 120, 255),
    "IfcFlowTerminal": (206, 208, 206, 255),
    "IfcEnergyConversionDevice": (176, 98, 84, 255),
    "IfcDistributionControlElement": (214, 158, 58, 255),
    "IfcDuctSegment": (152, 170, 182, 255),
    "IfcDuctFitting": (140, 158, 172, 255),
    "IfcAirTerminal": (222, 226, 228, 255),
    "IfcPipeSegment": (92, 138, 172, 255),
    "IfcPipeFitting": (84, 126, 160, 255),
    "IfcCableSegment": (96, 96, 104, 255),
    "IfcCableCarrierSegment": (148, 150, 156, 255),
    "IfcCableCarrierFitting": (138, 140, 148, 255),
    "IfcElectricDistributionBoard": (104, 116, 132, 255),
    "IfcElectricDistributionPoint": (104, 116, 132, 255),
    "IfcLightFixture": (244, 226, 166, 255),
    "IfcSanitaryTerminal": (242, 244, 244, 255),
    "IfcFireSuppressionTerminal": (202, 62, 52, 255),
    "IfcSensor": (224, 170, 58, 255),
    "IfcAlarm": (208, 74, 58, 255),
    "IfcTransportElement": (118, 124, 138, 255),
    "IfcTransportationDevice": (118, 124, 138, 255),
    "IfcEquipmentElement": (120, 144, 160, 255),
    "IfcElectricalElement": (110, 118, 134, 255),
    # Furniture, of wood
    "IfcFurnishingElement": (190, 154, 112, 255),
    "IfcSystemFurnitureElement": (182, 150, 116, 255),
}

ROOM_ALPHA: Final = 90  # rooms let what is in them be seen, whatever the file says


def layer_of(ancestors: Sequence[str]) -> Layer:
    """The layer of a class, given it and its superclasses, nearest first."""
    return next((LAYER_OF[name] for name in ancestors if name in LAYER_OF), "shell")


def colour_of(ancestors: Sequence[str]) -> Rgba:
    """The colour of a class without one of its own, given it and its superclasses, nearest first."""
    return next((PALETTE[name] for name in ancestors if name in PALETTE), PALETTE["IfcProduct"])
