"""Point lists in and out: every format comes back unchanged, bad rows are named, a model's sensors become points."""

import io
import json
import random
import zipfile
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from openpyxl import Workbook, load_workbook
from psycopg.types.json import Jsonb

from identity.actor import CLI
from ifc_models import sheets
from ifc_models.sheets import read_sheet
from ifc_models.turtle import read_turtle
from telemetry import point_turtle
from telemetry.dimensions import scale
from telemetry.model_points import device_points, points_of_devices
from telemetry.point_export import Format, export_points
from telemetry.point_import import Draft, ImportReport, import_points
from telemetry.point_table import drafts_of
from telemetry.point_values import field_names, field_of, guarded, read_values, unguarded, unit_code
from telemetry.points import NewPoint, PointFilter, create_point, get_point, list_points, update_point
from telemetry.units import get_unit
from tests.telemetry.test_points import NOW, building_of, element
from twin.brick import brick_classes
from twin.db import Conn, row
from twin.errors import Invalid, NotFound, TooLarge


def drafts(tmp_path: Path, data: bytes, most: int = 1000) -> list[Draft]:
    path = tmp_path / "list.dat"
    path.write_bytes(data)
    sheet = read_sheet(path, most)
    return drafts_of(sheet.header, sheet.rows, "en")[0]


async def take(conn: Conn, building: UUID, found: Sequence[Draft], *, dry_run: bool = False) -> ImportReport:
    return await import_points(conn, CLI, building, found, dry_run=dry_run, source="test")


def counts(report: ImportReport) -> tuple[int, int, int, int, int]:
    return report.created, report.updated, report.unchanged, report.bound, report.problem_count


def problems(report: ImportReport) -> list[tuple[int, str | None, str]]:
    return [(each.row, each.field, each.code) for each in report.problems]


CHINESE = """测点编号;测点名称;类型;单位;构件;取值;周期;标签;备注列
AHU-1.SAT;一号空调机组送风温度;模拟量;℃;AHU-1;;1 分钟;重要，空调;x
AHU-1.运行;一号空调机组运行;DI;;AHU-1;0=停; 300;;
B1.kWh;地下室电表;AI;kWh;;;15 min;;
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
async def test_a_list_of_a_chinese_contractor_is_understood_in_its_encoding(
    conn: Conn, tmp_path: Path, encoding: str
) -> None:
    building = await building_of(conn)
    ahu = await element(conn, building, "IfcUnitaryEquipment", "AHU-1")
    text = CHINESE.replace("0=停;", '"0=停;1=转";')
    report = await take(conn, building, drafts(tmp_path, text.encode(encoding)))
    assert problems(report) == [] and counts(report) == (3, 0, 0, 2, 0)
    sat, run, meter = [await get_point(conn, key) for key in ("AHU-1.SAT", "AHU-1.运行", "B1.kWh")]
    assert (sat.name, sat.kind, sat.unit, sat.expected_interval) == ("一号空调机组送风温度", "number", "DEG_C", 60.0)
    assert sat.tags == ["重要", "空调"] and sat.element is not None and sat.element.id == ahu
    assert (run.kind, run.labels, meter.unit, meter.quantity) == ("bool", {"0": "停", "1": "转"}, "KiloW-HR", "Energy")


async def test_a_dry_run_says_the_same_and_writes_nothing_and_the_same_list_again_changes_nothing(
    conn: Conn, tmp_path: Path
) -> None:
    building = await building_of(conn)
    await element(conn, building, "IfcPump", "P-1")
    found = drafts(tmp_path, b"key,name,unit,element\np1.flow,Flow,m3/h,P-1\np2.flow,Flow 2,l/s,\n")
    assert counts(await take(conn, building, found, dry_run=True)) == (2, 0, 0, 1, 0)
    assert (await list_points(conn)).items == []
    assert counts(await take(conn, building, found)) == (2, 0, 0, 1, 0)
    assert counts(await take(conn, building, found)) == (0, 0, 2, 0, 0)
    changed = drafts(tmp_path, b"key,element,deadband,name\np1.flow,-,0.5,\np2.flow,P-1,,Better\n")
    assert counts(await take(conn, building, changed)) == (0, 2, 0, 1, 0)
    one, two = await get_point(conn, "p1.flow"), await get_point(conn, "p2.flow")
    assert (one.element, one.deadband, one.name, two.name) == (None, 0.5, "Flow", "Better"), (
        "an empty cell says nothing"
    )
    events = await row(conn, "SELECT count(*) AS n FROM event WHERE data->>'change' = 'imported'")
    audits = await row(conn, "SELECT after FROM audit WHERE action = 'point.import' ORDER BY id DESC LIMIT 1")
    assert events == {"n": 2} and audits and audits["after"]["changed"]["p2.flow"]["name"] == "Better"


async def test_every_row_that_cannot_be_used_is_named_and_the_others_are_written(conn: Conn, tmp_path: Path) -> None:
    building, other = await building_of(conn), await building_of(conn, "Annex")
    for name in ("Twin", "Twin"):
        await element(conn, building, "IfcPump", name)
    await create_point(conn, CLI, other, NewPoint(key="theirs", name="Theirs", kind="number"))
    used = await create_point(conn, CLI, building, NewPoint(key="used", name="Used", kind="number", unit="KiloW"))
    gone = await create_point(conn, CLI, building, NewPoint(key="gone", name="Gone", kind="number"))
    await update_point(conn, CLI, gone.id, {}, now=NOW, retired=True)
    await conn.execute("INSERT INTO latest (point_id, ts, num) VALUES (%s, now(), 1)", (used.handle,))
    table = """key,name,kind,unit,element,min,interval,writable
