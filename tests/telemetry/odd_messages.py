"""Different odd MQTT messages, as many as are asked for: structures from hypothesis, volume from seeded mutation.

hypothesis draws whole messages of every format, right and wrong; each further message is one that was made before,
broken at another place: bytes, JSON members, levels of the topic. The same seed gives the same messages.
"""

import json
import random
from collections.abc import Callable
from typing import Any, Final

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from telemetry.payloads import MessageMap
from telemetry.sparkplug import KINDS, Payload

Message = tuple[str, bytes]
MAPS: Final = (
    MessageMap(topic="site/{device}/{metric}", key="{device}.{metric}"),
    MessageMap(format="json", topic="#", key="{topic}", value="$.v", ts="$.t", quality="$.q"),
    MessageMap(format="json", topic="{device}/#", key="{device}.{metric}", metrics="$.all", value="$.v"),
    MessageMap(format="thingsboard", topic="v1/devices/{device}/telemetry", key="{device}.{metric}"),
    MessageMap(format="thingsboard", topic="v1/gateway/telemetry", key="{device}.{metric}"),
    MessageMap(format="chirpstack", topic="application/{app}/device/{eui}/event/up", key="{device}.{metric}"),
    MessageMap(format="sparkplug", key="{group}/{node}/{device}/{metric}"),
)
KEYS: Final = ("a.T", "site/a/T", "d.T", "e.T", "G/N//T", "G/N/D/T")
"""Points that some of the messages are right for."""
SEED: Final = 20_261_123
SEEDS: Final = 3_000  # messages from hypothesis, before they are mutated
NOW_MS: Final = 1_772_366_400_000  # 2026-03-01 12:00 UTC

TOPICS: Final = (
    "site/a/T", "a/b", "v1/devices/d/telemetry", "v1/gateway/telemetry", "application/1/device/e/event/up",
    *(f"spBv1.0/G/{kind}/N" for kind in sorted(KINDS)), "spBv1.0/G/DDATA/N/D", "spBv1.0/G/DBIRTH/N/D",
)  # fmt: skip
_times = (
    st.integers(NOW_MS - 10**10, NOW_MS)
    | st.integers()
    | st.floats()
    | st.just("2026-03-01T11:00:00Z")
    | st.text(max_size=9)
)
_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
_anything = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["v", "t", "q", "all", "ts", "values", "object", "T"]), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip
_metrics = st.dictionaries(st.just("T") | st.text(max_size=8), _scalars | _anything, max_size=4)
_telemetry = st.fixed_dictionaries({"ts": _times, "values": _metrics}) | _metrics
_uplink = st.fixed_dictionaries(
    {"time": _times, "object": _metrics | _anything}, optional={"deviceInfo": _metrics | st.just({"devEui": "e"})}
)
_documents = st.one_of(
    st.fixed_dictionaries({"v": _scalars, "t": _times, "q": st.sampled_from(["good", "bad", "odd"]) | _scalars}),
    st.fixed_dictionaries({"all": st.dictionaries(st.just("T") | st.text(max_size=4), _scalars | _metrics)}),
    _telemetry, st.lists(_telemetry, max_size=3),
    st.dictionaries(st.text(max_size=4), st.lists(_telemetry, max_size=2)),
    _uplink, _anything,
)  # fmt: skip
_u32, _u64 = st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)
_values = {
    "int_value": _u32, "long_value": _u64, "float_value": st.floats(width=32), "double_value": st.floats(),
    "boolean_value": st.booleans(), "string_value": st.text(st.characters(codec="utf-8"), max_size=8),
}  # fmt: skip
_value = st.one_of(
    *(st.fixed_dictionaries({name: kind}) for name, kind in _values.items()), st.just({"is_null": True}), st.just({})
)
_metric = st.builds(
    lambda facts, value: {**facts, **value},
    st.fixed_dictionaries(
        {"name": st.just("T") | st.text(st.characters(codec="utf-8"), max_size=8)},
        optional={"alias": st.integers(0, 9), "datatype": st.just(13) | st.integers(0, 20),
                  "timestamp": st.integers(0, NOW_MS) | _u64},
    ),
    _value,
)  # fmt: skip
_sparkplug = st.builds(
    lambda metrics, facts: bytes(Payload(metrics=metrics, **facts).SerializeToString()),
    st.lists(_metric, max_size=4),
    st.fixed_dictionaries({}, optional={"timestamp": _u64, "seq": st.integers(0, 255)}),
)
_json = st.one_of(
    st.tuples(st.just("site/a/T"), _documents),
    st.tuples(st.just("a/b"), _documents),
    st.tuples(st.just("v1/devices/d/telemetry"), st.lists(_telemetry, max_size=3) | _telemetry),
    st.tuples(
        st.just("v1/gateway/telemetry"),
        st.dictionaries(st.just("d") | st.text(max_size=4), st.lists(_telemetry, max_size=2)),
    ),
    st.tuples(st.just("application/1/device/e/event/up"), _uplink),
).map(lambda each: (each[0], json.dumps(each[1]).encode()))
_plain = _scalars.map(lambda each: str(each).encode("utf-8", "replace"))
_messages = st.one_of(
    _json,
    _json,
    st.tuples(st.sampled_from([topic for topic in TOPICS if topic.startswith("spB")]), _sparkplug),
    st.tuples(st.just("site/a/T"), _plain),
    st.tuples(st.sampled_from(TOPICS) | st.text(min_size=1, max_size=20), _plain | st.binary(max_size=60)),
)
ODD: Final = (
    b"\x00", b"\xff\xfe", b"\xc3\x28", b"\xed\xa0\x80", b"\\ud800", b"NaN", b"-Infinity", b"1e999", b"9" * 400,
    b"[" * 1100, b"{}", b"[]", b"null", b'""', b"{", b"]", b":", b",", b'"', b"\r\n", b"1_000", b"0x1F",
    b"\xe2\x80\xae", "٣".encode(), b"true", b"2026-13-01T00:00:00Z", b"0001-01-01T00:00:00+14:00",
    b"\x82" * 9 + b"\x01",
)  # fmt: skip


