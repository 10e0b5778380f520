"""BCF: every buildingSMART case leaves as it came and is valid in the other version; hostile archives are refused."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from uuid import UUID
from xml.etree import ElementTree

import pytest
import xmlschema

from ifc_models import bcf, topics
from ifc_models.bcf_exchange import export_bcf, store_archive
from ifc_models.bcf_read import read_markup, read_view
from ifc_models.bcf_xml import parse_xml
from ifc_models.bcf_zip import read_bcf
from tests.conftest import SHARED
from twin import places
from twin.blobs import BlobStore
from twin.db import Conn, row
from twin.errors import Invalid, TooLarge, TwinError

FOLDER = SHARED / "bcf"
CASES = sorted(
    p for p in (FOLDER / "bs_testcases").rglob("*.bcf*") if "unzipped" not in p.parts and p.suffix != ".bcfv"
)
CASES = [path for path in CASES if path.name != "markup.bcf"]
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def name_of(path: Path) -> str:
    return str(path.relative_to(FOLDER / "bs_testcases"))


def files_of(data: bytes | Path) -> dict[str, bytes]:
    with zipfile.ZipFile(data if isinstance(data, Path) else io.BytesIO(data)) as archive:
        return {each.filename: archive.read(each) for each in archive.infolist() if not each.is_dir()}


@cache
def schema(name: str) -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(str(FOLDER / "bs_schemas" / name))


@cache
def old_schema() -> xmlschema.XMLSchema:
    """The markup schema of 2.1, which one of the cases carries."""
    path = FOLDER / "bs_testcases" / "v2.1" / "Markup" / "MaximumInformation" / "MaximumInformation.bcf"
    return xmlschema.XMLSchema(files_of(path)["markup.xsd"].decode("utf-8-sig"))


def validate_new(files: dict[str, bytes]) -> None:
    """Every XML file of a 3.0 archive follows buildingSMART's schemas."""
    of = {
        "bcf.version": "version.xsd", "project.bcfp": "project.xsd", "extensions.xml": "extensions.xsd",
        "documents.xml": "documents.xsd", "markup.bcf": "markup.xsd",
    }  # fmt: skip
    for name, data in files.items():
        base = name.rpartition("/")[2]
        known = "visinfo.xsd" if base.endswith(".bcfv") else of.get(base)
        if known is not None:
            schema(known).validate(data.decode("utf-8-sig"))


async def brought_in(conn: Conn, blobs: BlobStore, path: Path) -> UUID:
    building = await places.create_building(conn, f"for {name_of(path) if path.is_relative_to(FOLDER) else path.name}")
    await store_archive(conn, blobs, building.id, read_bcf(path), path.name, "account:li")
    return building.id


@pytest.mark.parametrize("path", [p for p in CASES if "v2.0" not in p.parts], ids=name_of)
async def test_what_came_in_goes_out_again_byte_for_byte(conn: Conn, blobs: BlobStore, path: Path) -> None:
    building = await brought_in(conn, blobs, path)
    version = "2.1" if "v2.1" in path.parts else "3.0"
    assert files_of(await export_bcf(conn, blobs, building, version)) == files_of(path)


@pytest.mark.parametrize("path", CASES, ids=name_of)
async def test_every_case_leaves_as_valid_bcf_of_both_versions_saying_the_same(
    conn: Conn, blobs: BlobStore, path: Path, tmp_path: Path
) -> None:
    building = await brought_in(conn, blobs, path)
    before = read_bcf(path)
    assert before.refused == []
    for version in bcf.VERSIONS:
        if version == before.version:
            continue
        made = tmp_path / f"{version}.bcf"
        made.write_bytes(await export_bcf(conn, blobs, building, version))
        if version == "3.0":
            validate_new(files_of(made))
        else:
            for name, data in files_of(made).items():
                if name.endswith("markup.bcf"):
                    old_schema().validate(data.decode())
        after = read_bcf(made)
        assert after.version == version
        same_topics(before.topics, after.topics)


