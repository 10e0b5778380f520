"""What a notebook's model is coloured by, and what a click hits: without a server or a browser."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from twin.errors import Invalid
from viewer.notebook_mesh import Soup
from viewer.notebook_show import _Scene, _value_of
from viewer.notebook_values import colour_of, limits_of, quantity_of, read_frames, shown_at, stops_of

ROOMS = {"r1": "room-1"}


def point(handle: int, ifc_class: str, brick: str, unit: str = "DEG_C", **more: object) -> dict[str, object]:
    element = {"id": f"e{handle}", "global_id": f"g{handle}", "ifc_class": ifc_class}
    given = {"handle": handle, "name": brick, "key": f"k{handle}", "kind": "number", "unit": unit, "unit_symbol": None}
    return (
        given | {"brick_class": brick, "quantity": None, "writable": False, "space_id": "r1", "element": element} | more
    )


POINTS = [
    point(1, "IfcSensor", "Zone_Air_Temperature_Sensor"),
    point(2, "IfcSensor", "Zone_Air_Temperature_Sensor"),
    point(3, "IfcUnitaryEquipment", "Supply_Air_Temperature_Sensor"),
    point(4, "IfcUnitaryEquipment", "Supply_Air_Temperature_Setpoint", writable=True),
    point(5, "IfcPump", "Active_Power_Sensor", "KiloW"),
]


def test_what_a_sensor_says_of_a_room_colours_the_room() -> None:
    found = quantity_of(POINTS, ROOMS, "temperature")
    assert found.targets == {1: "room-1", 2: "room-1", 3: "g3"}
    assert shown_at(found, {1: 20.0, 2: 22.0, 5: 7.0}) == {"room-1": 21.0}
    assert stops_of(found)[0] == (49, 54, 149)
    with pytest.raises(Invalid) as refused:
        quantity_of(POINTS, ROOMS, "humidity")
    assert "Active_Power_Sensor" in str(refused.value.params["choices"])


def test_what_a_point_said_is_told_in_its_own_words() -> None:
    contact = point(6, "IfcDoor", "Contact_Sensor", kind="bool", labels={"1": "open", "0": "closed"})
    mode = point(7, "IfcBoiler", "Mode_Status", kind="enum", labels={"0": "off", "2": "heating"})
    assert [_value_of(contact, value) for value in (1.0, 0.0, False, None)] == ["open", "closed", "closed", "–"]
    assert [_value_of(mode, value) for value in (2.0, "0", 7.0)] == ["heating", "off", "7"]
    assert _value_of(point(8, "IfcAlarm", "Smoke_Alarm", kind="bool", labels=None), 1.0) == "on"
    assert _value_of(point(9, "IfcPump", "Active_Power_Sensor", "KiloW", labels=None), 3.14159) == "3.142 KiloW"


def test_frames_are_read_as_the_server_writes_them_and_give_the_scale() -> None:
    head = json.dumps({"from": "2026-11-22T10:00:00Z", "step": 900.0, "frames": 2, "handles": [1, 5]}).encode()
    values = np.array([[18, np.nan], [26, 3]], dtype="<f4")
    frames = read_frames(len(head).to_bytes(4, "little") + head + values.tobytes())
    assert frames.moment(1) == datetime(2026, 11, 22, 10, 15, tzinfo=UTC)
    assert frames.step == timedelta(minutes=15)
    assert [frames.at(0), frames.at(1)] == [{1: 18.0}, {1: 26.0, 5: 3.0}]
    low, high = limits_of(quantity_of(POINTS, ROOMS, "temperature"), frames)
    assert 18 <= low < high <= 26
    stops = stops_of(quantity_of(POINTS, ROOMS, "power"))
    assert (colour_of(-9, 0, 1, stops), colour_of(9, 0, 1, stops)) == (stops[0], stops[-1])
    with pytest.raises(ValueError, match="frames"):
        read_frames(b"\x01")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_click_hits_what_is_coloured_before_what_stands_in_front_of_it() -> None:
    triangle = np.array([[[0, 0, 0], [1, 0, 0], [0, 1, 0]]], dtype=np.float32)
    soup = Soup(
        ["wall", "room"],
        np.concatenate([triangle, triangle + 1]),
        np.array([0, 1]),
        np.full((2, 4), 255, dtype=np.uint8),
        np.zeros((0, 2, 3), dtype=np.float32),
        np.zeros(0, dtype=np.int64),
    )
    scene = _Scene(soup, {"room"}, 320, 200)
    room, wall = (f"IPY_MODEL_{mesh.model_id}" for mesh in scene._group.children)
    assert scene.element_of([(wall, 0), (room, 0)]) == "room"
    assert scene.element_of([(wall, 0)]) == "wall"
    assert scene.element_of([("IPY_MODEL_else", 0)]) is None
    scene.colour({"room": (1, 2, 3)})
    assert scene._colours.array.tolist() == [[1, 2, 3]] * 3
