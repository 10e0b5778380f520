"""BCF (BIM Collaboration Format) 2.0, 2.1 and 3.0: what a topic, a comment and a viewpoint are.

Points are metres in the model's own coordinates, z up; `topics` moves them into the building frame. `bcf_read` reads
them, `bcf_write` and `bcf_view` write them.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

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
