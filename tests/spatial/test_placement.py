"""Elements that the file does not place are placed by geometry."""

import numpy as np
import pytest
import trimesh
from shapely import box

from spatial.placement import Footprint, Placement, footprint, place

ROOM = Footprint(box(0, 0, 4, 3), 0.0, 2.8)
UPPER = Footprint(box(0, 0, 4, 3), 3.0, 5.8)


def _place(
    boxes: list[list[float]], storey: list[int] | None = None, space: list[int] | None = None, slab: bool = False
) -> Placement:
    """Elements 0, 1: storeys at 0 and 3 m; 2, 3: a room on each; 4 …: the boxes."""
    count = 4 + len(boxes)
    all_boxes = np.full((count, 6), np.nan)
    all_boxes[4:] = boxes
    free = np.arange(count) >= 4
    return place(
        boxes=all_boxes,
        storey=np.array([-1, -1, 0, 1, *(storey or [-1] * len(boxes))]),
        space=np.array([-1, -1, -1, -1, *(space or [-1] * len(boxes))]),
        elevations={0: 0.0, 1: 3.0},
        footprints={2: ROOM, 3: UPPER},
        stands_in_room=free & (not slab),
        hangs_below=free & slab,
    )


@pytest.mark.clause("6.4.2b")
def test_a_pump_without_containment_gets_the_room_and_storey_it_stands_in() -> None:
    placed = _place([[1, 1, 0.1, 1.5, 1.5, 0.9]])
    assert (placed.space[4], placed.storey[4]) == (2, 0)
    assert placed.space_derived[4] and placed.storey_derived[4]


def test_what_the_file_says_is_kept_and_not_marked() -> None:
    placed = _place([[1, 1, 0.1, 1.5, 1.5, 0.9]], storey=[0], space=[2])
    assert not placed.space_derived[4] and not placed.storey_derived[4]


def test_a_room_on_another_storey_than_the_file_names_is_no_candidate() -> None:
    placed = _place([[1, 1, 3.1, 1.5, 1.5, 3.9]], storey=[0])
    assert placed.space[4] == -1 and placed.storey[4] == 0


def test_a_detector_in_the_ceiling_void_belongs_to_the_room_below_it() -> None:
    assert _place([[1, 1, 2.85, 1.1, 1.1, 2.95]]).space[4] == 2


def test_a_slab_belongs_to_the_storey_whose_floor_it_is() -> None:
    assert _place([[0, 0, 2.7, 4, 3, 3.0]], slab=True).storey[4] == 1


def test_a_footing_under_everything_belongs_to_the_lowest_storey() -> None:
    assert _place([[9, 9, -5, 10, 10, -4]]).storey[4] == 0


def test_an_element_without_geometry_stays_unplaced() -> None:
    placed = _place([[np.nan] * 6])
    assert placed.storey[4] == -1 and placed.space[4] == -1


def test_a_footprint_keeps_the_hole_of_an_atrium() -> None:
    slabs = [(0, 0, 10, 4), (0, 6, 10, 10), (0, 4, 4, 6), (6, 4, 10, 6)]
    boxes = [trimesh.creation.box(bounds=[[x0, y0, 0], [x1, y1, 3]]) for x0, y0, x1, y1 in slabs]
    mesh = trimesh.util.concatenate(boxes)
    assert isinstance(mesh, trimesh.Trimesh)
    floor = footprint(np.asarray(mesh.vertices), np.asarray(mesh.faces))
    assert floor is not None
    assert floor.area == pytest.approx(96, abs=1e-6) and floor.height == pytest.approx(3)


def test_an_empty_mesh_has_no_footprint() -> None:
    assert footprint(np.zeros((0, 3)), np.zeros((0, 3), dtype=np.int64)) is None
