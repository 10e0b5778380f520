"""What foreign systems send over MQTT, as readings. Pure; what cannot be understood becomes a refusal that says why.

A format is `plain` (the payload is the value), `json` (values found by JSONPath, RFC 9535), `thingsboard` (device and
gateway telemetry), `chirpstack` (uplinks, version 4) or `sparkplug` (`telemetry/sparkplug.py`). Points are named by a
template over the levels of the topic and what the payload names: `{device}.{metric}`.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, Protocol

import jsonpath
import orjson

from telemetry.decode import QUALITY_CODES, RawReading, Refusal
from telemetry.points import Value
from twin.errors import FieldError, Invalid

Format = Literal["plain", "json", "thingsboard", "chirpstack", "sparkplug"]
FORMATS: Final[tuple[Format, ...]] = ("plain", "json", "thingsboard", "chirpstack", "sparkplug")
MAX_PAYLOAD: Final = 1 << 20  # bytes
MAX_SHOWN: Final = 500  # characters of a payload in quarantine
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NAME: Final = re.compile(r"\{([a-z_][a-z0-9_]*)\}")


@dataclass(slots=True)
class Decoded:
    """What one message holds."""

    readings: list[RawReading] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)

    def refuse(self, code: str, point: str, value: object, **params: object) -> None:
        """Note what was not understood."""
        index = len(self.readings) + len(self.refused)
        self.refused.append(Refusal(index, code, dict(params), point[:200], None, value, None))


class Decoder(Protocol):
    """Makes readings of messages."""

    def decode(self, topic: str, payload: bytes, now: datetime) -> Decoded:
        """The readings of one message; those without a time of their own are of `now`. Never raises."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageMap:
    """How the messages of a source become readings; see the module."""

    format: Format = "plain"
    topic: str = "{point}"  # template of topics: `site/{building}/{device}`, `#` for the rest
    key: str = "{point}"  # template of the points' keys
    value: str = "$"  # json: where the value is; with `metrics` in each of them
    metrics: str | None = None  # json: an object whose members are named {metric}
    ts: str | None = None  # json: where the time is: RFC 3339, or seconds, milli- or microseconds since 1970
    quality: str | None = None  # json: where the quality is


class Topics:
    """A template of topics, matched level by level.

    >>> Topics("site/{building}/{device}").match("site/A/pump")
    {'building': 'A', 'device': 'pump'}
    """

    def __init__(self, template: str) -> None:
        self.names = _NAME.findall(template)
        levels = template.split("/")
        if len(set(self.names)) < len(self.names) or not template or "#" in levels[:-1]:
            raise ValueError(template)
        self._open = levels[-1] == "#"
        parts = [
            re.escape(level).replace(r"\{", "{").replace(r"\}", "}") for level in levels[: -1 if self._open else None]
        ]
        pattern = "/".join("[^/]*" if part == r"\+" else _NAME.sub(r"(?P<\1>[^/]+?)", part) for part in parts)
        rest = "" if not self._open else "(?:/.*)?" if parts else ".*"  # `a/#` is `a` too, `#` is everything
        self._pattern = re.compile(pattern + rest, re.DOTALL)
        self.filter = "/".join("+" if _NAME.search(level) else level for level in levels)

    def match(self, topic: str) -> dict[str, str] | None:
        """The names in a topic, or None: it is another's."""
        found = self._pattern.fullmatch(topic)
        return None if found is None else found.groupdict()


def check_mapping(mapping: MessageMap) -> None:
    """Raise Invalid `source.invalid` that names each field that is wrong."""
    wrong: list[FieldError] = []
    if mapping.format not in FORMATS:
        wrong.append(FieldError("format", "source.format", {"formats": ", ".join(FORMATS)}))
    for name in ("value", "metrics", "ts", "quality"):
        path = getattr(mapping, name)
        try:
            if path is not None:
                jsonpath.compile(path)
        except (jsonpath.JSONPathError, RecursionError) as error:
            wrong.append(FieldError(name, "source.path", {"path": path[:100], "reason": str(error)[:200]}))
    try:
        known = {*Topics(mapping.topic).names, "topic", "metric", "device", "group", "node"}
    except (ValueError, re.error):
        wrong.append(FieldError("topic", "source.topic", {"topic": mapping.topic[:200]}))
    else:
        missing = [name for name in _NAME.findall(mapping.key) if name not in known]
        if missing or not mapping.key:
            wrong.append(
                FieldError("key", "source.key", {"missing": ", ".join(missing), "known": ", ".join(sorted(known))})
            )
    if wrong:
        raise Invalid("source.invalid", fields=wrong)


