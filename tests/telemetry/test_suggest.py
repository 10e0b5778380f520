"""Suggested bindings: what names mean, evidence, one decision for a building, reasons, what was turned down."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import numpy as np
import pytest

from identity.actor import CLI
from telemetry.point_words import meaning_of, tokens, words
from telemetry.points import NewPoint, create_point, update_point
from telemetry.suggest import Choice, Loose, Thing, correlation, suggest
from telemetry.suggestions import Suggestion, confirm_bindings, dismiss, list_suggestions
from tests.benchmarks import points as benchmark
from tests.telemetry.test_points import building_of, element
from twin.brick import brick_classes
from twin.db import Conn, row
from twin.errors import Language

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "measures", "media", "roles", "identity"),
    [
        ("VAV-7_ZN-T", "temperature", "zone", "", "equipment:vav 7 equipment:vav#7"),
        ("AHU-B1-02.SAT", "temperature", "supply_air", "", "equipment:ahu b 1 2 1.2"),
        ("CHWS Temp SP", "temperature", "chilled_water", "setpoint", ""),
        ("一号空调机组送风温度设定", "temperature", "supply_air", "setpoint", "1 equipment:ahu"),
        ("冷冻水回水温度", "temperature", "chilled_water", "", "回水"),
        ("KIhumid", "humidity", "", "", "ki"),
        ("Room3_left_Brightness", "light", "zone", "", "3 media:zone#3 left"),
        ("vavrm060", "", "", "", "equipment:vav 60 equipment:vav#60"),
        ("eq_96a43ad1-16f0-4095-bc12-b97ac1861e76", "", "", "", "eq"),
    ],
)
def test_the_trades_abbreviations_are_read(text: str, measures: str, media: str, roles: str, identity: str) -> None:
    meant = meaning_of(text)
    found = [" ".join(sorted(each)) for each in (meant.measures, meant.media, meant.roles)]
    assert ([*found], " ".join(meant.identity)) == ([measures, media, roles], identity)


def test_the_vocabulary_speaks_of_classes_that_there_are_and_fits_what_it_knows() -> None:
    table = words()
    known = {name.partition(":")[2] for name, kind in table.kinds.items() if kind == "equipment"}
    assert {kind for fits in table.fits.values() for kind in fits} <= known
    assert set(table.brick) <= set(brick_classes())
    assert tokens("") == [] and meaning_of(None, "", "…").identity == ()


def loose(key: str, element: Thing | None = None, series: object = None, measure: str | None = None) -> Loose:
    meant = meaning_of(key)
    measured = measure or next(iter(sorted(meant.measures)), None)
    return Loose(uuid4(), key, meant, measured, series, element.id if element else None)  # type: ignore[arg-type]


def thing(name: str, *equipment: str, place: str = "") -> Thing:
    own = frozenset(meaning_of(name).identity) | {f"equipment:{kind}" for kind in equipment if kind != "space"}
    return Thing(uuid4(), name, frozenset(equipment), own, frozenset(meaning_of(place).identity), place)


def first(found: dict[UUID, list[Choice]], point: Loose) -> str:
    return next(choice.thing.name for choice in found[point.id] if choice.assigned)


def test_all_points_of_a_building_are_decided_together() -> None:
    """Each for itself both would take the office: its name is the likelier one of the misspelt second key too."""
    rooms = [thing("Office north", "space"), thing("Office nord", "space")]
    points = [loose("Office north ZN-T"), loose("Office norrd ZN-T")]
    found = suggest(points, [], rooms, frozenset())
    assert {first(found, each) for each in points} == {"Office north", "Office nord"}


def test_a_second_temperature_of_a_room_is_suggested_with_less_confidence() -> None:
    room, other = thing("Room 12", "space"), thing("Room 13", "space")
    [choice, *_] = suggest([loose("Room 12 temp")], [], [room, other], frozenset()).popitem()[1]
    bound = [loose("Room 12 temperature old", room)]
    [again, *_] = suggest([loose("Room 12 temp")], bound, [room, other], frozenset()).popitem()[1]
    assert choice.score > again.score > 0 and "suggest.again" in {each.code for each in again.reasons}


def test_values_that_move_together_tell_what_names_do_not() -> None:
    generator = np.random.default_rng(1)
    hours = np.arange(14 * 24)
    rooms = [thing(f"{name}", "space") for name in ("Alpha", "Beta", "Gamma", "Delta")]
    own = [generator.normal(size=len(hours)).cumsum() + 3 * np.sin(hours / 24 * 6.28) for _ in rooms]
    bound = [
        loose(f"{n}x", room, series, "temperature") for n, (room, series) in enumerate(zip(rooms, own, strict=True))
    ]
    stranger = loose("tag 4711 temp", None, own[2] + generator.normal(0, 0.1, len(hours)))
    [choice, *rest] = suggest([stranger], bound, rooms, frozenset())[stranger.id]
    assert choice.thing.name == "Gamma" and choice.reasons[0].code == "suggest.behaviour"
    assert all(each.score < choice.score for each in rest)
    assert correlation(own[0], np.full(len(hours), 20.0)) == 0.0 and correlation(own[0], own[0] * np.nan) == 0.0


def test_keys_that_are_bound_teach_how_the_others_are_called() -> None:
    rooms = [thing(name, "space") for name in ("Küche", "Bad", "Diele")]
    bound = [loose(f"{short}1.hum", room) for short, room in zip(("qk", "qb", "qd"), rooms, strict=True)]
    point = loose("qb1.co2")
    [choice, *_] = suggest([point], bound, rooms, frozenset())[point.id]
    assert choice.thing.name == "Bad" and choice.reasons[0].code == "suggest.pattern"


async def listed(conn: Conn, building: UUID, lang: Language = "en") -> list[Suggestion]:
    return await list_suggestions(conn, building, now=NOW, lang=lang)


@pytest.mark.clause("6.3d")
async def test_suggestions_come_with_reasons_and_do_not_return_when_turned_down(conn: Conn) -> None:
    building = await building_of(conn)
    for ifc_class in ("IfcSpace", "IfcUnitaryEquipment"):
        await conn.execute("INSERT INTO ifc_class VALUES (%s, %s) ON CONFLICT DO NOTHING", (ifc_class, ifc_class))
    rooms = [await element(conn, building, "IfcSpace", name) for name in ("1.01", "1.02")]
    ahu = await element(conn, building, "IfcUnitaryEquipment", "AHU-3")
    facts = {"kind": "number", "unit": "DEG_C"}
    for key, name in (("b.1.01.t", "Zone temp"), ("b.1.02.t", "Zone temp"), ("x9", "空调机组3送风温度")):
        await create_point(conn, CLI, building, NewPoint(key=key, name=name, **facts))  # type: ignore[arg-type]
    found = {each.point.key: each.candidates for each in await listed(conn, building)}
    assert {key: found[key][0].element.id for key in found} == {"b.1.01.t": rooms[0], "b.1.02.t": rooms[1], "x9": ahu}
    assert all(0 < each.score <= 1 and each.reasons for candidates in found.values() for each in candidates)
    assert found["x9"][0].assigned and "ahu" in found["x9"][0].reasons[0].text
    chinese = {each.point.key: each.candidates for each in await listed(conn, building, "zh")}
    assert "名称" in chinese["x9"][0].reasons[0].text
    await dismiss(conn, CLI, "x9", ahu, now=NOW)
    assert ahu not in {
        c.element.id for each in await listed(conn, building) if each.point.key == "x9" for c in each.candidates
    }
    made = await confirm_bindings(
        conn, CLI, [("b.1.01.t", rooms[0]), ("b.1.02.t", rooms[1]), ("nobody", ahu)], now=NOW, lang="en"
    )
    assert (made.bound, [each.code for each in made.problems]) == (2, ["point.unknown"])
    again = await confirm_bindings(conn, CLI, [("b.1.01.t", rooms[0]), ("b.1.02.t", rooms[0])], now=NOW, lang="en")
    assert (again.bound, [each.code for each in again.problems]) == (0, ["suggest.bound"])
    assert not {each.point.key for each in await listed(conn, building)} & {"b.1.01.t", "b.1.02.t"}
    entry = await row(conn, "SELECT count(*) AS n FROM audit WHERE action IN ('point.update', 'point.dismiss')")
    assert entry == {"n": 3}
    await update_point(conn, CLI, "x9", {}, now=NOW, retired=True)
    assert await listed(conn, building) == []


async def test_values_of_the_last_weeks_are_compared_from_the_rollups(conn: Conn) -> None:
    building = await building_of(conn)
    rooms = [await element(conn, building, "IfcSpace", name) for name in ("Alpha", "Beta", "Gamma")]
    await conn.execute("INSERT INTO ifc_class VALUES ('IfcSpace', 'IfcSpace') ON CONFLICT DO NOTHING")
    generator = np.random.default_rng(3)
    walks = [generator.normal(size=200).cumsum() for _ in rooms]
    for n, values in enumerate([*walks, walks[1] + 0.01]):
        bound = rooms[n] if n < 3 else None
        new = NewPoint(key=f"k{n}", name="?" if bound is None else "T", kind="number", unit="DEG_C", element_id=bound)
        point = await create_point(conn, CLI, building, new)
        await conn.execute("INSERT INTO latest (point_id, ts, num) VALUES (%s, %s, 1)", (point.handle, NOW))
        async with conn.cursor() as cursor:
            await cursor.executemany(
                """INSERT INTO rollup_1h (point_id, ts, n, good, sum, min, max, first, last, first_ts, last_ts, held,
                   slanted) VALUES (%s, %s, 2, 2, %s, 0, 0, 0, 0, %s, %s, 0, 0)""",
                [
                    (point.handle, ts := NOW - timedelta(hours=200 - hour), 2 * float(value), ts, ts)
                    for hour, value in enumerate(values)
                ],
            )
    [suggestion] = await listed(conn, building)
    assert suggestion.point.key == "k3" and suggestion.candidates[0].element.id == rooms[1]
    assert "k1" in suggestion.candidates[0].reasons[0].text


@pytest.mark.parametrize(("bms", "least"), [(False, 0.8), (True, 0.8)])
def test_a_real_flats_sensors_find_their_rooms(bms: bool, least: float) -> None:
    if not benchmark.SHARED.exists():
        pytest.skip("the shared data is not here")
    case = benchmark.smart_home(bms=bms)
    for half in (False, True):
        precision, recall = benchmark.measured(case, half=half)
        assert precision == 1.0 and recall >= least, (half, precision, recall)
