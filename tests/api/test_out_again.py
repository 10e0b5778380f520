"""Over HTTP: a model is checked, its issues travel as BCF, and it goes out again enriched, as COBie and as tables."""

import asyncio
import base64
import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import ifcopenshell
import ifcopenshell.util.element
import openpyxl
import pytest

from api import export_commands
from ifc_models.bcf_zip import read_bcf
from tests.conftest import SHARED
from tests.serving import Server, run_twin, wait_for_job
from twin.errors import Invalid
from twin.settings import Settings

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(32)).decode()
IDS = """<ids xmlns="http://standards.buildingsmart.org/IDS" xmlns:xs="http://www.w3.org/2001/XMLSchema"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><info><title>Handover</title></info><specifications>
 <specification name="Doors have a fire rating" ifcVersion="IFC4"><applicability minOccurs="0" maxOccurs="unbounded">
 <entity><name><simpleValue>IFCDOOR</simpleValue></name></entity></applicability><requirements>
 <property dataType="IFCLABEL"><propertySet><simpleValue>Pset_Nobody</simpleValue></propertySet>
 <baseName><simpleValue>FireRating</simpleValue></baseName></property></requirements></specification>
 <specification name="Rooms have names" ifcVersion="IFC4"><applicability minOccurs="0" maxOccurs="unbounded">
 <entity><name><simpleValue>IFCSPACE</simpleValue></name></entity></applicability><requirements>
 <attribute><name><simpleValue>Name</simpleValue></name></attribute></requirements></specification>
 </specifications></ids>"""


@pytest.fixture(scope="module")
def admin(server: Server) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


