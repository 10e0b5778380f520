"""A building as it was: what its points said, which alarms held and which orders were open (6.1.3, 6.4.3b)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import orjson
from fastapi import Query
from fastapi.responses import Response

from api.clients import expensive
from api.route import Caller, Router, Tx, allow
from api.times import End, Start, time_of
from maintenance.timeline import PastAlarm, PastOrder, list_past_alarms, list_past_orders
from telemetry.frames import MOST_FRAMES, Frames, read_frames
from twin.places import get_building

router = Router(tags=["timeline"])
FRAMES: Final = "application/vnd.twin.frames"
WINDOW: Final = timedelta(days=1)  # unless told otherwise


@dataclass(frozen=True, slots=True)
class Timeline:
    """What was open at some time of a window. A list is empty for callers who may not see what it holds."""

    alarms: list[PastAlarm]
    orders: list[PastOrder]


@router.get(
    "/buildings/{building}/frames",
    response_class=Response,
    responses={200: {"content": {FRAMES: {}}, "description": "uint32 length of a JSON head, the head, float32 values"}},
)
@allow("reading.read")
@expensive
async def get_frames(
    tx: Tx,
    building: str,
    start: Start = None,
    end: End = None,
    frames: Annotated[int, Query(ge=2, le=MOST_FRAMES, description="how many, from `from` to `to`")] = 97,
) -> Response:
    """What every point of a building said, at equally spaced moments: each its newest usable number then.

    All little-endian: a uint32 with the length of the head; the head as JSON `{"from", "step", "frames", "handles"}`
    (`step` in seconds), padded with blanks to a multiple of four bytes; then for each frame a float32 of each
    handle, NaN where there is no value. Handles are those of the live socket.
    """
    place = await get_building(tx, building)
    since, until = _window(start, end)
    return Response(_encoded(await read_frames(tx, place.id, since, until, frames)), media_type=FRAMES)


@router.get("/buildings/{building}/timeline")
@allow("building.read")
async def get_timeline(tx: Tx, caller: Caller, building: str, start: Start = None, end: End = None) -> Timeline:
    """Alarms and work orders that were open at some time of a window, the worst first."""
    place = await get_building(tx, building)
    since, until = _window(start, end)
    return Timeline(
        await list_past_alarms(tx, place.id, since, until) if caller.may("alarm.read") else [],
        await list_past_orders(tx, place.id, since, until) if caller.may("work_order.read") else [],
    )


def _window(start: str | None, end: str | None) -> tuple[datetime, datetime]:
    until = time_of(end, "to") or datetime.now(UTC)
    return time_of(start, "from") or until - WINDOW, until


def _encoded(frames: Frames) -> bytes:
    head = orjson.dumps(
        {
            "from": frames.start,
            "step": frames.step.total_seconds(),
            "frames": len(frames.values),
            "handles": frames.handles,
        }
    )
    head += b" " * (-len(head) % 4)
    return len(head).to_bytes(4, "little") + head + frames.values.astype("<f4", copy=False).tobytes()
