"""BCF (BIM Collaboration Format) 2.0, 2.1 and 3.0: what a topic, a comment and a viewpoint are, and how they are read.

Files of real programs are sloppy: elements in another order or with another case, attributes that the schema does not
have, missing dates. What can be understood is taken, and the XML itself is kept, so that an export gives back what was
not understood too (`bcf_write`). Points are metres in the model's own coordinates, z up; `topics` moves them into the
building frame. XML is read by defusedxml only: no DTD, no entities.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID
from xml.etree.ElementTree import Element

from defusedxml import ElementTree, common

from twin.errors import Invalid

MAX_XML: Final = 16 << 20  # bytes of one markup or viewpoint
MAX_COMPONENTS: Final = 200_000  # of one viewpoint
VERSIONS: Final = ("2.1", "3.0")

Point = list[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """From where a viewpoint looks. `field_of_view`: degrees, vertical; `view_to_world_scale`: view height, m."""

    kind: str  # perspective | orthogonal
    eye: Point  # m
    direction: Point
    up: Point
    field_of_view: float | None = None
    view_to_world_scale: float | None = None
    aspect_ratio: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """An element as BCF names it."""

    ifc_guid: str | None = None
    originating_system: str | None = None
    authoring_tool_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Colouring:
    """Elements in one colour: RRGGBB or AARRGGBB, hexadecimal."""

    colour: str
    components: list[Component]


@dataclass(frozen=True, slots=True, kw_only=True)
class Visibility:
    """What is shown: everything or nothing (`default`), but for the exceptions."""

    default: bool = True
    exceptions: list[Component] = field(default_factory=list)
    spaces: bool = False
    space_boundaries: bool = False
    openings: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClippingPlane:
    """A plane; what lies in its direction is cut away."""

    location: Point
    direction: Point


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line drawn in 3D."""

    start: Point
    end: Point


@dataclass(frozen=True, slots=True, kw_only=True)
class Bitmap:
    """A picture placed in 3D; `reference` is its file beside the markup."""

    format: str
    reference: str
    location: Point
    normal: Point
    up: Point
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a viewpoint file holds."""

    camera: Camera | None = None
    selection: list[Component] = field(default_factory=list)
    visibility: Visibility | None = None
    colouring: list[Colouring] = field(default_factory=list)
    clipping_planes: list[ClippingPlane] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    bitmaps: list[Bitmap] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewpointEntry:
    """A viewpoint as the markup lists it: names of the files beside it."""

    guid: str
    viewpoint: str | None = None
    snapshot: str | None = None
    index: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """What somebody said, maybe about a viewpoint."""

    guid: str
    text: str
    author: str
    date: datetime
    viewpoint: str | None = None  # its guid
    modified_author: str | None = None
    modified_date: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """An issue as the markup tells it."""

    guid: str
    title: str
    creation_author: str
    creation_date: datetime
    topic_type: str | None = None
    topic_status: str | None = None
    priority: str | None = None
    stage: str | None = None
    index: int | None = None
    labels: list[str] = field(default_factory=list)
    reference_links: list[str] = field(default_factory=list)
    assigned_to: str | None = None
    description: str | None = None
    due_date: datetime | None = None
    modified_author: str | None = None
    modified_date: datetime | None = None
    server_assigned_id: str | None = None
    related_topics: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Markup:
    """A topic with its comments and the list of its viewpoints."""

    topic: Topic
    comments: list[Comment]
    viewpoints: list[ViewpointEntry]


def parse_xml(data: bytes, where: str) -> Element:
    """The root of an XML document. Raises Invalid for what is none, is too large or declares a DTD."""
    if len(data) > MAX_XML:
        raise Invalid("bcf.xml", where=where, reason=f"{len(data)} bytes")
    try:
        root: Element = ElementTree.fromstring(data, forbid_dtd=True)
    except (common.DefusedXmlException, ElementTree.ParseError, UnicodeError, LookupError, ValueError) as error:
        raise Invalid("bcf.xml", where=where, reason=str(error)[:200] or type(error).__name__) from error
    return root


def local(element: Element) -> str:
    """The element's name without its namespace, in lower case."""
    return str(element.tag).rpartition("}")[2].lower()