good,Good,number,kW,,,,
good,Again,,,,,,
,No key,,,,,,
a,A,number,furlongs,,,,
b,B,,,Nobody,,,
c,C,,,Twin,,,
d,D,,,,low,soon,maybe
theirs,X,,,,,,
used,X,text,,,,,
used2,X,bool,kW,,,,
gone,X,,,,,,
"e,E
"""
    rows = table.rsplit("\n", 2)[0].replace("used2", "u2") + "\nused3,X,,,,,,,overflow\n"
    report = await take(conn, building, drafts(tmp_path, rows.encode()))
    assert problems(report) == [
        (3, "key", "point.import_twice"), (4, "key", "point.key"), (5, "unit", "unit.unknown"),
        (6, "element", "point.import_element"), (7, "element", "point.import_ambiguous"),
        (8, "min_value", "point.cell_number"), (8, "expected_interval", "point.cell_interval"),
        (8, "writable", "point.cell_bool"), (9, "key", "point.exists"), (10, "kind", "point.unchangeable"),
        (11, "unit", "point.unit_kind"), (12, "key", "point.retired"), (13, "", "point.import_cells"),
    ]  # fmt: skip
    assert counts(report)[:3] == (1, 0, 0) and all(each.message != each.code for each in report.problems)
    refused = await take(conn, building, drafts(tmp_path, b"key,unit\nused,W\n"))
    assert problems(refused) == [(2, "unit", "point.unit_history")]


async def test_a_point_list_leaves_in_every_format_and_comes_back_unchanged(conn: Conn, tmp_path: Path) -> None:
    building = await building_of(conn)
    pump = await element(conn, building, "IfcPump", "P-1")
    found = await conn.execute(
        "INSERT INTO history_policy (name, building_id) VALUES ('=long; \"term\"', %s) RETURNING id", (building,)
    )
    policy = (await found.fetchone() or {})["id"]
    hard = [
        NewPoint(key="=cmd|' /C calc'!A0", name="-1+1 \"quoted\"; 中文, \\ 'x'", kind="text", tags=("@a", "ü b")),
        NewPoint(key="'quoted", name="+49 30", kind="enum", labels={"0": "=aus", "-1": "a;b=c", "2": " padded "}),
        NewPoint(key="plain", name="Line\\nno", kind="bool", labels={"0": "zu", "1": "auf"}, writable=True),
        NewPoint(key="t", name="T", kind="number", unit="DEG_C", reading_unit="DEG_F", quantity="Temperature",
                 brick_class="Supply_Air_Temperature_Sensor", element_id=pump, min_value=-0.1, max_value=1e22,
                 deadband=0.30000000000000004, expected_interval=0.5, stale_after=7.25, sampling="interpolate",
                 time_zone="Asia/Shanghai", policy_id=policy, properties={"a": [1, {"b": '"\n'}]}),
        NewPoint(key="u.none", name="U", kind="number", tags=("-",)),
    ]  # fmt: skip
    for each in hard:
        await create_point(conn, CLI, building, each)
    before = (await list_points(conn)).items
    forms: tuple[Format, ...] = ("csv", "xlsx", "ttl")
    for form in forms:
        data = await export_points(conn, building, form)
        lists = turtle(tmp_path, data) if form == "ttl" else drafts(tmp_path, data)
        assert counts(await take(conn, building, lists)) == (0, 0, 5, 0, 0), form
        await conn.execute("SAVEPOINT empty")
        await conn.execute("DELETE FROM point")
        report = await take(conn, building, lists)
        assert counts(report) == (5, 0, 0, 1, 0), (form, report.problems)
        after = (await list_points(conn)).items
        assert [known(each) for each in after] == [known(each) for each in before], form
        await conn.execute("ROLLBACK TO SAVEPOINT empty")
    sheet = load_workbook(io.BytesIO(await export_points(conn, building, "xlsx"))).active
    assert sheet is not None and not any(cell.data_type == "f" for line in sheet.iter_rows() for cell in line)


def known(point: object) -> dict[str, object]:
    gone = ("id", "handle", "created_at", "stale")
    return {name: getattr(point, name) for name in point.__dataclass_fields__ if name not in gone}  # type: ignore[attr-defined]


def turtle(tmp_path: Path, data: bytes) -> list[Draft]:
    path = tmp_path / "list.ttl"
    path.write_bytes(data)
    return point_turtle.drafts_of_triples(read_turtle(path, point_turtle.WANTED, 10_000, 20_000).kept)


BRICK = """
@prefix brick: <https://brickschema.org/schema/Brick#> .
@prefix ref: <https://brickschema.org/schema/Brick/ref#> .
@prefix unit: <http://qudt.org/vocab/unit/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix : <urn:site#> .
:ahu a brick:AHU ; ref:hasExternalReference [ ref:ifcGlobalID "%s" ] ; brick:hasPoint :sat , :status .
:vav a brick:VAV ; rdfs:label "VAV-7" .
:sat a brick:Supply_Air_Temperature_Sensor, brick:Temperature_Sensor ; brick:hasUnit unit:DEG_F ; rdfs:label "SAT" ;
     ref:hasExternalReference [ a ref:TimeseriesReference ; ref:hasTimeseriesId "bms/ahu/sat" ] .