def odd_messages(count: int) -> list[Message]:
    """`count` messages, each another one."""
    made = dict.fromkeys(_structures(min(SEEDS, max(400, count // 15))))
    pool, dice = list(made), random.Random(SEED)
    while len(made) < count:
        message = _broken(dice.choice(pool), pool, dice)
        if message not in made:
            made[message] = None
            if dice.random() < 0.2:  # what is broken already is broken further
                pool.append(message)
    return list(made)[:count]


def _structures(count: int) -> list[Message]:
    found: dict[Message, None] = {}

    @seed(SEED)
    @settings(
        max_examples=count // 25, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.lists(_messages, min_size=25, max_size=25))
    def draw(messages: list[Message]) -> None:
        found.update(dict.fromkeys(messages))

    draw()
    return list(found)


def _broken(message: Message, pool: list[Message], dice: random.Random) -> Message:
    """A message like this one, with one to three things wrong."""
    topic, payload = message
    for _ in range(dice.randint(1, 3)):
        if dice.random() < 0.15:
            topic = _other_topic(topic, pool, dice)
        else:
            payload = dice.choice(_BREAKS)(payload, pool, dice)
    return topic, payload[:4_000]


def _other_topic(topic: str, pool: list[Message], dice: random.Random) -> str:
    levels = topic.split("/")
    at = dice.randrange(len(levels))
    match dice.randrange(5):
        case 0:
            return dice.choice(pool)[0]
        case 1:
            levels[at] = dice.choice(["", " ", "T", "N", "ä", "{device}", "x" * 300, "\u202e", "\U0001f321", "."])
        case 2:
            levels.insert(at, str(dice.randrange(1000)))
        case 3:
            del levels[at]
        case _:
            levels[at] += chr(dice.randrange(32, 0x2FFF))
    return "/".join(levels)[:400] or "/"


def _flip(payload: bytes, _pool: list[Message], dice: random.Random) -> bytes:
    if not payload:
        return bytes([dice.randrange(256)])
    at = dice.randrange(len(payload))
    return payload[:at] + bytes([payload[at] ^ 1 << dice.randrange(8)]) + payload[at + 1 :]


def _cut(payload: bytes, _pool: list[Message], dice: random.Random) -> bytes:
    start = dice.randrange(len(payload) + 1)
    return payload[:start] + payload[start + dice.randrange(1, 9) :]


def _insert(payload: bytes, _pool: list[Message], dice: random.Random) -> bytes:
    at = dice.randrange(len(payload) + 1)
    return payload[:at] + dice.choice(ODD) + payload[at:]


def _spliced(payload: bytes, pool: list[Message], dice: random.Random) -> bytes:
    other = dice.choice(pool)[1]
    return payload[: dice.randrange(len(payload) + 1)] + other[dice.randrange(len(other) + 1) :]


def _joined(payload: bytes, pool: list[Message], dice: random.Random) -> bytes:
    """One after the other: to protocol buffers one message with the fields of both."""
    return payload + dice.choice(pool)[1]


def _member(payload: bytes, _pool: list[Message], dice: random.Random) -> bytes:
    """JSON that stays JSON: another value somewhere, or a member more."""
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError):
        return _flip(payload, _pool, dice)
    odd: Any = dice.choice(
        [None, True, dice.uniform(-1e3, 1e3), dice.randrange(-(2**70), 2**70), "2026-03-01T10:00:00Z", "\ud800", "",
         [], {}, [[1]], {"v": 1}, NOW_MS - dice.randrange(10**9), str(dice.randrange(10**6))]
    )  # fmt: skip
    if isinstance(document, dict):
        names = [*document, "v", "t", "q", "ts", "values", "object", "all", "time", str(dice.randrange(100))]
        document[dice.choice(names)] = odd
    elif isinstance(document, list):
        document.insert(dice.randrange(len(document) + 1), odd)
    else:
        document = odd
    return json.dumps(document).encode()


_BREAKS: Final[tuple[Callable[[bytes, list[Message], random.Random], bytes], ...]] = (
    _flip, _flip, _cut, _insert, _spliced, _joined, _member, _member, _member,
)  # fmt: skip