def children(parent: Element | None, *names: str) -> Iterator[Element]:
    """Children of these names, whatever their case."""
    wanted = {name.lower() for name in names}
    return (each for each in (parent if parent is not None else ()) if local(each) in wanted)


def child(parent: Element | None, *names: str) -> Element | None:
    """The first child of one of these names."""
    return next(children(parent, *names), None)


def text(parent: Element | None, *names: str) -> str | None:
    """The text of a child; None where there is none or it is blank."""
    found = child(parent, *names)
    value = "".join(found.itertext()).strip() if found is not None else ""
    return value or None


def attribute(element: Element | None, name: str) -> str | None:
    """An attribute, whatever its case; None where it is missing or blank."""
    for key, value in (element.attrib if element is not None else {}).items():
        if key.rpartition("}")[2].lower() == name.lower():
            return value.strip() or None
    return None


def as_time(value: str | None) -> datetime | None:
    """An xs:dateTime, in UTC where it names no zone; None for what is none."""
    if value is None:
        return None
    try:
        made = datetime.fromisoformat(value.strip())
    except ValueError:
        try:  # more than six decimals of a second, as .NET writes them
            head, _, tail = value.strip().partition(".")
            digits = len(tail) - len(tail.lstrip("0123456789"))
            made = datetime.fromisoformat(f"{head}.{tail[: min(digits, 6)]}{tail[digits:]}")
        except ValueError:
            return None
    return made if made.tzinfo else made.replace(tzinfo=UTC)


def as_guid(value: str | None) -> str | None:
    """A UUID in its usual form; None for what is none."""
    try:
        return str(UUID(value)) if value else None
    except ValueError:
        return None


EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def read_markup(root: Element, where: str) -> Markup:
    """A markup file. Raises Invalid without a topic or its GUID."""
    topic = child(root, "Topic")
    guid = as_guid(attribute(topic, "Guid"))
    if topic is None or guid is None:
        raise Invalid("bcf.no_topic", where=where)
    comments = [*children(root, "Comment"), *children(child(topic, "Comments"), "Comment")]
    views = [*children(root, "Viewpoints"), *children(child(topic, "Viewpoints"), "ViewPoint")]
    if local(root) == "markup" and (old := child(root, "Viewpoint")) is not None:
        views.append(old)
    return Markup(
        topic=_topic(topic, guid),
        comments=[comment for each in comments if (comment := _comment(each)) is not None],
        viewpoints=[entry for each in views if (entry := _entry(each)) is not None],
    )


def _topic(topic: Element, guid: str) -> Topic:
    date = as_time(text(topic, "CreationDate"))
    return Topic(
        guid=guid,
        title=text(topic, "Title") or guid,
        creation_author=text(topic, "CreationAuthor") or "",
        creation_date=date or EPOCH,
        topic_type=attribute(topic, "TopicType"),
        topic_status=attribute(topic, "TopicStatus"),
        priority=text(topic, "Priority"),
        stage=text(topic, "Stage"),
        index=_integer(text(topic, "Index")),
        labels=_texts(topic, "Labels", "Label"),
        reference_links=_texts(topic, "ReferenceLinks", "ReferenceLink"),
        assigned_to=text(topic, "AssignedTo"),
        description=text(topic, "Description"),
        due_date=as_time(text(topic, "DueDate")),
        modified_author=text(topic, "ModifiedAuthor"),
        modified_date=as_time(text(topic, "ModifiedDate")),
        server_assigned_id=attribute(topic, "ServerAssignedId"),
        related_topics=[
            found
            for parent in (topic, child(topic, "RelatedTopics"))
            for each in children(parent, "RelatedTopic", "RelatedTopics")
            if (found := as_guid(attribute(each, "Guid"))) is not None
        ],
    )


