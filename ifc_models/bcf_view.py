"""Viewpoint files (VisualizationInfo) of BCF 2.1 and 3.0, and the small files that every archive has."""

import re
from collections.abc import Iterable, Sequence
from typing import Final
from xml.etree.ElementTree import Element, SubElement

from ifc_models import bcf
from ifc_models.bcf_write import clean, xml

_GLOBAL_ID: Final = re.compile(r"[0-9A-Za-z_$]{22}")
_COLOUR: Final = re.compile(r"([0-9A-Fa-f]{6}|[0-9A-Fa-f]{8})")
FIELD_OF_VIEW: Final = 60.0  # degrees, where none is given
OLD_FIELD_OF_VIEW: Final = (45.0, 60.0)  # what the schema of 2.1 allows
ASPECT: Final = 4 / 3
NO_CAMERA: Final = bcf.Camera(kind="perspective", eye=[0.0, 0.0, 0.0], direction=[0.0, 1.0, 0.0], up=[0.0, 0.0, 1.0])


def write_view(guid: str, view: bcf.View, version: str) -> bytes:
    """A viewpoint file."""
    root = Element("VisualizationInfo", Guid=guid)
    _write_components(root, view, new=version == "3.0")
    camera = view.camera or (NO_CAMERA if version == "3.0" else None)  # 3.0 demands one
    if camera is not None:
        _write_camera(root, camera, new=version == "3.0")
    if view.lines:
        parent = SubElement(root, "Lines")
        for line in view.lines:
            made = SubElement(parent, "Line")
            _write_point(made, "StartPoint", line.start)
            _write_point(made, "EndPoint", line.end)
    if view.clipping_planes:
        parent = SubElement(root, "ClippingPlanes")
        for plane in view.clipping_planes:
            made = SubElement(parent, "ClippingPlane")
            _write_point(made, "Location", plane.location)
            _write_point(made, "Direction", plane.direction)
    _write_bitmaps(root, view.bitmaps, new=version == "3.0")
    return xml(root)


def _write_components(root: Element, view: bcf.View, *, new: bool) -> None:
    if not (view.selection or view.visibility or view.colouring):
        return
    parent = SubElement(root, "Components")
    visibility = view.visibility or bcf.Visibility(default=True)
    hints = Element(
        "ViewSetupHints",
        SpacesVisible=_yes(visibility.spaces),
        SpaceBoundariesVisible=_yes(visibility.space_boundaries),
        OpeningsVisible=_yes(visibility.openings),
    )
    if not new:
        parent.append(hints)
    if view.selection:
        _write_each(SubElement(parent, "Selection"), view.selection)
    made = SubElement(parent, "Visibility", DefaultVisibility=_yes(visibility.default))
    if new:
        made.append(hints)
    if visibility.exceptions:
        _write_each(SubElement(made, "Exceptions"), visibility.exceptions)
    colours = [each for each in view.colouring if _COLOUR.fullmatch(each.colour) and each.components]
    if colours:
        colouring = SubElement(parent, "Coloring")
        for each in colours:
            colour = SubElement(colouring, "Color", Color=each.colour)
            _write_each(SubElement(colour, "Components") if new else colour, each.components)


def _yes(value: bool) -> str:
    return "true" if value else "false"


def _write_each(parent: Element, components: Iterable[bcf.Component]) -> None:
    for each in components:
        made = SubElement(parent, "Component")
        if each.ifc_guid and _GLOBAL_ID.fullmatch(each.ifc_guid):
            made.set("IfcGuid", each.ifc_guid)
        if each.originating_system:
            SubElement(made, "OriginatingSystem").text = clean(each.originating_system)
        if each.authoring_tool_id:
            SubElement(made, "AuthoringToolId").text = clean(each.authoring_tool_id)


def _write_camera(root: Element, camera: bcf.Camera, *, new: bool) -> None:
    perspective = camera.kind == "perspective"
    made = SubElement(root, "PerspectiveCamera" if perspective else "OrthogonalCamera")
    _write_point(made, "CameraViewPoint", camera.eye)
    _write_point(made, "CameraDirection", camera.direction)
    _write_point(made, "CameraUpVector", camera.up)
    if perspective:
        angle = camera.field_of_view or FIELD_OF_VIEW
        low, high = OLD_FIELD_OF_VIEW
        SubElement(made, "FieldOfView").text = _number(angle if new else min(max(angle, low), high))
    else:
        SubElement(made, "ViewToWorldScale").text = _number(camera.view_to_world_scale or 1.0)
    if new:
        aspect = camera.aspect_ratio
        SubElement(made, "AspectRatio").text = _number(aspect if aspect and aspect > 0 else ASPECT)


def _write_bitmaps(root: Element, bitmaps: Sequence[bcf.Bitmap], *, new: bool) -> None:
    parent = SubElement(root, "Bitmaps") if new and bitmaps else root
    for bitmap in bitmaps:
        made = SubElement(parent, "Bitmap")
        if new:
            SubElement(made, "Format").text = bitmap.format
        else:
            SubElement(made, "Bitmap").text = bitmap.format.upper()
        SubElement(made, "Reference").text = clean(bitmap.reference)
        _write_point(made, "Location", bitmap.location)
        _write_point(made, "Normal", bitmap.normal)
        _write_point(made, "Up", bitmap.up)
        SubElement(made, "Height").text = _number(bitmap.height)


def _write_point(parent: Element, name: str, point: bcf.Point) -> None:
    made = SubElement(parent, name)
    for axis, value in zip("XYZ", point, strict=True):
        SubElement(made, axis).text = _number(value)


def _number(value: float) -> str:
    return repr(float(value))


def write_version(version: str) -> bytes:
    """`bcf.version`."""
    root = Element("Version", VersionId=version)
    if version == "2.1":
        SubElement(root, "DetailedVersion").text = "2.1"
    return xml(root)


def write_project(project_id: str, name: str, version: str) -> bytes:
    """`project.bcfp`."""
    root = Element("ProjectInfo" if version == "3.0" else "ProjectExtension")
    project = SubElement(root, "Project", ProjectId=project_id)
    SubElement(project, "Name").text = clean(name)
    if version != "3.0":
        SubElement(root, "ExtensionSchema").text = ""
    return xml(root)


def write_extensions(topics: Sequence[bcf.Topic], users: Iterable[str]) -> bytes:
    """`extensions.xml` of 3.0: every value that the topics use."""
    root = Element("Extensions")
    lists: tuple[tuple[str, str, list[str | None]], ...] = (
        ("TopicTypes", "TopicType", [topic.topic_type or "Issue" for topic in topics]),
        ("TopicStatuses", "TopicStatus", [topic.topic_status or "Open" for topic in topics]),
        ("Priorities", "Priority", [topic.priority for topic in topics]),
        ("TopicLabels", "TopicLabel", [label for topic in topics for label in topic.labels]),
        ("Users", "User", [*users]),
        ("SnippetTypes", "SnippetType", []),
        ("Stages", "Stage", [topic.stage for topic in topics]),
    )
    for many, one, values in lists:
        parent = SubElement(root, many)
        for value in sorted({value for value in values if value}):
            SubElement(parent, one).text = clean(value)
    return xml(root)


def write_documents(documents: Iterable[tuple[str, str, str | None]]) -> bytes:
    """`documents.xml` of 3.0 from (guid, file name, description)."""
    root = Element("DocumentInfo")
    parent = SubElement(root, "Documents")
    for guid, name, description in documents:
        made = SubElement(parent, "Document", Guid=guid)
        SubElement(made, "Filename").text = clean(name)
        if description:
            SubElement(made, "Description").text = clean(description)
    return xml(root)
