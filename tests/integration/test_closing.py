"""A night in which a mended export comes: the finding is off the work list, and `rom findings --closed` tells of it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

from click.testing import CliRunner

from assets import intake, worklists
from assets.home import Home, create
from assets.state import State
from pipelines import nightly
from pipelines.commands.findings import findings
from tests.small_homes import ONE_PROGRAMME

HEADER = "patient_id,date," + ",".join(f"phq9_{i:02d}" for i in range(1, 10))
BAD = f"{HEADER}\n200101,2026-01-05{',1' * 9}\n,2026-01-06{',2' * 9}\n"
MENDED = BAD.replace("\n,2026", "\n200102,2026")


def _night(root: Path, text: str, name: str, by: str, day: int) -> State:
    path = root.parent / name
    path.write_text(text, encoding="utf-8")
    now = datetime(2026, 6, day, 2, tzinfo=UTC)
    intake.take_in_file(State(Home.open(root), now.date()), path, folder="alpha", now=now, by=by)
    assert nightly.run(root, as_of=now.date(), now=now).failures == []
    return State(Home.open(root), now.date())


def test_what_closed_itself_is_told_and_asks_for_nothing_more(tmp_path: Path) -> None:
    root = tmp_path / "home"
    create(root, ONE_PROGRAMME)
    errors = lambda state: worklists.work_list(state, "alpha").query("severity == 'error'")["rule"].tolist()  # noqa: E731
    first = _night(root, BAD, "may.csv", "anna", 1)
    assert errors(first) == ["patient_missing"]
    assert worklists.closed(first, "alpha").empty
    second = _night(root, MENDED, "june.csv", "bert", 8)
    assert errors(second) == []
    assert "withdrawn_at_source" not in set(worklists.work_list(second, "alpha")["rule"])
    row = worklists.closed(second, "alpha").iloc[0]
    assert row[["file", "row", "rule", "closed_by", "closed_how"]].tolist() == [
        "may.csv", 3, "patient_missing", "bert", "withdrawn_at_source",
    ]  # fmt: skip
    assert (row["opened"], row["closed"]) == (date(2026, 6, 1), date(2026, 6, 8))
    law = second.read("deliveries/conservation").set_index("instrument").loc["phq9"]
    assert law[["n_offered", "n_accepted", "n_set_aside", "n_duplicate", "n_superseded"]].tolist() == [4, 2, 0, 1, 1]
    told = CliRunner().invoke(findings, ["--closed", "--home", str(root)])
    assert told.exit_code == 0
    assert (
        "2026-06-08: alpha: may.csv, row 3: patient_missing, open since 2026-06-01: withdrawn at source by bert"
        in told.output
    )
    assert "1 findings closed themselves" in told.output
