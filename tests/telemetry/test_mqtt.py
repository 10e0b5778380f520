"""A real broker (Mosquitto) as a source: nothing is acknowledged before it is stored, nothing acknowledged is lost."""

import asyncio
import getpass
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from paho.mqtt.enums import CallbackAPIVersion
from psycopg.types.json import Jsonb

from identity.sealing import Sealer
from telemetry.ingest import Ingest
from telemetry.mqtt import Brokers, check_broker
from telemetry.points import NewPoint
from telemetry.sparkplug import Payload
from tests.telemetry.conftest import make_points
from tests.telemetry.odd_messages import KEYS, Message, odd_messages
from twin.db import Database, row, rows
from twin.errors import Invalid
from twin.settings import Settings

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/sbin")
pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="no Mosquitto here: `make test` installs it")
SEALER = Sealer(b"k" * 32)


@dataclass(frozen=True)
class Secure:
    """The broker's door with TLS, and the certificate of whoever signed the broker's own (PEM)."""

    port: int
    ca: str
    folder: Path


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def certificate(name: str, key: EllipticCurvePrivateKey, by: str, signer: EllipticCurvePrivateKey) -> bytes:
    """A certificate of a day, for 127.0.0.1 or, signed by itself, for signing others (PEM)."""
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, by)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=name == by, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if name == by:
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        builder = builder.add_extension(usage, critical=True)
    else:
        address = x509.IPAddress(ip_address("127.0.0.1"))
        builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
    return builder.sign(signer, SHA256()).public_bytes(Encoding.PEM)


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Secure:
    """The files that the broker's second door needs lie in `folder` beside the port."""
    folder: Path = tmp_path_factory.mktemp("tls")
    folder.chmod(0o755)
    signer, own = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
    ca = certificate("site CA", signer, "site CA", signer)
    secret = own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for name, data in {"broker.pem": certificate("broker", own, "site CA", signer), "broker.key": secret}.items():
        (folder / name).write_bytes(data)
    return Secure(free_port(), ca.decode(), folder)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory, secure: Secure) -> Iterator[int]:
    """The port of a broker that asks for a password and keeps sessions."""
    folder: Path = tmp_path_factory.mktemp("mosquitto")
    port = free_port()
    passwords = folder / "passwords"
    passwords.write_text("twin:secret\n")
    passwords.chmod(0o644)
    subprocess.run(["mosquitto_passwd", "-U", str(passwords)], check=True, timeout=60)
    folder.chmod(0o755)
    configuration = folder / "mosquitto.conf"
    configuration.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {passwords}\n"
        f"persistence false\nmax_queued_messages 0\nuser {getpass.getuser()}\n"
        f"listener {secure.port} 127.0.0.1\ncertfile {secure.folder}/broker.pem\nkeyfile {secure.folder}/broker.key\n"
    )
    process = subprocess.Popen([str(MOSQUITTO), "-c", str(configuration)], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and process.poll() is None:
            with socket.socket() as attempt:
                if attempt.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.02)
        else:
            raise RuntimeError(f"the broker did not start on port {port}: {process.poll()}")
        yield port
    finally:
        process.kill()
        process.wait(30)


def settings_of(port: int, **rest: Any) -> dict[str, Any]:
    messages = {"format": "json", "topic": "site/{device}/T", "key": "{device}.T", "value": "$.v", "ts": "$.t"}
    return {"url": f"mqtt://127.0.0.1:{port}", "username": "twin", "messages": messages, **rest}


async def add_source(db: Database, settings: dict[str, Any], name: str = "mqtt:test", password: str = "secret") -> int:
    check_broker(settings)
    async with db.transaction() as conn:
        made = await row(conn, "INSERT INTO source (name, kind) VALUES (%s, 'mqtt') RETURNING id, uuid", (name,))
        assert made
        sealed = SEALER.seal(password, f"source:{made['uuid']}")
        await conn.execute(
            "UPDATE source SET settings = %s, secret = %s WHERE id = %s", (Jsonb(settings), sealed, made["id"])
        )
    return int(made["id"])


