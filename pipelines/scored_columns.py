"""The columns that scores become in a wide file, and what is said about them.

Belongs here: which scales can be written and why others are not, names of columns, utilities that are left empty, the report.
Does not belong here: how a score is computed (`mbt_rom.scoring`), writing the file (`wide_files`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mbt_rom.model import MissingRule, Scale
from mbt_rom.scoring import ScaleScores, cutoffs_crossed, possible_range
from pipelines.item_columns import ItemColumns
from pipelines.wide_files import AttentionError, WideFile, arrow_of, text_where, texts_of

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]
#: What a rule does about missing answers, in words.
_RULES: dict[MissingRule, str] = {
    "complete": "complete",
    "prorate": "prorated",
    "person_mean": "the mean of those that were given",
    "rounded_item_mean": "blanks filled with the rounded mean",
    "by_parts": "made up for in its parts",
    "answered": "what was answered counts",
}


@dataclass(frozen=True)
class ScoredFile:
    """Scores of the forms of a wide file. `is_minor`: rows of people under 18, who get no utility."""

    result: ScaleScores
    wide: WideFile
    columns: ItemColumns
    is_minor: Flags
    with_bounds: bool

    @cached_property
    def unwritten(self) -> dict[str, str]:
        """Scales that are not written -> why."""
        reasons = {scale.id: self._why_not(scale) for scale in self.result.definition.scales}
        return {scale: reason for scale, reason in reasons.items() if reason is not None}

    @cached_property
    def scales(self) -> list[Scale]:
        """The scales that are written."""
        return [scale for scale in self.result.definition.scales if scale.id not in self.unwritten]

    def _why_not(self, scale: Scale) -> str | None:
        definition = self.result.definition
        if scale.method == "not_published":
            return "its formula is the licence holder's and was not supplied"
        if not scale.is_keyed:
            return "its key was not supplied"
        parts = [definition.scale(part) for part in (*scale.scales, *scale.missing.parts)]
        if missing_parts := [part.id for part in parts if self._why_not(part) is not None]:
            return f"it is made of {', '.join(missing_parts)}, which cannot be scored"
        absent = [item for item in definition.items_of(scale) if item not in self.columns]
        listed = ", ".join(absent[:5]) + (" ..." if len(absent) > 5 else "")
        return f"no column for {listed}" if absent else None

    def scores(self, scale: Scale) -> Floats:
        """Scores of the scale; none for the utility of a minor."""
        return self._of_adults(scale, self.result.scores[scale.id])

    def _of_adults(self, scale: Scale, values: Floats) -> Floats:
        if scale.method != "value_set" or not self.is_minor.any():
            return values
        return np.where(self.is_minor, np.nan, values)

    # --- columns ----------------------------------------------------------------------------------------------------------

    def added(self) -> dict[str, pa.Array]:
        """Names and columns to add; AttentionError for names that the file has already."""
        columns = {name: column for scale in self.scales for name, column in self._of_scale(scale)}
        if taken := [name for name in columns if name in self.wide.names]:
            raise AttentionError(f"row 1, column {', '.join(taken)}: is there already; remove or rename it")
        return columns

    def _of_scale(self, scale: Scale) -> Iterator[tuple[str, pa.Array]]:
        name = f"{self.result.definition.id}_{scale.id}"
        scores = self.scores(scale)
        if not self.is_there(scale):
            yield name, arrow_of(scores)
        yield f"{name}_n_missing", arrow_of(self.result.n_missing(scale.id))
        if scale.method == "value_set" and self.result.value_set is not None:
            yield f"{name}_value_set", text_where(self.result.value_set.id, ~np.isnan(scores))
        if self.with_bounds:
            lowest, highest = self._bounds[scale.id]
            yield f"{name}_lowest", arrow_of(lowest)
            yield f"{name}_highest", arrow_of(highest)
            if self._has_cutoffs(scale):
                yield f"{name}_cutoffs_crossed", _texts(self._crossed(scale))

    def is_there(self, scale: Scale) -> bool:
        """Whether the score is a column of the file already: one item, or a profile, whose column has its very name."""
        name = f"{self.result.definition.id}_{scale.id}"
        if scale.method == "profile":
            return self.columns.profile is not None and self.wide.names[self.columns.profile] == name
        return scale.method == "single" and self.wide.names[self.columns.position(scale.items[0])] == name

    @cached_property
    def _bounds(self) -> dict[str, tuple[Floats, Floats]]:
        limits = {scale.id: (scale, *possible_range(self.result, scale.id)) for scale in self.scales}
        return {i: (self._of_adults(s, low), self._of_adults(s, high)) for i, (s, low, high) in limits.items()}

    def _has_cutoffs(self, scale: Scale) -> bool:
        return any(c.scale == scale.id and c.metric == "raw" for c in self.result.definition.cutoffs)

    def _crossed(self, scale: Scale) -> NDArray[np.object_]:
        return cutoffs_crossed(self.result.definition, scale, *self._bounds[scale.id])

    # --- what is said -----------------------------------------------------------------------------------------------------

    def report(self) -> Iterator[str]:
        """Per scale how many forms were scored and how, how many not and why; then what is provisional and what is left out."""
        for scale in self.scales:
            yield f"  {self.result.definition.id}_{scale.id}: {self._about(scale)}"
        yield from self._provisional()
        for reason in dict.fromkeys(self.unwritten.values()):
            names = ", ".join(scale for scale, why in self.unwritten.items() if why == reason)
            yield f"  Not written: {names} ({reason})"

    def _about(self, scale: Scale) -> str:
        scored, incomplete = ~np.isnan(self.scores(scale)), self.result.n_missing(scale.id) > 0
        n_gaps = int((scored & incomplete).sum())
        parts = [f"{scored.sum():,} scored"]
        if n_gaps:
            parts[0] += f", {n_gaps:,} of them with answers missing ({_RULES[scale.missing.rule]})"
        if scale.method == "value_set" and self.is_minor.any():
            parts.append(f"{self.is_minor.sum():,} under 18 not scored: the value sets are those of adults")
            scored = scored | self.is_minor
        if n_too_few := int((~scored & incomplete).sum()):
            limit = scale.missing.max_missing if scale.missing.rule != "complete" else 0
            why = "more answers missing than the rule allows" if limit else "answers missing"
            parts.append(f"{n_too_few:,} not scored: {why}")
        if n_undefined := int((~scored & ~incomplete).sum()):
            parts.append(f"{n_undefined:,} not scored: not defined for these answers")
        if self.with_bounds and self._has_cutoffs(scale):
            n_open = sum(crossed is not None for crossed in self._crossed(scale))
            parts.append(f"{n_open:,} that the missing answers could move across a cut-off")
        return "; ".join(parts)

    def _provisional(self) -> Iterator[str]:
        for scale in self.scales:
            made_up = ~np.isnan(self.scores(scale)) & (self.result.n_missing(scale.id) > 0)
            if made_up.any() and scale.missing.is_provisional:
                note = f": {scale.missing.note}" if scale.missing.note else ""
                yield f"  Provisional rule for missing answers of {scale.id} ({scale.missing.confidence}){note}"
        if recalled := [scale.id for scale in self.scales if scale.is_provisional]:
            yield f"  Provisional, since nobody has seen its scoring in print: {', '.join(recalled)}"


def _texts(texts: NDArray[np.object_]) -> pa.Array:
    known: dict[str, int] = {}
    which = [-1 if text is None else known.setdefault(text, len(known)) for text in texts]
    return texts_of(list(known), np.array(which, dtype=np.int64))
