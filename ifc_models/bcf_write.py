"""BCF 2.1 and 3.0 as XML. A markup of the same version is changed where the topic has changed and kept elsewhere.

One way for both: start from the markup as it came (or from an empty one), and set what differs from what it says. So
an untouched topic leaves byte for byte as it came, and a touched one keeps what we do not understand.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import NAMESPACE_URL, uuid5
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from ifc_models import bcf
from ifc_models.bcf_read import read_markup
from ifc_models.bcf_xml import as_guid, as_time, attribute, child, children, local, parse_xml, text

_GLOBAL_ID: Final = re.compile(r"[0-9A-Za-z_$]{22}")
_ILLEGAL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_TOPIC_ORDER: Final = (
    "ReferenceLinks", "ReferenceLink", "Title", "Priority", "Index", "Labels", "CreationDate", "CreationAuthor",
    "ModifiedDate", "ModifiedAuthor", "DueDate", "AssignedTo", "Stage", "Description", "BimSnippet",
    "DocumentReferences", "DocumentReference", "RelatedTopics", "RelatedTopic", "Comments", "Viewpoints",
)  # fmt: skip
_COMMENT_ORDER: Final = ("Date", "Author", "Comment", "Viewpoint", "ModifiedDate", "ModifiedAuthor")
_MARKUP_ORDER: Final = ("Header", "Topic", "Comment", "Viewpoints")


def xml(root: Element) -> bytes:
    """The document, indented, UTF-8."""
    indent(root)
    made: bytes = tostring(root, encoding="utf-8")
    return made if made.startswith(b"<?xml") else b'<?xml version="1.0" encoding="UTF-8"?>\n' + made + b"\n"


def write_markup(markup: bcf.Markup, version: str, source: bytes | None, source_version: str | None) -> bytes:
    """The markup file of a topic. `source`: as it came, kept where it says the same and is of this version."""
    if source is not None and source_version == version:
        root = parse_xml(source, "markup.bcf")
        before = read_markup(root, "markup.bcf")
        if before == markup:
            return source
        _change(root, before, markup, version)
        return xml(root)
    root = Element("Markup")
    _carry_header(root, source, version)
    topic = SubElement(root, "Topic", Guid=markup.topic.guid)
    _carry_rest(topic, source, version)
    _change(root, None, markup, version)
    return xml(root)


def _change(root: Element, before: bcf.Markup | None, after: bcf.Markup, version: str) -> None:
    topic = child(root, "Topic")
    assert topic is not None
    _change_topic(topic, before.topic if before else None, after.topic, version)
    new = version == "3.0"
    comments = _wrapper(topic, "Comments") if new else root
    _change_comments(comments, before.comments if before else (), after.comments, new=new)
    entries = _wrapper(topic, "Viewpoints") if new else root
    _change_entries(
        entries, before.viewpoints if before else (), after.viewpoints, "ViewPoint" if new else "Viewpoints"
    )


def _change_topic(topic: Element, before: bcf.Topic | None, after: bcf.Topic, version: str) -> None:
    new = version == "3.0"
    required = {"TopicType": "Issue", "TopicStatus": "Open"} if new else {}
    for name, value in (("TopicType", after.topic_type), ("TopicStatus", after.topic_status)):
        given = value or required.get(name)
        if given and attribute(topic, name) != given:
            topic.set(name, clean(given))
        elif given is None:
            topic.attrib.pop(name, None)
    if new and after.server_assigned_id:
        topic.set("ServerAssignedId", clean(after.server_assigned_id))
    simple: tuple[tuple[str, str, str | None], ...] = (
        ("title", "Title", after.title),
        ("priority", "Priority", after.priority),
        ("index", "Index", None if after.index is None else str(after.index)),
        ("creation_date", "CreationDate", when(after.creation_date)),
        ("creation_author", "CreationAuthor", after.creation_author or "unknown"),
        ("modified_date", "ModifiedDate", when(after.modified_date)),
        ("modified_author", "ModifiedAuthor", after.modified_author),
        ("due_date", "DueDate", when(after.due_date)),
        ("assigned_to", "AssignedTo", after.assigned_to),
        ("stage", "Stage", after.stage),
        ("description", "Description", after.description),
    )
    for attribute_name, name, value in simple:
        if before is None or getattr(before, attribute_name) != getattr(after, attribute_name):
            _set(topic, name, value, _TOPIC_ORDER)
    for attribute_name, many, one in (
        ("labels", "Labels", "Label"),
        ("reference_links", "ReferenceLinks", "ReferenceLink"),
    ):
        values = getattr(after, attribute_name)
        if before is None or getattr(before, attribute_name) != values:
            _set_list(topic, values, many, one, new=new, repeated=many if many == "Labels" else one)
    if before is None or before.related_topics != after.related_topics:
        _set_related(topic, after.related_topics, new=new)


def clean(value: str) -> str:
    """A text without what XML 1.0 cannot hold."""
    return _ILLEGAL.sub("\ufffd", value)


def when(value: datetime | None) -> str | None:
    """An xs:dateTime in UTC."""
    if value is None:
        return None
    return (
        value.astimezone(UTC)
        .isoformat(timespec="microseconds" if value.microsecond else "seconds")
        .replace("+00:00", "Z")
    )


def _set(parent: Element, name: str, value: str | None, order: Sequence[str]) -> None:
    """Set, add in its place, or remove a child that holds a text."""
    found = child(parent, name)
    if value is None or not value.strip():
        if found is not None:
            parent.remove(found)
        return
    if found is None:
        found = _insert(parent, Element(name), order)
    for inner in list(found):
        found.remove(inner)
    found.text = clean(value)


def _insert(parent: Element, element: Element, order: Sequence[str]) -> Element:
    """Put a new child behind its predecessors in the schema's sequence and behind its equals."""
    ranks = {name.lower(): n for n, name in enumerate(order)}
    mine = ranks[local(element)]
    at = next((n for n, each in enumerate(parent) if ranks.get(local(each), -1) > mine), len(parent))
    parent.insert(at, element)
    return element


