"""Issues of a building as the database has them: BCF topics with comments and viewpoints.

Cameras and points are metres in the building frame here; a BCF file has them in the coordinates of the models, which
`frame_offset` tells apart. What a person writes counts from then on, what came with a file is kept beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

import numpy as np
from psycopg.sql import SQL

from ifc_models import bcf
from ifc_models.text import to_json
from twin.db import Conn, object_or_none, objects, row, rows
from twin.errors import Invalid, NotFound
from twin.page import Page, decode_cursor, page_of

NO_DISTANCE: Final = 10.0  # m from the eye to what it looks at, where nothing is selected
MAX_TEXT: Final = 20_000


@dataclass(frozen=True, slots=True)
class TopicRow:
    """An issue in a list."""

    id: UUID
    number: int
    building_id: UUID
    storey_id: UUID | None
    element_id: UUID | None
    guid: UUID
    title: str
    topic_type: str | None
    topic_status: str | None
    priority: str | None
    stage: str | None
    labels: list[str]
    assigned_to: str | None
    description: str | None
    due_date: datetime | None
    creation_author: str
    creation_date: datetime
    modified_author: str | None
    modified_date: datetime | None
    comments: int
    viewpoints: int
    snapshot: UUID | None  # a viewpoint that has a picture


@dataclass(frozen=True, slots=True)
class CommentRow:
    """A comment; `viewpoint` is the guid of one of the topic's viewpoints."""

    id: UUID
    guid: UUID
    text: str
    author: str
    date: datetime
    viewpoint: UUID | None
    modified_author: str | None
    modified_date: datetime | None


@dataclass(frozen=True, slots=True)
class ViewpointRow:
    """A viewpoint. `view` is in the building frame; `target` is what its camera looks at, m."""

    id: UUID
    guid: UUID
    index: int | None
    view: bcf.View
    target: list[float] | None
    elements: dict[str, UUID]  # GlobalIds it names → our ids, as far as they are known
    has_snapshot: bool


@dataclass(frozen=True, slots=True)
class TopicDetail(TopicRow):
    """An issue with everything said and shown."""

    index: int | None
    reference_links: list[str]
    server_assigned_id: str | None
    related_topics: list[str]
    all_comments: list[CommentRow]
    all_viewpoints: list[ViewpointRow]


_ROW: Final = """
    SELECT t.id, t.number, t.building_id, t.storey_id, t.element_id, t.guid, t.title, t.topic_type, t.topic_status,
           t.priority, t.stage, t.labels, t.assigned_to, t.description, t.due_date, t.creation_author, t.creation_date,
           t.modified_author, t.modified_date,
           (SELECT count(*) FROM topic_comment c WHERE c.topic_id = t.id) AS comments,
           (SELECT count(*) FROM topic_viewpoint v WHERE v.topic_id = t.id) AS viewpoints,
           (SELECT v.id FROM topic_viewpoint v WHERE v.topic_id = t.id AND v.snapshot_hash IS NOT NULL
            ORDER BY v.index NULLS LAST, v.place LIMIT 1) AS snapshot
    FROM topic t
"""
_FILTERS: Final = """
    WHERE (%(building)s::uuid IS NULL OR t.building_id = %(building)s)
      AND (%(status)s::text IS NULL OR t.topic_status = %(status)s)
      AND (%(type)s::text IS NULL OR t.topic_type = %(type)s)
      AND (%(assigned_to)s::text IS NULL OR t.assigned_to = %(assigned_to)s)
      AND (%(element)s::uuid IS NULL OR t.element_id = %(element)s)
      AND (%(q)s::text IS NULL OR t.title || ' ' || coalesce(t.description, '') ILIKE %(q)s)
      AND (%(date)s::timestamptz IS NULL OR (t.creation_date, t.id) < (%(date)s::timestamptz, %(id)s::uuid))
    ORDER BY t.creation_date DESC, t.id DESC LIMIT %(limit)s
"""