def decoder_of(mapping: MessageMap) -> Decoder:
    """The decoder of a mapping. Raises Invalid `source.invalid`."""
    check_mapping(mapping)
    if mapping.format == "sparkplug":
        from telemetry.sparkplug import Sparkplug

        return Sparkplug(mapping.key)
    return _Mapped(mapping)


class _Mapped:
    """Decodes all formats in which a message stands for itself."""

    def __init__(self, mapping: MessageMap) -> None:
        self._mapping = mapping
        self._topics = Topics(mapping.topic)
        self._value, self._metrics, self._ts, self._quality = (
            None if path is None else jsonpath.compile(path)
            for path in (mapping.value, mapping.metrics, mapping.ts, mapping.quality)
        )
        self._read = {
            "plain": self._plain,
            "json": self._json,
            "thingsboard": self._thingsboard,
            "chirpstack": self._chirpstack,
        }[mapping.format]

    def decode(self, topic: str, payload: bytes, now: datetime) -> Decoded:
        decoded = Decoded()
        names = self._topics.match(topic)
        if names is None:
            decoded.refuse("payload.topic", topic, shown(payload), topic=topic[:200], template=self._mapping.topic)
        elif len(payload) > MAX_PAYLOAD:
            decoded.refuse("payload.large", topic, shown(payload), limit=MAX_PAYLOAD)
        else:
            try:
                self._read(decoded, {**names, "topic": topic}, payload, now)
            except (ValueError, TypeError, OverflowError, RecursionError, jsonpath.JSONPathError) as error:
                decoded.refuse("payload.unreadable", topic, shown(payload), reason=str(error)[:200])
        return decoded

    def _plain(self, decoded: Decoded, names: Mapping[str, str], payload: bytes, now: datetime) -> None:
        self._add(decoded, names, plain_value(payload), now)

    def _json(self, decoded: Decoded, names: Mapping[str, str], payload: bytes, now: datetime) -> None:
        document = orjson.loads(payload)
        ts = now if self._ts is None else time_of(self._one(self._ts, document))
        quality = "good" if self._quality is None else str(self._one(self._quality, document))
        if self._metrics is None:
            self._add(decoded, names, self._one(self._value, document), ts, quality)
            return
        members = self._one(self._metrics, document)
        if not isinstance(members, dict):
            raise ValueError(f"{self._mapping.metrics} is no object")
        for metric, member in members.items():
            try:
                value = self._one(self._value, member) if isinstance(member, dict | list) else member
            except ValueError as error:
                decoded.refuse("payload.unreadable", metric, str(member)[:MAX_SHOWN], reason=str(error)[:200])
                continue
            self._add(decoded, {**names, "metric": metric}, value, ts, quality)

    def _thingsboard(self, decoded: Decoded, names: Mapping[str, str], payload: bytes, now: datetime) -> None:
        """`{key: value}`, `{"ts": ms, "values": {…}}`, a list of both; a gateway's `{device: [those]}`."""
        document = orjson.loads(payload)
        if isinstance(document, dict) and document and all(isinstance(each, list) for each in document.values()):
            for device, items in document.items():
                for item in items:
                    self._telemetry(decoded, {**names, "device": device}, item, now)
            return
        for item in document if isinstance(document, list) else [document]:
            self._telemetry(decoded, names, item, now)

    def _telemetry(self, decoded: Decoded, names: Mapping[str, str], item: object, now: datetime) -> None:
        ts = now
        try:
            if not isinstance(item, dict):
                raise ValueError("telemetry is an object")
            values = item
            if isinstance(item.get("values"), dict):
                values, ts = item["values"], time_of(item["ts"]) if "ts" in item else now
        except (ValueError, OverflowError) as error:
            decoded.refuse("payload.unreadable", names["topic"], str(item)[:MAX_SHOWN], reason=str(error)[:200])
            return
        for metric, value in values.items():
            self._add(decoded, {**names, "metric": metric}, value, ts)

    def _chirpstack(self, decoded: Decoded, names: Mapping[str, str], payload: bytes, now: datetime) -> None:
        """An uplink: what the device's codec made of it stands in `object`."""
        document = orjson.loads(payload)
        if not isinstance(document, dict):
            raise ValueError("an uplink is an object")
        info = document["deviceInfo"] if isinstance(document.get("deviceInfo"), dict) else {}
        names = {**names, "device": str(info.get("devEui") or names.get("device", ""))}
        if not isinstance(document.get("object"), dict):
            raise ValueError("no `object`: the device's profile has no codec")
        ts = time_of(document["time"]) if document.get("time") else now
        for metric, value in flat(document["object"]):
            self._add(decoded, {**names, "metric": metric}, value, ts)

    def _one(self, path: Any, document: object) -> object:
        found = path.findall(document)
        if len(found) != 1:
            raise ValueError(f"{path} is there {len(found)} times")
        return found[0]

    def _add(
        self, decoded: Decoded, names: Mapping[str, str], value: object, ts: datetime, quality: str = "good"
    ) -> None:
        add(decoded, key_of(self._mapping.key, names), value, ts, quality)


