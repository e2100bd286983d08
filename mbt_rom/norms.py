"""Which published figures the reliable change of a scale rests on in a home, and what a page must say about them.

Belongs here: choosing among the records of a definition by the settings. Does not belong here: the formulas (`change`),
reading definitions (`registry`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeVar

from mbt_rom.change import cutoff_c
from mbt_rom.model import ChangeBasis, Fact, Instrument, Norm, Record, Reliability
from mbt_rom.settings import ChosenNorm, Consortium, OwnNorm, SettingsError

CutoffKind = Literal["c", "published", "own"]
RecordKind = TypeVar("RecordKind", bound=Record)
_KINDS = {"alpha": "Cronbach's alpha", "omega": "omega", "test_retest_r": "test-retest correlation", "icc": "ICC"}


@dataclass(frozen=True)
class ChangeNorm:
    """Mean and SD before treatment, reliability and boundary of the reference range of one scale, in its own unit.

    `is_provisional`: a record was recalled or derived, and the home chose it all the same. `is_mixed`: SD and reliability come
    from different samples. `sentence` says both, and where the figures come from, for every page that uses them.
    """

    norm_id: str
    clinical_mean: float
    clinical_sd: float
    functional_mean: float | None
    functional_sd: float | None
    reliability: float
    cutoff: float | None
    cutoff_kind: CutoffKind | None
    is_provisional: bool
    is_mixed: bool
    sentence: str


def change_norm(definition: Instrument, scale_id: str, settings: Consortium) -> ChangeNorm | None:
    """The norm of a scale in this home; None when there is no record that may be used.

    The settings decide first (`norms:`, key `instrument.scale`: figures of the site's own, or records chosen by id, provisional
    ones included). Otherwise the definition's own basis is used, unless one of its records is provisional.

    Raises SettingsError, naming the key, when the settings choose a record that does not exist or has no SD.
    """
    key = f"{definition.id}.{scale_id}"
    chosen = settings.norms.get(key)
    if isinstance(chosen, OwnNorm):
        return _own(chosen)
    if chosen is not None:
        return _from_records(definition, scale_id, chosen, key=f"norms.{key}")
    default = next((basis for basis in definition.change if basis.scale == scale_id), None)
    if default is None:
        return None
    norm = _from_records(definition, scale_id, default, key=f"norms.{key}")
    return None if norm.is_provisional else norm


def _own(own: OwnNorm) -> ChangeNorm:
    cutoff, kind = _boundary(
        own.cutoff, "own", own.clinical_mean, own.clinical_sd, own.functional_mean, own.functional_sd
    )
    return ChangeNorm(
        norm_id=own.id,
        clinical_mean=own.clinical_mean,
        clinical_sd=own.clinical_sd,
        functional_mean=own.functional_mean,
        functional_sd=own.functional_sd,
        reliability=own.reliability,
        cutoff=cutoff,
        cutoff_kind=kind,
        is_provisional=False,
        is_mixed=False,
        sentence=f"Norm entered by this site (mean {own.clinical_mean:g}, SD {own.clinical_sd:g}, reliability "
        f"{own.reliability:g}); source: {own.source}.{_about_cutoff(cutoff, kind)}",
    )


def _from_records(definition: Instrument, scale_id: str, choice: ChosenNorm | ChangeBasis, *, key: str) -> ChangeNorm:
    clinical = _record(definition.norms, choice.clinical, scale_id, key=f"{key}.clinical")
    reliability = _record(definition.reliabilities, choice.reliability, scale_id, key=f"{key}.reliability")
    functional = _optional(definition.norms, choice.functional, scale_id, key=f"{key}.functional")
    published = _optional(definition.cutoffs, choice.cutoff, scale_id, key=f"{key}.cutoff")
    sd = _sd(clinical, key=f"{key}.clinical")
    functional_mean = functional.mean if functional else None
    functional_sd = _sd(functional, key=f"{key}.functional") if functional else None
    cutoff, kind = _boundary(
        published.value if published else None, "published", clinical.mean, sd, functional_mean, functional_sd
    )
    used: list[Fact] = [fact for fact in (clinical, reliability, published or functional) if fact is not None]
    return ChangeNorm(
        norm_id="+".join(record.id for record in (clinical, reliability, published or functional) if record),
        clinical_mean=clinical.mean,
        clinical_sd=sd,
        functional_mean=functional_mean,
        functional_sd=functional_sd,
        reliability=reliability.value,
        cutoff=cutoff,
        cutoff_kind=kind,
        is_provisional=any(fact.is_provisional for fact in used),
        is_mixed=not _same_sample(clinical, reliability),
        sentence=_sentence(clinical, reliability, used) + _about_cutoff(cutoff, kind),
    )


def _record(records: Iterable[RecordKind], record_id: str, scale_id: str, *, key: str) -> RecordKind:
    of_scale = {record.id: record for record in records if record.scale == scale_id}
    if record_id not in of_scale:
        there_are = ", ".join(of_scale) or "none; enter the figures of your own source instead"
        raise SettingsError(
            f"consortium.yaml, key '{key}': scale '{scale_id}' has no record '{record_id}'; there are: {there_are}"
        )
    return of_scale[record_id]


def _optional(records: Iterable[RecordKind], record_id: str | None, scale_id: str, *, key: str) -> RecordKind | None:
    return None if record_id is None else _record(records, record_id, scale_id, key=key)


def _sd(norm: Norm, *, key: str) -> float:
    if norm.sd is None:
        raise SettingsError(
            f"consortium.yaml, key '{key}': record '{norm.id}' has a mean and no SD; choose another or enter your own"
        )
    return norm.sd


def _boundary(
    stated: float | None,
    kind: CutoffKind,
    clinical_mean: float,
    clinical_sd: float,
    functional_mean: float | None,
    functional_sd: float | None,
) -> tuple[float | None, CutoffKind | None]:
    """Boundary of the reference range: as stated, otherwise cut-off c, otherwise none."""
    if stated is not None:
        return stated, kind
    if functional_mean is None or functional_sd is None:
        return None, None
    c = cutoff_c(
        clinical_mean=clinical_mean,
        clinical_sd=clinical_sd,
        functional_mean=functional_mean,
        functional_sd=functional_sd,
    )
    return c, "c"


def _same_sample(norm: Norm, reliability: Reliability) -> bool:
    """True when both were published on one sample, as far as the records tell."""
    shares_source = bool(set(norm.source) & set(reliability.source))
    return shares_source and (norm.population, norm.country) == (reliability.population, reliability.country)


def _sentence(clinical: Norm, reliability: Reliability, used: Iterable[Fact]) -> str:
    sample = f"{reliability.population} {reliability.country or ''}".strip().replace("_", " ")
    parts = [
        f"Norm {clinical.id}: mean {clinical.mean:g}, SD {clinical.sd:g}; {_KINDS[reliability.kind]} "
        f"{reliability.value:.2f} ({sample})."
    ]
    if not _same_sample(clinical, reliability):
        parts.append("Mixed: SD and reliability come from different samples.")
    if any(fact.is_provisional for fact in used):
        parts.append("Provisional: figures that were recalled or derived, not seen in print.")
    return " ".join(parts)


def _about_cutoff(cutoff: float | None, kind: CutoffKind | None) -> str:
    words = {
        "c": "Jacobson-Truax c between the two groups",
        "published": "published boundary",
        "own": "boundary entered by this site",
    }
    if cutoff is None or kind is None:
        return " No boundary of the reference range."
    return f" Boundary of the reference range {cutoff:.2f} ({words[kind]})."