:status a brick:On_Off_Status .
:zt a brick:Zone_Air_Temperature_Sensor ; brick:isPointOf :vav ; brick:hasUnit unit:DEG_C .
:lost a brick:Temperature_Sensor ; brick:isPointOf :nowhere .
"""


async def test_a_brick_graph_makes_points_with_units_classes_and_elements(conn: Conn, tmp_path: Path) -> None:
    building = await building_of(conn)
    ahu, vav = [await element(conn, building, "IfcUnitaryEquipment", name) for name in ("Air handler", "VAV-7")]
    found = await row(conn, "SELECT global_id FROM element WHERE id = %s", (ahu,))
    assert found is not None
    report = await take(conn, building, turtle(tmp_path, (BRICK % found["global_id"]).encode()))
    assert counts(report) == (3, 0, 0, 3, 1) and problems(report)[0][1:] == ("element", "point.import_element")
    sat, run, zone = [await get_point(conn, key) for key in ("bms/ahu/sat", "status", "zt")]
    assert (sat.unit, sat.quantity, sat.brick_class, sat.name) == (
        "DEG_F", "Temperature", "Supply_Air_Temperature_Sensor", "SAT",
    )  # fmt: skip
    bound = [each.element and each.element.id for each in (sat, run, zone)]
    assert bound == [ahu, ahu, vav] and run.kind == "bool"


async def test_the_brick_graphs_of_real_sites_are_read_whole(conn: Conn, tmp_path: Path) -> None:
    folder = Path(__file__).parents[3] / "shared" / "telemetry" / "open_fdd_bms" / "brick"
    if not folder.exists():
        pytest.skip("the shared data is not here")
    found = {path.name[:6]: turtle(tmp_path, path.read_bytes()) for path in folder.glob("*.ttl")}
    assert sum(map(len, found.values())) > 300 and all(found.values())
    report = await take(conn, await building_of(conn), found["5374aa"])
    assert counts(report) == (43, 0, 0, 0, 0), report.problems
    point, speed = await get_point(conn, "SaTempSP"), await get_point(conn, "Sa_FanSpeed")
    assert (point.unit, point.brick_class, speed.unit) == ("DEG_F", "Temperature_Sensor", "PERCENT")
    assert scale("IN_H2O", "PA")[0] == pytest.approx(249.09, abs=0.01) and scale("TON_FG", "KiloW")[0] > 3.5


def workbook(*lines: Sequence[object]) -> bytes:
    book, made = Workbook(), io.BytesIO()
    assert book.active is not None
    for line in lines:
        book.active.append(list(line))
    book.save(made)
    return made.getvalue()


async def test_a_formula_is_named_and_never_evaluated(conn: Conn, tmp_path: Path) -> None:
    building = await building_of(conn)
    book = workbook(("key", "name", "max"), ("a", '=HYPERLINK("http://x","y")', 3), ("b", "B", 4.5))
    report = await take(conn, building, drafts(tmp_path, book))
    assert problems(report) == [(2, "name", "point.import_formula")] and counts(report)[0] == 1
    assert (await get_point(conn, "b")).max_value == 4.5


def test_tables_have_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many = b"key\n" + b"a\n" * 11
    with pytest.raises(TooLarge, match="more than 10 rows"):
        drafts(tmp_path, many, most=10)
    far = workbook(("key",), *[()] * 500, ("far",))
    assert [each.row for each in drafts(tmp_path, far, most=10)] == [502]
    with pytest.raises(TooLarge, match="columns"):
        drafts(tmp_path, ",".join(f"c{n}" for n in range(300)).encode())
    monkeypatch.setattr(sheets, "UNPACKED", 1 << 20)
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "")
        archive.writestr("xl/worksheets/sheet1.xml", b" " * (2 << 20))
    with pytest.raises(TooLarge, match="unpacks"):
        drafts(tmp_path, bomb.getvalue())


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "sheet.empty"), (b"\n\n", "sheet.empty"), (b"PK\x03\x04 no zip", "sheet.xlsx"),
        (b"\xff\xfe\x00\xd8", "sheet.encoding"), (b"\x81\xff\xff", "sheet.encoding"),
        (b"\xd0\xcf\x11\xe0 old", "sheet.old_excel"), (b'key\n"open', "sheet.csv"),
        (b"name,unit\na,b\n", "point.import_no_key"),
        (b"key,name,\xe5\x90\x8d\xe7\xa7\xb0\na,b,c\n", "point.import_column_twice"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_list_is_refused_with_the_reason(tmp_path: Path, data: bytes, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        drafts(tmp_path, data)
    assert refused.value.code == code and refused.value.text("zh") != code


def test_what_is_written_reads_as_what_it_was() -> None:
    letters, seeded = "=+-@'\t\\;a\" ", random.Random(7)
    texts = ["".join(seeded.choices(letters, k=seeded.randrange(1, 6))) for _ in range(500)]
    assert all(unguarded(guarded(text)) == text for text in texts)
    assert unit_code("kW") == "KiloW" and unit_code("unit:M3-PER-HR") == "M3-PER-HR" and unit_code("MW") == "MegaW"
    assert [unit_code(text) for text in ("m3/h", "％", "Pa", "mA", "kWh", "blah")] == [
        "M3-PER-HR", "PERCENT", "PA", "MilliA", "KiloW-HR", "blah",
    ]  # fmt: skip
    assert [field_of(each) for each in ("Point Name", "MIN", "单位（QUDT）", "who knows")] == [
        "name", "min_value", "unit", None,
    ]  # fmt: skip
    assert all(field_of(name) == name for name in field_names())
    read, wrong = read_values({"interval": "x", "labels": "0=关；1=开", "stale_after": "2 h", "writable": "是"})
    assert read["labels"] == {"0": "关", "1": "开"} and (read["stale_after"], read["writable"]) == (7200.0, True)
    assert not wrong


def test_the_table_of_devices_speaks_of_units_and_classes_that_there_are() -> None:
    points = [point for found in device_points().values() for point in found]
    assert {point["brick"] for point in points} | {p["in_room"] for p in points if "in_room" in p} <= {
        name for name, kind in brick_classes().items() if kind == "point"
    }
    assert all(get_unit(point["unit"]) for point in points if "unit" in point)


@pytest.mark.clause("6.3c")
async def test_a_models_sensors_become_points_once(conn: Conn) -> None:
    building = await building_of(conn)
    room = await element(conn, building, "IfcSpace", "101")
    span = {"value": {"lower": 32, "upper": 122}, "kind": "bounded", "unit": "°F"}
    sensor = await element(conn, building, "IfcSensor", "TE-1", Pset_SensorTypeTemperatureSensor={"TempRange": span})
    valve = await element(conn, building, "IfcActuator", "MV-7")
    old = await element(conn, building, "IfcDistributionControlElement", "Feuchtefühler Humidity 3")
    described = {"value": json.dumps({"key": "x", "kind": "bool"})}
    await element(conn, building, "IfcSensor", "own", Twin_Points={"P": described})
    await element(conn, building, "IfcSensor", "nothing known")
    for name, ancestor in (("IfcSensor", "IfcDistributionControlElement"), ("IfcActuator", "IfcActuator"),
                           ("IfcDistributionControlElement", "IfcDistributionControlElement")):  # fmt: skip
        await conn.execute("INSERT INTO ifc_class VALUES (%s, %s) ON CONFLICT DO NOTHING", (name, ancestor))
    await conn.execute(
        "UPDATE element SET predefined_type = 'TEMPERATURESENSOR', space_id = %s, tag = 'TE 1' WHERE id = %s",
        (room, sensor),
    )
    made = await conn.execute(
        """INSERT INTO element_type (model_id, global_id, ifc_class, attributes)
           SELECT model_id, 'type', 'IfcSensorType', %s FROM element WHERE id = %s RETURNING id""",
        (Jsonb({"PredefinedType": {"value": "HUMIDITYSENSOR"}}), old),
    )
    await conn.execute("UPDATE element SET type_id = %s WHERE id = %s", ((await made.fetchone() or {})["id"], old))
    assert counts(await take(conn, building, await points_of_devices(conn, building))) == (4, 0, 0, 4, 0)
    found = {each.key: each for each in (await list_points(conn)).items}
    te = found["tower.te-1.temperature"]
    assert (te.brick_class, te.unit) == ("Zone_Air_Temperature_Sensor", "DEG_C")
    assert [te.min_value, te.max_value] == pytest.approx([0, 50])
    assert te.name == "TE-1 · 101 · 温度 temperature" and te.element is not None and te.element.id == sensor
    command = found["tower.mv-7.position-command"]
    assert command.writable and command.element and command.element.id == valve and command.max_value == 100
    humid = next(each for each in found.values() if each.element and each.element.id == old)
    assert humid.brick_class == "Relative_Humidity_Sensor" and humid.properties["ifc"] == "IfcSensor.HUMIDITYSENSOR"
    await update_point(conn, CLI, te.id, {"name": "Ours", "element_id": None}, now=NOW)
    assert counts(await take(conn, building, await points_of_devices(conn, building))) == (0, 0, 4, 0, 0)
    assert (await get_point(conn, te.key)).name == "Ours", "what people made of a point stays"
    with pytest.raises(NotFound, match="no model"):
        await points_of_devices(conn, building, model=str(uuid4()))
    assert (await list_points(conn, PointFilter(bound=False))).items[0].key == te.key
