"""The live hub: who listens to which storeys, and what they are sent.

Topics are (building, storey); a building's storey-less rest is a topic too. Per topic one tick encodes one binary
frame that all its subscribers share, written there and then to those for whom nothing else waits (api/wire.py); a
client that may see only some points of a building gets frames of its own. One that is slower than the ticks skips
frames: what changed meanwhile is a set of handles, not a queue, so its memory is bounded by the number of points.
Events travel in a lane of their own that skips nothing; a client that lets that lane grow past its limit is told to
resync and closed. What a client may see at all: api/sight.py.
"""

import asyncio
import contextlib
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import numpy as np
import orjson
import psycopg
import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from api import frames
from api.sight import handles_of, verdict, visible
from api.wire import FrameWriter, frame_of
from identity import Actor
from telemetry.ingest import AcceptedBatch
from twin.db import Database, rows
from twin.errors import Unavailable
from twin.events import Event, newest_seq

log = structlog.get_logger()
Topic = tuple[UUID, UUID | None]

MAX_FRAMES: Final = 4  # binary frames waiting for one client before it starts to skip
MAX_LANE: Final = 20_000  # events waiting for one client before it has to resync
SEND_TIMEOUT_S: Final = 20.0
MAX_REPLAY: Final = 10_000
RETRY_S: Final = 1.0

_POINTS = """
    SELECT p.handle, p.key, p.kind, p.unit, p.quantity, p.name, p.building_id, e.storey_id, e.global_id AS element,
           l.num, l.txt, l.q, (extract(epoch FROM l.ts) * 1000000)::bigint AS ts,
           p.deadband, (extract(epoch FROM p.expected_interval) * 1000000)::bigint AS interval
    FROM point p LEFT JOIN element e ON e.id = p.element_id LEFT JOIN latest l ON l.point_id = p.handle
    WHERE p.retired_at IS NULL AND (%(building)s::uuid IS NULL OR p.building_id = %(building)s) ORDER BY p.handle
"""


@dataclass(slots=True)
class LivePoint:
    """What the hub knows of a point: where it belongs and its newest value."""

    handle: int
    key: str
    kind: str
    unit: str | None
    quantity: str | None
    name: str
    topic: Topic
    element: str | None
    value: float | str | None = None
    ts: int = 0  # µs since 1970
    quality: int = 0
    deadband: float | None = None  # smaller changes are not told, but for a sign of life each `interval`
    interval: int = 0  # µs
    told_value: float | str | None = None  # what viewers were told last
    told_ts: int = 0

    def take(self, value: float | str, ts: int, quality: int) -> bool:
        """Take a reading; say whether viewers are to be told.

        As with BACnet's COV increment: a change smaller than the deadband, measured from what was told last (so that
        slow drift is told too), is kept and not told. What is told anew: another quality, and a sign of life.
        """
        changed = quality != self.quality
        self.value, self.ts, self.quality = value, ts, quality
        if self.deadband is not None and isinstance(value, float) and isinstance(self.told_value, float):
            small = abs(value - self.told_value) < self.deadband or value == self.told_value
            if small and not changed and ts - self.told_ts < self.interval:
                return False
        self.told_value, self.told_ts = value, ts
        return True

    def shown(self) -> float | bool | str | None:
        """The value as JSON has it."""
        return bool(self.value) if self.kind == "bool" and self.value is not None else self.value

    def describe(self) -> dict[str, Any]:
        """The entry of this point in `snapshot` and `handles` messages."""
        return {
            "handle": self.handle,
            "point": self.key,
            "element": self.element,
            "unit": self.unit,
            "name": self.name,
            "kind": self.kind,
            "quantity": self.quantity,
            "storey": str(self.topic[1]) if self.topic[1] else None,
        }


@dataclass(slots=True)
class Subscription:
    """One `subscribe` of one client: a building, all its storeys or some."""

    id: Any
    building: UUID
    storeys: frozenset[UUID] | None  # None: all
    handles: frozenset[int] | None = None  # the points whose values may be seen; None: all

    def wants(self, topic: Topic) -> bool:
        """Say whether readings and events of a topic belong to this subscription.

        A selection of storeys still gets what belongs to no storey: it concerns the whole building.
        """
        return topic[0] == self.building and (self.storeys is None or topic[1] is None or topic[1] in self.storeys)

    def picks(self, point: LivePoint) -> bool:
        """Say whether a point's values belong to this subscription and may be seen."""
        return self.wants(point.topic) and (self.handles is None or point.handle in self.handles)


