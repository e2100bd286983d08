"""The exports taken in by the real readers: what is accepted is what the truth says, and every fault is found where it was put.

The truth does not know how files are read, and the readers do not know the truth; they meet here.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import date

import pandas as pd
import pytest

from expectations.items import validate_items
from mbt_rom.acceptance import accept, dispositions
from mbt_rom.conform import Conformed, deliver
from mbt_rom.eligibility import ends
from mbt_rom.exports.mapping import parse_mapping
from mbt_rom.pseudonyms import Pseudonyms
from mbt_rom.registry import outcome_instruments
from mbt_rom.schedule import expected
from mbt_rom.settings import SHARED, Consortium, parse_settings
from mbt_rom.synthetic import SyntheticConsortium, make_consortium
from mbt_rom.synthetic.plans import ALL_REGISTERS

AS_OF = date(2026, 11, 22)
PSEUDONYMS = Pseudonyms(b"a key for tests, known to all of them")


@dataclass(frozen=True)
class TakenIn:
    """Everything after taking in. `accepted`: instrument -> items; `findings`: all of them, with the `file`."""

    settings: Consortium
    accepted: dict[str, pd.DataFrame]
    findings: pd.DataFrame
    registers: dict[str, pd.DataFrame]
    dispositions: pd.Series


def delivered(made: SyntheticConsortium, settings: Consortium) -> dict[str, Conformed]:
    """Every file of the inbox, read."""
    mappings = [parse_mapping(text, file=name) for name, text in made.mappings.items()]
    results = {}
    for path, data in made.files.items():
        _, folder, name = path.split("/")
        results[path] = deliver(
            data,
            file_name=name,
            programme_id=None if folder == SHARED else folder,
            delivery_id=hashlib.sha256(data).hexdigest(),
            received_at=pd.Timestamp("2026-11-22T03:00:00Z").as_unit("us"),
            settings=settings,
            instruments=outcome_instruments(),
            pseudonyms=PSEUDONYMS,
            mappings=mappings,
        )
    return results


@pytest.fixture(scope="module")
def taken_in(made) -> TakenIn:
    """The default consortium, taken in and judged."""
    settings = parse_settings(made.settings)
    results = delivered(made, settings)
    file_of = {hashlib.sha256(data).hexdigest(): path for path, data in made.files.items()}
    registers = {
        name: pd.concat([r.registers[name] for r in results.values() if name in r.registers], ignore_index=True)
        for name in ("patients", "therapists", "episodes", *ALL_REGISTERS)
    }
    findings, accepted, decided = [pd.concat([r.findings for r in results.values()])], {}, []
    for name in sorted({name for result in results.values() for name in result.items}):
        definition = outcome_instruments()[name]
        items = pd.concat([r.items[name] for r in results.values() if name in r.items], ignore_index=True)
        found = validate_items(
            definition, items, patients=registers["patients"], as_of=AS_OF, delivery_findings=findings[0]
        )
        disposition = dispositions(items, found, findings[0])
        accepted[name] = accept(items, disposition)
        findings.append(found)
        decided.append(disposition)
    every = pd.concat(findings, ignore_index=True)
    return TakenIn(
        settings, accepted, every.assign(file=every["delivery_id"].map(file_of)), registers, pd.concat(decided)
    )


def with_patient_ids(table: pd.DataFrame, settings: Consortium) -> pd.DataFrame:
    """A truth table with the pseudonym of every patient."""
    ids = pd.Series(index=table.index, dtype="str")
    for programme_id, programme in settings.programmes.items():
        mine = table["programme_id"] == programme_id
        issuer = settings.issuers[programme.issuer]
        ids[mine] = PSEUDONYMS.patient(programme.issuer, issuer, table.loc[mine, "number"])[0]
    return table.assign(patient_id=ids)


@pytest.mark.parametrize("instrument", ["bsi", "phq9", "eq5d3l", "eq5d5l"])
def test_what_is_accepted_is_exactly_the_true_forms_with_their_answers(made, taken_in, instrument):
    forms = with_patient_ids(made.truth["forms"].query("instrument == @instrument"), taken_in.settings)
    true = forms.merge(made.truth[f"answers_{instrument}"], on="form_id")
    true["administered_on"] = true["administered_on"].where(true["has_date"])
    true["moment_given"] = true["moment"].where(~true["has_date"])
    keys = ["programme_id", "patient_id", "administered_on", "moment_given"]
    columns = [*keys, *outcome_instruments()[instrument].item_ids]
    given = taken_in.accepted[instrument]
    assert len(given) == len(true)
    one, other = (
        frame[columns].astype(dict.fromkeys(columns[4:], "Int16")).sort_values(keys).reset_index(drop=True)
        for frame in (true, given)
    )
    pd.testing.assert_frame_equal(one, other, check_dtype=False)


def test_every_fault_is_found_where_it_was_planted(made, taken_in):
    faults = made.truth["faults"].query("rule not in ['', 'programme_quiet', 'leading_zeros_restored']")
    assert len(faults) >= 15
    for fault in faults.itertuples():
        found = taken_in.findings.query("file == @fault.file and rule == @fault.rule")
        if not pd.isna(fault.row) and fault.rule != "column_not_taken_in":
            found = found[found["source_row"] == fault.row]
        assert len(found), (fault.fault, fault.rule, fault.file)


def test_nothing_is_found_that_was_not_planted(made, taken_in):
    """Notices about remarks apart, which every file with remarks rightly gets."""
    planted = set(zip(made.truth["faults"]["file"], made.truth["faults"]["rule"], strict=True))
    found = taken_in.findings[taken_in.findings["rule"] != "column_not_taken_in"]
    assert set(zip(found["file"], found["rule"], strict=True)) <= planted


def test_duplicates_and_earlier_states_are_counted_as_such(made, taken_in):
    counts = taken_in.dispositions.value_counts()
    faults = made.truth["faults"]
    assert counts["duplicate"] == (faults["disposition"] == "duplicate").sum()
    assert counts["superseded"] == (faults["disposition"] == "superseded").sum()


@pytest.mark.parametrize("register", ALL_REGISTERS)
def test_every_register_is_read_back_row_by_row(made, taken_in, register):
    true = made.truth[register]
    if "number" in true:
        true = with_patient_ids(true, taken_in.settings).drop(columns="number")
        true["patient_id"] = true["patient_id"].where(made.truth[register]["number"] != "")
    given = taken_in.registers[register][[c for c in true.columns if c != "issuer"]]
    staff = [c for c in given.columns if c in ("staff_id", "deputy_id")]
    one, other = (_comparable(frame, staff=staff) for frame in (true[list(given.columns)], given))
    pd.testing.assert_frame_equal(one, other, check_dtype=False)


def _comparable(frame: pd.DataFrame, *, staff: list[str]) -> pd.DataFrame:
    """As text in one order; of staff only whether somebody is named (local codes here, pseudonyms there)."""
    text = frame.assign(**{c: frame[c].replace("", None).notna() for c in staff}).astype("str")
    text = text.replace({"": "nan", "<NA>": "nan", "NaT": "nan", "None": "nan"}).fillna("nan")
    return text.sort_values(list(text.columns)).reset_index(drop=True)


def test_registers_hold_every_person(made, taken_in):
    for name, key in (("patients", "patient_id"), ("episodes", "episode_id"), ("therapists", "therapist_id")):
        assert len(taken_in.registers[name]) == len(made.truth[name])
        assert taken_in.registers[name][key].notna().all()
    assert set(taken_in.registers["episodes"]["end_reason"].dropna()) == {
        "completed",
        "dropped_out",
        "referred_on",
        "died",
    }


def test_the_schedule_finds_what_the_truth_expects_cell_by_cell(made, taken_in):
    forms = pd.concat([rows.assign(instrument=name) for name, rows in taken_in.accepted.items()], ignore_index=True)
    registers = taken_in.registers
    gone = ends(registers["episodes"], as_of=AS_OF, events=registers["events"], permissions=registers["permissions"])
    plan = expected(
        forms, registers["episodes"], settings=taken_in.settings, definitions=outcome_instruments(), as_of=AS_OF, ends=gone
    )  # fmt: skip
    keys = ["programme_id", "patient_id", "instrument", "moment", "due_on"]
    told = ["requirement", "status", "answered_on", "is_late_baseline"]
    mine = plan[plan["due_on"].notna()].rename(columns={"administered_on": "answered_on"})
    true = with_patient_ids(made.truth["expected"], taken_in.settings)
    one, other = (frame.set_index(keys)[told].sort_index() for frame in (mine, true))
    # the truth says only of baselines that came with a date whether they were late
    is_late = one.pop("is_late_baseline").astype("boolean").where(other["is_late_baseline"].notna())
    pd.testing.assert_series_equal(is_late, other.pop("is_late_baseline"), check_dtype=False)
    pd.testing.assert_frame_equal(one, other, check_dtype=False)


def test_every_instrument_of_the_consortium_goes_through_its_export_and_back():
    """One programme that uses everything: what the readers take in is what was filled in, answer by answer."""
    made = make_consortium(programmes=1, patients=14, seed=5, as_of=AS_OF, further=list(outcome_instruments()))
    settings = parse_settings(made.settings)
    damaged = " ".join(made.truth["faults"]["file"])
    first = {i: min(path for path in made.files if f"/{i}_" in path) for i in outcome_instruments() if i not in damaged}
    assert len(first) > 18
    results = delivered(replace(made, files={path: made.files[path] for path in first.values()}), settings)
    for name, path in first.items():
        assert results[path].refused_for is None, name
        given = results[path].items[name]
        assert given["unreadable_items"].isna().all(), name
        true = with_patient_ids(made.truth["forms"].query("instrument == @name"), settings).merge(
            made.truth[f"answers_{name}"], on="form_id"
        )
        columns = ["patient_id", "administered_on", *outcome_instruments()[name].item_ids]
        rows = {tuple(row) for row in true[columns].astype("str").to_numpy()}
        assert {tuple(row) for row in given[columns].astype("str").to_numpy()} <= rows, name
        assert len(given) > 20, name
