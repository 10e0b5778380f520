"""Reads BCF markup and viewpoint files of any version.

What can be understood is taken; the XML itself is kept, so that an export gives back what was not understood too
(`bcf_write`).
"""

from datetime import UTC, datetime
from typing import Final
from xml.etree.ElementTree import Element

from ifc_models.bcf import (
    Bitmap,
    Camera,
    ClippingPlane,
    Colouring,
    Comment,
    Component,
    Line,
    Markup,
    Point,
    Topic,
    View,
    ViewpointEntry,
    Visibility,
)
from ifc_models.bcf_xml import (
    as_boolean,
    as_guid,
    as_integer,
    as_number,
    as_time,
    attribute,
    child,
    children,
    local,
    text,
)
from twin.errors import Invalid

MAX_COMPONENTS: Final = 200_000  # of one viewpoint
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
        index=as_integer(text(topic, "Index")),
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
        index=as_integer(text(element, "Index")),
    )


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
    default = as_boolean(attribute(components, "DefaultVisibilityComponents"), default=True)
    shown = [(each, as_boolean(attribute(each, "Visible"), default=default)) for each in old[:MAX_COMPONENTS]]
    by_colour: dict[str, list[Component]] = {}
    for each in old[:MAX_COMPONENTS]:
        colour = attribute(each, "Color")
        if colour:
            by_colour.setdefault(colour, []).append(_component(each))
    return View(
        camera=_camera(root),
        selection=[_component(each) for each, _ in shown if as_boolean(attribute(each, "Selected"), default=False)],
        visibility=Visibility(
            default=default,
            exceptions=[_component(each) for each, visible in shown if visible != default],
            spaces=as_boolean(attribute(components, "DefaultVisibilitySpaces"), default=False),
            space_boundaries=as_boolean(attribute(components, "DefaultVisibilitySpaceBoundaries"), default=False),
            openings=as_boolean(attribute(components, "DefaultVisibilityOpenings"), default=False),
        ),
        colouring=[Colouring(colour=colour, components=many) for colour, many in by_colour.items()],
        clipping_planes=_planes(root),
        lines=_lines(root),
        bitmaps=_bitmaps(root),
    )


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
                field_of_view=as_number(text(found, "FieldOfView")),
                view_to_world_scale=as_number(text(found, "ViewToWorldScale")),
                aspect_ratio=as_number(text(found, "AspectRatio")),
            )
    return None


def _point(element: Element | None) -> Point | None:
    values = [as_number(text(element, axis)) for axis in "XYZ"]
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
        default=as_boolean(attribute(found, "DefaultVisibility"), default=False),
        exceptions=_components(child(found, "Exceptions")),
        spaces=as_boolean(attribute(hints, "SpacesVisible"), default=False),
        space_boundaries=as_boolean(attribute(hints, "SpaceBoundariesVisible"), default=False),
        openings=as_boolean(attribute(hints, "OpeningsVisible"), default=False),
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
        reference, height = text(each, "Reference"), as_number(text(each, "Height"))
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
