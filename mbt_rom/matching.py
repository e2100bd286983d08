"""Which form answers which slot: a minimum-cost assignment, for any number of patients at once.

Belongs here: choosing among pairs of a form and a slot that may go together. Does not belong here: which pairs may, and what
they cost (`schedule`).

No form is used twice and no slot has two forms. Among all ways to do that the one with most slots answered is taken, and among
those the one of least cost (Munkres 1957; scipy's `linear_sum_assignment`). Most pairs need no search, and are settled for all
patients together: a form with one slot and a slot with one form belong to each other; where no form of a group has a choice
every slot takes its cheapest form; where their cheapest slots differ, each form takes that. All three are optimal. The rest is
solved group by group.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mbt_rom import keys

Ints = npt.NDArray[np.integer]
Bools = npt.NDArray[np.bool_]
NONE = -1


@dataclass(frozen=True)
class Edges:
    """Forms and slots that may be matched, what each pair costs, and the group within which forms compete."""

    form: Ints
    slot: Ints
    cost: Ints
    group: Ints

    def __getitem__(self, which: npt.NDArray[np.generic] | slice) -> Edges:
        """The edges at these positions."""
        return Edges(self.form[which], self.slot[which], self.cost[which], self.group[which])


def settled(form: Ints, slot: Ints, *, n_forms: int, n_slots: int) -> Bools:
    """Pairs of a form that fits one slot with a slot that one form fits: they go together whatever they cost.

    >>> settled(np.array([0, 1, 2, 2]), np.array([5, 6, 6, 7]), n_forms=3, n_slots=8).tolist()
    [True, False, False, False]
    """
    only_slot = np.bincount(form, minlength=n_forms)[form] == 1
    return np.asarray(only_slot & (np.bincount(slot, minlength=n_slots)[slot] == 1))


def assign(edges: Edges) -> Edges:
    """The edges of a matching of most forms at least cost. Of forms that are equally good the one with the lower number is taken.

    >>> fits = Edges(form=np.array([0, 1, 1]), slot=np.array([0, 0, 1]), cost=np.array([4, 1, 9]), group=np.array([7, 7, 7]))
    >>> chosen = assign(fits)
    >>> sorted(zip(chosen.form.tolist(), chosen.slot.tolist()))
    [(0, 0), (1, 1)]
    """
    has_choice = np.bincount(edges.form, minlength=1)[edges.form] > 1
    is_tangled = _in_any(edges.group, edges.group[has_choice])
    free, tangled = edges[~is_tangled], edges[is_tangled]
    wished = tangled[_cheapest(tangled.form, tangled)]
    n_wishes = np.bincount(wished.slot, minlength=1)[wished.slot]
    is_rivalled = _in_any(tangled.group, wished.group[n_wishes > 1])
    parts = [free[_cheapest(free.slot, free)], wished[~_in_any(wished.group, tangled.group[is_rivalled])]]
    parts += _solved(tangled[is_rivalled])
    return Edges(*(np.concatenate([getattr(part, name) for part in parts]) for name in Edges.__annotations__))


def _in_any(groups: Ints, some: Ints) -> Bools:
    """Whether each group is one of some."""
    is_one = np.zeros(int(groups.max(initial=0)) + 1, dtype=bool)
    is_one[some] = True
    return is_one[groups]


def _cheapest(owner: Ints, edges: Edges) -> Ints:
    """Positions of the cheapest edge of each owner; of equals the one with the lower form, then the lower slot."""
    order = np.lexsort((edges.slot, edges.form, edges.cost, owner))
    return order[keys.first_of_each(owner[order])]


def _solved(edges: Edges) -> list[Edges]:
    """The matching of every group by itself."""
    ordered = edges[np.lexsort((edges.slot, edges.form, edges.group))]
    bounds = np.flatnonzero(np.diff(ordered.group)) + 1
    starts, ends = np.r_[0, bounds], np.r_[bounds, len(ordered.group)]
    return [
        _solve(ordered[start:end]) for start, end in zip(starts.tolist(), ends.tolist(), strict=True) if end > start
    ]


def _solve(edges: Edges) -> Edges:
    """Matching of most forms at least cost within one group (Hungarian method)."""
    from scipy.optimize import linear_sum_assignment

    forms, form = np.unique(edges.form, return_inverse=True)
    slots, slot = np.unique(edges.slot, return_inverse=True)
    # one more match is worth more than all costs together
    worth = (edges.cost.max() + 1) * (min(len(forms), len(slots)) + 1) - edges.cost
    gain = np.zeros((len(forms), len(slots)))
    gain[form, slot] = worth
    taken = np.zeros(gain.shape, dtype=bool)
    taken[linear_sum_assignment(gain, maximize=True)] = True
    return edges[taken[form, slot]]
