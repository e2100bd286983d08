"""Twelve invented exports, named as clinics name their columns, with what each column is; for `measure.py`.

Belongs here: file contents and their truth. Written by somebody who knows the detector: a floor, and no measurement.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

#: Header -> what it is: 'patient', 'item phq9 phq9_01', 'none' ..., and how its cells are made.
Column = tuple[str, str, Callable[[int], str]]
_N = 12
_RANDOM = random.Random(4)


def answers(low: int, high: int) -> Callable[[int], str]:
    return lambda _: str(_RANDOM.randint(low, high))


def words(*texts: str) -> Callable[[int], str]:
    return lambda row: texts[row % len(texts)]


def number(start: int) -> Callable[[int], str]:
    return lambda row: str(start + row)


def date(form: str) -> Callable[[int], str]:
    return lambda row: form.format(d=f"{row + 13:02}", m="03", y=2025)


def items(template: str, instrument: str, numbers: Sequence[int], low: int, high: int, digits: int = 2) -> list[Column]:
    return [
        (template.format(n=n, n2=f"{n:02}"), f"item {instrument} {instrument}_{n:0{digits}}", answers(low, high))
        for n in numbers
    ]


def eq5d(template: str, names: Sequence[str], instrument: str, high: int) -> list[Column]:
    ids = [f"{instrument}_{d}" for d in ("mo", "sc", "ua", "pd", "ad")]
    return [
        (template.format(n=name), f"item {instrument} {i}", answers(1, high))
        for name, i in zip(names, ids, strict=True)
    ]


ISO, DUTCH = "{y}-{m}-{d}", "{d}-{m}-{y}"
COMMENT = words("", "belt morgen terug over de afspraak van maandag", "")
EXPORTS: dict[str, tuple[list[str], list[Column]]] = {
    "phq_weekly.csv": (["phq9"], [
        ("patientnr", "patient", number(5000)), ("datum ingevuld", "date", date(DUTCH)),
        *items("PHQ-9 vraag {n}", "phq9", range(1, 10), 0, 3), ("PHQ-9 totaalscore", "total phq9", answers(0, 27)),
        ("opmerkingen", "none", COMMENT),
    ]),
    "intake.csv": (["bsi", "phq9"], [
        ("cliëntnummer", "patient", number(1)), ("afnamedatum", "date", date(ISO)), ("geboortejaar", "none", number(1980)),
        ("geslacht", "none", words("m", "v")), *items("BSI{n2}", "bsi", range(1, 54), 0, 4), ("BSI_GSI", "total bsi", answers(0, 4)),
        *items("phq_{n}", "phq9", range(1, 10), 0, 3), ("behandelaar", "none", words("ab", "cd")),
    ]),
    "oq_export.csv": (["oq45"], [
        ("subject_id", "patient", number(70)), ("test_date", "date", date(ISO)), *items("OQ45_{n}", "oq45", range(1, 46), 0, 4),
        ("OQ45_total", "total oq45", answers(0, 180)), ("OQ45_SD", "total oq45", answers(0, 100)),
    ]),
    "bdi_dutch.csv": (["bdi2"], [
        ("ppnr", "patient", number(300)), ("datum_afname", "date", date(DUTCH)), ("meetmoment", "moment", words("T0", "m6")),
        *items("bdi2_item{n}", "bdi2", range(1, 22), 0, 3), ("bdi2_som", "total bdi2", answers(0, 63)),
    ]),
    "eq_english.csv": (["eq5d5l"], [
        ("Hospital number", "patient", number(8800)), ("Date of completion", "date", date(ISO)), ("Gender", "none", words("F", "M")),
        *eq5d("EQ-5D-5L {n}", ("mobility", "self-care", "usual activities", "pain/discomfort", "anxiety/depression"), "eq5d5l", 5),
        ("EQ-5D-5L VAS", "item eq5d5l eq5d5l_vas", answers(0, 100)), ("EQ-5D-5L index", "total eq5d5l", words("0.5", "0.7")),
    ]),
    "eq_kort.csv": (["eq5d3l"], [
        ("patnr", "patient", number(41)), ("datum", "date", date(DUTCH)),
        *eq5d("eq5d3l_{n}", ("mobiliteit", "zelfzorg", "dagelijkse_activiteiten", "pijn", "angst"), "eq5d3l", 3),
        ("anders, namelijk", "none", COMMENT),
    ]),
    "iip.csv": (["iip32"], [
        ("Client ID", "patient", number(900)), ("completed_at", "submitted_at", date(ISO)), ("language", "language", words("nl", "en")),
        *items("IIP32_{n2}", "iip32", range(1, 33), 0, 4), ("status", "complete", words("1", "0")),
    ]),
    "two_in_one.csv": (["sds", "rfq8"], [
        ("record_id", "patient", number(1)), ("assessment_date", "date", date(ISO)), *items("sds_{n}", "sds", range(1, 4), 0, 10),
        *items("rfq8_{n}", "rfq8", range(1, 9), 1, 7), ("rfq8_comment", "none", COMMENT), ("sds_total", "total sds", answers(0, 30)),
    ]),
    "unnamed.csv": (["phq9"], [
        ("client", "patient", number(60)), ("datum", "date", date(DUTCH)), *items("Q{n}", "phq9", range(1, 10), 0, 3),
    ]),
    "date_is_none.csv": (["phq9"], [
        ("client", "patient", number(60)), ("datum", "none", words("ochtend", "middag")), ("date_completed", "date", date(ISO)),
        *items("phq9_{n}", "phq9", range(1, 10), 0, 3),
    ]),
    "five_answers.csv": (["phq9", "sds"], [
        ("client", "patient", number(60)), ("datum", "date", date(ISO)), ("naam", "none", words("A", "B")),
        *[(f"phq9_{n}", "none", answers(5, 9)) for n in range(1, 10)], *items("sds_{n}", "sds", range(1, 4), 0, 10),
    ]),
    "other_instrument.csv": (["phq9"], [
        ("client", "patient", number(60)), ("datum", "date", date(ISO)), *items("phq9_{n}", "phq9", range(1, 10), 0, 3),
        *[(f"gad7_{n}", "none", answers(0, 3)) for n in range(1, 8)], ("phq4_total", "none", answers(0, 12)),
        ("phq9_1_score_oud", "none", answers(0, 3)), ("telefoon", "none", number(612345600)),
    ]),
}  # fmt: skip


def write(folder: Path) -> None:
    """Writes all exports and their truth to a folder that `measure.py` reads."""
    truth = {}
    for name, (usual, columns) in EXPORTS.items():
        rows = [[header for header, _, _ in columns], *([make(row) for _, _, make in columns] for row in range(_N))]
        text = "\n".join(";".join(f'"{cell}"' for cell in row) for row in rows)
        (folder / name).write_text(text, encoding="utf-8")
        truth[name] = {"usual": usual, "": {header: _meant(told) for header, told, _ in columns}}
    (folder / "truth.json").write_text(json.dumps(truth), encoding="utf-8")


def _meant(told: str) -> Mapping[str, str | None]:
    role, instrument, item = (*told.split(), None, None)[:3]
    return {"role": role, "instrument": instrument, "item": item}