@dataclass(slots=True, eq=False)
class Client:
    """One socket. `lane` is lossless and ordered, `frames` are shared bytes, `skipped` is what it missed."""

    socket: WebSocket
    actor: Actor
    subscriptions: dict[Any, Subscription] = field(default_factory=dict)
    lane: deque[bytes] = field(default_factory=deque)
    frames: deque[bytes] = field(default_factory=deque)
    skipped: set[int] = field(default_factory=set)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    held: list[Event] | None = None  # events that wait for a replay to go first
    gone: bool = False
    wire: FrameWriter | None = None  # takes frames at once; None: everything goes through the lanes
    idle: bool = False  # its writer has nothing to send

    def wants(self, topic: Topic) -> bool:
        """Say whether any subscription covers the topic."""
        return any(subscription.wants(topic) for subscription in self.subscriptions.values())

    def share(self, topic: Topic, handles: set[int]) -> set[int]:
        """Which of a topic's handles it gets; `handles` itself when it gets them all."""
        some: set[int] = set()
        for subscription in self.subscriptions.values():
            if subscription.wants(topic):
                if subscription.handles is None:
                    return handles
                some |= handles & subscription.handles
        return some

    def write_now(self, frames: Sequence[bytes]) -> int:
        """Write frames that many get, if nothing waits before them; how many the socket took."""
        if self.wire is None or not self.idle or self.lane or self.frames or self.skipped:
            return 0
        for n, frame in enumerate(frames):
            if not self.wire.write_now(frame):
                return n
        return len(frames)

    def send(self, message: dict[str, Any]) -> None:
        """Put a JSON message into the lossless lane."""
        self.lane.append(orjson.dumps(message, default=str))
        self.wake.set()