def _wrapper(topic: Element, name: str) -> Element:
    found = child(topic, name)
    return _insert(topic, Element(name), _TOPIC_ORDER) if found is None else found


def _set_list(topic: Element, values: Sequence[str], many: str, one: str, *, new: bool, repeated: str) -> None:
    for each in list(children(topic, many, one)):
        topic.remove(each)
    if new and values:
        wrapper = _insert(topic, Element(many), _TOPIC_ORDER)
        for value in values:
            SubElement(wrapper, one).text = clean(value)
    elif values:
        for value in values:
            _insert(topic, Element(repeated), _TOPIC_ORDER).text = clean(value)


def _set_related(topic: Element, guids: Sequence[str], *, new: bool) -> None:
    for each in list(children(topic, "RelatedTopics", "RelatedTopic")):
        topic.remove(each)
    if not guids:
        return
    if new:
        wrapper = _insert(topic, Element("RelatedTopics"), _TOPIC_ORDER)
        for guid in guids:
            SubElement(wrapper, "RelatedTopic", Guid=guid)
    else:
        for guid in guids:
            _insert(topic, Element("RelatedTopic", Guid=guid), _TOPIC_ORDER)


def _change_comments(
    parent: Element, before: Iterable[bcf.Comment], after: Iterable[bcf.Comment], *, new: bool
) -> None:
    old, now = {each.guid: each for each in before}, {each.guid: each for each in after}
    for element in list(children(parent, "Comment")):
        guid = as_guid(attribute(element, "Guid"))
        if guid in old and guid not in now:
            parent.remove(element)
        elif guid is not None and guid in now and now[guid] != old.get(guid):
            _fill_comment(element, now[guid])
    for guid, comment in now.items():
        if guid not in old:
            element = Element("Comment", Guid=guid)
            parent.append(element) if new else _insert(parent, element, _MARKUP_ORDER)
            _fill_comment(element, comment)


def _fill_comment(element: Element, comment: bcf.Comment) -> None:
    _set(element, "Date", when(comment.date), _COMMENT_ORDER)
    _set(element, "Author", comment.author or "unknown", _COMMENT_ORDER)
    _set(element, "Comment", comment.text or "-", _COMMENT_ORDER)
    old = child(element, "Viewpoint")
    if old is not None and as_guid(attribute(old, "Guid")) != comment.viewpoint:
        element.remove(old)
        old = None
    if comment.viewpoint is not None and old is None:
        _insert(element, Element("Viewpoint", Guid=comment.viewpoint), _COMMENT_ORDER)
    _set(element, "ModifiedDate", when(comment.modified_date), _COMMENT_ORDER)
    _set(element, "ModifiedAuthor", comment.modified_author, _COMMENT_ORDER)


