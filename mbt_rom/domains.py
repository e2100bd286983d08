"""The outcome domains of the MBT quality manual: which scales and registers say something about each, as frozen models.

Belongs here: the shape of `instruments/domains.yaml`, and where a scale belongs. Does not belong here: reading the file
(`registry`), scores, any summary over a domain.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mbt_rom.model import Frozen, Identifier, Instrument

#: A scale of an instrument: `bsi.gsi`.
ScaleName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")]
#: Registers that a home may have; each is a table `reference/<name>` once it is loaded.
Register = Literal[
    "programmes", "therapists", "patients", "episodes", "spells", "allocations", "permissions", "contacts", "events",
    "reviews", "feedback_sessions", "medication", "referrals", "staff", "supervision",
]  # fmt: skip


class Label(Frozen):
    """A domain's name in English and in Dutch."""

    en: str
    nl: str


class Feed(Frozen):
    """A register and what it tells about the domain."""

    register_name: Register = Field(alias="register")
    gives: str


class Domain(Frozen):
    """One domain of outcome.

    `in_6_1` and `in_6_2`: as what the manual's two lists name it, in our words; None where a list does not have it. `scales` are
    written `instrument.scale`; `registers` say what no questionnaire asks.
    """

    id: Identifier
    label: Label
    in_6_1: str | None = None
    in_6_2: str | None = None
    note: str | None = None
    scales: tuple[ScaleName, ...] = ()
    registers: tuple[Feed, ...] = ()

    @model_validator(mode="after")
    def _named_by_the_manual(self) -> Self:
        if self.in_6_1 is None and self.in_6_2 is None:
            raise ValueError("must state 'in_6_1' or 'in_6_2': a domain is one of the manual's")
        return self


class Domains(Frozen):
    """All domains, in the order in which pages show them, and how the manual's two lists differ."""

    differences: tuple[str, ...]
    domains: tuple[Domain, ...]

    @model_validator(mode="after")
    def _listed_once(self) -> Self:
        ids = [domain.id for domain in self.domains]
        if repeated := sorted({i for i in ids if ids.count(i) > 1}):
            raise ValueError(f"ids that stand more than once: {', '.join(repeated)}")
        return self

    def of(self, scale: str) -> tuple[Domain, ...]:
        """The domains that name the scale (`bsi.gsi`); none for a scale that is summed up nowhere."""
        return tuple(domain for domain in self.domains if scale in domain.scales)


def misfit(domains: Domains, instruments: Mapping[str, Instrument]) -> tuple[str, str] | None:
    """Where the domains do not fit the instruments: key and what is wrong; None when they fit.

    They fit when every scale that they name exists, and every instrument that monitors outcome has its primary scale in exactly
    one of them.
    """
    known = {f"{i}.{scale.id}" for i, definition in instruments.items() for scale in definition.scales}
    for domain in domains.domains:
        if unknown := [scale for scale in domain.scales if scale not in known]:
            return f"domains.{domain.id}.scales", f"no such scale: {unknown[0]}"
    for i, definition in instruments.items():
        primary = f"{i}.{definition.primary.id}"
        n_domains = sum(domain.scales.count(primary) for domain in domains.domains)
        if definition.monitors == "outcome" and n_domains != 1:
            return (
                "domains",
                f"the primary scale {primary} is named {n_domains} times and must be in exactly one domain",
            )
    return None
