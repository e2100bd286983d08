"""Item answers made from latent distress, for any instrument definition.

Belongs here: the response model. Does not belong here: who answers when (`forms`), how a file writes it (`exports`).

The model is a graded one: behind every item lies a continuous liability `loading x distress + person's own leaning on the
item's subscale + noise`, cut by equally spaced thresholds into the item's answers. Loadings of about .6 make items correlate
about .3 to .4; thresholds that lie high make many lowest answers (floor). Direction is read from the scales: the item of a
scale where higher is better is answered downwards in distress, a reversed item the other way round, and a level that a value
set values (EQ-5D) is worse the higher it is. Counts are mostly none and seldom many, and a question whether there was any
agrees with its count; where an answer is right or wrong, the distressed are a little more often wrong; scores made elsewhere
are T-scores around 60. An instrument that nobody has described here gets the same model at its middle; the constants below only
place the ones we know where the literature has them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mbt_rom.model import Instrument, Item, Scale
from mbt_rom.synthetic.patients import Floats
from mbt_rom.synthetic.streams import Streams

Answers = npt.NDArray[np.int16]
Ints = npt.NDArray[np.int64]
MISSING = -1
MISSING_SHARE = 0.035
_LOADING_LOW, _LOADING_HIGH = 0.58, 0.74
_SUBSCALE = 0.35
_GOLDEN = 0.6180339887498949
_MANY_ANSWERS = 20
_MONTH = 30.4375
#: Where the middle threshold of an instrument's items lies, in SD of distress; 0 where nothing is known of it.
#: BSI: GSI 1.5-1.9 at the start; PHQ-9: about 15; EQ-5D: Dutch index about .48-.56 at intake.
_PLACE = {"bsi": 0.22, "phq9": -0.18, "eq5d3l": 0.55, "eq5d5l": 0.35}
#: How much harder (+) an item is to affirm than the others of its instrument, by the tag in its definition.
_TAG_PLACE = {
    "self-care": 1.1, "mobility": 0.9, "pain/discomfort": 0.1, "usual activities": -0.2, "anxiety/depression": -1.1,
    "suicidal thoughts": 0.5, "suicidal or self-harm thoughts": 0.6, "thoughts of death": 0.6,
    "urge to harm others": 0.9, "urge to break things": 0.5, "low mood": -0.3, "EQ VAS": -0.2,
}  # fmt: skip


def answers(definition: Instrument, *, distress: Floats, who: Ints, streams: Streams) -> Answers:
    """Answers in canonical coding: rows are forms, columns the items of `definition`; `MISSING` where left open.

    `distress` is the state at each form, `who` the position of its patient (leanings on subscales stay with the person).

    >>> from mbt_rom.registry import instrument
    >>> calm_and_ill = np.array([-2.5, 2.5])
    >>> made = answers(instrument("phq9"), distress=calm_and_ill, who=np.array([0, 1]), streams=Streams(seed=1, programme=0))
    >>> made.shape, bool(made[0].sum() < made[1].sum())
    ((2, 10), True)
    """
    liability = _liabilities(definition, distress=distress, who=who, streams=streams)
    made = np.empty(liability.shape, dtype=np.int16)
    for column, item in enumerate(definition.items):
        direction = worse_direction(definition, item)
        place = _place(definition, item) * direction
        made[:, column] = _answered(definition, item, liability[:, column] * direction, place=place)
    return _gated(definition, _with_missing(made, distress, streams(f"missing {definition.id}")))


def _answered(definition: Instrument, item: Item, liability: Floats, *, place: float) -> Answers:
    """Answers to one item whose liability, turned so that more of it means a higher answer, is given."""
    right = next((s.answer_key[item.id] for s in definition.scales if item.id in s.answer_key), None)
    if right is not None:
        wrong = right % (item.largest - item.min + 1) + item.min
        return np.where(liability > place - 1.3, right, wrong).astype(np.int16)
    if any(scale.exposure == item.id for scale in definition.scales):
        return np.full(len(liability), round((definition.recall_days or 30) / _MONTH), dtype=np.int16)
    if definition.key == "external_scores":
        return np.asarray(np.clip(np.round(60 + 10 * (liability - place)), item.min, item.largest), dtype=np.int16)
    return _count(liability, place=place) if item.max is None else _cut(liability, item, place=place)


def _gated(definition: Instrument, made: Answers) -> Answers:
    """Questions whether there was any, as their counts say; a count of none behind a no is left blank, as forms have it."""
    column = {item.id: position for position, item in enumerate(definition.items)}
    for item in definition.items:
        if item.gate is not None:
            count, gate = made[:, column[item.id]], made[:, column[item.gate]]
            gate[:] = np.where(count == MISSING, 1, count > 0)
            count[:] = np.where(count == 0, MISSING, count)
    return made


def worse_direction(definition: Instrument, item: Item) -> int:
    """+1 when a higher answer to the item means more distress, -1 when it means less.

    >>> from mbt_rom.registry import instrument
    >>> eq5d = instrument("eq5d5l")
    >>> [worse_direction(eq5d, item) for item in eq5d.items]
    [1, 1, 1, 1, 1, -1]
    """
    named = sorted((s for s in definition.scales if item.id in s.items), key=lambda s: not s.is_primary)
    directed = [s for s in named if s.direction != "neutral"]
    if not directed:
        return 1
    scale = directed[0]
    if scale.method == "value_set":
        return 1
    worse = 1 if scale.direction == "lower_is_better" else -1
    return -worse if item.id in scale.reverse else worse


def _liabilities(definition: Instrument, *, distress: Floats, who: Ints, streams: Streams) -> Floats:
    n, k = len(distress), len(definition.items)
    spread = (np.arange(1, k + 1) * _GOLDEN) % 1
    loading = _LOADING_LOW + (_LOADING_HIGH - _LOADING_LOW) * spread
    group = _subscale_of_items(definition)
    n_people = int(who.max(initial=-1)) + 1
    leaning = streams(f"leaning {definition.id}").standard_normal((n_people, int(group.max()) + 1))[who][:, group]
    noise = streams(f"noise {definition.id}").standard_normal((n, k))
    rest = np.sqrt(1 - loading**2 - _SUBSCALE**2)
    return np.asarray(loading * distress[:, None] + _SUBSCALE * leaning + rest * noise)


def _subscale_of_items(definition: Instrument) -> Ints:
    """Number of the first scale that holds the item but not all items; items of no such scale share the number 0."""
    parts: list[Scale] = [s for s in definition.scales if len(s.items) < len(definition.primary.items)]
    number = {item: n for n, scale in reversed(list(enumerate(parts, start=1))) for item in scale.items}
    return np.array([number.get(item, 0) for item in definition.item_ids], dtype=np.int64)


def _place(definition: Instrument, item: Item) -> float:
    """Where the item's thresholds lie: the instrument's place, the item's own, and a little of neither."""
    position = definition.item_ids.index(item.id)
    jitter = ((position + 1) * _GOLDEN * 7) % 1 - 0.5
    return _PLACE.get(definition.id, 0.0) + _TAG_PLACE.get(item.tag or "", 0.0) + 0.6 * jitter


