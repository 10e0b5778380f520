"""The socket for gateways: `GET /api/v1/ingest` (6.1.1). Readings in frames, each acknowledged after its commit.

    → {"op": "readings", "id": 7, "readings": [{"point", "ts", "value", "quality"?}, …]}
    ← {"op": "ack", "id": 7, "accepted": 2, "duplicate": 0, "rejected": [{"index", "code", "message"}]}
    ← {"op": "busy", "id": 8, "retry_after": 1}      not stored: send it again
    ← {"op": "error", "id": 9, "code", "message"}    never will be: do not

Frames of one socket, each of at most 1 MiB, are stored in the order they came, `IN_FLIGHT` at once; more are not read,
so that the sender's TCP fills up: its back-pressure. A connection that breaks takes what was not acknowledged with it;
sent again, what had been stored is a duplicate. Only API keys: a browser's page could be made to send a cookie along.
"""

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final

import msgspec
import orjson
import psycopg
import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect

from api import problems
from api.callers import Identified
from api.guard import foreign_origin
from api.route import authenticate
from telemetry.sources import SourceRef
from telemetry.submission import Receipt
from twin.errors import Denied, Invalid, Language, TwinError, Unauthenticated, Unavailable

if TYPE_CHECKING:
    from api.app import Twin

log = structlog.get_logger()
PERMISSION: Final = "reading.write"
IN_FLIGHT: Final = 8  # frames
RETRY_AFTER_S: Final = 1
MAX_ERRORS: Final = 50  # frames that make no sense, before the socket is closed


async def ingest_socket(socket: WebSocket) -> None:
    """Serve one gateway from handshake to close."""
    twin: Twin = socket.app.state.twin
    language = problems.language_of(socket.headers.get("accept-language"))
    try:
        if (foreign := foreign_origin(socket.headers)) is not None:
            raise Denied("live.foreign_origin", origin=foreign[:200])
        found = await _authorised(socket, twin)
        await twin.clients.admit(socket, found.actor)
        source = await twin.ingest.source(found.actor.name, "socket")
    except TwinError as error:
        await socket.send_denial_response(problems.of_error(error, language))
        return
    except psycopg.OperationalError:
        await socket.send_denial_response(problems.of_error(Unavailable("ingest.unavailable"), language))
        return
    await socket.accept()
    gateway = _Gateway(socket, twin, found, source, language)
    try:
        async with asyncio.TaskGroup() as tasks:
            running = {tasks.create_task(each) for each in (gateway.read(), gateway.write(), gateway.recheck())}
            await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in running:
                task.cancel()
    except* (WebSocketDisconnect, RuntimeError):
        pass


async def _authorised(socket: WebSocket, twin: "Twin") -> Identified:
    async with twin.db.connection() as conn:
        found = await authenticate(socket, conn, touch=False)
    if found is None or found.actor.key is None:
        raise Unauthenticated("ingest.key_missing")
    if PERMISSION not in found.actor.permissions:
        raise Denied("permission.missing", permission=PERMISSION)
    return found


class _Gateway:
    """One connection: frames on their way, answered in order."""

    def __init__(
        self, socket: WebSocket, twin: "Twin", found: Identified, source: SourceRef, language: Language
    ) -> None:
        self._socket, self._twin, self._found, self._source, self._language = socket, twin, found, source, language
        self._flying: asyncio.Queue[tuple[Any, asyncio.Task[Receipt] | TwinError]] = asyncio.Queue(IN_FLIGHT)

    async def read(self) -> None:
        """Take frames in; waits while `IN_FLIGHT` of them are not answered."""
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            try:
                number, body = _frame(text if text is not None else message.get("bytes"))
            except Invalid as error:
                await self._flying.put((error.params.get("id"), error))
                continue
            task = asyncio.create_task(self._submit(body), name="gateway-frame")
            task.add_done_callback(_looked_at)
            await self._flying.put((number, task))

    async def _submit(self, body: bytes) -> Receipt:
        return await self._twin.ingest.submit_body(self._source, body, lang=self._language, sender=self._found.actor)

    async def write(self) -> None:
        """Answer frames in the order they came."""
        errors = 0
        while True:
            number, work = await self._flying.get()
            answer = await self._answer(number, work)
            if answer["op"] == "error":
                errors += 1
            await self._socket.send_text(orjson.dumps(answer).decode())
            if errors >= MAX_ERRORS:
                await self._socket.close(1008, "too many errors")
                return

    async def _answer(self, number: Any, work: "asyncio.Task[Receipt] | TwinError") -> dict[str, Any]:
        try:
            if isinstance(work, TwinError):
                raise work
            receipt = await work
        except Unavailable:
            return {"op": "busy", "id": number, "retry_after": RETRY_AFTER_S}
        except TwinError as error:
            return {"op": "error", "id": number, "code": error.code, "message": error.text(self._language)}
        return {
            "op": "ack",
            "id": number,
            "accepted": receipt.accepted,
            "duplicate": receipt.duplicate,
            "rejected": receipt.rejected,
        }

    async def recheck(self) -> None:
        """Close the socket when its key is revoked or may do other things than before."""
        async with contextlib.aclosing(self._twin.callers.moments(self._found)) as moments:
            async for _ in moments:
                try:
                    now = await _authorised(self._socket, self._twin)
                except (Unauthenticated, Denied):
                    await self._socket.close(4401, "key revoked")
                    return
                except (TwinError, psycopg.OperationalError):
                    continue  # the database is away: that is no reason to cut anyone off
                if now.actor != self._found.actor:
                    await self._socket.close(4403, "grants changed")
                    return


def _looked_at(task: "asyncio.Task[Receipt]") -> None:
    """A frame whose sender is gone is stored all the same, and if not, nobody is there to be told."""
    if not task.cancelled():
        task.exception()


class _Head(msgspec.Struct):
    """What is looked at of a frame before ingest reads it as a body of `POST /readings`."""

    op: str
    id: int | str


_HEAD: Final = msgspec.json.Decoder(_Head)


def _frame(data: str | bytes | None) -> tuple[int | str, bytes]:
    """A frame's number, and the frame: a body of `POST /readings` with more in it. Raises Invalid."""
    body = data.encode() if isinstance(data, str) else data or b""
    try:
        head = _HEAD.decode(body)
    except msgspec.ValidationError:
        raise Invalid("ingest.frame") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Invalid("live.not_json") from None
    number = head.id if isinstance(head.id, int) else head.id[:100]
    if head.op != "readings":
        raise Invalid("live.unknown_op", op=head.op[:50], id=number)
    return number, body