def _texts(topic: Element, many: str, one: str) -> list[str]:
    """A list in the way of 3.0 (a wrapper) or of 2.x (repeated elements, named in the plural or not)."""
    found: list[str] = []
    for each in children(topic, many, one):
        inner = list(children(each, one))
        found += ["".join(e.itertext()).strip() for e in (inner or ([each] if len(each) == 0 else []))]
    return [value for value in found if value]


def _comment(element: Element) -> Comment | None:
    guid = as_guid(attribute(element, "Guid"))
    if guid is None:
        return None
    return Comment(
        guid=guid,
        text=text(element, "Comment") or "",
        author=text(element, "Author") or "",
        date=as_time(text(element, "Date")) or EPOCH,
        viewpoint=as_guid(attribute(child(element, "Viewpoint"), "Guid")),
        modified_author=text(element, "ModifiedAuthor"),
        modified_date=as_time(text(element, "ModifiedDate")),
    )


def _entry(element: Element) -> ViewpointEntry | None:
    guid = as_guid(attribute(element, "Guid"))
    if guid is None:
        return None
    return ViewpointEntry(
        guid=guid,
        viewpoint=text(element, "Viewpoint"),
        snapshot=text(element, "Snapshot"),
        index=_integer(text(element, "Index")),
    )


def _integer(value: str | None) -> int | None:
    try:
        return int(value) if value else None
    except ValueError:
        return None


def read_view(root: Element) -> View:
    """A viewpoint file (VisualizationInfo) of any version."""
    components = child(root, "Components")
    old = list(children(components, "Component"))  # 2.0: one list, everything an attribute
    visibility, colouring = _visibility(components), _colouring(components)
    if old:
        return _old_view(root, components, old)
    return View(
        camera=_camera(root),
        selection=_components(child(components, "Selection")),
        visibility=visibility,
        colouring=colouring,
        clipping_planes=_planes(root),
        lines=_lines(root),
        bitmaps=_bitmaps(root),
    )


def _old_view(root: Element, components: Element | None, old: list[Element]) -> View:
    """BCF 2.0: `Selected`, `Visible` and `Color` are attributes of each component."""
    default = _boolean(attribute(components, "DefaultVisibilityComponents"), default=True)
    shown = [(each, _boolean(attribute(each, "Visible"), default=default)) for each in old[:MAX_COMPONENTS]]
    by_colour: dict[str, list[Component]] = {}
    for each in old[:MAX_COMPONENTS]:
        colour = attribute(each, "Color")
        if colour:
            by_colour.setdefault(colour, []).append(_component(each))
    return View(
        camera=_camera(root),
        selection=[_component(each) for each, _ in shown if _boolean(attribute(each, "Selected"), default=False)],
        visibility=Visibility(
            default=default,
            exceptions=[_component(each) for each, visible in shown if visible != default],
            spaces=_boolean(attribute(components, "DefaultVisibilitySpaces"), default=False),
            space_boundaries=_boolean(attribute(components, "DefaultVisibilitySpaceBoundaries"), default=False),
            openings=_boolean(attribute(components, "DefaultVisibilityOpenings"), default=False),
        ),
        colouring=[Colouring(colour=colour, components=many) for colour, many in by_colour.items()],
        clipping_planes=_planes(root),
        lines=_lines(root),
        bitmaps=_bitmaps(root),
    )


def _boolean(value: str | None, *, default: bool) -> bool:
    return default if value is None else value.lower() in ("true", "1")


def _camera(root: Element) -> Camera | None:
    for kind, name in (("perspective", "PerspectiveCamera"), ("orthogonal", "OrthogonalCamera")):
        found = child(root, name)
        if found is None:
            continue
        eye, direction, up = (_point(child(found, f"Camera{part}")) for part in ("ViewPoint", "Direction", "UpVector"))
        if eye is not None and direction is not None and any(direction):
            return Camera(
                kind=kind,
                eye=eye,
                direction=direction,
                up=up or [0.0, 0.0, 1.0],
                field_of_view=_number(text(found, "FieldOfView")),
                view_to_world_scale=_number(text(found, "ViewToWorldScale")),
                aspect_ratio=_number(text(found, "AspectRatio")),
            )
    return None