def _cut(liability: Floats, item: Item, *, place: float) -> Answers:
    """The answer whose thresholds the liability lies between: they run evenly around the place, 2.3 SD / steps apart.

    Scales of many answers (EQ VAS) spread over 4.4 SD and are mostly answered in fives, as people do: six in seven of
    the answers are rounded.
    """
    n_steps = item.largest - item.min
    gap = (4.4 if n_steps > _MANY_ANSWERS else 2.3) / n_steps
    steps = np.clip(np.ceil((liability - place) / gap + (n_steps - 1) / 2), 0, n_steps)
    made = steps.astype(np.int16)
    if n_steps > _MANY_ANSWERS:
        made = np.where(made % 7 == 0, made, np.round(made / 5) * 5).astype(np.int16)
    return np.asarray(np.clip(made, 0, n_steps) + item.min, dtype=np.int16)


def _count(liability: Floats, *, place: float) -> Answers:
    """A count without a limit: mostly none, seldom many (the whole part of e to the power of the liability, less one)."""
    return np.asarray(np.floor(np.exp(np.clip(1.4 * (liability - place), None, 6)) - 1).clip(0), dtype=np.int16)


def _with_missing(made: Answers, distress: Floats, rng: np.random.Generator) -> Answers:
    """Answers left open at random, 3.5 % at average distress, more by those who are worse; nobody leaves a whole form open."""
    chance = np.clip(MISSING_SHARE * np.exp(0.4 * distress), 0, 0.15)
    is_open = rng.random(made.shape) < chance[:, None]
    is_open[:, 0] &= ~is_open.all(axis=1)
    return np.where(is_open, np.int16(MISSING), made)
