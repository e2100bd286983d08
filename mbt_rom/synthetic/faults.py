"""Faults planted in faultless exports, each written down: where it stands, what must be found, which form it costs.

Belongs here: what goes wrong in real exports, one function per programme's tool. Does not belong here: the exports without faults.

Every fault is planted in the first programme of its kind, in a row that no other fault has used. A file too small to hold
one goes without it. Whole-file faults are extra files that repeat forms under other dates: they cost nothing when refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import pandas as pd

from mbt_rom.settings import SHARED
from mbt_rom.synthetic.files import HIDDEN, ExportFile, Sheet
from mbt_rom.synthetic.plans import Plan
from mbt_rom.synthetic.streams import Streams

COLUMNS = ("programme_id", "fault", "file", "sheet", "row", "column", "item", "rule", "disposition", "form_id")
_BSN_WEIGHTS = np.array([9, 8, 7, 6, 5, 4, 3, 2])
_SIXTY = 60


@dataclass
class Planter:
    """Plants faults into files and keeps the list of them.

    `records`: one per fault, columns `COLUMNS`. `lost`: forms that must not be accepted because of a fault.
    """

    files: list[ExportFile]
    records: list[dict[str, object]] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)

    def find(self, programme_id: str, begins: str, position: int) -> ExportFile:
        """The file of a programme (or `_shared`) whose name begins so; the first or, at position -1, the last delivery.

        Where there is none, a file without rows, in which nothing can be planted.
        """
        found = [f for f in self.files if f.path.startswith(f"inbox/{programme_id}/{begins}")]
        return found[position] if found else ExportFile("", [Sheet("", pd.DataFrame())])

    def pick(self, sheet: Sheet, instrument: str, rng: np.random.Generator, *, n: int = 1) -> list[int]:
        """Rows of a sheet that hold a form of the instrument and no fault yet: `n` of them, or none where there are fewer."""
        if HIDDEN + instrument not in sheet.frame:
            return []
        ids = sheet.frame[HIDDEN + instrument]
        free = np.flatnonzero((ids != "") & ~ids.isin(self.used))
        if len(free) < n:
            return []
        rows = [int(r) for r in np.sort(rng.choice(free, size=n, replace=False))]
        self.used |= set(ids.iloc[rows])
        return rows

    def record(
        self,
        programme_id: str,
        fault: str,
        file: ExportFile,
        *,
        sheet: Sheet | None = None,
        row: int | None = None,
        column: str = "",
        item: str = "",
        rule: str = "",
        disposition: str,
        form_id: str = "",
        costs: bool = False,
    ) -> None:
        """Writes a fault down; `costs` marks the form as one that must not be accepted."""
        place = (sheet.name if sheet else "", sheet.first_row + row if sheet and row is not None else None)
        values = (programme_id, fault, file.path, *place, column, item, rule, disposition, form_id)
        self.records.append(dict(zip(COLUMNS, values, strict=True)))
        if costs:
            self.lost.add(form_id)

    def table(self) -> pd.DataFrame:
        """All faults as a table."""
        frame = pd.DataFrame(self.records, columns=list(COLUMNS))
        return frame.astype({c: "Int64" if c == "row" else "str" for c in COLUMNS})


def plant(files: list[ExportFile], plans: list[Plan], *, seed: int, as_of: date) -> Planter:
    """Plants every fault that the files have room for; changes `files` and adds the extra ones."""
    planter, done = Planter(files), set()
    for plan in plans:
        if plan.kind.shape not in done and plan.kind.shape in _FAULTS:
            _FAULTS[plan.kind.shape](planter, plan, Streams(seed=seed, programme=plan.index)("faults"), as_of)
            done.add(plan.kind.shape)
    if any(f.path.startswith(f"inbox/{SHARED}/") for f in files):
        _unknown_programme(planter, plans, Streams(seed=seed, programme=0)("shared faults"))
    return planter


# --- cells ------------------------------------------------------------------------------------------------------------


def _change_cell(
    planter: Planter, plan: Plan, fault: str, rule: str, place: tuple[ExportFile, Sheet, str], *,
    rng: np.random.Generator, column: str, text: str, item: str = "", costs: bool = True,
) -> None:  # fmt: skip
    """Puts `text` into one cell; `place` is file, sheet and instrument."""
    file, sheet, instrument = place
    for row in planter.pick(sheet, instrument, rng):
        form_id = str(sheet.frame.loc[row, HIDDEN + instrument])
        sheet.frame.loc[row, column] = text
        disposition = "set_aside" if costs else "accepted"
        planter.record(
            plan.programme_id, fault, file, sheet=sheet, row=row, column=column, item=item, rule=rule,
            disposition=disposition, form_id=form_id, costs=costs,
        )  # fmt: skip


def _eat_zeros(
    planter: Planter, plan: Plan, place: tuple[ExportFile, Sheet, str], *, rng: np.random.Generator, column: str,
    rule: str, n: int, costs: bool,
) -> None:  # fmt: skip
    """Some numbers as a spreadsheet program leaves them after opening and saving: without leading zeros."""
    file, sheet, instrument = place
    for row in planter.pick(sheet, instrument, rng, n=n):
        sheet.frame.loc[row, column] = str(sheet.frame.loc[row, column]).lstrip("0")
        ids = [str(sheet.frame.loc[row, c]) for c in sheet.frame.columns if c.startswith(HIDDEN)]
        for form_id in filter(None, ids):
            planter.used.add(form_id)
        planter.record(
            plan.programme_id, "leading_zeros_eaten", file, sheet=sheet, row=row, column=column, rule=rule,
            disposition="set_aside" if costs else "accepted",
            form_id=str(sheet.frame.loc[row, HIDDEN + instrument]), costs=costs,
        )  # fmt: skip


def invented_citizen_number(rng: np.random.Generator) -> str:
    """Nine digits, beginning with 9, that pass the Dutch eleven-test; drawn, nobody's own.

    >>> number = invented_citizen_number(np.random.default_rng(1))
    >>> len(number), sum(w * int(d) for w, d in zip((9, 8, 7, 6, 5, 4, 3, 2, -1), number)) % 11
    (9, 0)
    """
    while True:
        first = np.concatenate([[9], (rng.random(7) * 10).astype(np.int64)])
        last = int((_BSN_WEIGHTS * first).sum() % 11)
        if last < 10:
            return "".join(str(d) for d in first) + str(last)


# --- rows -------------------------------------------------------------------------------------------------------------


def _copy_row(sheet: Sheet, row: int, **cells: str) -> pd.DataFrame:
    """A row again, without its hidden form ids, with some cells replaced."""
    copied = sheet.frame.iloc[[row]].copy()
    hidden = {c: "" for c in copied.columns if c.startswith(HIDDEN)}
    return copied.assign(**hidden, **cells)


def _other_answers(sheet: Sheet, row: int, prefix: str, highest: int) -> dict[str, str]:
    """The first three answers of a row, each one step on."""
    items = [c for c in sheet.frame.columns if c.startswith(prefix)][:3]
    answers = {c: str(sheet.frame.loc[row, c]) for c in items}
    return {c: str((int(answer or 0) + 1) % (highest + 1)) for c, answer in answers.items()}


def _exact_duplicate(planter: Planter, plan: Plan, rng: np.random.Generator) -> None:
    first = planter.find(plan.programme_id, "bsi_", 0)
    later = planter.find(plan.programme_id, "bsi_", -1)
    for row in planter.pick(first.sheet(), "bsi", rng):
        form_id = str(first.sheet().frame.loc[row, HIDDEN + "bsi"])
        again = later.sheet().append(_copy_row(first.sheet(), row))[0]
        planter.record(
            plan.programme_id, "exact_duplicate", later, sheet=later.sheet(), row=again, disposition="duplicate",
            form_id=form_id,
        )  # fmt: skip


def _conflicting_pair(planter: Planter, plan: Plan, rng: np.random.Generator) -> None:
    file = planter.find(plan.programme_id, "phq9_", 0)
    sheet = file.sheet()
    for row in planter.pick(sheet, "phq9", rng):
        form_id = str(sheet.frame.loc[row, HIDDEN + "phq9"])
        response = f"{plan.code}X00001"
        other = sheet.append(_copy_row(sheet, row, response_id=response, **_other_answers(sheet, row, "phq9_", 3)))[0]
        for position in (row, other):
            planter.record(
                plan.programme_id, "conflicting_pair", file, sheet=sheet, row=position, rule="same_day_conflict",
                disposition="set_aside", form_id=form_id, costs=True,
            )  # fmt: skip


def _unknown_patient(planter: Planter, plan: Plan, rng: np.random.Generator) -> None:
    file = planter.find(plan.programme_id, "phq9_", -1)
    sheet = file.sheet()
    for row in planter.pick(sheet, "phq9", rng):
        stranger = f"{plan.first_number + 149_000:06d}"
        new = sheet.append(_copy_row(sheet, row, response_id=f"{plan.code}X00002", patient_id=stranger))[0]
        planter.record(
            plan.programme_id, "unknown_patient", file, sheet=sheet, row=new, column="patient_id",
            rule="patient_unknown", disposition="set_aside",
        )  # fmt: skip


def _finished_later(planter: Planter, plan: Plan, rng: np.random.Generator) -> None:
    """A form broken off after the fifth answer in the first delivery; the whole of it, same response id, in the second."""
    first, later = (planter.find(plan.programme_id, "vragenlijsten_", position) for position in (0, -1))
    sheet = first.sheet()
    if sheet.frame.empty or later is first:
        return
    is_weekly = (sheet.frame[f"{HIDDEN}phq9"] != "") & (sheet.frame[f"{HIDDEN}bsi"] == "")
    weekly = sheet.frame[is_weekly].reset_index(drop=True)
    only, positions = Sheet(sheet.name, weekly), [int(p) for p in np.flatnonzero(is_weekly)]
    for place in planter.pick(only, "phq9", rng):
        row = positions[place]
        form_id = str(sheet.frame.loc[row, f"{HIDDEN}phq9"])
        whole = later.sheet().append(sheet.frame.iloc[[row]])[0]
        left_open = [c for c in sheet.columns if c.startswith("PHQ-9 vraag ")][5:]
        sheet.frame.loc[row, [*left_open, "Voltooid", f"{HIDDEN}phq9"]] = ["" for _ in left_open] + ["nee", ""]
        _a_day_later(later.sheet(), whole)
        for file, position, disposition in ((first, row, "superseded"), (later, whole, "accepted")):
            planter.record(
                plan.programme_id, "finished_later", file, sheet=file.sheet(), row=position, disposition=disposition,
                form_id=form_id,
            )  # fmt: skip


def _a_day_later(sheet: Sheet, row: int) -> None:
    submitted = pd.to_datetime(str(sheet.frame.loc[row, "Submitdate"]), format="%d-%m-%Y %H:%M")
    sheet.frame.loc[row, "Submitdate"] = (submitted + pd.Timedelta(days=1)).strftime("%d-%m-%Y %H:%M")


# --- per kind of tool -------------------------------------------------------------------------------------------------


def _plain_faults(planter: Planter, plan: Plan, rng: np.random.Generator, as_of: date) -> None:
    bsi, phq9, eq5d = (planter.find(plan.programme_id, begins, -1) for begins in ("bsi_", "phq9_", "eq5d3l_"))
    in_bsi, in_phq9, in_eq5d = (bsi, bsi.sheet(), "bsi"), (phq9, phq9.sheet(), "phq9"), (eq5d, eq5d.sheet(), "eq5d3l")
    change, ahead = _change_cell, (as_of + timedelta(days=60)).isoformat()
    change(
        planter, plan, "bad_cell", "answer_not_a_code", in_bsi, rng=rng, column="bsi_17", item="bsi_17", text="often"
    )
    change(
        planter,
        plan,
        "out_of_range",
        "answer_out_of_range",
        in_phq9,
        rng=rng,
        column="phq9_03",
        item="phq9_03",
        text="7",
    )
    change(planter, plan, "future_date", "date_in_future", in_eq5d, rng=rng, column="date", text=ahead)
    change(planter, plan, "before_birth", "date_before_birth", in_bsi, rng=rng, column="date", text="1924-03-05")
    change(
        planter,
        plan,
        "formula_in_comment",
        "column_not_taken_in",
        in_bsi,
        rng=rng,
        column="remarks",
        text="=SUM(A1:A9)",
        costs=False,
    )
    _eat_zeros(planter, plan, in_eq5d, rng=rng, column="patient_id", rule="patient_form", n=3, costs=True)
    _formula_in_register(planter, plan)
    _exact_duplicate(planter, plan, rng)
    _conflicting_pair(planter, plan, rng)
    _unknown_patient(planter, plan, rng)
    _sixty_columns(planter, plan, as_of)


def _formula_in_register(planter: Planter, plan: Plan) -> None:
    """A cell that a spreadsheet program would run, in a column that is taken in: it must never become a formula again."""
    file = planter.find(plan.programme_id, "therapists", 0)
    sheet = file.sheet()
    if sheet.frame.empty:
        return
    sheet.frame.loc[0, "function"] = "=1+1"
    # the function is none that is known either: that is said once for the column, without a row
    for rule, row in (("cell_like_formula", 0), ("code_not_understood", None)):
        planter.record(
            plan.programme_id,
            "formula_in_register",
            file,
            sheet=sheet,
            row=row,
            column="function",
            item="function",
            rule=rule,
            disposition="accepted",
        )


def _sixty_columns(planter: Planter, plan: Plan, as_of: date) -> None:
    """A file that calls itself BSI and has sixty columns of answers."""
    whole = planter.find(plan.programme_id, "bsi_", 0).sheet().frame.head(5).reset_index(drop=True)
    if whole.empty:
        return
    more = {f"bsi_{number:02d}": "1" for number in range(54, _SIXTY + 1)}
    frame = whole.assign(**more, **{f"{HIDDEN}bsi": ""}, date=(as_of - timedelta(days=20)).isoformat())
    path = f"inbox/{plan.programme_id}/bsi_long_form_{(as_of - timedelta(days=1)).isoformat()}.csv"
    file = ExportFile(path, [Sheet("bsi", frame)])
    planter.files.append(file)
    planter.record(plan.programme_id, "sixty_columns", file, rule="item_count_wrong", disposition="set_aside")


def _dutch_faults(planter: Planter, plan: Plan, rng: np.random.Generator, as_of: date) -> None:
    file = planter.find(plan.programme_id, "vragenlijsten_", -1)
    place = (file, file.sheet(), "bsi")
    number = invented_citizen_number(rng)
    _change_cell(
        planter, plan, "citizen_number", "citizen_number_elsewhere", place, rng=rng, column="Opmerkingen",
        text=f"bsn {number} nog controleren", costs=False,
    )  # fmt: skip
    _eat_zeros(planter, plan, place, rng=rng, column="Patiëntnummer", rule="leading_zeros_restored", n=4, costs=False)
    _finished_later(planter, plan, rng)


def _workbook_faults(planter: Planter, plan: Plan, rng: np.random.Generator, as_of: date) -> None:
    """A workbook cut off in the middle, as a broken upload leaves it; and, in the late programme, silence."""
    whole = planter.find(plan.programme_id, "rom_export_", 0)
    if not whole.path:
        return
    path = f"inbox/{plan.programme_id}/rom_export_{(as_of - timedelta(days=14)).isoformat()}.xlsx"
    bare = [Sheet(s.name, s.frame[s.columns], s.titles, s.dates, s.numbers) for s in whole.sheets]
    broken = ExportFile(path, bare, kind="xlsx", keep_share=0.6)
    planter.files.append(broken)
    planter.record(plan.programme_id, "truncated_workbook", broken, rule="file_unreadable", disposition="set_aside")
    if plan.is_late:
        newest = planter.find(plan.programme_id, "rom_export_", -1)
        planter.record(plan.programme_id, "late_programme", newest, rule="programme_quiet", disposition="accepted")


def _unknown_programme(planter: Planter, plans: list[Plan], rng: np.random.Generator) -> None:
    """Two rows of the regional file under the code of a programme that the consortium does not have."""
    file = planter.find(SHARED, "regional_survey_", -1)
    sheet = file.sheet()
    for row, token in zip(planter.pick(sheet, "phq9", rng, n=2), ("ZZ000001", "ZZ000002"), strict=False):
        new = sheet.append(_copy_row(sheet, row, Site="ZZ", Token=token))[0]
        planter.record(
            SHARED, "unknown_programme", file, sheet=sheet, row=new, column="Site", rule="programme_unknown",
            disposition="set_aside",
        )  # fmt: skip


_FAULTS: dict[str, Callable[[Planter, Plan, np.random.Generator, date], None]] = {
    "plain": _plain_faults,
    "dutch": _dutch_faults,
    "workbook": _workbook_faults,
}