def _number(value: str | None) -> float | None:
    try:
        made = float(value.replace(",", ".")) if value else None  # some programs write with their user's comma
    except ValueError:
        return None
    return made if made is not None and math.isfinite(made) else None


def _point(element: Element | None) -> Point | None:
    values = [_number(text(element, axis)) for axis in "XYZ"]
    return [value for value in values if value is not None] if None not in values else None


def _component(element: Element) -> Component:
    return Component(
        ifc_guid=attribute(element, "IfcGuid"),
        originating_system=text(element, "OriginatingSystem"),
        authoring_tool_id=text(element, "AuthoringToolId"),
    )


def _components(parent: Element | None) -> list[Component]:
    return [_component(each) for each in list(children(parent, "Component"))[:MAX_COMPONENTS]]


def _visibility(components: Element | None) -> Visibility | None:
    found = child(components, "Visibility")
    if found is None:
        return None
    hints = child(found, "ViewSetupHints")
    hints = child(components, "ViewSetupHints") if hints is None else hints
    return Visibility(
        default=_boolean(attribute(found, "DefaultVisibility"), default=False),
        exceptions=_components(child(found, "Exceptions")),
        spaces=_boolean(attribute(hints, "SpacesVisible"), default=False),
        space_boundaries=_boolean(attribute(hints, "SpaceBoundariesVisible"), default=False),
        openings=_boolean(attribute(hints, "OpeningsVisible"), default=False),
    )


def _colouring(components: Element | None) -> list[Colouring]:
    made: list[Colouring] = []
    for each in children(child(components, "Coloring"), "Color"):
        colour = attribute(each, "Color")
        of = _components(child(each, "Components")) or _components(each)
        if colour and of:
            made.append(Colouring(colour=colour, components=of))
    return made


def _planes(root: Element) -> list[ClippingPlane]:
    made: list[ClippingPlane] = []
    for each in children(child(root, "ClippingPlanes"), "ClippingPlane"):
        location, direction = _point(child(each, "Location")), _point(child(each, "Direction"))
        if location is not None and direction is not None and any(direction):
            made.append(ClippingPlane(location=location, direction=direction))
    return made


def _lines(root: Element) -> list[Line]:
    made: list[Line] = []
    for each in children(child(root, "Lines"), "Line"):
        start, end = _point(child(each, "StartPoint")), _point(child(each, "EndPoint"))
        if start is not None and end is not None:
            made.append(Line(start=start, end=end))
    return made


def _bitmaps(root: Element) -> list[Bitmap]:
    made: list[Bitmap] = []
    for each in (*children(root, "Bitmap", "Bitmaps"), *children(child(root, "Bitmaps"), "Bitmap")):
        points = [_point(child(each, name)) for name in ("Location", "Normal", "Up")]
        reference, height = text(each, "Reference"), _number(text(each, "Height"))
        if reference and height is not None and points[0] and points[1] and points[2]:
            kind = (text(each, "Format") or text(each, "Bitmap") or "png").lower()
            made.append(
                Bitmap(
                    format="jpg" if kind == "jpeg" else kind,
                    reference=reference,
                    location=points[0],
                    normal=points[1],
                    up=points[2],
                    height=height,
                )
            )
    return made


def view_from(data: dict[str, Any]) -> View:
    """A view as `dataclasses.asdict` and JSON have it."""
    camera, visibility = data.get("camera"), data.get("visibility")
    return View(
        camera=Camera(**camera) if camera else None,
        selection=[Component(**each) for each in data.get("selection", [])],
        visibility=Visibility(**{**visibility, "exceptions": [Component(**each) for each in visibility["exceptions"]]})
        if visibility
        else None,
        colouring=[
            Colouring(colour=each["colour"], components=[Component(**one) for one in each["components"]])
            for each in data.get("colouring", [])
        ],
        clipping_planes=[ClippingPlane(**each) for each in data.get("clipping_planes", [])],
        lines=[Line(**each) for each in data.get("lines", [])],
        bitmaps=[Bitmap(**each) for each in data.get("bitmaps", [])],
    )