def same_topics(before: list, after: list) -> None:  # type: ignore[type-arg]
    """The topics say the same, but for what a version demands or lacks."""
    by_guid = {folder.markup.topic.guid: folder for folder in after}
    assert set(by_guid) == {folder.markup.topic.guid for folder in before}
    for old in before:
        new = by_guid[old.markup.topic.guid]
        plain = dict.fromkeys(("topic_type", "topic_status", "server_assigned_id", "creation_author"))
        assert replace(new.markup.topic, **plain) == replace(old.markup.topic, **plain)
        assert [c.guid for c in new.markup.comments] == [c.guid for c in old.markup.comments]
        assert [c.viewpoint for c in new.markup.comments] == [c.viewpoint for c in old.markup.comments]
        views = {v.guid: v for v in new.markup.viewpoints}
        for entry in old.markup.viewpoints:
            if entry.viewpoint not in old.files:
                continue
            was = read_view(parse_xml(old.files[entry.viewpoint], "old"))
            made = read_view(parse_xml(new.files[views[entry.guid].viewpoint], "new"))
            assert made.selection == [c for c in was.selection if c != bcf.Component()]
            assert made.clipping_planes == was.clipping_planes
            assert made.lines == was.lines
            if was.camera is not None and made.camera is not None:
                assert (made.camera.kind, made.camera.eye) == (was.camera.kind, was.camera.eye)


async def test_a_changed_topic_keeps_what_is_not_understood_and_stays_valid(conn: Conn, blobs: BlobStore) -> None:
    path = (
        FOLDER / "bs_testcases" / "v3.0" / "Markup" / "Document reference internal" / "Document reference internal.bcf"
    )
    building = await brought_in(conn, blobs, path)
    topic = (await topics.list_topics(conn, building=building)).items[0]
    await topics.update_topic(conn, topic.id, {"title": "泵房漏水", "labels": ["a", "b"]}, author="li", now=NOW)
    comment = bcf.Comment(guid=topics.new_guid(), text="fixed <it> & 完成", author="li", date=NOW)
    await topics.add_comment(conn, topic.id, comment)
    view = bcf.View(
        camera=bcf.Camera(kind="perspective", eye=[1, 2, 3], direction=[0, 1, 0], up=[0, 0, 1]),
        selection=[bcf.Component(ifc_guid="1GU8BMEqHBQxVAbwRD$4Jj")],
        clipping_planes=[bcf.ClippingPlane(location=[0, 0, 1], direction=[0, 0, 1])],
    )
    await topics.add_viewpoint(conn, topic.id, topics.StoredView(guid=topics.new_guid(), view=view))
    files = files_of(await export_bcf(conn, blobs, building, "3.0"))
    validate_new(files)
    original = files_of(path)
    markup = f"{topic.guid}/markup.bcf"
    assert set(original) < set(files)
    assert {n: d for n, d in files.items() if n in original and n != markup} == {
        n: d for n, d in original.items() if n != markup
    }
    was, now = ElementTree.fromstring(original[markup]), ElementTree.fromstring(files[markup])
    for kept in ("Header", "Topic/DocumentReferences"):
        assert squeezed(now.find(kept)) == squeezed(was.find(kept))
    read = read_markup(now, "now")
    assert (read.topic.title, read.topic.labels, len(read.comments)) == ("泵房漏水", ["a", "b"], 2)
    assert read.comments[1] == comment


def squeezed(element: ElementTree.Element | None) -> list[tuple[str, dict[str, str], str]]:
    assert element is not None
    return [(each.tag, dict(each.attrib), (each.text or "").strip()) for each in element.iter()]


