"""Issues of a building (BCF topics): list, comments, viewpoints; BCF files in and out."""

import base64
import binascii
import os
import shutil
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import Annotated, Any, BinaryIO, Final
from uuid import UUID

from fastapi import File, Form, Request, UploadFile
from fastapi.encoders import jsonable_encoder
from fastapi.responses import FileResponse, JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from api.check_reports import camera_of
from api.clients import expensive
from api.route import Caller, Limit, Router, Tx, allow, no_transaction, once, transaction_of, twin_of
from identity import audit
from ifc_models import bcf, topics
from ifc_models.bcf_exchange import BcfReport, export_bcf, picture_type, store_archive
from ifc_models.bcf_zip import Archive, read_bcf
from ifc_models.topics import TopicDetail, TopicRow
from twin import places
from twin.blobs import BlobStore, record_blob
from twin.db import Conn, row
from twin.errors import Invalid, NotFound
from twin.events import emit
from twin.page import Page

router = Router(tags=["issues"])
SNAPSHOT_BYTES: Final = 8 << 20

Name = Annotated[str, Field(min_length=1, max_length=200)]
Text = Annotated[str, Field(max_length=topics.MAX_TEXT)]
Coordinates = Annotated[list[float], Field(min_length=3, max_length=3)]
GlobalIds = Annotated[list[Annotated[str, Field(max_length=100)]], Field(max_length=10_000)]


class NewPlane(BaseModel):
    """A section plane: what lies in its direction is cut away."""

    location: Coordinates
    direction: Coordinates


