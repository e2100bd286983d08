"""The assignment against every injective matching of small graphs, and against itself in another order."""

from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mbt_rom.matching import Edges, assign, settled

GROUPS, SIZE = 2, 3


@st.composite
def graphs(draw):
    """Costs by (group, form, slot) of two groups of up to three forms and three slots; some pairs do not fit."""
    cells = list(product(range(GROUPS), range(SIZE), range(SIZE)))
    costs = draw(st.lists(st.none() | st.integers(0, 6), min_size=len(cells), max_size=len(cells)))
    return {cell: cost for cell, cost in zip(cells, costs, strict=True) if cost is not None}


def edges_of(graph):
    rows = [(g * SIZE + f, g * SIZE + s, cost, g) for (g, f, s), cost in graph.items()]
    return Edges(*np.array(rows, dtype=np.int64).reshape(-1, 4).T)


def best(graph, group):
    """Most matches, and the least cost of so many, over every way to give each form at most one slot."""
    found = (0, 0)
    for slots in product([None, *range(SIZE)], repeat=SIZE):
        used = [(group, f, s) for f, s in enumerate(slots) if s is not None]
        if len({s for *_, s in used}) == len(used) and all(cell in graph for cell in used):
            found = max(found, (len(used), -sum(graph[cell] for cell in used)))
    return found


@given(graphs())
def test_no_matching_has_more_pairs_or_costs_less_and_nothing_is_used_twice(graph):
    chosen = assign(edges_of(graph))
    assert len(set(chosen.form.tolist())) == len(set(chosen.slot.tolist())) == len(chosen.form)
    for group in range(GROUPS):
        costs = chosen.cost[chosen.group == group]
        assert (len(costs), -int(costs.sum())) == best(graph, group)


@given(graphs(), st.randoms(use_true_random=False))
def test_the_order_of_the_edges_does_not_matter(graph, random):
    edges = edges_of(graph)
    order = list(range(len(edges.form)))
    random.shuffle(order)
    one, other = (assign(e) for e in (edges, edges[np.array(order, dtype=np.int64)]))
    pairs = [sorted(zip(chosen.form.tolist(), chosen.slot.tolist(), strict=True)) for chosen in (one, other)]
    assert pairs[0] == pairs[1]


@given(graphs())
def test_what_is_settled_beforehand_is_in_the_assignment(graph):
    edges = edges_of(graph)
    chosen = assign(edges)
    sure = edges[settled(edges.form, edges.slot, n_forms=GROUPS * SIZE, n_slots=GROUPS * SIZE)]
    pairs = set(zip(chosen.form.tolist(), chosen.slot.tolist(), strict=True))
    assert set(zip(sure.form.tolist(), sure.slot.tolist(), strict=True)) <= pairs
