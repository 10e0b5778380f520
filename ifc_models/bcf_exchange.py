"""BCF files in and out of a building's issues."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final
from uuid import UUID

from ifc_models import bcf, topics
from ifc_models.bcf_read import read_view
from ifc_models.bcf_view import write_documents, write_extensions, write_project, write_version, write_view
from ifc_models.bcf_write import write_markup
from ifc_models.bcf_xml import parse_xml
from ifc_models.bcf_zip import MARKUP, Archive, TopicFolder, pack, safe_name
from twin.blobs import BlobStore, record_blob
from twin.db import Conn, row, rows
from twin.errors import Invalid, TwinError

_OURS: Final = frozenset(("bcf.version", "project.bcfp", "extensions.xml", "documents.xml"))
_PICTURES: Final = {b"\x89PNG\r\n": ("png", "image/png"), b"\xff\xd8\xff": ("jpg", "image/jpeg")}


@dataclass(slots=True)
class BcfReport:
    """What an import did. `refused`: folders of topics that could not be read, and why."""

    version: str
    created: list[UUID] = field(default_factory=list)
    updated: list[UUID] = field(default_factory=list)
    comments: int = 0
    viewpoints: int = 0
    refused: list[dict[str, Any]] = field(default_factory=list)


def picture_type(data: bytes) -> tuple[str, str] | None:
    """(file suffix, media type) of a PNG or JPEG; None for anything else."""
    return next((kind for magic, kind in _PICTURES.items() if data.startswith(magic)), None)


async def store_archive(
    conn: Conn, blobs: BlobStore, building_id: UUID, archive: Archive, file_name: str, actor: str
) -> BcfReport:
    """Make or update the issues of an archive. A topic that is known by its guid says then what the file says."""
    report = BcfReport(archive.version)
    report.refused = [_refusal(folder, error) for folder, error in archive.refused]
    made = await row(
        conn,
        "INSERT INTO bcf_import (building_id, file_name, version, created_by) VALUES (%s, %s, %s, %s) RETURNING id",
        (building_id, file_name[:200], archive.version, actor),
    )
    assert made is not None
    for path, data in archive.shared.items():
        await _keep(conn, blobs, "bcf_import_file", made["id"], path, data)
    offset = await topics.frame_offset(conn, building_id)
    for folder in archive.topics:
        await _store_topic(conn, blobs, building_id, folder, archive.version, made["id"], offset, report)
    return report


def _refusal(folder: str, error: TwinError) -> dict[str, Any]:
    return {"folder": folder, "code": error.code, "where": error.where, "message": error.text("en")}


async def _store_topic(
    conn: Conn,
    blobs: BlobStore,
    building_id: UUID,
    folder: TopicFolder,
    version: str,
    import_id: UUID,
    offset: Sequence[float],
    report: BcfReport,
) -> None:
    topic = folder.markup.topic
    known = await row(conn, "SELECT id FROM topic WHERE building_id = %s AND guid = %s", (building_id, topic.guid))
    if known is None:
        topic_id = await topics.create_topic(conn, building_id, topic)
        report.created.append(topic_id)
    else:
        topic_id = known["id"]
        await topics.replace_topic(conn, topic_id, topic)
        report.updated.append(topic_id)
    await conn.execute(
        "UPDATE topic SET import_id = %s, folder = %s, source = %s, source_version = %s WHERE id = %s",
        (import_id, folder.folder, folder.source, version, topic_id),
    )
    await conn.execute("DELETE FROM topic_file WHERE topic_id = %s", (topic_id,))
    used = await _store_views(conn, blobs, topic_id, folder, version, offset)
    for comment in folder.markup.comments:
        await topics.store_comment(conn, topic_id, comment)
    for path, data in folder.files.items():
        if path not in used:
            await _keep(conn, blobs, "topic_file", topic_id, path, data)
    report.comments += len(folder.markup.comments)
    report.viewpoints += len(folder.markup.viewpoints)


async def _store_views(
    conn: Conn, blobs: BlobStore, topic_id: UUID, folder: TopicFolder, version: str, offset: Sequence[float]
) -> set[str]:
    """Store the viewpoints; the files that are kept with them."""
    used: set[str] = set()
    for entry in folder.markup.viewpoints:
        view, source = bcf.View(), folder.files.get(entry.viewpoint or "")
        if source is not None:
            try:
                view = read_view(parse_xml(source, f"{folder.folder}/{entry.viewpoint}"))
            except Invalid:
                source = None  # kept as a file of the topic
        snapshot = folder.files.get(entry.snapshot or "")
        kind = picture_type(snapshot) if snapshot is not None else None
        blob = None
        if snapshot is not None and kind is not None:
            blob = blobs.put_bytes(snapshot, kind[1])
            await record_blob(conn, blob)
        used |= {
            name for name, kept in ((entry.viewpoint, source), (entry.snapshot, blob)) if name and kept is not None
        }
        await topics.add_viewpoint(
            conn,
            topic_id,
            topics.StoredView(
                guid=entry.guid,
                view=topics.moved(view, [-step for step in offset]),
                index=entry.index,
                view_file=entry.viewpoint,
                snapshot_file=entry.snapshot,
                snapshot_hash=blob.hash if blob else None,
                source=source,
                source_version=version,
            ),
        )
    return used


async def _keep(conn: Conn, blobs: BlobStore, table: str, owner: UUID, path: str, data: bytes) -> None:
    kind = picture_type(data)
    blob = blobs.put_bytes(data, kind[1] if kind else "application/octet-stream")
    await record_blob(conn, blob)
    if table == "topic_file":
        insert = "INSERT INTO topic_file (topic_id, path, hash) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
    else:
        insert = "INSERT INTO bcf_import_file (import_id, path, hash) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
    await conn.execute(insert, (owner, path, blob.hash))


# --- out -------------------------------------------------------------------------------------------------------


async def export_bcf(
    conn: Conn, blobs: BlobStore, building_id: UUID, version: str, *, only: Sequence[UUID] | None = None
) -> bytes:
    """The building's issues (or `only` some) as a BCF archive. Raises Invalid for another version than 2.1 or 3.0."""
    if version not in bcf.VERSIONS:
        raise Invalid("bcf.version", where="version", version=version, known=", ".join(bcf.VERSIONS))
    found = await rows(
        conn,
        """SELECT * FROM topic WHERE building_id = %s AND (%s::uuid[] IS NULL OR id = ANY (%s::uuid[]))
           ORDER BY number""",
        (building_id, only, only),
    )
    offset = await topics.frame_offset(conn, building_id)
    files: dict[str, bytes] = {}
    said: list[bcf.Topic] = []
    people: set[str] = set()
    for each in found:
        markup, inside = await _export_topic(conn, blobs, each, version, offset)
        folder = each["folder"] if each["source_version"] == version and each["folder"] else str(each["guid"])
        files |= {f"{folder}/{safe_name(name)}": data for name, data in inside.items()}
        said.append(markup.topic)
        people |= {markup.topic.creation_author, *(comment.author for comment in markup.comments)}
    shared = await _shared_files(conn, blobs, found, version)
    return pack(await _frame(conn, building_id, version, said, people, shared) | files)