def add(decoded: Decoded, key: str | None, value: object, ts: datetime, quality: str = "good") -> None:
    """Add a reading, or the refusal of one."""
    if key is None:
        decoded.refuse("payload.no_key", str(value)[:200], str(value)[:MAX_SHOWN])
    elif not isinstance(value, bool | int | float | str):
        decoded.refuse("payload.no_value", key, str(value)[:MAX_SHOWN], kind=type(value).__name__)
    elif quality not in QUALITY_CODES:
        decoded.refuse("payload.quality", key, value, quality=quality[:60])
    else:
        decoded.readings.append(RawReading(key, ts, _number(value), quality))  # type: ignore[arg-type]


def _number(value: bool | int | float | str) -> Value:
    """Integers beyond what a float can hold are none that a sensor means."""
    if isinstance(value, bool | float | str):
        return value
    return float(value) if abs(value) < 1 << 1023 else math.inf


def key_of(template: str, names: Mapping[str, str]) -> str | None:
    """The key that a template gives, or None where a name is missing.

    >>> key_of("{device}.{metric}", {"device": "ahu-1", "metric": "T"})
    'ahu-1.T'
    """
    if any(name not in names for name in _NAME.findall(template)):
        return None
    return _NAME.sub(lambda found: names[found[1]], template)[:400]


def plain_value(payload: bytes) -> Value:
    """A payload that is the value: true/false, on/off, a number, else a text. Raises ValueError."""
    text = payload.decode("utf-8").strip()
    if text.lower() in ("true", "on", "false", "off"):
        return text.lower() in ("true", "on")
    if not text:
        raise ValueError("the payload is empty")
    try:
        return float(text)
    except ValueError:
        return text.strip('"')


def time_of(value: object) -> datetime:
    """A time: RFC 3339 with a zone, or seconds, milli- or microseconds since 1970. Raises ValueError."""
    if isinstance(value, str):
        time = datetime.fromisoformat(value)
        if time.tzinfo is None:
            raise ValueError(f"the time {value[:40]} has no zone")
        return time
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r:.40} is no time")
    for unit in (1, 1e3, 1e6, 1e9):
        if abs(value) < 1e11 * unit:  # seconds until the year 5138
            return EPOCH + timedelta(seconds=value / unit)
    raise ValueError(f"{value!r:.40} is no time")


def flat(document: Mapping[str, Any], prefix: str = "", depth: int = 8) -> Iterator[tuple[str, object]]:
    """The leaves of nested objects by their dotted names."""
    for name, value in document.items():
        if isinstance(value, dict) and depth:
            yield from flat(value, f"{prefix}{name}.", depth - 1)
        else:
            yield prefix + name, value


def shown(payload: bytes) -> str:
    """The beginning of a payload for quarantine."""
    return payload[: 4 * MAX_SHOWN].decode("utf-8", "backslashreplace")[:MAX_SHOWN]