async def test_a_topic_of_our_own_is_valid_in_both_versions(conn: Conn, blobs: BlobStore) -> None:
    building = await places.create_building(conn, "own")
    topic_id = await topics.create_topic(
        conn, building.id, bcf.Topic(guid=topics.new_guid(), title="裂缝", creation_author="li", creation_date=NOW)
    )
    await topics.add_comment(conn, topic_id, bcf.Comment(guid=topics.new_guid(), text="look", author="li", date=NOW))
    everything = bcf.View(
        camera=bcf.Camera(kind="orthogonal", eye=[1, 2, 3], direction=[0, 0, -1], up=[0, 1, 0], view_to_world_scale=5),
        selection=[bcf.Component(ifc_guid="1GU8BMEqHBQxVAbwRD$4Jj"), bcf.Component(authoring_tool_id="17")],
        visibility=bcf.Visibility(default=False, exceptions=[bcf.Component(ifc_guid="1GU8BMEqHBQxVAbwRD$4Jj")]),
        colouring=[bcf.Colouring(colour="FF8800", components=[bcf.Component(ifc_guid="1GU8BMEqHBQxVAbwRD$4Jj")])],
        lines=[bcf.Line(start=[0, 0, 0], end=[1, 1, 1])],
    )
    png = blobs.put_bytes(b"\x89PNG\r\n\x1a\n" + bytes(16), "image/png")
    await conn.execute("INSERT INTO blob VALUES (%s, %s, %s)", (png.hash, png.bytes, png.content_type))
    guid = topics.new_guid()
    await topics.add_viewpoint(conn, topic_id, topics.StoredView(guid=guid, view=everything, snapshot_hash=png.hash))
    new = files_of(await export_bcf(conn, blobs, building.id, "3.0"))
    validate_new(new)
    old = files_of(await export_bcf(conn, blobs, building.id, "2.1"))
    for files in (old, new):
        view = next(data for name, data in files.items() if name.endswith(".bcfv"))
        assert read_view(parse_xml(view, "view")).colouring == everything.colouring
        assert any(name.endswith(f"Snapshot_{guid}.png") for name in files)
    with pytest.raises(Invalid):
        await export_bcf(conn, blobs, building.id, "1.0")


async def test_bringing_in_a_file_twice_updates_its_topics(conn: Conn, blobs: BlobStore) -> None:
    path = CASES[-1]
    building = await brought_in(conn, blobs, path)
    before = len((await topics.list_topics(conn, building=building)).items)
    report = await store_archive(conn, blobs, building, read_bcf(path), path.name, "account:li")
    assert (len(report.created), len(report.updated)) == (0, before)
    assert len((await topics.list_topics(conn, building=building)).items) == before


async def test_a_models_origin_moves_points_and_cameras_in_and_out_again(conn: Conn, blobs: BlobStore) -> None:
    path = FOLDER / "bs_testcases" / "v2.1" / "Visualization" / "PerspectiveCamera" / "PerspectiveCamera.bcf"
    building = await places.create_building(conn, "far away")
    await conn.execute("INSERT INTO blob VALUES ('x', 1, 'x')")
    await conn.execute("INSERT INTO model (building_id, name, current_version) VALUES (%s, 'a', 1)", (building.id,))
    await conn.execute(
        """INSERT INTO model_version (model_id, n, file_hash, file_name, bytes, schema, report, origin)
           SELECT id, 1, 'x', 'a.ifc', 1, 'IFC4', '{}', '{1000,2000,0}' FROM model"""
    )
    await store_archive(conn, blobs, building.id, read_bcf(path), path.name, "account:li")
    stored = await row(conn, "SELECT view FROM topic_viewpoint")
    assert stored is not None
    eye = stored["view"]["camera"]["eye"]
    assert eye == pytest.approx([19.1479514688529 - 1000, -22.614447888675 - 2000, 18.3473354318386])
    files = files_of(await export_bcf(conn, blobs, building.id, "3.0"))
    view = read_view(parse_xml(next(d for n, d in files.items() if n.endswith(".bcfv")), "v"))
    assert view.camera is not None
    assert view.camera.eye == pytest.approx([19.1479514688529, -22.614447888675, 18.3473354318386])


def test_the_target_lies_ahead_where_the_selected_boxes_are() -> None:
    camera = bcf.Camera(kind="perspective", eye=[0, 0, 0], direction=[0, 2, 0], up=[0, 0, 1])
    assert topics.target_of(camera, [[-1, 4, -1, 1, 6, 1]]) == [0, 5, 0]
    assert topics.target_of(camera, []) == [0, topics.NO_DISTANCE, 0]
    assert topics.target_of(camera, [[-1, -6, -1, 1, -4, 1]]) == [0, topics.NO_DISTANCE, 0]
    assert topics.target_of(None, []) is None