async def list_topics(
    conn: Conn,
    *,
    building: UUID | None = None,
    status: str | None = None,
    topic_type: str | None = None,
    assigned_to: str | None = None,
    element: UUID | None = None,
    q: str | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> Page[TopicRow]:
    """Issues, newest first."""
    after = decode_cursor(cursor, 2) or [None, None]
    escaped = q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") if q else None
    params = {
        "building": building,
        "status": status,
        "type": topic_type,
        "assigned_to": assigned_to,
        "element": element,
        "q": f"%{escaped}%" if escaped else None,
        "date": after[0],
        "id": after[1],
        "limit": limit + 1,
    }
    found = await objects(conn, TopicRow, _ROW + _FILTERS, params)
    return page_of(found, limit, lambda topic: (topic.creation_date, topic.id))


async def get_topic(conn: Conn, topic_id: UUID) -> TopicDetail:
    """One issue with comments and viewpoints. Raises NotFound."""
    topic = await object_or_none(conn, TopicRow, _ROW + " WHERE t.id = %s", (topic_id,))
    if topic is None:
        raise NotFound("topic.unknown", topic=str(topic_id))
    more = await row(
        conn,
        "SELECT index, reference_links, server_assigned_id, related_topics FROM topic WHERE id = %s",
        (topic_id,),
    )
    assert more is not None
    return TopicDetail(
        **{each.name: getattr(topic, each.name) for each in fields(TopicRow)},
        **more,
        all_comments=await list_comments(conn, topic_id),
        all_viewpoints=await list_viewpoints(conn, topic_id, topic.building_id),
    )


async def list_comments(conn: Conn, topic_id: UUID) -> list[CommentRow]:
    """The comments of a topic by date."""
    return await objects(
        conn,
        CommentRow,
        """SELECT id, guid, text, author, date, viewpoint, modified_author, modified_date FROM topic_comment
           WHERE topic_id = %s ORDER BY date, place""",
        (topic_id,),
    )


async def list_viewpoints(conn: Conn, topic_id: UUID, building_id: UUID) -> list[ViewpointRow]:
    """The viewpoints of a topic in the order of their indices."""
    found = await rows(
        conn,
        """SELECT id, guid, index, view, snapshot_hash IS NOT NULL AS has_snapshot FROM topic_viewpoint
           WHERE topic_id = %s ORDER BY index NULLS LAST, place""",
        (topic_id,),
    )
    views = [bcf.view_from(each["view"]) for each in found]
    known = await _known(conn, building_id, {gid for view in views for gid in named(view)})
    made: list[ViewpointRow] = []
    for each, view in zip(found, views, strict=True):
        mine = {gid: known[gid] for gid in named(view) if gid in known}
        boxes = [known[c.ifc_guid][1] for c in view.selection if c.ifc_guid in known]
        made.append(
            ViewpointRow(
                each["id"],
                each["guid"],
                each["index"],
                view,
                target_of(view.camera, [box for box in boxes if box is not None]),
                {gid: element for gid, (element, _) in mine.items()},
                each["has_snapshot"],
            )
        )
    return made


def named(view: bcf.View) -> list[str]:
    """Every GlobalId that a view names."""
    of = [*view.selection, *(view.visibility.exceptions if view.visibility else ())]
    of += [component for each in view.colouring for component in each.components]
    return list(dict.fromkeys(each.ifc_guid for each in of if each.ifc_guid))


async def _known(conn: Conn, building_id: UUID, global_ids: set[str]) -> dict[str, tuple[UUID, list[float] | None]]:
    """GlobalId → the element that is shown and its box."""
    found = await rows(
        conn,
        """SELECT DISTINCT ON (e.global_id) e.global_id, e.id, e.bbox FROM element e
           JOIN model m ON m.id = e.model_id AND m.current_version = e.last_version
           WHERE e.building_id = %s AND e.global_id = ANY (%s) ORDER BY e.global_id, e.occurrence""",
        (building_id, list(global_ids)),
    )
    return {each["global_id"]: (each["id"], each["bbox"]) for each in found}


def target_of(camera: bcf.Camera | None, boxes: Sequence[Sequence[float]]) -> list[float] | None:
    """The point on the camera's axis nearest to the middle of the boxes; without boxes, some metres ahead."""
    if camera is None:
        return None
    eye, ahead = np.array(camera.eye), np.array(camera.direction)
    ahead = ahead / np.linalg.norm(ahead)
    distance = NO_DISTANCE
    if boxes:
        box = np.array(boxes)
        middle = (box[:, :3].min(axis=0) + box[:, 3:].max(axis=0)) / 2
        along = float((middle - eye) @ ahead)
        distance = along if along > 0.1 else NO_DISTANCE
    return [float(value) for value in eye + ahead * distance]


# --- writing ---------------------------------------------------------------------------------------------------

_TOPIC_COLUMNS: Final = (
    "title", "topic_type", "topic_status", "priority", "stage", "index", "labels", "reference_links", "assigned_to",
    "description", "due_date", "creation_author", "creation_date", "modified_author", "modified_date",
    "server_assigned_id", "related_topics",
)  # fmt: skip
CHANGEABLE: Final = frozenset(
    ("title", "topic_type", "topic_status", "priority", "stage", "index", "labels", "reference_links", "assigned_to",
     "description", "due_date", "related_topics")
)  # fmt: skip


async def create_topic(conn: Conn, building_id: UUID, topic: bcf.Topic) -> UUID:
    """Make an issue. Its guid is unique within the building."""
    found = await row(
        conn,
        """INSERT INTO topic (building_id, guid, title, topic_type, topic_status, priority, stage, index, labels,
               reference_links, assigned_to, description, due_date, creation_author, creation_date, modified_author,
               modified_date, server_assigned_id, related_topics)
           VALUES (%(building)s, %(guid)s, %(title)s, %(topic_type)s, %(topic_status)s, %(priority)s, %(stage)s,
               %(index)s, %(labels)s, %(reference_links)s, %(assigned_to)s, %(description)s, %(due_date)s,
               %(creation_author)s, %(creation_date)s, %(modified_author)s, %(modified_date)s, %(server_assigned_id)s,
               %(related_topics)s)
           RETURNING id""",
        {**asdict(topic), "building": building_id},
    )
    assert found is not None
    return UUID(str(found["id"]))


async def update_topic(conn: Conn, topic_id: UUID, changes: Mapping[str, Any], *, author: str, now: datetime) -> None:
    """Change fields of an issue (`CHANGEABLE`). Raises NotFound or Invalid."""
    unknown = set(changes) - CHANGEABLE
    if unknown:
        raise Invalid("topic.field", where=min(unknown), field=min(unknown))
    given = {**changes, "modified_author": author, "modified_date": now}
    assignments = SQL(", ").join([SQL(f"{name} = %({name})s") for name in given])
    done = await conn.execute(
        SQL("UPDATE topic SET {} WHERE id = %(topic)s").format(assignments), {**given, "topic": topic_id}
    )
    if done.rowcount == 0:
        raise NotFound("topic.unknown", topic=str(topic_id))


async def replace_topic(conn: Conn, topic_id: UUID, topic: bcf.Topic) -> None:
    """Have an issue say what a file says of it."""
    assignments = SQL(", ").join([SQL(f"{name} = %({name})s") for name in _TOPIC_COLUMNS])
    await conn.execute(
        SQL("UPDATE topic SET {} WHERE id = %(topic)s").format(assignments), {**asdict(topic), "topic": topic_id}
    )


async def add_comment(conn: Conn, topic_id: UUID, comment: bcf.Comment) -> UUID:
    """Add a comment, or change the one of that guid. Raises Invalid where it names a viewpoint that is not there."""
    if comment.viewpoint is not None:
        known = await row(
            conn,
            "SELECT 1 AS found FROM topic_viewpoint WHERE topic_id = %s AND guid = %s",
            (topic_id, comment.viewpoint),
        )
        if known is None:
            raise Invalid("topic.no_viewpoint", where="viewpoint", viewpoint=comment.viewpoint)
    return await store_comment(conn, topic_id, comment)


async def store_comment(conn: Conn, topic_id: UUID, comment: bcf.Comment) -> UUID:
    """Store a comment whether its viewpoint is known or not: files may name viewpoints that they lack."""
    found = await row(
        conn,
        """INSERT INTO topic_comment (topic_id, guid, text, author, date, viewpoint, modified_author, modified_date)
           VALUES (%(topic)s, %(guid)s, %(text)s, %(author)s, %(date)s, %(viewpoint)s, %(modified_author)s,
                   %(modified_date)s)
           ON CONFLICT (topic_id, guid) DO UPDATE SET text = EXCLUDED.text, author = EXCLUDED.author,
               date = EXCLUDED.date, viewpoint = EXCLUDED.viewpoint, modified_author = EXCLUDED.modified_author,
               modified_date = EXCLUDED.modified_date
           RETURNING id""",
        {**asdict(comment), "topic": topic_id},
    )
    assert found is not None
    return UUID(str(found["id"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredView:
    """A viewpoint to store: `view` in the building frame; what it came as, where it came from a file."""

    guid: str
    view: bcf.View
    index: int | None = None
    view_file: str | None = None
    snapshot_file: str | None = None
    snapshot_hash: str | None = None
    source: bytes | None = None
    source_version: str | None = None


async def add_viewpoint(conn: Conn, topic_id: UUID, stored: StoredView) -> UUID:
    """Add a viewpoint, or replace the one of that guid; the topic moves to where its first selected element is."""
    found = await row(
        conn,
        """INSERT INTO topic_viewpoint (topic_id, guid, index, view, view_file, snapshot_file, snapshot_hash, source,
               source_version)
           VALUES (%(topic)s, %(guid)s, %(index)s, %(view)s::jsonb, %(view_file)s, %(snapshot_file)s,
               %(snapshot_hash)s, %(source)s, %(source_version)s)
           ON CONFLICT (topic_id, guid) DO UPDATE SET index = EXCLUDED.index, view = EXCLUDED.view,
               view_file = EXCLUDED.view_file, snapshot_file = EXCLUDED.snapshot_file,
               snapshot_hash = EXCLUDED.snapshot_hash, source = EXCLUDED.source,
               source_version = EXCLUDED.source_version
           RETURNING id""",
        {
            **{each.name: getattr(stored, each.name) for each in fields(StoredView)},
            "view": to_json(asdict(stored.view)).decode(),
            "topic": topic_id,
        },
    )
    assert found is not None
    await conn.execute(
        """UPDATE topic t SET element_id = e.id, storey_id = e.storey_id
           FROM element e JOIN model m ON m.id = e.model_id AND m.current_version = e.last_version
           WHERE t.id = %s AND t.element_id IS NULL AND e.building_id = t.building_id AND e.global_id = ANY (%s)""",
        (topic_id, [each.ifc_guid for each in stored.view.selection[:1] if each.ifc_guid]),
    )
    return UUID(str(found["id"]))


async def frame_offset(conn: Conn, building_id: UUID) -> list[float]:
    """Metres to add to a point of the building frame for the coordinates of the building's models.

    Models of one building share their coordinates; the first that has an origin of its own tells it.
    """
    found = await row(
        conn,
        """SELECT v.origin FROM model m JOIN model_version v ON v.model_id = m.id AND v.n = m.current_version
           WHERE m.building_id = %s AND v.origin <> '{0,0,0}' ORDER BY m.created_at LIMIT 1""",
        (building_id,),
    )
    return [float(value) for value in found["origin"]] if found else [0.0, 0.0, 0.0]


def moved(view: bcf.View, by: Sequence[float]) -> bcf.View:
    """The view with every point moved; directions stay."""
    if not any(by):
        return view

    def there(point: bcf.Point) -> bcf.Point:
        return [value + step for value, step in zip(point, by, strict=True)]

    return replace(
        view,
        camera=replace(view.camera, eye=there(view.camera.eye)) if view.camera else None,
        clipping_planes=[replace(each, location=there(each.location)) for each in view.clipping_planes],
        lines=[replace(each, start=there(each.start), end=there(each.end)) for each in view.lines],
        bitmaps=[replace(each, location=there(each.location)) for each in view.bitmaps],
    )


def new_guid() -> str:
    """A guid for something made here."""
    return str(uuid4())
