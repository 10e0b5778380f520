"""Sparkplug B 3.0 payloads: births name metrics, data may use their numbers (aliases).

Topics are `spBv1.0/GROUP/TYPE/NODE[/DEVICE]`. Names known to a key's template: `{group}`, `{node}`, `{device}` (empty
for the node itself), `{metric}`. What was learnt from births is kept per node; data that refers to an alias nobody has
named yet is refused, and `wants_birth` names the node, so that its birth can be asked for again.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message, message_factory

from telemetry.payloads import MAX_PAYLOAD, MAX_SHOWN, Decoded, add, key_of, shown, time_of

KINDS: Final = frozenset({"NBIRTH", "NDATA", "DBIRTH", "DDATA", "NDEATH", "DDEATH"})
BIRTHS: Final = frozenset({"NBIRTH", "DBIRTH"})
VALUES: Final = ("int_value", "long_value", "float_value", "double_value", "boolean_value", "string_value")
SIGNED: Final = {1: 8, 2: 16, 3: 32, 4: 64}  # data type → bits: signed integers travel as unsigned ones
TIMES: Final = 13  # DateTime, ms
ALIASES_KEPT: Final = 100_000  # aliases of one server; beyond it the oldest node is forgotten

_FIELDS: Final = {
    "Metric": [
        ("name", 1, "STRING"),
        ("alias", 2, "UINT64"),
        ("timestamp", 3, "UINT64"),
        ("datatype", 4, "UINT32"),
        ("is_null", 7, "BOOL"),
        ("int_value", 10, "UINT32"),
        ("long_value", 11, "UINT64"),
        ("float_value", 12, "FLOAT"),
        ("double_value", 13, "DOUBLE"),
        ("boolean_value", 14, "BOOL"),
        ("string_value", 15, "STRING"),
    ],
    "Payload": [("timestamp", 1, "UINT64"), ("metrics", 2, "Metric"), ("seq", 3, "UINT64")],
}


def _message_class() -> Any:
    """The messages of the specification, as far as readings need them; the rest is skipped as unknown fields."""
    file = descriptor_pb2.FileDescriptorProto(name="twin/sparkplug_b.proto", package="twin.sparkplug", syntax="proto2")
    kinds = descriptor_pb2.FieldDescriptorProto
    for name, fields in _FIELDS.items():
        made = file.message_type.add(name=name)
        for field, number, kind in fields:
            if kind == "Metric":
                made.field.add(
                    name=field, number=number, label=kinds.LABEL_REPEATED, type=kinds.TYPE_MESSAGE,
                    type_name=".twin.sparkplug.Metric",
                )  # fmt: skip
            else:
                made.field.add(
                    name=field, number=number, label=kinds.LABEL_OPTIONAL, type=getattr(kinds, f"TYPE_{kind}")
                )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("twin.sparkplug.Payload"))


Payload: Final = _message_class()


def rebirth(now: datetime) -> bytes:
    """The command that asks a node to name all its metrics again."""
    stamp = int(now.timestamp() * 1000)
    metric = {"name": "Node Control/Rebirth", "timestamp": stamp, "datatype": 11, "boolean_value": True}
    return bytes(Payload(timestamp=stamp, metrics=[metric]).SerializeToString())


class Sparkplug:
    """Decodes the messages of one source."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._names: dict[tuple[str, str, str], dict[int, tuple[str, int]]] = {}
        self.wants_birth: set[tuple[str, str]] = set()  # (group, node)

    def decode(self, topic: str, payload: bytes, now: datetime) -> Decoded:
        decoded = Decoded()
        levels = topic.split("/")
        if not 4 <= len(levels) <= 5 or levels[0] != "spBv1.0" or levels[2] not in KINDS:
            decoded.refuse("payload.topic", topic, shown(payload), topic=topic[:200], template="spBv1.0/…")
            return decoded
        if levels[2] in ("NDEATH", "DDEATH"):
            return decoded
        found = Payload()
        try:
            if len(payload) > MAX_PAYLOAD:
                raise ValueError(f"more than {MAX_PAYLOAD} bytes")
            found.ParseFromString(payload)
        except (message.DecodeError, ValueError) as error:
            decoded.refuse("payload.unreadable", topic, shown(payload), reason=str(error)[:200])
            return decoded
        place = (levels[1], levels[3], levels[4] if len(levels) == 5 else "")
        if levels[2] in BIRTHS:
            self._learn(place, found)
        for metric in found.metrics:
            try:
                self._add(decoded, place, metric, found, now)
            except (ValueError, TypeError, OverflowError) as error:  # a name that is no UTF-8, a time that is a text
                decoded.refuse("payload.unreadable", "/".join(place), str(metric)[:MAX_SHOWN], reason=str(error)[:200])
        return decoded

    def _learn(self, place: tuple[str, str, str], found: Any) -> None:
        self.wants_birth.discard(place[:2])
        if not place[2]:  # a node's birth ends what its devices said before
            for known in [known for known in self._names if known[:2] == place[:2]]:
                del self._names[known]
        named = {
            each.alias: (each.name, each.datatype)
            for each in found.metrics
            if each.HasField("alias") and each.name and isinstance(each.name, str)
        }
        self._names.pop(place, None)
        self._names[place] = named
        while sum(map(len, self._names.values())) > ALIASES_KEPT and len(self._names) > 1:
            del self._names[next(iter(self._names))]

    def _add(self, decoded: Decoded, place: tuple[str, str, str], metric: Any, found: Any, now: datetime) -> None:
        name, kind = metric.name, metric.datatype
        if not name and metric.HasField("alias"):
            name, kind = self._names.get(place, {}).get(metric.alias, ("", 0))
        if not isinstance(name, str):
            raise TypeError("the metric's name is no UTF-8")
        if not name:
            self.wants_birth.add(place[:2])
            decoded.refuse("payload.alias", "/".join(place), str(metric.alias), alias=metric.alias)
            return
        if name == "bdSeq" or name.startswith("Node Control/"):
            return
        key = key_of(self._key, {"group": place[0], "node": place[1], "device": place[2], "metric": name})
        stamp = metric.timestamp or found.timestamp
        try:
            ts = time_of(stamp) if stamp else now
        except (ValueError, OverflowError) as error:
            decoded.refuse("payload.unreadable", key or name, str(stamp), reason=str(error)[:200])
            return
        for value in _values(metric, kind):
            add(decoded, key, value, ts)


def _values(metric: Any, kind: int) -> Iterator[object]:
    """The value of a metric; none for null."""
    if metric.is_null:
        return
    for field in VALUES:
        if metric.HasField(field):
            value = getattr(metric, field)
            if kind in SIGNED and isinstance(value, int) and not isinstance(value, bool):
                bits = SIGNED[kind]
                value = (value & ((1 << bits) - 1)) - ((value & (1 << (bits - 1))) << 1)
            if kind == TIMES:
                value = datetime.fromtimestamp(min(value / 1000, 253_402_300_799), UTC).isoformat()
            yield value
            return
    yield None
