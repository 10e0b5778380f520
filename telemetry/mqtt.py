"""MQTT brokers as sources of readings (clauses 6.1.1c, d): 3.1.1 and 5, QoS 1, TLS, shared subscriptions.

A message is acknowledged only after its readings are committed; while the database is away nothing is, so the broker
keeps what it has not been thanked for and sends it again after a crash. How many messages are under way at once is
bounded: by `in_flight` for MQTT 5, by the broker's own limit for 3.1.1; of messages of QoS 0, which no broker keeps,
what does not fit is counted, logged and lost. A message that cannot be understood is kept in quarantine and
acknowledged: sent again it would be no better.

The session of a client outlives it, so its name must be the same after a restart, and two servers must not have the
same one: each takes a number under an advisory lock. Without `share` there is one number, and the other servers wait.
"""

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
import paho.mqtt.client as paho
import psycopg
import structlog
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from telemetry.decode import columns_of
from telemetry.ingest import Ingest
from telemetry.payloads import MAX_PAYLOAD, Decoded, Decoder, MessageMap, Topics, decoder_of, shown
from telemetry.sources import SourceRef
from telemetry.sparkplug import Sparkplug, rebirth
from telemetry.submission import Outcome
from twin.db import Conn, Database, row, rows
from twin.errors import FieldError, Invalid, TwinError, Unavailable

log = structlog.get_logger()

LOOK_EVERY_S: Final = 3.0  # for sources that were added, changed or taken out
KEEP_ALIVE_S: Final = 30
SESSION_S: Final = 7 * 86_400  # the broker keeps messages of a server that is away for so long
READINGS_AT_ONCE: Final = 5_000
RETRY_S: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
MOST_SERVERS: Final = 32  # on one shared subscription
UNFIT: Final = (psycopg.DataError, psycopg.IntegrityError, ValueError, TypeError, OverflowError)
"""What the database or the driver say of readings that they cannot take, however often they come."""
LOCK: Final = 0x74776D71  # the first half of the advisory lock's number; the second is of source and server