async def _shared_files(
    conn: Conn, blobs: BlobStore, found: Sequence[Mapping[str, Any]], version: str
) -> dict[str, bytes]:
    """The files of no topic: all where the issues came in one file of this version; else those that we do not write."""
    imports = list(dict.fromkeys(each["import_id"] for each in found if each["import_id"]))
    kept = await rows(
        conn,
        """SELECT f.path, f.hash, i.version FROM bcf_import_file f JOIN bcf_import i ON i.id = f.import_id
           WHERE i.id = ANY (%s) ORDER BY i.created_at, f.path""",
        (imports,),
    )
    alone = len(imports) == 1 and all(each["import_id"] for each in found)
    shared: dict[str, bytes] = {}
    for each in kept:
        same = alone and each["version"] == version
        if same or each["path"].lower() not in _OURS:
            shared[each["path"]] = blobs.path(each["hash"]).read_bytes()
    return shared


async def _frame(
    conn: Conn,
    building_id: UUID,
    version: str,
    said: Sequence[bcf.Topic],
    people: set[str],
    shared: dict[str, bytes],
) -> dict[str, bytes]:
    building = await row(conn, "SELECT name FROM building WHERE id = %s", (building_id,))
    made = {
        "bcf.version": write_version(version),
        "project.bcfp": write_project(str(building_id), building["name"] if building else "", version),
    }
    if version == "3.0":
        users = sorted(people | {topic.assigned_to for topic in said if topic.assigned_to})
        made["extensions.xml"] = write_extensions(said, users)
        made["documents.xml"] = write_documents(())
    if "bcf.version" in shared:  # the archive that they came in: what it lacks it need not have
        made = {}
    return {**made, **shared}


async def _export_topic(
    conn: Conn, blobs: BlobStore, found: Mapping[str, Any], version: str, offset: Sequence[float]
) -> tuple[bcf.Markup, dict[str, bytes]]:
    """The topic's markup as it is said now, and the files of its folder."""
    files: dict[str, bytes] = {}
    kept = await rows(conn, "SELECT path, hash FROM topic_file WHERE topic_id = %s", (found["id"],))
    for each in kept:
        files[each["path"]] = blobs.path(each["hash"]).read_bytes()
    entries = await _export_views(conn, blobs, found["id"], version, offset, files)
    names = {each.name for each in fields(bcf.Topic)}
    topic = bcf.Topic(**{**{name: found[name] for name in names}, "guid": str(found["guid"])})
    said = await rows(
        conn,
        """SELECT guid::text, text, author, date, viewpoint::text, modified_author, modified_date FROM topic_comment
           WHERE topic_id = %s ORDER BY place""",
        (found["id"],),
    )
    markup = bcf.Markup(topic=topic, comments=[bcf.Comment(**each) for each in said], viewpoints=entries)
    files[MARKUP] = write_markup(markup, version, found["source"], found["source_version"])
    return markup, files


async def _export_views(
    conn: Conn, blobs: BlobStore, topic_id: UUID, version: str, offset: Sequence[float], files: dict[str, bytes]
) -> list[bcf.ViewpointEntry]:
    views = await rows(conn, "SELECT * FROM topic_viewpoint WHERE topic_id = %s ORDER BY place", (topic_id,))
    entries: list[bcf.ViewpointEntry] = []
    for each in views:
        guid, same = str(each["guid"]), each["source_version"] == version
        view_file, snapshot_file = each["view_file"], each["snapshot_file"]
        if each["source"] is not None and same:
            files[view_file] = each["source"]
        elif not same or each["source_version"] is None:
            view_file = f"Viewpoint_{guid}.bcfv"
            files[view_file] = write_view(guid, topics.moved(bcf.view_from(each["view"]), offset), version)
        if each["snapshot_hash"] is not None:
            data = blobs.path(each["snapshot_hash"]).read_bytes()
            kind = picture_type(data)
            snapshot_file = snapshot_file or f"Snapshot_{guid}.{kind[0] if kind else 'png'}"
            files[snapshot_file] = data
        entries.append(bcf.ViewpointEntry(guid=guid, viewpoint=view_file, snapshot=snapshot_file, index=each["index"]))
    return entries
