"""What isolates an element: it really separates, it is the smallest, and where nothing can, that is said."""

from itertools import combinations

import networkx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spatial.isolation import isolate


def piping(*edges: tuple[int, int], derived: bool = False) -> networkx.DiGraph:
    graph = networkx.DiGraph()
    graph.add_edges_from(edges, derived=derived)
    return graph


def separates(graph: networkx.DiGraph, shut: set[int], element: int, sources: set[int]) -> bool:
    """Whether nothing leads from a source to the element past what is shut; a shut source lets nothing out."""
    left = graph.to_undirected().subgraph(set(graph) - shut)
    return not any(source in left and networkx.has_path(left, source, element) for source in sources - {element})


@pytest.mark.clause("6.4.3b")
def test_one_valve_before_two_branches_is_chosen_instead_of_many_and_says_what_else_goes_off() -> None:
    graph = piping((1, 10), (10, 2), (2, 3), (2, 4), (3, 5), (4, 5))
    cut = isolate(graph, 5, isolators={10}, sources={1})
    assert (cut.shut, cut.complete, cut.also_off) == ([10], True, 3)


def test_on_a_ring_both_sides_are_shut_and_the_nearest_ones() -> None:
    ring = piping((1, 2), (2, 10), (10, 3), (3, 11), (11, 4), (4, 5), (5, 20), (20, 6), (6, 21), (21, 2))
    assert isolate(ring, 4, isolators={10, 11, 20, 21}, sources={1}).shut == [11, 20]


def test_a_radiator_needs_its_supply_and_its_return_shut() -> None:
    circuit = piping((1, 2), (2, 10), (10, 3), (3, 11), (11, 4), (4, 1))
    assert isolate(circuit, 3, isolators={10, 11}, sources={1}).shut == [10, 11]


def test_where_a_source_reaches_the_element_unstopped_nothing_isolates_it_and_the_source_is_named() -> None:
    graph = piping((1, 10), (10, 3), (2, 3))
    cut = isolate(graph, 3, isolators={10}, sources={1, 2})
    assert (cut.complete, cut.unstopped, cut.shut) == (False, [2], [10])


def test_a_board_is_a_source_that_can_be_shut() -> None:
    cut = isolate(piping((1, 2), (2, 3), (3, 4)), 4, isolators={2}, sources={1, 2})
    assert (cut.shut, cut.complete) == ([2], True)


def test_the_element_itself_is_never_what_is_shut() -> None:
    graph = piping((1, 10), (10, 11), (11, 2))
    assert isolate(graph, 11, isolators={10, 11}, sources={1}).shut == [10]


def test_without_a_source_the_file_s_beginnings_count_then_open_pipe_ends() -> None:
    given_ = piping((1, 10), (10, 2))
    assert isolate(given_, 2, isolators={10}, sources=set()).shut == [10]
    derived = piping((1, 10), (10, 2), derived=True)
    assert isolate(derived, 2, isolators={10}, sources=set(), runs={1}).shut == [10]
    alone = networkx.DiGraph()
    alone.add_node(7)
    assert isolate(alone, 7, isolators=set(), sources=set()).complete is False
    assert isolate(alone, 99, isolators=set(), sources=set()).sources == 0


NODES = st.integers(0, 9)


@settings(max_examples=60, deadline=None)
@given(
    edges=st.lists(st.tuples(NODES, NODES).filter(lambda edge: edge[0] != edge[1]), min_size=1, max_size=18),
    isolators=st.sets(NODES, max_size=5),
    sources=st.sets(NODES, min_size=1, max_size=3),
    element=NODES,
)
def test_what_is_shut_separates_and_nothing_smaller_does(
    edges: list[tuple[int, int]], isolators: set[int], sources: set[int], element: int
) -> None:
    graph = piping(*edges)
    cut = isolate(graph, element, isolators=isolators, sources=sources)
    if element not in graph or not cut.sources:
        return
    if element in sources and not sources & networkx.node_connected_component(graph.to_undirected(), element) - {
        element
    }:
        return  # it is what feeds: nothing else to be parted from
    part = networkx.node_connected_component(graph.to_undirected(), element)
    feeding = sources & part - {element}
    if not feeding:  # then where the file begins counts
        feeding = {node for node in part - {element} if not graph.in_degree(node)} & part
    able = isolators & part - {element}
    assert cut.complete == separates(graph, able, element, feeding)
    if cut.complete:
        assert separates(graph, set(cut.shut), element, feeding)
        smaller = combinations(sorted(able), len(cut.shut) - 1) if cut.shut else ()
        assert not any(separates(graph, set(fewer), element, feeding) for fewer in smaller)
    else:
        assert cut.unstopped
