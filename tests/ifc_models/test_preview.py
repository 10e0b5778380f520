"""The storeys of a big model are handed over while others are still being meshed."""

from collections import Counter
from pathlib import Path

import ifcopenshell
import numpy as np

from ifc_models.mesh import MeshLimits, mesh_model
from ifc_models.mesh_preview import storey_ranks
from ifc_models.mesh_rungs import LOT, asked_in_lots
from tests.ifc_models import hostile

STOREYS, WALLS = 4, 60


def tower(path: Path) -> Path:
    """Storeys of walls that all have bodies of their own, the highest storey first in the file."""
    lines, number = [hostile.BASE], 1000
    for storey in reversed(range(STOREYS)):
        walls = []
        lines.append(
            f"#{100 + storey}=IFCBUILDINGSTOREY('00000000000000000001{storey:02d}',$,'S{storey}',$,$,#9,$,$,$,"
            f"{3 * storey}.);\n"
        )
        for i in range(WALLS):
            number += 10
            lines.append(f"#{number + 5}=IFCRECTANGLEPROFILEDEF(.AREA.,$,$,{1 + i / 100 + storey},2.);\n")
            lines.append(f"#{number + 6}=IFCEXTRUDEDAREASOLID(#{number + 5},#6,#11,3.);\n")
            lines.append(hostile.wall(number, f"0000000000000000{number:06d}", item=number + 6))
            walls.append(f"#{number}")
        lines.append(
            f"#{200 + storey}=IFCRELCONTAINEDINSPATIALSTRUCTURE('00000000000000000002{storey:02d}',$,$,$,"
            f"({','.join(walls)}),#{100 + storey});\n"
        )
    return hostile.write(path, "".join(lines))


def shown(folder: Path) -> list[int]:
    return [int(i) for i in np.load(folder / "instance_step_id.npy")]


def test_whole_storeys_are_handed_over_from_the_lowest_up_before_the_last_is_meshed(tmp_path: Path) -> None:
    path = tower(tmp_path / "tower.ifc")
    rank = storey_ranks(ifcopenshell.open(str(path)))
    told: list[tuple[str, int]] = []
    done = 0

    def report(now: int, _total: int) -> None:
        nonlocal done
        done = now

    limits = MeshLimits(preview_groups=STOREYS * WALLS - 1)
    result = mesh_model(
        path, None, tmp_path, limits=limits, report=report, preview=lambda name: told.append((name, done))
    )
    assert Counter(result.rung.values()) == {"ifclite": STOREYS * WALLS}
    assert told and all(0 < now < STOREYS * WALLS for _, now in told)
    ids = [step_id for name, _ in told for step_id in shown(tmp_path / name)]
    assert len(ids) == len(set(ids)) and len(ids) % WALLS == 0
    assert {rank[i] for i in ids} == set(range(1, 1 + len(ids) // WALLS))  # the lowest ones, each of them whole
    assert sorted(shown(tmp_path)) == sorted(i for i in result.rung)


def test_what_was_handed_over_early_is_in_the_end_as_if_nobody_had_asked(tmp_path: Path) -> None:
    path = tower(tmp_path / "tower.ifc")
    (tmp_path / "early").mkdir()
    mesh_model(path, None, tmp_path / "early", limits=MeshLimits(preview_groups=10), preview=lambda _name: None)
    mesh_model(path, None, tmp_path / "plain")
    for folder in ("early", "plain"):
        of = np.argsort(np.load(tmp_path / folder / "instance_step_id.npy"))
        shapes = np.load(tmp_path / folder / "instance_shape.npy")[of]
        starts, positions = (np.load(tmp_path / folder / f"{n}.npy") for n in ("shape_vertices", "positions"))
        found = [positions[int(starts[s]) : int(starts[s + 1])].tobytes() for s in shapes.tolist()]
        matrices = np.load(tmp_path / folder / "instance_matrix.npy")[of]
        if folder == "early":
            expected, placed = found, matrices
    assert found == expected and np.array_equal(placed, matrices)


def test_what_is_wanted_first_is_asked_for_in_whole_storeys_and_never_for_most_of_a_model() -> None:
    def lots(*sizes: int) -> list[list[int]]:
        """The storeys of each lot, for storeys of so many bodies each."""
        order = {100 * rank + i: rank for rank, size in enumerate(sizes) for i in range(size)}
        found = asked_in_lots([*reversed(order)], order)
        assert sorted(i for lot in found for i in lot) == sorted(order)
        return [sorted({order[i] for i in lot}) for lot in found]

    assert lots(10, 10, 10, 10) == [[0], [1, 2, 3]]
    assert lots(5, 10, 10, 15) == [[0, 1], [2, 3]]
    assert lots(30, 10) == [[0, 1]]  # to read the file twice would show nothing sooner
    assert asked_in_lots([3, 1, 2], None) == [[3, 1, 2]] and asked_in_lots([], None) == []
    assert [len(lot) for lot in asked_in_lots(range(LOT + 1), None)] == [LOT, 1]
    many = {i: i // (LOT + 1) for i in range(3 * LOT + 3)}  # a storey of more than one call may hold
    assert [len(lot) for lot in asked_in_lots(list(many), many)] == [LOT, 1, LOT, LOT, 2]
