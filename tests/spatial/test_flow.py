"""What feeds what: directions given and derived, circuits, breaks, and what isolates an element."""

from hypothesis import given
from hypothesis import strategies as st

from spatial.flow import FlowGraph, Join, Reached, through_ports, unconnected

EDGES = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=60)


def joins(*pairs: tuple[int, int], how: str = "file") -> list[Join]:
    return [Join(one, other, how) for one, other in pairs]


def elements(found: list[Reached]) -> list[int]:
    return [each.element for each in found]


def test_downstream_is_what_an_element_feeds_nearest_first() -> None:
    flow = FlowGraph(joins((1, 2), (2, 3), (2, 4), (4, 5)), [])
    assert [(each.element, each.distance, each.via) for each in flow.downstream(1)] == [
        (2, 1, 1),
        (3, 2, 2),
        (4, 2, 2),
        (5, 3, 4),
    ]
    assert elements(flow.upstream(5)) == [4, 2, 1]
    assert flow.downstream(99) == []


def test_connections_without_direction_lead_away_from_the_source_and_say_that_this_is_derived() -> None:
    flow = FlowGraph([], joins((3, 2), (2, 1), (3, 4)), sources={1})
    assert elements(flow.downstream(1)) == [2, 3, 4]
    assert all(each.derived for each in flow.downstream(1))


def test_what_hangs_on_a_directed_part_is_fed_by_it() -> None:
    flow = FlowGraph(joins((1, 2)), joins((3, 2), (4, 3)))
    assert [(each.element, each.derived) for each in flow.downstream(1)] == [(2, False), (3, True), (4, True)]


def test_a_radiator_is_not_fed_by_its_own_return() -> None:
    boiler, supply, radiator, back = 1, 2, 3, 4
    flow = FlowGraph(
        joins((boiler, supply), (supply, radiator), (radiator, back), (back, boiler)), [], generators={boiler}
    )
    assert elements(flow.upstream(radiator)) == [supply, boiler]
    assert elements(flow.downstream(radiator)) == [back, boiler]
    assert flow.loops() == [[boiler, supply, radiator, back]]


def test_ports_stand_for_their_elements_and_loose_ones_are_named() -> None:
    owner = {11: 1, 12: 1, 21: 2, 31: 3}
    assert list(through_ports([(12, 21), (11, 12)], owner)) == [(1, 2)]
    assert unconnected([11, 12, 21, 31], [(12, 21)]) == [11, 31]


@given(feeds=EDGES, connects=EDGES)
def test_upstream_of_downstream_contains_the_element(
    feeds: list[tuple[int, int]], connects: list[tuple[int, int]]
) -> None:
    flow = FlowGraph(joins(*feeds), joins(*connects))
    for start in list(flow.graph)[:10]:
        for each in flow.downstream(start):
            assert start in elements(flow.upstream(each.element))
        assert not set(elements(flow.downstream(start))) & {start}
