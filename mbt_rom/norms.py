"""Which published figures a home uses: those that the reliable change of a scale rests on, with what a page must say about
them, and the reference groups of its T-scores.

Belongs here: choosing among the records of a definition by the settings. Does not belong here: the formulas (`change`,
`common_metric`), reading definitions (`registry`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

from mbt_rom.change import cutoff_c
from mbt_rom.model import ChangeBasis, Cutoff, Fact, Instrument, Norm, Record, Reliability, Scale
from mbt_rom.settings import ChosenNorm, Consortium, OwnNorm, OwnReference, SettingsError

CutoffKind = Literal["c", "published", "own"]
RecordKind = TypeVar("RecordKind", bound=Record)
_KINDS = {
    "alpha": "Cronbach's alpha",
    "omega": "omega",
    "test_retest_r": "test-retest correlation",
    "icc": "ICC",
    "kappa": "kappa",
    "split_half": "split-half reliability",
    "inter_rater": "agreement between raters",
}
#: Samples of people as they come. Norms of other samples are never a reference for T-scores by themselves.
_REFERENCE = "community"
#: Samples of patients, and those that no word of the definitions fits: never a reference, whoever asks for it.
_CLINICAL = frozenset(
    {"outpatient", "inpatient", "mixed_clinical", "bpd", "personality_disorder", "primary_care", "other"}
)


@dataclass(frozen=True)
class ChangeNorm:
    """Mean and SD before treatment, reliability and boundary of the reference range of one scale, in its own unit.

    `is_provisional`: a record was recalled or derived, and the home chose it all the same. `is_mixed`: SD and reliability come
    from different samples. `includes_cutoff`: a score at the boundary lies in the reference range. `sentence` says where the
    figures come from, and what is to be known about them, for every page that uses them.
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
    includes_cutoff: bool = False


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
    stated = _crossed_at(published, key=f"{key}.cutoff") if published else None
    cutoff, kind = _boundary(stated, "published", clinical.mean, sd, functional_mean, functional_sd)
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
        includes_cutoff=published is not None and definition.scale(scale_id).direction == "higher_is_better",
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


def _crossed_at(cutoff: Cutoff, *, key: str) -> float:
    """Where a published boundary parts the scale: below it and from it on, whether it is written `>= 10` or `< 10`.

    So a score at the boundary belongs to the upper part: the better one where higher is better, else the worse.
    """
    if cutoff.metric != "raw" or cutoff.op == "==":
        why = "is one of T-scores" if cutoff.metric != "raw" else "is a single score and parts nothing"
        raise SettingsError(
            f"consortium.yaml, key '{key}': boundary '{cutoff.id}' {why}; choose one in the unit of the scale, or none"
        )
    return cutoff.value


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


# --- reference groups of T-scores -----------------------------------------------------------------------------------------


def reference_norms(definition: Instrument, settings: Consortium) -> dict[str, tuple[Norm, ...]]:
    """The reference groups of each scale that has any in this home, by scale; in the order in which they are preferred.

    All have a mean and an SD of one sample. The settings decide first (`reference_norms:`, key `instrument.scale`: records by
    id, provisional ones included, or figures of the site's own); what they do not name is then not used for that scale.
    Otherwise: the definition's community samples that have an SD and are not provisional. Of either, a norm for one sex goes
    before one for all.

    Raises SettingsError, naming the key, for a record that does not exist, has no SD or describes patients, for own figures
    whose id is taken, and for a norm of utilities that names no value set.
    """
    found = {scale.id: _references(definition, scale, settings) for scale in definition.scales}
    return {scale: tuple(sorted(norms, key=lambda n: n.sex == "all")) for scale, norms in found.items() if norms}


def refuse_unknown_scales(settings: Consortium, definitions: Mapping[str, Instrument]) -> None:
    """Raises SettingsError for a key of `norms` or `reference_norms` that is no scale of an instrument of this home."""
    scales = {f"{i}.{scale.id}" for i, definition in definitions.items() for scale in definition.scales}
    for section, keys in (("norms", settings.norms), ("reference_norms", settings.reference_norms)):
        for key in sorted(set(keys) - scales):
            instrument = key.partition(".")[0]
            of_it = sorted(scale for scale in scales if scale.startswith(f"{instrument}."))
            raise SettingsError(
                f"consortium.yaml, key '{section}.{key}': no such scale; there are: "
                + ", ".join(of_it or sorted(definitions))
            )


def _references(definition: Instrument, scale: Scale, settings: Consortium) -> list[Norm]:
    key = f"{definition.id}.{scale.id}"
    if key in settings.reference_norms:
        chosen = settings.reference_norms[key]
        return [_chosen_reference(definition, scale, choice, key=f"reference_norms.{key}") for choice in chosen]
    return [norm for norm in usable_norms(definition) if norm.scale == scale.id]


def usable_norms(definition: Instrument) -> tuple[Norm, ...]:
    """The norms of a definition that give T-scores without being asked for.

    Samples of the community with an SD whose figures somebody saw in print; one of utilities must name its value set.

    >>> from mbt_rom.registry import instrument
    >>> usable_norms(instrument("phq9"))
    ()
    """
    return tuple(norm for norm in definition.norms if _is_reference(norm, definition.scale(norm.scale)))


def _is_reference(norm: Norm, scale: Scale) -> bool:
    is_usable = norm.sd is not None and not norm.is_provisional and _fits_value_set(norm, scale)
    return is_usable and norm.population == _REFERENCE


def _fits_value_set(norm: Norm, scale: Scale) -> bool:
    """A norm of utilities names the value set they were made by, and no other norm names one."""
    return (norm.value_set is not None) == (scale.method == "value_set")


def _chosen_reference(definition: Instrument, scale: Scale, choice: str | OwnReference, *, key: str) -> Norm:
    if isinstance(choice, OwnReference):
        norm = _own_reference(definition, scale, choice, key=key)
    else:
        norm = _record(definition.norms, choice, scale.id, key=key)
    _sd(norm, key=key)
    if norm.population in _CLINICAL:
        raise SettingsError(
            f"consortium.yaml, key '{key}': the population of '{norm.id}' is '{norm.population}'; a T-score compares with people "
            "who do not have the problem: name such a sample, or leave the scale out"
        )
    if not _fits_value_set(norm, scale):
        is_utility = scale.method == "value_set"
        wrong = "does not say by which value set its utilities were made" if is_utility else "names a value set"
        remedy = "add 'value_set'" if is_utility else f"remove 'value_set': scale '{scale.id}' holds no utilities"
        raise SettingsError(f"consortium.yaml, key '{key}': '{norm.id}' {wrong}; {remedy}")
    return norm


def _own_reference(definition: Instrument, scale: Scale, own: OwnReference, *, key: str) -> Norm:
    if own.id in {record.id for record in definition.norms}:
        raise SettingsError(
            f"consortium.yaml, key '{key}': '{own.id}' is the id of a norm that comes with the definition; give yours another"
        )
    figures = own.model_dump(exclude={"source"})
    return Norm(**figures, scale=scale.id, confidence="single_source", note=own.source)