@pytest.fixture(scope="module")
def model(admin: httpx.Client, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A small sample building, imported; the model with `building`, `version` and the report."""
    out = tmp_path_factory.mktemp("sample") / "=house.ifc"
    done = run_twin("sample", str(out), "--storeys", "2", "--rooms", "8", data=out.parent / "data", database=None)
    assert done.returncode == 0, done.stderr
    admin.post("/buildings", json={"name": "Out again"}).raise_for_status()
    with out.open("rb") as file:
        answer = admin.post(
            "/models", data={"building": "Out again", "model": "m"}, files={"file": ("=house.ifc", file)}
        )
    job = wait_for_job(admin, answer.raise_for_status().json()["id"])
    assert job["state"] == "done", job["error"]
    found: dict[str, Any] = admin.get("/models", params={"building": "Out again"}).json()["items"][0]
    return {**found, "report": job["result"], "file": out.read_bytes()}


def done(admin: httpx.Client, answer: httpx.Response) -> dict[str, Any]:
    """The result of the job that an answer started."""
    assert answer.status_code == 202, answer.text
    job = wait_for_job(admin, answer.json()["id"])
    assert job["state"] == "done", job["error"]
    result: dict[str, Any] = job["result"]
    return result


@pytest.fixture(scope="module")
def ids_check(admin: httpx.Client, model: dict[str, Any]) -> str:
    files = {"ids": ("handover.ids", IDS.encode())}
    return str(done(admin, admin.post(f"/models/{model['id']}/checks", files=files))["check"])


def test_our_own_rules_say_of_a_version_what_its_import_said(admin: httpx.Client, model: dict[str, Any]) -> None:
    result = done(admin, admin.post(f"/models/{model['id']}/checks", data={"version": "1"}))
    detail = admin.get(f"/checks/{result['check']}").json()
    assert detail["findings"] == model["report"]["warnings"]
    assert detail["run"]["state"] == "done"
    assert detail["run"]["status"] == "pass"
    listed = admin.get(f"/models/{model['id']}/checks").json()["items"]
    assert result["check"] in [each["id"] for each in listed]


def test_an_ids_document_is_reported_per_specification_and_element(
    admin: httpx.Client, model: dict[str, Any], ids_check: str
) -> None:
    detail = admin.get(f"/checks/{ids_check}", headers={"accept-language": "zh"}).json()
    doors, rooms = detail["specifications"]
    assert detail["run"]["title"] == "Handover"
    assert (doors["status"], doors["passed"], rooms["status"], rooms["failed"]) == ("fail", 0, "pass", 0)
    assert doors["failed"] == model["report"]["by_class"]["IfcDoor"]
    assert re.search("[一-鿿]", doors["requirements"][0]["text"])
    page = admin.get(f"/checks/{ids_check}/elements", params={"specification": 0, "limit": 2}).json()
    assert len(page["items"]) == 2
    assert page["next"]
    first = page["items"][0]
    element = admin.get(f"/elements/{first['element_id']}").json()
    assert (element["global_id"], element["ifc_class"]) == (first["global_id"], "IfcDoor")
    assert first["failures"][0]["reason"] == "the property set is missing"
    passed = admin.get(f"/checks/{ids_check}/elements", params={"specification": 1, "failed": False}).json()["items"]
    assert len(passed) == min(rooms["passed"], 100)


def test_a_check_leaves_as_bcf_csv_and_html(admin: httpx.Client, ids_check: str, tmp_path: Path) -> None:
    for version in ("2.1", "3.0"):
        path = tmp_path / f"{version}.bcf"
        path.write_bytes(admin.get(f"/checks/{ids_check}.bcf", params={"version": version}).raise_for_status().content)
        archive = read_bcf(path)
        assert (archive.version, [t.markup.topic.title for t in archive.topics]) == (
            version,
            ["Doors have a fire rating"],
        )
    text = admin.get(f"/checks/{ids_check}.csv").raise_for_status().text
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    detail = admin.get(f"/checks/{ids_check}").json()
    assert len(rows) == detail["specifications"][0]["failed"]
    assert {row["Class"] for row in rows} == {"IfcDoor"}
    page = admin.get(f"/checks/{ids_check}.html", params={"language": "zh"})
    assert "attachment" in page.headers["content-disposition"]
    assert "未通过" in page.text
    assert admin.get(f"/checks/{ids_check}.bcf", params={"version": "9"}).json()["code"] == "bcf.version"


def test_a_bad_ids_document_fails_the_job_with_a_place(admin: httpx.Client, model: dict[str, Any]) -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY a "aaaa">]><ids>&a;</ids>'
    answer = admin.post(f"/models/{model['id']}/checks", files={"ids": ("bad.ids", bomb)})
    job = wait_for_job(admin, answer.json()["id"])
    assert (job["state"], job["error"]["code"]) == ("failed", "ids.not_xml")


def test_an_issue_is_made_from_a_view_discussed_changed_and_travels_as_bcf(
    admin: httpx.Client, model: dict[str, Any], tmp_path: Path
) -> None:
    doors = admin.get("/elements", params={"model": model["id"], "ifc_class": "IfcDoor"}).json()["items"]
    view = {"eye": [10, -5, 6], "target": [10, 5, 1], "selection": [doors[0]["global_id"]], "snapshot": PNG}
    body = {
        "building": "Out again",
        "title": "门关不上",
        "viewpoint": view,
        "comment": "since Monday",
        "labels": ["door"],
    }
    topic = admin.post("/topics", json=body).raise_for_status().json()
    assert topic["element_id"] == doors[0]["id"]
    assert topic["storey_id"] == doors[0]["storey_id"]
    point = topic["all_viewpoints"][0]
    assert point["elements"] == {doors[0]["global_id"]: doors[0]["id"]}
    assert point["view"]["camera"]["eye"] == [10, -5, 6]
    picture = admin.get(f"/topics/{topic['id']}/viewpoints/{point['id']}/snapshot")
    assert picture.headers["content-type"] == "image/png"
    changed = admin.patch(f"/topics/{topic['id']}", json={"topic_status": "Closed", "labels": None}).raise_for_status()
    assert (changed.json()["topic_status"], changed.json()["labels"]) == ("Closed", [])
    said = admin.post(f"/topics/{topic['id']}/comments", json={"text": "fixed", "viewpoint": point["guid"]})
    assert [each["text"] for each in said.json()["all_comments"]] == ["since Monday", "fixed"]
    wrong = admin.post(f"/topics/{topic['id']}/comments", json={"text": "?", "viewpoint": topic["id"]})
    assert wrong.json()["code"] == "topic.no_viewpoint"
    bad = admin.post(f"/topics/{topic['id']}/viewpoints", json={**view, "snapshot": "bm8="})
    assert (bad.status_code, bad.json()["code"]) == (422, "topic.snapshot")

    path = tmp_path / "all.bcf"
    path.write_bytes(admin.get("/bcf", params={"building": "Out again", "version": "2.1"}).raise_for_status().content)
    out = next(each for each in read_bcf(path).topics if each.markup.topic.guid == topic["guid"])
    assert out.markup.topic.topic_status == "Closed"
    assert len(out.markup.comments) == 2
    admin.post("/buildings", json={"name": "Elsewhere"}).raise_for_status()
    with path.open("rb") as file:
        report = admin.post(
            "/bcf", data={"building": "Elsewhere"}, files={"file": ("all.bcf", file)}
        ).raise_for_status()
    there = admin.get("/topics", params={"building": "Elsewhere", "q": "门"}).json()["items"]
    assert [each["id"] for each in there] == [report.json()["created"][-1]] or len(there) == 1
    assert there[0]["snapshot"]


def test_public_bcf_files_come_in_over_http_and_hostile_ones_do_not(admin: httpx.Client) -> None:
    path = SHARED / "bcf" / "bs_testcases" / "v2.1" / "Markup" / "MaximumInformation" / "MaximumInformation.bcf"
    admin.post("/buildings", json={"name": "Guests"}).raise_for_status()
    with path.open("rb") as file:
        report = (
            admin.post("/bcf", data={"building": "Guests"}, files={"file": (path.name, file)}).raise_for_status().json()
        )
    assert (len(report["created"]), report["viewpoints"], report["refused"]) == (2, 3, [])
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("../../evil", b"x")
    answer = admin.post("/bcf", data={"building": "Guests"}, files={"file": ("evil.bcf", buffer.getvalue())})
    assert (answer.status_code, answer.json()["code"]) == (422, "bcf.unsafe_name")


def test_an_enriched_model_is_made_and_fetched(admin: httpx.Client, model: dict[str, Any], tmp_path: Path) -> None:
    door = admin.get("/elements", params={"model": model["id"], "ifc_class": "IfcDoor"}).json()["items"][0]
    own = {"Maintenance.Interval": 12, "Manual": "https://example.org/manual.pdf"}
    admin.patch(f"/elements/{door['id']}", json={"own_properties": own}).raise_for_status()
    asset = {"building": "Out again", "code": "D-1", "name": "Door 1", "element": door["id"], "serial": "007"}
    admin.post("/assets", json=asset).raise_for_status()
    base = f"/models/{model['id']}/versions/1"
    assert admin.get(f"{base}/enriched.ifc").json()["code"] == "export.none"
    made = done(admin, admin.post(f"{base}/exports", json={"kind": "ifc"}))
    path = tmp_path / "enriched.ifc"
    path.write_bytes(admin.get(made["href"]).raise_for_status().content)
    file = ifcopenshell.open(path)
    psets = ifcopenshell.util.element.get_psets(file.by_guid(door["global_id"]))
    assert psets["Twin_Maintenance"]["Interval"] == 12
    assert (psets["Twin_Asset"]["Code"], psets["Twin_Asset"]["Serial"]) == ("D-1", "007")
    assert file.by_type("IfcDocumentReference")[-1].Location == "https://example.org/manual.pdf"
    assert any(name.startswith("Twin_Point_") for e in file.by_type("IfcElement") for name in names_of(e)) == (
        admin.get("/points", params={"building": "Out again"}).json()["items"] != []
    )
    begin = len(model["file"]) - 60
    assert path.read_bytes()[: begin - 60] == model["file"][: begin - 60]

    unknown = admin.post(f"{base}/exports", json={"kind": "pdf"})
    assert unknown.json()["code"] == "export.format"


def names_of(element: ifcopenshell.entity_instance) -> list[str]:
    return list(ifcopenshell.util.element.get_psets(element))


def test_element_lists_leave_as_csv_and_xlsx_with_any_property(admin: httpx.Client, model: dict[str, Any]) -> None:
    filters = {"building": "Out again", "ifc_class": "IfcDoor"}
    doors = admin.get("/elements", params={**filters, "limit": 1000}).json()["items"]
    admin.patch(
        f"/elements/{doors[-1]['id']}", json={"own_properties": {"Note": "=cmd|' /C calc'!A0"}}
    ).raise_for_status()
    wanted = "global_id,storey,Pset_DoorCommon.IsExternal,own.Note,z"
    text = admin.get("/elements/export", params={**filters, "columns": wanted}).raise_for_status().content.decode()
    assert text.startswith("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [row["global_id"] for row in rows] == [door["global_id"] for door in doors]
    assert {row["storey"] for row in rows} == {door["storey_name"] for door in doors}
    assert rows[-1]["own.Note"].startswith("'=cmd")
    assert rows[0]["Pset_DoorCommon.IsExternal"] in ("true", "false")
    bare = admin.get("/elements/export", params={**filters, "bom": False}).raise_for_status().text
    assert not bare.startswith("\ufeff")
    content = admin.get("/elements/export", params={**filters, "columns": wanted, "format": "xlsx"}).content
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    assert sheet.max_row == len(doors) + 1
    assert sheet.cell(len(doors) + 1, 4).data_type == "s"
    assert isinstance(sheet.cell(2, 5).value, (int, float))
    wrong = admin.get("/elements/export", params={"columns": "nonsense"})
    assert wrong.json()["code"] == "export.column"


def test_the_command_line_checks_against_ids(server: Server, model: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "h.ids").write_text(IDS)
    (tmp_path / "m.ifc").write_bytes(model["file"])
    checked = server.twin("check", str(tmp_path / "m.ifc"), "--ids", str(tmp_path / "h.ids"), "--json", "--strict")
    report = json.loads(checked.stdout)
    assert (checked.returncode, report["errors"]) == (1, 0)  # nothing wrong with the file, but the doors
    assert report["findings"] == model["report"]["warnings"]
    assert [each["status"] for each in report["ids"]["specifications"]] == ["fail", "pass"]
    assert len(report["ids"]["specifications"][0]["failing"]) == model["report"]["by_class"]["IfcDoor"]


async def test_the_export_commands_write_issues_lists_and_models(
    server: Server, admin: httpx.Client, model: dict[str, Any], tmp_path: Path
) -> None:
    settings = Settings(data=server.data, database=server.database)
    filters = {"ifc_class": "IfcDoor"}
    for name in ("doors.csv", "doors.xlsx"):
        written = await export_commands.export_elements(settings, "Out again", None, filters, tmp_path / name)
        assert written["rows"] == model["report"]["by_class"]["IfcDoor"]
    with (tmp_path / "doors.csv").open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.DictReader(file))) == written["rows"]
    await export_commands.export_issues(settings, "Out again", "2.1", tmp_path / "issues.bcf")
    assert read_bcf(tmp_path / "issues.bcf").version == "2.1"
    made = await export_commands.export_model(settings, "Out again", "m", None, "cobie.xlsx", tmp_path / "m.xlsx")
    book = openpyxl.load_workbook(tmp_path / "m.xlsx", read_only=True)
    assert len(list(book["Space"].iter_rows(min_row=2))) == made["rows"]["Space"] == model["report"]["spaces"]
    fetched = await asyncio.to_thread(admin.get, f"/models/{model['id']}/cobie.xlsx")
    assert fetched.raise_for_status().content == (tmp_path / "m.xlsx").read_bytes()
    with pytest.raises(Invalid):
        await export_commands.export_issues(settings, "Out again", "2.1", tmp_path / "no" / "folder.bcf")


def test_a_key_for_one_building_sees_the_issues_and_checks_of_that_building_only(
    server: Server, admin: httpx.Client, model: dict[str, Any], ids_check: str
) -> None:
    admin.post("/buildings", json={"name": "Private"}).raise_for_status()
    there = admin.post("/topics", json={"building": "Private", "title": "secret"}).raise_for_status().json()
    here = admin.post("/topics", json={"building": "Out again", "title": "seen"}).raise_for_status().json()
    body = {"name": "guest", "role": "bim_modeller", "buildings": ["Private"]}
    key = admin.post("/api-keys", json=body).raise_for_status().json()
    with httpx.Client(base_url=server.api, headers={"authorization": f"Bearer {key['secret']}"}, timeout=60) as guest:
        assert [each["id"] for each in guest.get("/topics").json()["items"]] == [there["id"]]
        foreign = ("/topics/" + here["id"], "/checks/" + ids_check, f"/checks/{ids_check}/elements")
        exports = (f"/checks/{ids_check}.bcf", f"/models/{model['id']}/checks", "/bcf?building=Out%20again")
        for path in (*foreign, *exports):
            assert guest.get(path).status_code == 404, path
        assert guest.patch(f"/topics/{here['id']}", json={"title": "changed"}).status_code == 404
        assert guest.post("/topics", json={"building": "Out again", "title": "intruder"}).status_code == 404
        assert guest.post(f"/models/{model['id']}/checks").status_code == 404
        table = guest.get("/elements/export", params={"columns": "global_id"}).raise_for_status().text
        assert table.strip("\ufeff\r\n") == "global_id"


def test_an_error_names_the_file_as_its_user_does(admin: httpx.Client, model: dict[str, Any]) -> None:
    """Stored files are named by what is in them; nobody knows them by that."""
    pdf, ids = ("plan.ifc", b"%PDF-1.4"), ("rules.ids", b"<ids><broken")
    uploaded = admin.post("/models", data={"building": "Out again", "model": "pdf"}, files={"file": pdf})
    checked = admin.post(f"/models/{model['id']}/checks", files={"ids": ids})
    for answer, where in ((uploaded, "plan.ifc, byte 0"), (checked, "rules.ids")):
        job = wait_for_job(admin, answer.raise_for_status().json()["id"])
        assert (job["state"], job["error"]["where"]) == ("failed", where)
    refused = admin.post("/bcf", data={"building": "Out again"}, files={"file": ("issues.bcf", b"PK no archive")})
    assert (refused.status_code, refused.json()["where"]) == (422, "issues.bcf")