class Broker(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How to reach a broker and what to make of its messages; `source.settings`."""

    url: str  # mqtt://host:1883, mqtts://host:8883
    username: str | None = None
    version: int = 5  # 5, or 4 for MQTT 3.1.1
    qos: int = 1
    share: str | None = None  # the group of a shared subscription, for several servers
    in_flight: int = 500  # messages
    ca: str | None = None  # certificates (PEM) to trust instead of the system's
    messages: MessageMap = field(default_factory=MessageMap)


@dataclass(frozen=True, slots=True)
class Task:
    """A broker that this server may have to go to."""

    source: SourceRef
    id: UUID
    broker: Broker
    password: str | None

    @property
    def subscription(self) -> str:
        """What is subscribed to."""
        messages = self.broker.messages
        topics = "spBv1.0/#" if messages.format == "sparkplug" else Topics(messages.topic).filter
        return f"$share/{self.broker.share}/{topics}" if self.broker.share else topics

    def client(self, number: int) -> str:
        """The name of a server's session. Another subscription is another session: the broker would go on serving the
        old one in the same."""
        mark = hashlib.sha256(self.subscription.encode()).hexdigest()[:6]
        return f"twin-{self.id.hex[:12]}-{number}-{mark}"


def check_broker(settings: object) -> Broker:
    """Settings as they came from a user. Raises Invalid `source.invalid` naming each field that is wrong."""
    try:
        broker = msgspec.convert(settings, Broker)
    except msgspec.ValidationError as error:
        raise Invalid(
            "source.invalid", fields=[FieldError("settings", "source.settings", {"reason": str(error)})]
        ) from error
    wrong: list[FieldError] = []
    parts = urlsplit(broker.url)
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or parts.username or parts.password:
        wrong.append(FieldError("url", "source.url"))
    if broker.version not in (4, 5) or broker.qos not in (0, 1) or not 1 <= broker.in_flight <= 65_535:
        wrong.append(FieldError("settings", "source.broker"))
    if broker.share is not None and (not broker.share or set(broker.share) & set("/+#")):
        wrong.append(FieldError("share", "source.share"))
    if wrong:
        raise Invalid("source.invalid", fields=wrong)
    decoder_of(broker.messages)
    return broker


class Brokers:
    """Goes to all brokers that are sources: `await run()`."""

    def __init__(self, db: Database, ingest: Ingest, open_secret: Any) -> None:
        self._db, self._ingest, self._open = db, ingest, open_secret
        self._running: dict[int, tuple[int, asyncio.Task[None]]] = {}

    async def run(self) -> None:
        """Until cancelled; what is added, changed and taken out is noticed within `LOOK_EVERY_S`."""
        try:
            while True:
                try:
                    await self._look()
                except (psycopg.OperationalError, Unavailable) as error:
                    log.warning("mqtt.look_failed", reason=str(error).strip())
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            tasks = [task for _, task in self._running.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._running.clear()

    async def _look(self) -> None:
        async with self._db.connection() as conn:
            found = await rows(
                conn,
                "SELECT id, uuid, name, revision, settings, secret FROM source WHERE kind = 'mqtt' AND enabled"
                " AND settings IS NOT NULL",
            )
        wanted = {each["id"]: each for each in found}
        for id, (revision, task) in list(self._running.items()):
            if task.done() or id not in wanted or wanted[id]["revision"] != revision:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                del self._running[id]
        for id, each in wanted.items():
            if id not in self._running:
                self._running[id] = (each["revision"], asyncio.create_task(self._keep(each), name=f"mqtt-{id}"))

    async def _keep(self, found: dict[str, Any]) -> None:
        """Serve one broker, again and again."""
        source = SourceRef(found["id"], found["name"])
        tries = 0
        while True:
            began = asyncio.get_running_loop().time()
            try:
                password = self._open(bytes(found["secret"]), f"source:{found['uuid']}") if found["secret"] else None
                task = Task(source, found["uuid"], check_broker(found["settings"]), password)
                async with _number(self._db, task) as number:
                    await _Session(self._db, self._ingest, task, number).run()
            except (psycopg.OperationalError, OSError, TwinError, _Lost) as error:
                await _note(self._db, source, "failed", str(error).strip())
                log.warning("mqtt.failed", source=source.name, reason=str(error).strip())
            except Exception as error:
                await _note(self._db, source, "failed", str(error).strip())
                log.exception("mqtt.broken", source=source.name)
            tries = 0 if asyncio.get_running_loop().time() - began > 60 else tries + 1
            await asyncio.sleep(RETRY_S[min(tries, len(RETRY_S) - 1)])


class _Lost(Exception):
    """The broker is gone, or refuses."""


@asynccontextmanager
async def _number(db: Database, task: Task) -> AsyncIterator[int]:
    """This server's number among those on the subscription; waits for one to be free."""
    most = MOST_SERVERS if task.broker.share else 1
    async with db.listener() as conn:
        waited = False
        while True:
            for number in range(most):
                key = task.source.id * MOST_SERVERS + number
                found = await row(conn, "SELECT pg_try_advisory_lock(%s, %s) AS got", (LOCK, key))
                if found and found["got"]:
                    watch = asyncio.create_task(_watch(conn, asyncio.current_task()))
                    try:
                        yield number
                    finally:
                        watch.cancel()
                    return
            if not waited:
                await _note(db, task.source, "waiting", "another server has it")
                waited = True
            await asyncio.sleep(LOOK_EVERY_S)


async def _watch(conn: Conn, holder: asyncio.Task[Any] | None) -> None:
    """End whoever holds the lock when the connection that it lives on is gone."""
    try:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await conn.execute("SELECT 1")
    except psycopg.OperationalError:
        if holder:
            holder.cancel()


async def _note(db: Database, source: SourceRef, state: str, text: str | None = None) -> None:
    """Show how a source is; of no consequence where the database is away."""
    try:
        async with db.transaction() as conn:
            await conn.execute(
                "UPDATE source SET state = %s, state_text = %s, state_at = now() WHERE id = %s",
                (state, text and text[:500], source.id),
            )
    except (psycopg.OperationalError, Unavailable):
        pass


@dataclass(slots=True)
class _Lot:
    """Messages that are stored together, and what each holds."""

    messages: list[paho.MQTTMessage]
    decoded: list[Decoded]


def _refused(message: paho.MQTTMessage, error: Exception) -> Decoded:
    """A message that breaks what reads or stores it."""
    decoded = Decoded()
    try:
        topic = message.topic
    except UnicodeDecodeError:
        topic = ""
    decoded.refuse("payload.unreadable", topic, shown(bytes(message.payload)), reason=str(error).strip()[:200])
    return decoded


class _Session:
    """One connection to a broker. The library's network thread hands messages over; all else happens in the loop."""

    def __init__(self, db: Database, ingest: Ingest, task: Task, number: int) -> None:
        self._db, self._ingest, self._task = db, ingest, task
        self._loop = asyncio.get_running_loop()
        self._messages: asyncio.Queue[paho.MQTTMessage] = asyncio.Queue()
        self._ended: asyncio.Future[str] = self._loop.create_future()
        self._lost = 0  # messages of QoS 0 that did not fit, not told yet
        self._decoder: Decoder = decoder_of(task.broker.messages)
        self._client = self._make(task.client(number))

    def _make(self, name: str) -> paho.Client:
        broker, five = self._task.broker, self._task.broker.version == 5
        client = paho.Client(
            CallbackAPIVersion.VERSION2, name, protocol=paho.MQTTv5 if five else paho.MQTTv311,
            clean_session=None if five else False, manual_ack=True, reconnect_on_failure=False,
        )  # fmt: skip
        if broker.username is not None or self._task.password is not None:
            client.username_pw_set(broker.username, self._task.password)
        if urlsplit(broker.url).scheme == "mqtts":
            client.tls_set_context(ssl.create_default_context(cadata=broker.ca))
        client.on_connect, client.on_message, client.on_disconnect = self._on_connect, self._on_message, self._on_end
        client.on_subscribe = self._on_subscribe
        return client

    async def run(self) -> None:
        """Until the connection is lost (raises _Lost) or the task is cancelled."""
        await _note(self._db, self._task.source, "connecting")
        storing = asyncio.create_task(self._store_forever(), name="mqtt-store")
        try:
            await asyncio.to_thread(self._connect)
            self._client.loop_start()
            waited: set[asyncio.Future[Any]] = {storing, self._ended}
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if storing.done():
                storing.result()
            raise _Lost(self._ended.result())
        finally:
            storing.cancel()
            await asyncio.gather(storing, return_exceptions=True)
            await asyncio.to_thread(self._close)

    def _connect(self) -> None:
        parts = urlsplit(self._task.broker.url)
        port = parts.port or (8883 if parts.scheme == "mqtts" else 1883)
        options: dict[str, Any] = {}
        if self._task.broker.version == 5:
            properties: Any = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = SESSION_S
            properties.ReceiveMaximum = self._task.broker.in_flight
            properties.MaximumPacketSize = 2 * MAX_PAYLOAD
            options = {"clean_start": False, "properties": properties}
        self._client.connect(str(parts.hostname), port, KEEP_ALIVE_S, **options)

    def _close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    # In the library's thread.

    def _on_connect(self, client: paho.Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        if reason.is_failure:
            self._end(f"the broker refuses: {reason}")
            return
        client.subscribe(self._task.subscription, qos=self._task.broker.qos)

    def _on_subscribe(self, _client: Any, _data: Any, _mid: Any, reasons: list[ReasonCode], _properties: Any) -> None:
        if any(reason.is_failure for reason in reasons):
            self._end(f"the broker refuses the subscription: {reasons[0]}")
        else:
            self._loop.call_soon_threadsafe(self._tell_connected)

    def _on_message(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        self._loop.call_soon_threadsafe(self._take, message)

    def _on_end(self, _client: Any, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        self._end(f"connection lost: {reason}")

    def _end(self, reason: str) -> None:
        def end() -> None:
            if not self._ended.done():
                self._ended.set_result(reason)

        self._loop.call_soon_threadsafe(end)

    # In the loop.

    def _tell_connected(self) -> None:
        self._noting = self._loop.create_task(_note(self._db, self._task.source, "connected"))

    def _take(self, message: paho.MQTTMessage) -> None:
        """Put a message in line. Those of QoS 1 are bounded by what is not acknowledged yet."""
        if message.qos == 0 and self._messages.qsize() >= self._task.broker.in_flight:
            self._lost += 1
            if self._lost & (self._lost - 1) == 0:  # 1, 2, 4, 8, …; the source's page has the count
                log.error("mqtt.lost", source=self._task.source.name, messages=self._lost)
            return
        self._messages.put_nowait(message)

    async def _store_forever(self) -> None:
        while True:
            lot, now, found = _Lot([await self._messages.get()], []), datetime.now(UTC), 0
            while True:
                lot.decoded.append(self._decoded(lot.messages[-1], now))
                found += len(lot.decoded[-1].readings) + 1
                if found >= READINGS_AT_ONCE or self._messages.empty():
                    break
                lot.messages.append(self._messages.get_nowait())
            await self._store(lot)
            self._ask_for_births()

    def _decoded(self, message: paho.MQTTMessage, now: datetime) -> Decoded:
        """What a message holds. One that nobody foresaw must not stand in the way of those behind it for ever."""
        try:
            return self._decoder.decode(message.topic, bytes(message.payload), now)
        except Exception as error:
            log.exception("mqtt.decoder_failed", source=self._task.source.name)
            return _refused(message, error)

    async def _store(self, lot: "_Lot") -> None:
        """Store and then acknowledge, in the order of arrival; while the database is away, try again.

        A message that cannot be stored though the database is there goes into quarantine, without its neighbours.
        """
        try:
            await self._submit(lot)
        except UNFIT as error:
            if len(lot.messages) > 1:
                for message, decoded in zip(lot.messages, lot.decoded, strict=True):
                    await self._store(_Lot([message], [decoded]))
                return
            log.exception("mqtt.not_stored", source=self._task.source.name)
            lot = _Lot(lot.messages, [_refused(lot.messages[0], error)])
            await self._submit(lot)
        for message in lot.messages:
            self._client.ack(message.mid, message.qos)

    async def _submit(self, lot: "_Lot") -> None:
        """Store readings, refusals and how many messages there were, in one transaction. Raises what is in `UNFIT`."""
        columns = columns_of([each for decoded in lot.decoded for each in decoded.readings])
        columns.refused += [each for decoded in lot.decoded for each in decoded.refused]
        empty = sum(not decoded.readings and not decoded.refused for decoded in lot.decoded)
        lost, tries = self._lost, 0

        async def count(conn: Conn, _: Outcome) -> None:
            await conn.execute(
                """UPDATE source SET messages = messages + %s, messages_empty = messages_empty + %s,
                     messages_lost = messages_lost + %s WHERE id = %s""",
                (len(lot.messages) + lost, empty, lost, self._task.source.id),
            )

        while True:
            try:
                await self._ingest.submit_columns(self._task.source, columns, together=count)
                break
            except Unavailable:
                await asyncio.sleep(RETRY_S[min(tries, len(RETRY_S) - 1)])
                tries += 1
        self._lost -= lost

    def _ask_for_births(self) -> None:
        """Sparkplug: what nodes have not named yet they are asked to name."""
        if isinstance(self._decoder, Sparkplug):
            for group, node in self._decoder.wants_birth:
                self._client.publish(f"spBv1.0/{group}/NCMD/{node}", rebirth(datetime.now(UTC)), qos=0)
            self._decoder.wants_birth.clear()
