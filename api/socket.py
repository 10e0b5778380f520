"""The live socket: `GET /api/v1/live` (contract.md). Handshake, messages of the client, one reader and one writer."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import orjson
import psycopg
import structlog
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket, WebSocketDisconnect

from api import problems
from api.callers import Identified
from api.live import MAX_REPLAY, Client, LiveHub, Subscription, event_message, write_forever
from api.route import authenticate
from api.sight import READINGS, handles_of, may_listen, seen_of
from api.wire import EXTENSION
from identity.access import limited
from spatial.storeys import resolve_storey
from twin import places
from twin.db import Database
from twin.errors import Denied, Invalid, Language, TwinError, Unauthenticated, Unavailable
from twin.events import replay

if TYPE_CHECKING:
    from api.app import Twin

log = structlog.get_logger()
MAX_MESSAGE: Final = 65_536
MAX_ERRORS: Final = 20  # messages that make no sense, before the socket is closed
MAX_SUBSCRIPTIONS: Final = 100


async def live_socket(socket: WebSocket) -> None:
    """Serve one socket from handshake to close."""
    twin: Twin = socket.app.state.twin
    language = problems.language_of(socket.headers.get("accept-language"))
    try:
        _check_origin(socket)
        found = await _authorised(socket, twin.db)
        if twin.live.clients >= twin.settings.live_clients:
            raise Unavailable("live.full", limit=twin.settings.live_clients)
    except TwinError as error:
        await socket.send_denial_response(problems.of_error(error, language))
        return
    await socket.accept()
    client = Client(socket, found.actor, wire=socket.scope.get("extensions", {}).get(EXTENSION))
    twin.live.add(client)
    try:
        async with asyncio.TaskGroup() as tasks:
            writer = tasks.create_task(write_forever(twin.live, client))
            reader = tasks.create_task(_read_forever(twin.live, twin.db, client, language))
            watcher = tasks.create_task(_recheck_forever(client, twin, found))
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
    if origin is not None and origin.partition("://")[2] != socket.headers.get("host"):
        raise Denied("live.foreign_origin", origin=origin[:200])


async def _authorised(connection: HTTPConnection, db: Database) -> Identified:
    async with db.connection() as conn:
        found = await authenticate(connection, conn, touch=False)
    if found is None:
        raise Unauthenticated("session.missing")
    if found.session is not None and found.session.restriction:
        raise Denied(found.session.restriction)
    if not may_listen(found.actor):
        raise Denied("permission.missing", permission=READINGS)
    return found


async def _recheck_forever(client: Client, twin: "Twin", found: Identified) -> None:
    """Close the socket when its caller is signed out, or may do other things than before: it comes back with those."""
    socket = client.socket
    async with contextlib.aclosing(twin.callers.moments(found)) as moments:
        async for _ in moments:
            try:
                now = await _authorised(socket, twin.db)
            except (Unauthenticated, Denied):
                await _close(socket, 4401, "signed out")
                return
            except (TwinError, psycopg.OperationalError):
                continue  # the database is away: that is no reason to cut anyone off
            if now.actor != found.actor:
                await _close(socket, 4403, "grants changed")
                return


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    with contextlib.suppress(RuntimeError, WebSocketDisconnect):
        await socket.close(code, reason)


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


Handler = Callable[[LiveHub, Database, Client, dict[str, Any]], Awaitable[None]]
OPS: Final[dict[str, tuple[str | None, Handler]]] = {}
"""What a client may say: the permission that it takes (None: any caller) and who answers."""


def on(op: str, permission: str | None) -> Callable[[Handler], Handler]:
    """Declare who answers an op, and the permission that it takes: there is no op without a declaration."""

    def mark(handler: Handler) -> Handler:
        OPS[op] = permission, handler
        return handler

    return mark


async def _handle(hub: LiveHub, db: Database, client: Client, message: dict[str, Any]) -> None:
    if message["op"] not in OPS:
        raise Invalid("live.unknown_op", op=message["op"][:50])
    permission, handler = OPS[message["op"]]
    if permission is not None:
        client.actor.require(permission)
    await handler(hub, db, client, message)


@on("ping", None)
async def _ping(_hub: LiveHub, _db: Database, client: Client, _message: dict[str, Any]) -> None:
    client.send({"op": "pong", "time": datetime.now(UTC)})


@on("unsubscribe", None)
async def _unsubscribe(_hub: LiveHub, _db: Database, client: Client, message: dict[str, Any]) -> None:
    client.subscriptions.pop(_subscription_id(message), None)


def _subscription_id(message: dict[str, Any]) -> int | str:
    found = message.get("id")
    if not isinstance(found, int | str) or isinstance(found, bool) or len(str(found)) > 100:
        raise Invalid("live.no_id")
    return found


@on("subscribe", "building.read")
async def _subscribe(hub: LiveHub, db: Database, client: Client, message: dict[str, Any]) -> None:
    number = _subscription_id(message)
    if len(client.subscriptions) >= MAX_SUBSCRIPTIONS:
        raise Invalid("live.too_many", limit=MAX_SUBSCRIPTIONS)
    reference, since = message.get("building"), message.get("since")
    if not isinstance(reference, str):
        raise Invalid("live.no_building")
    if since is not None and (not isinstance(since, int) or isinstance(since, bool) or since < 0):
        raise Invalid("live.bad_since")
    async with limited(db, client.actor, None) as conn:
        building = await places.get_building(conn, reference)
        storeys = await _storeys(conn, building.id, message.get("storeys"))
    subscription = Subscription(number, building.id, storeys, await handles_of(db, client.actor, building.id))
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
    wanted = [event for event in events if subscription.wants((subscription.building, event.storey_id))]
    for event in await seen_of(db, client.actor, wanted):
        if event.seq <= until:
            client.lane.append(event_message(event))


async def _storeys(conn: Any, building: UUID, wanted: Any) -> frozenset[UUID] | None:
    if wanted is None:
        return None
    if not isinstance(wanted, list) or not all(isinstance(item, str) for item in wanted):
        raise Invalid("live.bad_storeys")
    return frozenset([await resolve_storey(conn, building, item) for item in wanted])
