"""The live socket: `GET /api/v1/live` (contract.md). Handshake, messages of the client, one reader and one writer."""

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import orjson
import structlog
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket, WebSocketDisconnect

from api import problems
from api.live import MAX_REPLAY, Client, LiveHub, Subscription, event_message, write_forever
from api.route import authenticate
from identity import Actor
from spatial.storeys import resolve_storey
from twin import places
from twin.db import Database
from twin.errors import Denied, Invalid, Language, TwinError, Unauthenticated, Unavailable
from twin.events import replay

log = structlog.get_logger()
MAX_MESSAGE: Final = 65_536
MAX_ERRORS: Final = 20  # messages that make no sense, before the socket is closed
MAX_SUBSCRIPTIONS: Final = 100
PERMISSION: Final = "reading.read"
RECHECK_S: Final = 4.0  # a disabled account or revoked key loses its sockets within this time


async def live_socket(socket: WebSocket) -> None:
    """Serve one socket from handshake to close."""
    twin = socket.app.state.twin
    language = problems.language_of(socket.headers.get("accept-language"))
    try:
        _check_origin(socket)
        await _authorised(socket, twin.db)
        if twin.live.clients >= twin.settings.live_clients:
            raise Unavailable("live.full", limit=twin.settings.live_clients)
    except TwinError as error:
        await socket.send_denial_response(problems.of_error(error, language))
        return
    await socket.accept()
    client = Client(socket)
    twin.live.add(client)
    try:
        async with asyncio.TaskGroup() as tasks:
            writer = tasks.create_task(write_forever(twin.live, client))
            reader = tasks.create_task(_read_forever(twin.live, twin.db, client, language))
            watcher = tasks.create_task(_recheck_forever(socket, twin.db))
            await asyncio.wait({writer, reader, watcher}, return_when=asyncio.FIRST_COMPLETED)
            twin.live.remove(client)
            for task in (writer, reader, watcher):
                task.cancel()
    except* (WebSocketDisconnect, RuntimeError):
        pass
    finally:
        twin.live.remove(client)


def _check_origin(socket: WebSocket) -> None:
    """Browsers send Origin on every handshake and cookies with it: another site's page must not listen in."""
    origin = socket.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != socket.headers.get("host"):
        raise Denied("live.foreign_origin", origin=origin[:200])


async def _authorised(connection: HTTPConnection, db: Database) -> Actor:
    async with db.connection() as conn:
        actor, _ = await authenticate(connection, conn, touch=False)
    if actor is None:
        raise Unauthenticated("session.missing")
    if PERMISSION not in actor.permissions:
        raise Denied("permission.missing", permission=PERMISSION)
    return actor


async def _recheck_forever(socket: WebSocket, db: Database) -> None:
    while True:
        await asyncio.sleep(RECHECK_S)
        try:
            await _authorised(socket, db)
        except (Unauthenticated, Denied):
            with contextlib.suppress(RuntimeError, WebSocketDisconnect):
                await socket.close(4401, "signed out")
            return
        except TwinError:
            continue  # the database is away: that is no reason to cut anyone off


async def _read_forever(hub: LiveHub, db: Database, client: Client, language: Language) -> None:
    errors = 0
    while True:
        message = await client.socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        try:
            await _handle(hub, db, client, _parse(message))
        except TwinError as error:
            errors += 1
            client.send({"op": "error", "code": error.code, "message": error.text(language)})
            if errors >= MAX_ERRORS:
                await client.socket.close(1008, "too many errors")
                return


def _parse(message: Any) -> dict[str, Any]:
    text = message.get("text")
    if text is None:
        raise Invalid("live.not_json")
    if len(text) > MAX_MESSAGE:
        raise Invalid("live.too_long", limit=MAX_MESSAGE)
    try:
        parsed = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Invalid("live.not_json") from error
    if not isinstance(parsed, dict) or not isinstance(parsed.get("op"), str):
        raise Invalid("live.not_json")
    return parsed


async def _handle(hub: LiveHub, db: Database, client: Client, message: dict[str, Any]) -> None:
    match message["op"]:
        case "ping":
            client.send({"op": "pong", "time": datetime.now(UTC)})
        case "subscribe":
            await _subscribe(hub, db, client, message)
        case "unsubscribe":
            client.subscriptions.pop(_subscription_id(message), None)
        case other:
            raise Invalid("live.unknown_op", op=str(other)[:50])


def _subscription_id(message: dict[str, Any]) -> int | str:
    found = message.get("id")
    if not isinstance(found, int | str) or isinstance(found, bool) or len(str(found)) > 100:
        raise Invalid("live.no_id")
    return found


async def _subscribe(hub: LiveHub, db: Database, client: Client, message: dict[str, Any]) -> None:
    number = _subscription_id(message)
    if len(client.subscriptions) >= MAX_SUBSCRIPTIONS:
        raise Invalid("live.too_many", limit=MAX_SUBSCRIPTIONS)
    reference, since = message.get("building"), message.get("since")
    if not isinstance(reference, str):
        raise Invalid("live.no_building")
    if since is not None and (not isinstance(since, int) or isinstance(since, bool) or since < 0):
        raise Invalid("live.bad_since")
    async with db.connection() as conn:
        building = await places.get_building(conn, reference)
        storeys = await _storeys(conn, building.id, message.get("storeys"))
    subscription = Subscription(number, building.id, storeys)
    if since is None:
        hub.snapshot(client, subscription)
        return
    # What comes while the past is read waits, so that the lane stays in order.
    client.held = [] if client.held is None else client.held
    hub.snapshot(client, subscription)
    until = hub.seq
    try:
        await _replay(db, client, subscription, since, until)
    finally:
        held, client.held = client.held or [], None
        for event in held:
            if event.seq > until or event.building_id != building.id:
                client.lane.append(event_message(event))
        client.wake.set()


async def _replay(db: Database, client: Client, subscription: Subscription, since: int, until: int) -> None:
    async with db.connection() as conn:
        events = await replay(conn, subscription.building, since, MAX_REPLAY + 1)
    if events is None or len(events) > MAX_REPLAY:
        client.send({"op": "resync", "id": subscription.id})
        return
    for event in events:
        if event.seq <= until and subscription.wants((subscription.building, event.storey_id)):
            client.lane.append(event_message(event))


async def _storeys(conn: Any, building: UUID, wanted: Any) -> frozenset[UUID] | None:
    if wanted is None:
        return None
    if not isinstance(wanted, list) or not all(isinstance(item, str) for item in wanted):
        raise Invalid("live.bad_storeys")
    return frozenset([await resolve_storey(conn, building, item) for item in wanted])