def test_sloppy_files_are_understood() -> None:
    root = parse_xml(
        b"""<markup><topic guid="{7CFF07BB-3616-44C6-9AF4-31151E8E0363}" topicstatus="Open"><TITLE> A  </TITLE>
        <CreationDate>2017-05-22T07:51:00.0429879</CreationDate><Labels>x</Labels><Label>y</Label></topic>
        <Comment Guid="nonsense"><Comment>lost</Comment></Comment>
        <Comment Guid="7cff07bb-3616-44c6-9af4-31151e8e0364"><Date>yesterday</Date><Comment>kept</Comment></Comment>
        </markup>""",
        "sloppy",
    )
    markup = read_markup(root, "sloppy")
    assert markup.topic.title == "A"
    assert markup.topic.topic_status == "Open"
    assert markup.topic.labels == ["x", "y"]
    assert markup.topic.creation_date == datetime(2017, 5, 22, 7, 51, 0, 42987, UTC)
    assert [comment.text for comment in markup.comments] == ["kept"]
    view = b"""<VisualizationInfo><PerspectiveCamera><CameraViewPoint><X>1,5</X><Y>0</Y><Z>0</Z></CameraViewPoint>
        <CameraDirection><X>0</X><Y>1</Y><Z>0</Z></CameraDirection></PerspectiveCamera></VisualizationInfo>"""
    camera = read_view(parse_xml(view, "v")).camera
    assert camera is not None
    assert (camera.eye, camera.up) == ([1.5, 0, 0], [0, 0, 1])


def archive(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in files.items():
            out.writestr(name, data)
    return path


VERSION = b'<Version VersionId="2.1"/>'
BOMB = b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><Markup>&b;</Markup>'


def hostile() -> Iterator[tuple[str, dict[str, bytes], type[TwinError], str]]:
    yield "up", {"../../evil.txt": b"x", "bcf.version": VERSION}, Invalid, "bcf.unsafe_name"
    yield "root", {"/etc/passwd": b"x", "bcf.version": VERSION}, Invalid, "bcf.unsafe_name"
    yield "windows", {"C:\\evil": b"x"}, Invalid, "bcf.unsafe_name"
    yield "backslashes", {"a\\..\\..\\evil": b"x"}, Invalid, "bcf.unsafe_name"
    yield "bomb", {"bcf.version": VERSION, "a/b.png": bytes(65 << 20)}, TooLarge, "bcf.too_large"
    yield "nothing", {"readme.txt": b"x"}, Invalid, "bcf.not_bcf"
    yield "version", {"bcf.version": b"<!DOCTYPE x><Version/>"}, Invalid, "bcf.xml"


@pytest.mark.parametrize(("name", "files", "family", "code"), list(hostile()), ids=[each[0] for each in hostile()])
def test_hostile_archives_are_refused(
    tmp_path: Path, name: str, files: dict[str, bytes], family: type[TwinError], code: str
) -> None:
    with pytest.raises(family) as error:
        read_bcf(archive(tmp_path / f"{name}.bcf", files))
    assert error.value.code == code


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.bcf").write_bytes(b"PK\x03\x04 no archive")
    with pytest.raises(Invalid) as error:
        read_bcf(tmp_path / "a.bcf")
    assert error.value.code == "bcf.zip_broken"


def test_a_broken_topic_refuses_itself_only(tmp_path: Path) -> None:
    good = b'<Markup><Topic Guid="7cff07bb-3616-44c6-9af4-31151e8e0363"><Title>A</Title></Topic></Markup>'
    files = {"bcf.version": VERSION, "1/markup.bcf": good, "2/markup.bcf": BOMB, "3/markup.bcf": b"<Markup/>"}
    read = read_bcf(archive(tmp_path / "a.bcf", files))
    assert [topic.markup.topic.title for topic in read.topics] == ["A"]
    assert [(folder, error.code) for folder, error in read.refused] == [("2", "bcf.xml"), ("3", "bcf.no_topic")]