@asynccontextmanager
async def running(db: Database) -> AsyncIterator[None]:
    """A server that goes to its brokers."""
    async with Ingest(db, Settings()) as ingest:
        task = asyncio.create_task(Brokers(db, ingest, SEALER.open).run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def until(db: Database, query: Any, wanted: object, seconds: float = 30) -> None:
    deadline, found = time.monotonic() + seconds, None
    while time.monotonic() < deadline:
        async with db.connection() as conn:
            found = next(iter((await row(conn, query) or {}).values()), None)
        if found == wanted:
            return
        await asyncio.sleep(0.03)
    raise AssertionError(f"{found!r} instead of {wanted!r}")


STATE = "SELECT state FROM source WHERE kind = 'mqtt'"
STORED = "SELECT count(*) AS n FROM reading"
NUMBERS = """SELECT count(*) AS n FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""


@pytest.fixture
def publisher(broker: int) -> Iterator[paho.Client]:
    client = paho.Client(CallbackAPIVersion.VERSION2, "publisher", protocol=paho.MQTTv5)
    client.username_pw_set("twin", "secret")
    client.connect("127.0.0.1", broker)
    client.loop_start()
    yield client
    client.disconnect()
    client.loop_stop()


def publish(client: paho.Client, topic: str, payload: str) -> None:
    client.publish(topic, payload, qos=1).wait_for_publish(10)


def stamp(i: int) -> str:
    return datetime.fromtimestamp(1_780_000_000 + i, UTC).isoformat()


@pytest.mark.clause("6.1.1c")
@pytest.mark.parametrize("version", [5, 4])
async def test_messages_become_readings_and_what_is_wrong_is_kept(
    readings_db: Database, broker: int, publisher: paho.Client, version: int
) -> None:
    await make_points(readings_db, NewPoint(key="pump.T", name="T", kind="number"))
    await add_source(readings_db, settings_of(broker, version=version))
    async with running(readings_db):
        await until(readings_db, STATE, "connected")
        for i in range(20):
            publisher.publish("site/pump/T", f'{{"v": {i}, "t": "{stamp(i)}"}}', qos=1)
        publish(publisher, "site/pump/T", "no json")
        publish(publisher, "site/fan/T", f'{{"v": 1, "t": "{stamp(0)}"}}')
        await until(readings_db, STORED, 20)
        await until(readings_db, "SELECT count(*) AS n FROM quarantine", 2)
        async with readings_db.connection() as conn:
            codes = await row(conn, "SELECT array_agg(code ORDER BY code) AS codes FROM quarantine")
            counts = await row(conn, "SELECT accepted, rejected, messages, messages_empty FROM source")
    assert codes == {"codes": ["payload.unreadable", "reading.unknown_point"]}
    assert counts == {"accepted": 20, "rejected": 2, "messages": 22, "messages_empty": 0}


def can_travel(topic: str) -> bool:
    """Whether a broker takes this topic and gives it to those who want everything."""
    try:
        size = len(topic.encode())
    except UnicodeEncodeError:
        return False
    return 0 < size < 65_536 and not set(topic) & set("+#\0") and not topic.startswith("$") and topic.isprintable()


async def everything_arrives(db: Database, broker: int, publisher: paho.Client, messages: list[Message]) -> None:
    """Through the broker to two sources, one of JSON and one of Sparkplug: what became of each message is told."""
    await make_points(db, *(NewPoint(key=key, name="T", kind="number") for key in KEYS))
    right = Payload(metrics=[{"name": "T", "double_value": 20.0}], timestamp=1_780_000_000_000).SerializeToString()
    sane = [("site/a/T", b'{"v": 20.5, "q": "good"}'), ("spBv1.0/G/DBIRTH/N/D", right)]
    sent = [*sane, *(message for message in messages if can_travel(message[0]))]
    brought = {
        "mqtt:json": sent,
        "mqtt:sparkplug": [each for each in sent if each[0].startswith("spBv1.0/") or each[0] == "spBv1.0"],
    }
    json_map = {"format": "json", "topic": "#", "key": "{topic}", "value": "$.v", "quality": "$.q"}
    await add_source(db, settings_of(broker, messages=json_map), "mqtt:json")
    sparkplug_map = {"format": "sparkplug", "key": "{group}/{node}/{device}/{metric}"}
    await add_source(db, settings_of(broker, messages=sparkplug_map), "mqtt:sparkplug")
    async with running(db):
        await until(db, "SELECT count(*) FILTER (WHERE state = 'connected') AS n FROM source", 2)
        for topic, payload in sent:
            publisher.publish(topic, payload, qos=1)
        for name, mine in brought.items():
            await until(db, f"SELECT messages >= {len(mine)} AS all FROM source WHERE name = '{name}'", True, 300)
        # What Sparkplug nodes were asked in return is a message on a topic of its own, which both hear in their time.
        fewer = len(sent) - len(brought["mqtt:sparkplug"])
        await until(db, "SELECT max(messages) - min(messages) AS n FROM source", fewer)
    async with db.connection() as conn:
        told = {each["name"]: each for each in await rows(conn, "SELECT * FROM source")}
        kept = await rows(
            conn, "SELECT s.name, count(*) AS n FROM quarantine q JOIN source s ON s.id = q.source_id GROUP BY s.name"
        )
        stored = await row(conn, "SELECT count(*) AS n FROM reading")
    one = told["mqtt:json"]  # a reading, a refusal or nothing in each; of QoS 0 are the questions to the nodes alone
    found = one["accepted"] + one["duplicate"] + one["rejected"]
    assert found + one["messages_empty"] + one["messages_lost"] == one["messages"]
    assert one["messages_lost"] <= one["messages"] - len(sent) and told["mqtt:sparkplug"]["messages_lost"] == 0
    assert {each["name"]: each["n"] for each in kept} == {name: each["rejected"] for name, each in told.items()}
    assert stored == {"n": sum(each["accepted"] for each in told.values())}
    assert all(each["rejected"] > 0 and each["accepted"] > 0 for each in told.values())


async def test_odd_messages_come_through_a_broker_and_each_is_counted(
    readings_db: Database, broker: int, publisher: paho.Client
) -> None:
    await everything_arrives(readings_db, broker, publisher, odd_messages(600))


@pytest.mark.drill
@pytest.mark.timeout(1200)
async def test_twenty_thousand_odd_messages_come_through_a_broker(
    readings_db: Database, broker: int, publisher: paho.Client
) -> None:
    await everything_arrives(readings_db, broker, publisher, odd_messages(20_000))


async def test_a_message_that_cannot_be_stored_does_not_stand_in_the_way(
    readings_db: Database, broker: int, publisher: paho.Client
) -> None:
    """The database refuses one of many that came together: that one is in quarantine, and none comes again."""
    await make_points(readings_db, NewPoint(key="fan.T", name="T", kind="number"))
    await add_source(readings_db, settings_of(broker))
    async with readings_db.transaction() as conn:
        await conn.execute("ALTER TABLE reading ADD CONSTRAINT odd CHECK (num <> 7)")
    async with running(readings_db):
        await until(readings_db, STATE, "connected")
        for i in range(20):
            publisher.publish("site/fan/T", f'{{"v": {i}, "t": "{stamp(i)}"}}', qos=1)
        await until(readings_db, "SELECT messages FROM source WHERE kind = 'mqtt'", 20)
    async with readings_db.connection() as conn:
        told = await row(conn, "SELECT accepted, rejected FROM source WHERE kind = 'mqtt'")
        kept = await row(conn, "SELECT code, message, value FROM quarantine")
    assert told == {"accepted": 19, "rejected": 1}
    assert kept and kept["code"] == "payload.unreadable" and '"v": 7' in kept["value"]


async def test_a_wrong_password_is_shown_and_a_right_one_taken_up(readings_db: Database, broker: int) -> None:
    id = await add_source(readings_db, settings_of(broker), password="wrong")
    async with running(readings_db):
        await until(
            readings_db, "SELECT state_text LIKE '%%refuses%%' AS refused FROM source WHERE kind = 'mqtt'", True
        )
        async with readings_db.transaction() as conn:
            found = await row(conn, "SELECT uuid FROM source WHERE id = %s", (id,))
            assert found
            sealed = SEALER.seal("secret", f"source:{found['uuid']}")
            await conn.execute("UPDATE source SET secret = %s, revision = revision + 1 WHERE id = %s", (sealed, id))
        await until(readings_db, STATE, "connected")


async def test_what_was_not_stored_is_not_acknowledged_and_comes_again(
    readings_db: Database, broker: int, publisher: paho.Client
) -> None:
    """The server dies between taking messages and storing them; the broker gives them to the next one."""
    await make_points(readings_db, NewPoint(key="valve.T", name="T", kind="number"))
    await add_source(readings_db, settings_of(broker))
    async with running(readings_db):
        await until(readings_db, STATE, "connected")
        async with readings_db.transaction() as conn:
            await conn.execute("LOCK TABLE latest")  # nothing can be stored
            for i in range(50):
                publish(publisher, "site/valve/T", f'{{"v": {i}, "t": "{stamp(i)}"}}')
            await asyncio.sleep(0.2)
            for task in asyncio.all_tasks():
                if task.get_name() == "mqtt-store":
                    task.cancel()
    await until(readings_db, "SELECT count(*) < 51 AS few FROM reading", True)
    async with running(readings_db):
        await until(readings_db, STORED, 50)


async def test_two_servers_share_a_subscription_and_store_each_message_once(
    readings_db: Database, broker: int, publisher: paho.Client
) -> None:
    await make_points(readings_db, NewPoint(key="ahu.T", name="T", kind="number"))
    await add_source(readings_db, settings_of(broker, share="twin"))
    async with running(readings_db), running(readings_db):
        await until(readings_db, NUMBERS, 2)
        await until(readings_db, STATE, "connected")
        for i in range(100):
            publish(publisher, "site/ahu/T", f'{{"v": {i}, "t": "{stamp(i)}"}}')
        await until(readings_db, STORED, 100)
        async with readings_db.connection() as conn:
            counts = await row(conn, "SELECT accepted, duplicate FROM source WHERE kind = 'mqtt'")
    assert counts == {"accepted": 100, "duplicate": 0}


# paho leaves a socket whose handshake failed to the collector, which closes it.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_broker_with_tls_is_believed_by_the_certificate_that_was_given_and_by_no_other(
    readings_db: Database, broker: int, publisher: paho.Client, secure: Secure
) -> None:
    await make_points(readings_db, NewPoint(key="tank.T", name="T", kind="number"))
    there = {"url": f"mqtts://127.0.0.1:{secure.port}"}
    id = await add_source(readings_db, settings_of(broker, **there))
    async with running(readings_db):
        refused = "SELECT state_text LIKE '%%certificate verify failed%%' AS x FROM source WHERE kind = 'mqtt'"
        await until(readings_db, refused, True)
        async with readings_db.transaction() as conn:
            trusting = Jsonb(settings_of(broker, **there, ca=secure.ca))
            await conn.execute("UPDATE source SET settings = %s, revision = revision + 1 WHERE id = %s", (trusting, id))
        await until(readings_db, STATE, "connected")
        publish(publisher, "site/tank/T", f'{{"v": 7, "t": "{stamp(0)}"}}')
        await until(readings_db, STORED, 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "http://x"},
        {"url": "mqtt://name:password@x"},
        {"url": "mqtt://x", "version": 3},
        {"url": "mqtt://x", "share": "a/b"},
        {"url": "mqtt://x", "surprise": 1},
        {"url": "mqtt://x", "messages": {"format": "xml"}},
        "text",
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: object) -> None:
    with pytest.raises(Invalid):
        check_broker(wrong)
