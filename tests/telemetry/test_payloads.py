"""Foreign payloads as readings; whatever comes in, nothing breaks and everything is counted."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.payloads import FORMATS, Decoded, MessageMap, Topics, check_mapping, decoder_of
from telemetry.sparkplug import Payload, Sparkplug
from twin.errors import Invalid

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def as_json(document: object) -> bytes:
    return json.dumps(document).encode()


def values(decoded: Decoded) -> dict[str, Any]:
    assert decoded.refused == []
    return {each.point: each.value for each in decoded.readings}


def decode(mapping: MessageMap, topic: str, document: object) -> Decoded:
    payload = document if isinstance(document, bytes) else as_json(document)
    return decoder_of(mapping).decode(topic, payload, NOW)


@pytest.mark.parametrize(
    ("payload", "value"),
    [(b"21.5", 21.5), (b" -3\n", -3.0), (b"ON", True), (b"false", False), (b'"auto"', "auto"), ("暖".encode(), "暖")],
)
def test_a_plain_payload_is_the_value(payload: bytes, value: object) -> None:
    mapping = MessageMap(topic="site/{building}/{device}/{metric}", key="{device}.{metric}")
    decoded = decode(mapping, "site/A/ahu-1/T", payload)
    assert values(decoded) == {"ahu-1.T": value}
    assert decoded.readings[0].ts == NOW


def test_json_values_are_found_by_their_paths() -> None:
    mapping = MessageMap(format="json", topic="m/{device}/#", key="{device}", value="$.d[0].v", ts="$.t", quality="$.q")
    decoded = decode(mapping, "m/pump/x/y", {"d": [{"v": 7}], "t": "2026-03-01T10:00:00+08:00", "q": "uncertain"})
    [found] = decoded.readings
    assert (found.point, found.value, found.ts, found.quality) == ("pump", 7.0, NOW - timedelta(hours=10), "uncertain")


def test_an_object_of_metrics_is_a_reading_each() -> None:
    mapping = MessageMap(
        format="json", topic="{device}", key="{device}.{metric}", metrics="$.all", value="$.v", ts="$.t"
    )
    document = {
        "t": NOW.timestamp() * 1000,
        "all": {"T": {"v": 1.5}, "on": {"v": True}, "mode": "auto", "odd": {"w": 1}},
    }
    decoded = decode(mapping, "d", document)
    assert {each.point: each.value for each in decoded.readings} == {"d.T": 1.5, "d.on": True, "d.mode": "auto"}
    assert {each.ts for each in decoded.readings} == {NOW}
    assert [(each.code, each.point) for each in decoded.refused] == [("payload.unreadable", "odd")]


THINGSBOARD = MessageMap(format="thingsboard", topic="v1/devices/{device}/telemetry", key="{device}.{metric}")


def test_thingsboard_devices_send_values_with_and_without_time() -> None:
    topic = "v1/devices/me/telemetry"
    assert values(decode(THINGSBOARD, topic, {"T": 21, "on": True})) == {"me.T": 21.0, "me.on": True}
    stamped = decode(THINGSBOARD, topic, [{"ts": 1_772_366_400_000, "values": {"T": 1}}, {"T": 2}])
    assert [(each.ts, each.value) for each in stamped.readings] == [(NOW, 1.0), (NOW, 2.0)]


def test_a_thingsboard_gateway_speaks_for_its_devices() -> None:
    gateway = MessageMap(format="thingsboard", topic="v1/gateway/telemetry", key="{device}.{metric}")
    document = {"A": [{"ts": 1_772_366_400_000, "values": {"T": 1}}, 7], "B": [{"T": 2, "list": []}]}
    decoded = decode(gateway, "v1/gateway/telemetry", document)
    assert {each.point: each.value for each in decoded.readings} == {"A.T": 1.0, "B.T": 2.0}
    assert [each.code for each in decoded.refused] == ["payload.unreadable", "payload.no_value"]


def test_a_chirpstack_uplink_is_what_the_codec_made_of_it() -> None:
    mapping = MessageMap(format="chirpstack", topic="application/{app}/device/{eui}/event/up", key="{device}.{metric}")
    topic = "application/1/device/0102030405060708/event/up"
    uplink = {"time": "2026-03-01T12:00:00.5+00:00", "deviceInfo": {"devEui": "0102030405060708"}, "fPort": 1}
    decoded = decode(mapping, topic, uplink | {"object": {"temperature": 21.5, "battery": {"volt": 3.6}}})
    assert values(decoded) == {"0102030405060708.temperature": 21.5, "0102030405060708.battery.volt": 3.6}
    assert decoded.readings[0].ts == NOW + timedelta(seconds=0.5)
    [refused] = decode(mapping, topic, uplink | {"data": "AQ=="}).refused
    assert "codec" in refused.params["reason"]


def sparkplug(*metrics: dict[str, Any]) -> bytes:
    return bytes(Payload(timestamp=int(NOW.timestamp() * 1000), seq=1, metrics=metrics).SerializeToString())


def test_sparkplug_names_its_metrics_at_birth_and_numbers_them_later() -> None:
    decoder = Sparkplug("{group}/{node}/{device}/{metric}")
    unknown = decoder.decode("spBv1.0/G/DDATA/N/D", sparkplug({"alias": 7, "double_value": 1.5}), NOW)
    assert ([each.code for each in unknown.refused], decoder.wants_birth) == (["payload.alias"], {("G", "N")})
    birth = sparkplug(
        {"name": "T", "alias": 7, "datatype": 10, "double_value": 20.0},
        {"name": "level", "alias": 8, "datatype": 1, "int_value": 255},
        {"name": "lost", "alias": 9, "datatype": 10, "is_null": True},
    )
    assert values(decoder.decode("spBv1.0/G/DBIRTH/N/D", birth, NOW)) == {"G/N/D/T": 20.0, "G/N/D/level": -1.0}
    assert decoder.wants_birth == set()
    data = sparkplug(
        {"alias": 7, "double_value": 21.5}, {"alias": 8, "int_value": 254}, {"name": "on", "boolean_value": True}
    )
    decoded = decoder.decode("spBv1.0/G/DDATA/N/D", data, NOW + timedelta(hours=1))
    assert values(decoded) == {"G/N/D/T": 21.5, "G/N/D/level": -2.0, "G/N/D/on": True}
    assert {each.ts for each in decoded.readings} == {NOW}
    decoder.decode("spBv1.0/G/NBIRTH/N", sparkplug(), NOW)  # a node that comes back names everything anew
    assert decoder.decode("spBv1.0/G/DDATA/N/D", sparkplug({"alias": 7, "double_value": 1.0}), NOW).readings == []


@pytest.mark.parametrize(
    "mapping",
    [
        MessageMap(format="xml"),  # type: ignore[arg-type]
        MessageMap(format="json", value="$["),
        MessageMap(topic="a/#/b"),
        MessageMap(topic="a/{x}/{x}"),
        MessageMap(topic="a/{x}", key="{y}"),
        MessageMap(key=""),
    ],
)
def test_a_mapping_that_cannot_work_is_refused_at_once(mapping: MessageMap) -> None:
    with pytest.raises(Invalid) as refused:
        check_mapping(mapping)
    assert refused.value.fields


def test_a_template_subscribes_to_what_it_matches() -> None:
    topics = Topics("site/{building}/x-{device}/#")
    assert topics.filter == "site/+/+/#"
    assert topics.match("site/A/x-1/deep/er") == {"building": "A", "device": "1"}
    assert topics.match("site/A/y-1") is None
    assert [Topics("a/#").match(topic) for topic in ("a", "a/b/c", "ab")] == [{}, {}, None]
    assert [Topics("#").match(topic) for topic in ("a", "a/b", "/")] == [{}, {}, {}]


DECODERS = [
    decoder_of(
        MessageMap(format=each, topic="{a}/{b}", key="{a}.{b}", metrics="$.m" if each == "json" else None, ts="$.t")
    )
    for each in FORMATS
]
NAMES = st.sampled_from(["m", "t", "ts", "values", "object", "x"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner),
    max_leaves=8,
)


def survive(topic: str, payload: bytes) -> None:
    for decoder in DECODERS:
        decoded = decoder.decode(topic, payload, NOW)
        for reading in decoded.readings:
            assert reading.ts.tzinfo and isinstance(reading.value, bool | float | str)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["a/b", "spBv1.0/G/NDATA/N", "spBv1.0/G/DBIRTH/N/D", "x"]) | st.text(),
    st.binary() | JSON.map(as_json),
)
def test_no_payload_breaks_a_decoder_and_each_is_counted(topic: str, payload: bytes) -> None:
    survive(topic, payload)


def test_sparkplug_metrics_that_make_no_sense_cost_only_themselves() -> None:
    """Names that are no UTF-8, times that are texts or beyond the calendar: each is refused, the rest is read."""
    decoder = decoder_of(MessageMap(format="sparkplug", key="{metric}"))
    no_utf8 = sparkplug({"name": "??", "alias": 1, "double_value": 1.0}).replace(b"??", b"\xff\xfe")
    odd = sparkplug(
        {"name": "text", "datatype": 13, "string_value": "noon"},
        {"name": "never", "datatype": 13, "double_value": float("nan")},
        {"name": "T", "double_value": 20.0},
    )
    decoded = decoder.decode("spBv1.0/G/NBIRTH/N", no_utf8 + odd, NOW)
    assert [(each.point, each.value) for each in decoded.readings] == [("T", 20.0)]
    assert [each.code for each in decoded.refused] == ["payload.unreadable"] * 3
    unnamed = decoder.decode("spBv1.0/G/NDATA/N", sparkplug({"alias": 1, "double_value": 1.0}), NOW)
    assert [each.code for each in unnamed.refused] == ["payload.alias"]
