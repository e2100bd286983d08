"""`rom nightly`: the scheduled run, in this process."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines import clock
from pipelines.options import Date, home_option, progress

if TYPE_CHECKING:
    from pipelines.nightly import Summary


@click.command(name="nightly")
@home_option
@click.option("--as-of", type=Date(), help="Compute everything as it is on this date (default today).")
@click.option("--wait", type=float, default=0, show_default=True, help="Seconds to wait for another writer.")
def nightly(home: Path, as_of: date | None, wait: float) -> None:
    """Run everything that changed, end to end: take in, check, score, compare, publish.

    Exit code 1 when a file of this run has a fault or something could not be computed.

    \b
    Example:
      rom nightly --home rom-home --as-of 2026-11-22
    """
    began = time.monotonic()
    from assets.home import Home
    from pipelines.nightly import run

    day = as_of or clock.today(Home.open(home).settings.timezone)
    summary = run(home, as_of=day, now=clock.now(), wait_seconds=wait, say=progress)
    click.echo(told(summary, home=home, seconds=time.monotonic() - began))
    raise SystemExit(1 if summary.needs_attention else 0)


def told(summary: Summary, *, home: Path, seconds: float) -> str:
    """The summary for a person: what came, what was computed, what needs attention."""
    lines = [
        f"Nightly run as of {summary.as_of}: {seconds:.0f} s, {summary.n_runs} runs, {summary.n_events} Dagster events"
    ]
    outcomes = [t.outcome for t in summary.taken]
    words = {"taken_in": "taken in", "known": "known already", "refused": "refused", "failed": "not understood"}
    came = [f"{outcomes.count(o)} {w}" for o, w in words.items() if o in outcomes]
    lines.append(f"  files: {', '.join(came) or 'none new'}" + _waiting(summary.n_waiting))
    lines.append(f"  programmes computed: {len(summary.computed)}" + ("" if summary.computed else " (nothing changed)"))
    lines += [f"  refused: {t.label} ({t.reason})" for t in summary.taken if t.outcome == "refused"]
    lines += [f"  failed: {failure}" for failure in summary.failures]
    if summary.n_errors:
        lines.append(f"  {summary.n_errors} faults in the new files; `rom findings --home {home}` lists them")
    if summary.published:
        lines.append(f"  site: {home / 'published' / 'site' / 'index.html'}")
    return "\n".join(lines)


def _waiting(n: int) -> str:
    return f"; {n} still being written, left for the next run" if n else ""