class LiveHub:
    """Live values and events to every socket of this server. Also a sink of ingest."""

    def __init__(self, db: Database, *, ticks_per_second: float) -> None:
        self._db = db
        self._period = 1.0 / ticks_per_second
        self._points: dict[int, LivePoint] = {}
        self._dirty: dict[Topic, set[int]] = defaultdict(set)
        self._news = asyncio.Event()  # there is something dirty
        self._clients: set[Client] = set()
        self.seq = 0  # of the newest event handed out

    @property
    def clients(self) -> int:
        """Number of open sockets."""
        return len(self._clients)

    def points_of(self, subscription: Subscription) -> list[LivePoint]:
        """Every point that a subscription covers, by handle."""
        return [point for point in self._points.values() if subscription.picks(point)]

    async def load(self, building: UUID | None = None) -> None:
        """Read points and their newest values; tell subscribers which came and went."""
        async with self._db.connection() as conn:
            if building is None and not self.seq:
                self.seq = await newest_seq(conn)  # before the state is read: what comes after is told as an event
            found = await rows(conn, _POINTS, {"building": building})
        fresh = {row["handle"]: _live_point(row) for row in found}
        known = {h: p for h, p in self._points.items() if building is None or p.topic[0] == building}
        removed = [known[handle] for handle in known.keys() - fresh.keys()]
        changed = [p for h, p in fresh.items() if h not in known or known[h].describe() != p.describe()]
        for handle, point in fresh.items():
            old = known.get(handle)
            if old is not None and old.ts > point.ts:  # a reading that came while we were reading
                point.value, point.ts, point.quality = old.value, old.ts, old.quality
            if old is not None:
                point.told_value, point.told_ts = old.told_value, old.told_ts
        for point in removed:
            del self._points[point.handle]
        self._points |= fresh
        self._announce(changed, removed)
        await self._look_again(building, {point.handle for point in changed})

    def _announce(self, changed: Sequence[LivePoint], removed: Sequence[LivePoint]) -> None:
        came: dict[Topic, list[dict[str, Any]]] = defaultdict(list)
        went: dict[Topic, list[int]] = defaultdict(list)
        for point in changed:
            came[point.topic].append(point.describe())
        for point in removed:
            went[point.topic].append(point.handle)
        for client in self._clients:
            for subscription in client.subscriptions.values():
                if subscription.handles is not None:
                    continue
                new = [each for topic, points in came.items() if subscription.wants(topic) for each in points]
                old = [each for topic, handles in went.items() if subscription.wants(topic) for each in handles]
                if new or old:
                    client.send({"op": "handles", "id": subscription.id, "handles": new, "removed": old})
        for point in changed:
            if point.value is not None:
                self._mark(point)

    def _mark(self, point: LivePoint) -> None:
        """Have a point told with the next tick."""
        self._dirty[point.topic].add(point.handle)
        self._news.set()

    async def _look_again(self, building: UUID | None, changed: set[int]) -> None:
        """Find out which points those who see only some see now, and tell them which came and went."""
        for client in list(self._clients):
            for subscription in list(client.subscriptions.values()):
                if subscription.handles is None or building not in (None, subscription.building):
                    continue
                handles = await handles_of(self._db, client.actor, subscription.building) or frozenset()
                gone, new = subscription.handles - handles, (handles - subscription.handles) | (handles & changed)
                subscription.handles = handles
                shown = [p for handle in sorted(new) if (p := self._points.get(handle)) and subscription.picks(p)]
                if shown or gone:
                    described = [point.describe() for point in shown]
                    client.send({"op": "handles", "id": subscription.id, "handles": described, "removed": sorted(gone)})
                    client.skipped |= {point.handle for point in shown}
                    client.wake.set()

    async def on_readings(self, batch: AcceptedBatch) -> None:
        """Take newly stored readings; an older one than shown changes nothing. A sink of ingest."""
        for handle, ts, value, quality in batch.newest():
            point = self._points.get(handle)
            if point is not None and ts >= point.ts and point.take(value, ts, quality):
                self._mark(point)

    async def run(self, feed: AsyncIterable[Sequence[Event]]) -> None:
        """Tick and hand out events until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._tick_forever(), name="live-ticks")
            tasks.create_task(self._events_forever(feed), name="live-events")

    async def _tick_forever(self) -> None:
        """Tell news at once, and what comes soon after together: at most one tick a period."""
        while True:
            await self._news.wait()
            self._news.clear()
            self.tick()
            await asyncio.sleep(self._period)

    def tick(self) -> None:
        """Send what changed since the last tick."""
        dirty, self._dirty = self._dirty, defaultdict(set)
        for topic, handles in dirty.items():
            shared: list[bytes] | None = None
            finished: list[bytes] = []
            for client in self._clients:
                mine = client.share(topic, handles)
                if not mine:
                    continue
                if client.skipped or len(client.frames) >= MAX_FRAMES:
                    client.skipped |= mine
                elif mine is handles:
                    if shared is None:
                        shared = self._encode(handles)
                        finished = [frame_of(message) for message in shared]
                    written = client.write_now(finished)
                    if written == len(shared):
                        continue
                    client.frames.extend(shared[written:])
                else:
                    client.frames.extend(self._encode(mine))
                client.wake.set()

    def _encode(self, handles: Iterable[int]) -> list[bytes]:
        """Return the binary frame of these points and, where values are no f32, a JSON message."""
        points = [self._points[handle] for handle in sorted(handles) if handle in self._points]
        binary = [p for p in points if isinstance(p.value, int | float) and frames.fits_f32(p.value)]
        other = [
            p
            for p in points
            if p.value is not None and not (isinstance(p.value, int | float) and frames.fits_f32(p.value))
        ]
        messages: list[bytes] = []
        if binary:
            messages.append(
                frames.encode(
                    np.array([p.handle for p in binary], dtype=np.uint32),
                    np.array([p.value for p in binary], dtype=np.float64),
                    np.array([p.quality for p in binary], dtype=np.uint8),
                    int(time.time() * 1000),
                )
            )
        if other:
            items = [(p.handle, p.shown(), p.ts, p.quality) for p in other]
            messages.append(orjson.dumps(frames.values_message(items)))
        return messages

    async def _events_forever(self, feed: AsyncIterable[Sequence[Event]]) -> None:
        async for events in feed:
            await until_done("live", self._take, events)

    async def _take(self, events: Sequence[Event]) -> None:
        changed = {event.building_id for event in events if event.topic in ("point", "model")}
        for building in changed:
            await self.load(building)
        await self.hand_out(events)

    async def hand_out(self, events: Sequence[Event]) -> None:
        """Put numbered events into the lanes of all who may see them."""
        known = await self._ask(events)
        # From here on nothing is awaited: who subscribes now is told of all this by its snapshot.
        for event in events:
            self.seq = max(self.seq, event.seq)
            message: bytes | None = None
            for client in self._clients:
                if not _interested(client, event):
                    continue
                seen = verdict(client.actor, event)
                if seen is None:
                    seen = event.seq in known[client.actor]
                if not seen:
                    continue
                if client.held is not None:
                    client.held.append(event)
                    continue
                message = message or event_message(event)
                client.lane.append(message)
                client.wake.set()

    async def _ask(self, events: Sequence[Event]) -> dict[Actor, frozenset[int]]:
        """Ask the row filters what memory does not know, once for each actor; also for those who come meanwhile."""
        known: dict[Actor, frozenset[int]] = {}
        while asking := {
            client.actor
            for client in self._clients
            if client.actor not in known
            and any(_interested(client, event) and verdict(client.actor, event) is None for event in events)
        }:
            for actor in asking:
                try:
                    known[actor] = await visible(self._db, actor, events)
                except (psycopg.OperationalError, Unavailable):
                    known[actor] = frozenset()
                    for client in self._clients:
                        if client.actor == actor:
                            client.send({"op": "resync"})
        return known

    def add(self, client: Client) -> None:
        """Start to serve a socket."""
        self._clients.add(client)

    def remove(self, client: Client) -> None:
        """Forget a socket."""
        client.gone = True
        client.wake.set()
        self._clients.discard(client)

    def snapshot(self, client: Client, subscription: Subscription) -> None:
        """Register a subscription and send where everything stands; no await between the two, so nothing is missed."""
        client.subscriptions[subscription.id] = subscription
        points = self.points_of(subscription)
        client.send(
            {
                "op": "snapshot",
                "id": subscription.id,
                "handles": [point.describe() for point in points],
                "values": [_snapshot_value(point) for point in points],
                "seq": self.seq,
            }
        )

    def drain(self, client: Client) -> bytes | None:
        """Return the next message for a client: events first, then frames, then what it skipped; None: nothing."""
        if client.lane:
            return client.lane.popleft()
        if client.frames:
            return client.frames.popleft()
        if client.skipped:
            handles, client.skipped = client.skipped, set()
            client.frames.extend(self._encode(handles))
            return client.frames.popleft() if client.frames else None
        return None


async def until_done(who: str, act: Callable[[Sequence[Event]], Awaitable[None]], events: Sequence[Event]) -> None:
    """Do what a batch of events asks for, again and again until it works: events are lost for nobody.

    Nothing is handed out twice: a hand-over awaits nothing any more once it has begun.
    """
    while True:
        try:
            return await act(events)
        except Exception:
            log.exception("live.events_wait", who=who, retry_in=RETRY_S)
        await asyncio.sleep(RETRY_S)


async def write_forever(hub: LiveHub, client: Client) -> None:
    """Send to one socket until it goes away; one that cannot keep up gets `resync` and is closed."""
    socket = client.socket
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        while not client.gone:
            message = hub.drain(client)
            if message is None:
                client.wake.clear()
                client.idle = True
                await client.wake.wait()
                client.idle = False
                continue
            if len(client.lane) > MAX_LANE:
                await _give_up(socket)
                return
            try:
                async with asyncio.timeout(SEND_TIMEOUT_S):
                    # JSON starts with "{"; a binary frame with its version byte.
                    await (socket.send_text(message.decode()) if message[:1] == b"{" else socket.send_bytes(message))
            except TimeoutError:
                await _give_up(socket)
                return


async def _give_up(socket: WebSocket) -> None:
    log.warning("live.slow_client_closed")
    with contextlib.suppress(Exception):
        async with asyncio.timeout(1):
            await socket.send_text('{"op": "resync"}')
            await socket.close(1013, "too slow")
    if socket.client_state is not WebSocketState.DISCONNECTED:
        raise WebSocketDisconnect(1013)


def _interested(client: Client, event: Event) -> bool:
    return event.building_id is None or client.wants((event.building_id, event.storey_id))


def event_message(event: Event) -> bytes:
    """Return the JSON message of one event."""
    return orjson.dumps(
        {"op": "event", "seq": event.seq, "topic": event.topic, "data": event.data, "at": event.at}, default=str
    )


def _live_point(row: dict[str, Any]) -> LivePoint:
    return LivePoint(
        handle=row["handle"],
        key=row["key"],
        kind=row["kind"],
        unit=row["unit"],
        quantity=row["quantity"],
        name=row["name"],
        topic=(row["building_id"], row["storey_id"]),
        element=row["element"],
        value=row["txt"] if row["kind"] == "text" else row["num"],
        ts=row["ts"] or 0,
        quality=row["q"] or 0,
        deadband=row["deadband"],
        interval=row["interval"],
    )


def _snapshot_value(point: LivePoint) -> list[Any]:
    if point.value is None:
        return [None, None, None]
    return [point.shown(), frames.iso(point.ts), frames.QUALITY[point.quality]]