class NewView(BaseModel):
    """A view from the 3D page: metres, building frame, z up."""

    eye: Coordinates
    target: Coordinates
    field_of_view: float | None = Field(None, gt=0, lt=180)
    view_to_world_scale: float | None = Field(None, gt=0)  # given: the camera is orthogonal
    aspect_ratio: float | None = Field(None, gt=0)
    selection: GlobalIds = Field(default_factory=list)
    hidden: GlobalIds = Field(default_factory=list)
    shown_only: GlobalIds | None = None  # everything else is hidden
    spaces_visible: bool = False
    clipping_planes: Annotated[list[NewPlane], Field(max_length=100)] = Field(default_factory=list)
    snapshot: str | None = Field(None, max_length=SNAPSHOT_BYTES * 4 // 3 + 100)  # base64 of a PNG or JPEG


class NewTopic(BaseModel):
    """An issue, maybe with a first view and comment."""

    building: str
    title: Annotated[str, Field(min_length=1, max_length=500)]
    description: Text | None = None
    topic_type: Name | None = None
    topic_status: Name | None = "Open"
    priority: Name | None = None
    stage: Name | None = None
    labels: Annotated[list[Name], Field(max_length=100)] = Field(default_factory=list)
    assigned_to: Name | None = None
    due_date: datetime | None = None
    viewpoint: NewView | None = None
    comment: Text | None = None


class TopicPatch(BaseModel):
    """What may be changed of an issue."""

    title: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    description: Text | None = None
    topic_type: Name | None = None
    topic_status: Name | None = None
    priority: Name | None = None
    stage: Name | None = None
    labels: Annotated[list[Name], Field(max_length=100)] | None = None
    reference_links: Annotated[list[Text], Field(max_length=100)] | None = None
    assigned_to: Name | None = None
    due_date: datetime | None = None


class NewComment(BaseModel):
    """A comment, maybe about one of the issue's viewpoints (its guid)."""

    text: Annotated[str, Field(min_length=1, max_length=topics.MAX_TEXT)]
    viewpoint: UUID | None = None


@router.get("/topics")
@allow("topic.read")
async def list_topics(
    tx: Tx,
    building: str | None = None,
    status: str | None = None,
    topic_type: str | None = None,
    assigned_to: str | None = None,
    element: str | None = None,
    q: str | None = None,
    limit: Limit = 100,
    cursor: str | None = None,
) -> Page[TopicRow]:
    """Issues, newest first."""
    building_id = (await places.get_building(tx, building)).id if building else None
    return await topics.list_topics(
        tx,
        building=building_id,
        status=status,
        topic_type=topic_type,
        assigned_to=assigned_to,
        element=await places.resolve_element(tx, element, building=building_id) if element else None,
        q=q,
        limit=limit,
        cursor=cursor,
    )


@router.post("/topics", status_code=201)
@allow("topic.write")
async def create_topic(tx: Tx, request: Request, caller: Caller, body: NewTopic) -> TopicDetail:
    """Make an issue; with a view it is placed where its first selected element is."""
    building, now = await places.get_building(tx, body.building), datetime.now(UTC)
    topic = bcf.Topic(
        guid=topics.new_guid(),
        creation_author=caller.name,
        creation_date=now,
        **body.model_dump(exclude={"building", "viewpoint", "comment"}),
    )
    topic_id = await topics.create_topic(tx, building.id, topic)
    guid = await _add_view(tx, twin_of(request).blobs, topic_id, body.viewpoint) if body.viewpoint else None
    if body.comment:
        await _add_comment(tx, topic_id, body.comment, guid, caller.name, now)
    made = await topics.get_topic(tx, topic_id)
    await audit.record(tx, caller, "topic.write", f"topic:{topic_id}", after={"title": made.title, "guid": made.guid})
    await _tell(tx, made)
    return made


async def _tell(tx: Conn, topic: TopicRow) -> None:
    about = {"id": str(topic.id)}  # what it says is read by those who may
    await emit(tx, "topic", about, building_id=topic.building_id, storey_id=topic.storey_id)


@router.get("/topics/{topic}")
@allow("topic.read")
async def get_topic(tx: Tx, topic: UUID) -> TopicDetail:
    """One issue with comments and viewpoints; `elements` maps the GlobalIds a view names to our ids."""
    return await topics.get_topic(tx, topic)


@router.patch("/topics/{topic}")
@allow("topic.write")
async def update_topic(tx: Tx, caller: Caller, topic: UUID, body: TopicPatch) -> TopicDetail:
    """Change an issue."""
    before = await topics.get_topic(tx, topic)
    given = body.model_dump(exclude_unset=True)
    given = {name: [] if value is None and name in _LISTS else value for name, value in given.items()}
    if given.get("title", "") is None:
        del given["title"]
    await topics.update_topic(tx, topic, given, author=caller.name, now=datetime.now(UTC))
    after = await topics.get_topic(tx, topic)
    old = {name: getattr(before, name) for name in given}
    await audit.record(
        tx, caller, "topic.write", f"topic:{topic}", before=jsonable_encoder(old), after=jsonable_encoder(given)
    )
    await _tell(tx, after)
    return after


_LISTS: Final = frozenset(("labels", "reference_links"))


@router.post("/topics/{topic}/comments", status_code=201)
@allow("topic.write")
async def add_comment(tx: Tx, caller: Caller, topic: UUID, body: NewComment) -> TopicDetail:
    """Add a comment."""
    found = await topics.get_topic(tx, topic)
    viewpoint = str(body.viewpoint) if body.viewpoint else None
    await _add_comment(tx, topic, body.text, viewpoint, caller.name, datetime.now(UTC))
    await audit.record(tx, caller, "topic.write", f"topic:{topic}", after={"comment": body.text[:200]})
    await _tell(tx, found)
    return await topics.get_topic(tx, topic)


async def _add_comment(tx: Conn, topic: UUID, text: str, viewpoint: str | None, author: str, now: datetime) -> None:
    comment = bcf.Comment(guid=topics.new_guid(), text=text, author=author, date=now, viewpoint=viewpoint)
    await topics.add_comment(tx, topic, comment)


@router.post("/topics/{topic}/viewpoints", status_code=201)
@allow("topic.write")
async def add_viewpoint(tx: Tx, request: Request, caller: Caller, topic: UUID, body: NewView) -> TopicDetail:
    """Add a view with its picture."""
    found = await topics.get_topic(tx, topic)
    guid = await _add_view(tx, twin_of(request).blobs, topic, body)
    await audit.record(tx, caller, "topic.write", f"topic:{topic}", after={"viewpoint": guid})
    await _tell(tx, found)
    return await topics.get_topic(tx, topic)


async def _add_view(tx: Conn, blobs: BlobStore, topic: UUID, body: NewView) -> str:
    guid, snapshot = topics.new_guid(), None
    if body.snapshot is not None:
        data = _picture(body.snapshot)
        kind = picture_type(data)
        assert kind is not None
        snapshot = await run_in_threadpool(blobs.put_bytes, data, kind[1])
        await record_blob(tx, snapshot)
    stored = topics.StoredView(guid=guid, view=_view(body), snapshot_hash=snapshot.hash if snapshot else None)
    await topics.add_viewpoint(tx, topic, stored)
    return guid


def _picture(text: str) -> bytes:
    """The picture in base64, with or without `data:image/png;base64,`. Raises Invalid."""
    try:
        data = base64.b64decode(text.partition(",")[2] if text.startswith("data:") else text, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if picture_type(data) is None or len(data) > SNAPSHOT_BYTES:
        raise Invalid("topic.snapshot", where="snapshot", limit=SNAPSHOT_BYTES)
    return data


def _view(body: NewView) -> bcf.View:
    camera = camera_of({"eye": body.eye, "target": body.target}, body.field_of_view or 50.0)
    orthogonal = body.view_to_world_scale is not None
    camera = replace(
        camera,
        kind="orthogonal" if orthogonal else "perspective",
        field_of_view=None if orthogonal else camera.field_of_view,
        view_to_world_scale=body.view_to_world_scale,
        aspect_ratio=body.aspect_ratio,
    )
    exceptions = body.shown_only if body.shown_only is not None else body.hidden
    return bcf.View(
        camera=camera,
        selection=_components(body.selection),
        visibility=bcf.Visibility(
            default=body.shown_only is None, exceptions=_components(exceptions), spaces=body.spaces_visible
        ),
        clipping_planes=[bcf.ClippingPlane(**plane.model_dump()) for plane in body.clipping_planes],
    )


def _components(global_ids: list[str]) -> list[bcf.Component]:
    return [bcf.Component(ifc_guid=each) for each in dict.fromkeys(global_ids)]


@router.get("/topics/{topic}/viewpoints/{viewpoint}/snapshot", response_class=FileResponse)
@allow("topic.read")
async def get_snapshot(tx: Tx, request: Request, topic: UUID, viewpoint: UUID) -> Response:
    """The picture of a viewpoint, by the viewpoint's id or guid."""
    found = await row(
        tx,
        """SELECT v.snapshot_hash, b.content_type FROM topic_viewpoint v JOIN blob b ON b.hash = v.snapshot_hash
           WHERE v.topic_id = %s AND %s IN (v.id, v.guid)""",
        (topic, viewpoint),
    )
    if found is None:
        raise NotFound("viewpoint.unknown", viewpoint=str(viewpoint))
    path = twin_of(request).blobs.path(found["snapshot_hash"])
    return FileResponse(path, media_type=found["content_type"], headers={"cache-control": "private, max-age=86400"})


@router.post("/bcf", status_code=201, response_model=BcfReport)
@allow("topic.write")
@no_transaction
@expensive
async def import_bcf(
    request: Request,
    caller: Caller,
    file: Annotated[UploadFile, File(description="a BCF archive of version 2.0, 2.1 or 3.0")],
    building: Annotated[str, Form(description="id or name")],
) -> Response:
    """Bring in a BCF file; topics that are known by their guid are updated."""
    twin = twin_of(request)
    name = PurePath(file.filename or "issues.bcf").name[:200]
    archive = await run_in_threadpool(_read, file.file, twin.settings.data / "work", name)
    async with transaction_of(request) as conn:

        async def act() -> Response:
            place = await places.get_building(conn, building)
            report = await store_archive(conn, twin.blobs, place.id, archive, name, caller.name)
            counts: dict[str, Any] = {"file": name, "created": len(report.created), "updated": len(report.updated)}
            await audit.record(conn, caller, "topic.write", f"building:{place.id}", after=counts)
            await emit(conn, "topic", {"building": str(place.id)}, building_id=place.id)
            return JSONResponse(jsonable_encoder(report), 201)

        return await once(request, conn, act)


def _read(source: BinaryIO, folder: Path, called: str) -> Archive:
    """Read an upload through a file of its own: an archive is read from its end."""
    folder.mkdir(mode=0o700, exist_ok=True)
    fd, path = tempfile.mkstemp(prefix="bcf-", suffix=".bcf", dir=folder)
    try:
        with os.fdopen(fd, "wb") as target:
            shutil.copyfileobj(source, target)
        return read_bcf(Path(path), called)
    finally:
        Path(path).unlink(missing_ok=True)


@router.get("/bcf", response_class=Response)
@allow("topic.read")
@expensive
async def export_issues(tx: Tx, request: Request, building: str, version: str = "3.0") -> Response:
    """The building's issues as BCF 2.1 or 3.0."""
    place = await places.get_building(tx, building)
    data = await export_bcf(tx, twin_of(request).blobs, place.id, version)
    headers = {"content-disposition": f'attachment; filename="issues-{place.id}.bcf"'}
    return Response(data, media_type="application/octet-stream", headers=headers)