def _change_entries(
    parent: Element, before: Iterable[bcf.ViewpointEntry], after: Iterable[bcf.ViewpointEntry], name: str
) -> None:
    old, now = {each.guid: each for each in before}, {each.guid: each for each in after}
    for element in list(children(parent, name)):
        guid = as_guid(attribute(element, "Guid"))
        if guid in old and guid not in now:
            parent.remove(element)
    for guid, entry in now.items():
        if guid in old:
            continue
        element = Element(name, Guid=guid)
        for part, value in (("Viewpoint", entry.viewpoint), ("Snapshot", entry.snapshot)):
            if value:
                SubElement(element, part).text = clean(value)
        if entry.index is not None:
            SubElement(element, "Index").text = str(entry.index)
        parent.append(element)


def _carry_header(root: Element, source: bytes | None, version: str) -> None:
    """The list of models that a topic is about, from a markup of the other version."""
    header = child(parse_xml(source, "markup.bcf"), "Header") if source is not None else None
    files = [*children(header, "File"), *children(child(header, "Files"), "File")]
    if not files:
        return
    made = SubElement(root, "Header")
    parent = SubElement(made, "Files") if version == "3.0" else made
    for each in files:
        element = SubElement(parent, "File")
        for name in ("IfcProject", "IfcSpatialStructureElement"):
            value = attribute(each, name)
            if value and _GLOBAL_ID.fullmatch(value):
                element.set(name, value)
        external = attribute(each, "IsExternal")
        if external is not None:
            element.set("IsExternal" if version == "3.0" else "isExternal", external.lower())
        for name in ("Filename", "Date", "Reference"):
            value = text(each, name)
            if value and (name != "Date" or (value := when(as_time(value)))):
                SubElement(element, name).text = value


def _carry_rest(topic: Element, source: bytes | None, version: str) -> None:
    """Snippets and document references, from a markup of the other version."""
    if source is None:
        return
    old = child(parse_xml(source, "markup.bcf"), "Topic")
    snippet = child(old, "BimSnippet")
    kind, reference, schema = (
        attribute(snippet, "SnippetType"),
        text(snippet, "Reference"),
        text(snippet, "ReferenceSchema"),
    )
    if kind and reference and schema:
        made = SubElement(topic, "BimSnippet", SnippetType=kind)
        external = attribute(snippet, "IsExternal")
        if external is not None:
            made.set("IsExternal" if version == "3.0" else "isExternal", external.lower())
        SubElement(made, "Reference").text = reference
        SubElement(made, "ReferenceSchema").text = schema
    references = [*children(old, "DocumentReference"), *children(child(old, "DocumentReferences"), "DocumentReference")]
    references += [e for e in children(old, "DocumentReferences") if text(e, "ReferencedDocument")]  # 2.0
    if version == "3.0" and references:
        parent = SubElement(topic, "DocumentReferences")
        for n, each in enumerate(references):
            _new_reference(parent, each, f"{attribute(topic, 'Guid')}/{n}")
    else:
        for each in references:
            _old_reference(topic, each)


def _new_reference(parent: Element, old: Element, seed: str) -> None:
    guid = as_guid(attribute(old, "Guid")) or str(uuid5(NAMESPACE_URL, f"bcf:{seed}"))
    made = SubElement(parent, "DocumentReference", Guid=guid)
    target = text(old, "ReferencedDocument") or text(old, "Url")
    inside = as_guid(text(old, "DocumentGuid"))
    if inside is not None:
        SubElement(made, "DocumentGuid").text = inside
    elif target:
        SubElement(made, "Url").text = clean(target)
    description = text(old, "Description")
    if description:
        SubElement(made, "Description").text = clean(description)


def _old_reference(topic: Element, old: Element) -> None:
    made = SubElement(topic, "DocumentReference")
    guid = as_guid(attribute(old, "Guid"))
    if guid:
        made.set("Guid", guid)
    target = text(old, "ReferencedDocument") or text(old, "Url")
    inside = text(old, "DocumentGuid")
    external = attribute(old, "IsExternal")
    made.set("isExternal", external.lower() if external else "false" if inside else "true")
    SubElement(made, "ReferencedDocument").text = clean(target or f"../documents/{inside}")
    description = text(old, "Description")
    if description:
        SubElement(made, "Description").text = clean(description)
