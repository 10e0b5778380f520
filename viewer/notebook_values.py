"""What a model in a notebook is coloured by: which points say it, where it shows, what they said when, which colour."""

from __future__ import annotations

import json
import re
import struct
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twin.errors import Invalid

Json = Mapping[str, Any]
Rgb = tuple[int, int, int]

# Told apart with every common colour blindness: viridis; RdYlBu of ColorBrewer, from cold to hot.
_SEQUENTIAL: Final = "440154 482878 3e4989 31688e 26828e 1f9e89 35b779 6ece58 b5de2b fde725"
_DIVERGING: Final = "313695 4575b4 74add1 abd9e9 e0f3f8 ffffbf fee090 fdae61 f46d43 d73027 a50026"
NO_VALUE: Final[Rgb] = (150, 154, 158)
_OF_ROOM: Final = re.compile(r"Temperature|CO2|(^|_)CO_|Humidity|PM2|PM10|Occupan|Illuminance|Smoke|Leak|Water_Alarm")
_OF_EQUIPMENT: Final = re.compile(r"Water_(?!Alarm|Leak)|Supply|Return|Discharge|Tank|Chilled|Outside")
_SENSOR: Final = re.compile(r"Sensor|FlowInstrument|UnitaryControl|Alarm")


@dataclass(frozen=True, slots=True)
class Quantity:
    """The points that say one thing in one unit. `targets[handle]`: GlobalId of the room or equipment it colours."""

    name: str
    unit: str  # as written on instruments; "" without one
    targets: dict[int, str]
    points: dict[int, Json]


@dataclass(frozen=True, slots=True)
class Frames:
    """`values[i, j]`: what point `handles[j]` said at `start + i * step`; NaN: nothing."""

    start: datetime
    step: timedelta
    handles: list[int]
    values: NDArray[np.float32]

    def moment(self, i: int) -> datetime:
        return self.start + i * self.step

    def at(self, i: int) -> dict[int, float]:
        """By handle, those that had a value."""
        row = self.values[i]
        return {handle: float(row[j]) for j, handle in enumerate(self.handles) if not np.isnan(row[j])}


def read_frames(data: bytes) -> Frames:
    """Decode what `GET /buildings/{id}/frames` answers; ValueError for anything else."""
    try:
        size = struct.unpack_from("<I", data)[0]
        head = json.loads(data[4 : 4 + size])
        shape = (head["frames"], len(head["handles"]))
        values = np.frombuffer(data, "<f4", offset=4 + size).reshape(shape)
        start = datetime.fromisoformat(head["from"])
        return Frames(start, timedelta(seconds=head["step"]), head["handles"], values)
    except (struct.error, KeyError, TypeError) as error:
        raise ValueError(f"no frames: {error!r}") from error


def quantity_of(points: Sequence[Json], rooms: Mapping[str, str], wanted: str) -> Quantity:
    """The points that `wanted` means: part of a Brick class, quantity kind or name, upper or lower case.

    `rooms`: GlobalId by server id. Of several units the one with most points is taken; what can be set is left out, it
    says what somebody wants. Raises Invalid `viewer.unknown_quantity`, which lists what there is.
    """
    shown = [point for point in points if point["element"] and not point["writable"] and _is_number(point)]
    plain = wanted.casefold().replace(" ", "_")
    found = [point for point in shown if any(plain in text for text in _texts(point))]
    if not found:
        known = sorted({label_of(point) for point in shown})
        raise Invalid("viewer.unknown_quantity", where=wanted, choices=", ".join(known) or "–")
    unit = Counter(point["unit"] for point in found).most_common(1)[0][0]
    same = [point for point in found if point["unit"] == unit]
    symbol = next((point["unit_symbol"] for point in same if point["unit_symbol"]), None) or unit or ""
    targets = {point["handle"]: target_of(point, rooms) for point in same}
    return Quantity(wanted, symbol, targets, {point["handle"]: point for point in same})


def _is_number(point: Json) -> bool:
    return point["kind"] in ("number", "bool")


def _texts(point: Json) -> list[str]:
    given = (point["brick_class"], point["quantity"], point["name"], point["key"])
    return [text.casefold().replace(" ", "_") for text in given if text]


def label_of(point: Json) -> str:
    """What a point says, in words of Brick, of QUDT, or its own."""
    return str(point["brick_class"] or point["quantity"] or point["name"])


def target_of(point: Json, rooms: Mapping[str, str]) -> str:
    """What shows a point's value: the room for what a sensor in it says of its air, else the element itself."""
    element = point["element"]
    text = point["brick_class"] or point["quantity"] or ""
    room = rooms.get(point["space_id"] or "")
    of_room = _OF_ROOM.search(text) and not _OF_EQUIPMENT.search(text) and _SENSOR.search(element["ifc_class"])
    return room if room and of_room else str(element["global_id"])


def shown_at(quantity: Quantity, values: Mapping[int, float]) -> dict[str, float]:
    """By GlobalId: the mean of the points that show there."""
    sums: dict[str, list[float]] = {}
    for handle, target in quantity.targets.items():
        if handle in values:
            sums.setdefault(target, []).append(values[handle])
    return {target: sum(each) / len(each) for target, each in sums.items()}


def limits_of(quantity: Quantity, frames: Frames) -> tuple[float, float]:
    """From the 2nd to the 98th percentile of what is shown over the whole window: one bad value is no scale."""
    columns = [j for j, handle in enumerate(frames.handles) if handle in quantity.targets]
    values = frames.values[:, columns]
    values = values[np.isfinite(values)]
    if not len(values):
        return 0.0, 1.0
    low, high = (float(each) for each in np.percentile(values, (2, 98)))
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def stops_of(quantity: Quantity) -> list[Rgb]:
    """The scale from its lowest colour to its highest: cold to hot for temperatures."""
    hot = any("temperature" in label_of(point).casefold() for point in quantity.points.values())
    return [_parsed(text) for text in (_DIVERGING if hot else _SEQUENTIAL).split()]


def _parsed(text: str) -> Rgb:
    return int(text[:2], 16), int(text[2:4], 16), int(text[4:], 16)


def colour_of(value: float, low: float, high: float, stops: Sequence[Rgb]) -> Rgb:
    """On the scale from `low` to `high`; beyond them the colour of the limit."""
    share = min(1.0, max(0.0, (value - low) / (high - low))) * (len(stops) - 1)
    i = min(len(stops) - 2, int(share))
    a, b = stops[i], stops[i + 1]
    red, green, blue = (round(x + (y - x) * (share - i)) for x, y in zip(a, b, strict=True))
    return red, green, blue
