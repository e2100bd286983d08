"""The nightly run: take in what arrived, compute what is out of date, publish. The same function for `rom nightly`, the
schedule and the tests.

Belongs here: the order of things, and what is computed in which Dagster run. Does not belong here: what a table is made
of (`assets`), when a table is out of date (`assets.state`), the clock.

A kill at any moment is harmless: what is out of date is decided by fingerprints that each table's commit carries, so the
next run does what was left and nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assets import intake, stops
from assets.home import Home
from assets.intake import Taken
from assets.lock import writing
from assets.site import published
from assets.state import ACROSS, SITE, State
from assets.warehouse import WHOLE
from assets.worklists import take_in_lists
from mbt_rom.findings import needs_action
from mbt_rom.settings import SHARED
from mbt_rom.tables import LEDGER, NO_OPEN_FINDINGS

if TYPE_CHECKING:
    import dagster as dg

#: From this share of a range of programmes on, one run over the whole range costs less than one run for each.
RANGE_SHARE = 1 / 3
_NOT_RUN = {LEDGER.name, *ACROSS}
#: Stages of which only the current version may exist: whoever withdrew a permission may be in those before.
_WITHOUT_HISTORY = ("contributions", "benchmarks")
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass
class Summary:
    """What one night did. `failures` name what could not be computed; everything else was."""

    as_of: date
    taken: list[Taken] = field(default_factory=list)
    n_waiting: int = 0
    computed: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    n_errors: int = 0
    published: bool = False
    n_runs: int = 0
    n_events: int = 0

    @property
    def needs_attention(self) -> bool:
        """Whether somebody should look: something failed, or a file of this night has a fault."""
        return bool(self.failures) or self.n_errors > 0 or any(t.outcome == "refused" for t in self.taken)

    def counts(self) -> dict[str, Any]:
        """The numbers of the night."""
        return {
            "n_files": len(self.taken),
            "n_programmes_computed": len(self.computed),
            "n_failures": len(self.failures),
            "is_published": self.published,
        }


def run(
    root: Path,
    *,
    as_of: date,
    now: datetime,
    instance: dg.DagsterInstance | None = None,
    wait_seconds: float = 0,
    say: Callable[[str], None] = lambda message: None,
) -> Summary:
    """Everything that changed, end to end, for tables as they are on `as_of`.

    `now` is the time of receipt of what lies in the inbox. Raises `LockedError` when somebody else is still writing after
    `wait_seconds`; a failure of one programme stops no other and is told in the summary.
    """
    with writing(root, who="rom nightly", now=now, wait_seconds=wait_seconds):
        state = State(Home.open(root), as_of)
        summary = Summary(as_of)
        say("taking in what arrived")
        _take_in(state, summary, now=now)
        with _instance(state.home, instance) as opened:
            Night(state, opened, summary, say).work()
        return summary


def _take_in(state: State, summary: Summary, *, now: datetime) -> None:
    stops.enter_waiting(state)
    files = intake.scan(state.home.inbox, settings=state.home.settings)
    ready = intake.settled(files, now=now, settle_seconds=state.home.settings.settle_seconds)
    summary.n_waiting = len(files) - len(ready)
    lists, others = take_in_lists(state, ready, now=now)
    summary.taken = lists + intake.take_in_inbox(state, others, now=now)
    summary.failures += [f"{t.label}: {t.reason}" for t in summary.taken if t.outcome == "failed"]
    intake.understand_again(state)


@contextmanager
def _instance(home: Home, given: dg.DagsterInstance | None) -> Iterator[dg.DagsterInstance]:
    from pipelines.instance import kept_connections, open_instance, reconcile

    with nullcontext(given) if given is not None else open_instance(home) as opened:
        reconcile(opened)
        with kept_connections(opened):
            yield opened


@dataclass
class Night:
    """The Dagster runs of one night; `only` of these tables, or of all."""

    state: State
    instance: dg.DagsterInstance
    summary: Summary
    say: Callable[[str], None]
    only: frozenset[str] | None = None

    def work(self) -> None:
        """Computes and publishes what is out of date."""
        from assets.partitions import sync

        sync(self.instance, self.state)
        self._programmes()
        self._across()
        self._without_history()
        self.summary.n_errors = self._errors_in_new_files()
        self.state.forget_parsed()

    def _errors_in_new_files(self) -> int:
        """Findings about the deliveries of this night after which something counts for nothing until a person acts."""
        new = {t.delivery_id for t in self.summary.taken if t.outcome == "taken_in"}
        if not new:
            return 0
        sources = [t for t in self.state.catalogue.tables if t.startswith("findings/") and t not in NO_OPEN_FINDINGS]
        found = [self.state.read(t, columns=["delivery_id", "severity", "rule"]) for t in sources]
        return sum(int((f["delivery_id"].isin(new) & needs_action(f)).sum()) for f in found)

    def _programmes(self) -> None:
        stale = self._stale()
        order = [p for p in self.instance.get_dynamic_partitions("programme") if p in self.state.home.partitions]
        for span in spans([p for p in order if p in stale], order):
            wanted = [p for p in span if p in stale]
            failure = self._run("programme", sorted({t for p in wanted for t in stale[p]}), span)
            if failure and len(span) > 1:
                self._one_by_one(wanted)
            elif failure:
                self.summary.failures.append(f"{span[0]}: {failure}")
            else:
                self.summary.computed += wanted

    def _stale(self) -> dict[str, list[str]]:
        stale = stale_tables(self.state)
        if self.only is None:
            return stale
        wanted = {p: [t for t in tables if t in self.only] for p, tables in stale.items()}
        return {p: tables for p, tables in wanted.items() if tables}

    def _one_by_one(self, programmes: Sequence[str]) -> None:
        """After a run over a range failed: each by itself, so that one does not stop the others."""
        for partition in programmes:
            tables = self._stale().get(partition)
            failure = self._run("programme", tables, [partition]) if tables else None
            if failure:
                self.summary.failures.append(f"{partition}: {failure}")
            else:
                self.summary.computed.append(partition)

    def _across(self) -> None:
        tables = [t for t in stale_across(self.state) if self.only is None or t in self.only]
        if not tables:
            return
        failure = self._run("across", tables, [])
        self.summary.published = SITE in tables and failure is None
        if failure:
            self.summary.failures.append(f"across programmes: {failure}")

    def _without_history(self) -> None:
        """Leaves no file of an earlier version, not even one that a killed night left, of tables that a withdrawal must reach."""
        for name, table in self.state.catalogue.tables.items():
            if name.split("/")[0] in _WITHOUT_HISTORY:
                self.state.warehouse.vacuum(table, retention_hours=0, is_thorough=True)

    def _run(self, job: str, tables: Sequence[str], span: Sequence[str]) -> str | None:
        """One Dagster run of these tables over the span of programmes; what failed, free of values, or None."""
        from assets.partitions import range_tags
        from assets.resources import opened

        self.say(f"{job}: {len(tables)} tables" + (f" of {span[0]} to {span[-1]}" if span else ""))
        with opened(self.state):
            result = self._jobs[job].execute_in_process(
                instance=self.instance,
                asset_selection=[_key(t) for t in tables],
                partition_key=span[0] if len(span) == 1 else None,
                tags=range_tags(span) if len(span) > 1 else None,
                run_config=_QUIET,
                raise_on_error=False,
            )
        self.summary.n_runs += 1
        self.summary.n_events += len(self.instance.all_logs(result.run_id))
        for table in tables:
            if table != SITE:
                self.state.warehouse.vacuum(self.state.catalogue[table])
        return None if result.success else _failure(result)

    @cached_property
    def _jobs(self) -> dict[str, dg.JobDefinition]:
        from pipelines.definitions import build_defs

        defs = build_defs(root=self.state.home.root, as_of=self.state.as_of)
        return {name: defs.resolve_job_def(name) for name in ("programme", "across")}


def stale_tables(state: State) -> dict[str, list[str]]:
    """Per partition the tables that are not stored as they ought to be; partitions without any are left out."""
    wanted = [p for p in state.home.partitions if p != SHARED or _has_shared(state)]
    outdated = {n: state.outdated(t, wanted) for n, t in state.catalogue.tables.items() if n not in _NOT_RUN}
    stale = {p: [name for name, partitions in outdated.items() if p in partitions] for p in wanted}
    return {p: tables for p, tables in stale.items() if tables}


def _has_shared(state: State) -> bool:
    """Whether anything was ever delivered to the shared folder, or found in a folder that belongs to nobody."""
    stored = state.warehouse.fingerprints(state.catalogue["findings/deliveries"])
    return SHARED in stored or SHARED in set(state.ledger["programme_id"])


def stale_across(state: State) -> list[str]:
    """The tables across programmes that are not stored as they ought to be."""
    return [name for name in ACROSS if _stored_across(state, name) != state.fingerprint_across(name)]


def _stored_across(state: State, name: str) -> str | None:
    if name == SITE:
        return published(state.home.published)
    return state.warehouse.fingerprints(state.catalogue[name]).get(WHOLE)


def spans(changed: Sequence[str], order: Sequence[str]) -> list[list[str]]:
    """The runs in which changed programmes are computed: one over the whole range where that costs less, else one each.

    Dagster computes a range of partitions in the order in which they were registered, so unchanged ones in between are
    computed with them, which changes nothing.

    >>> spans(["a", "c"], ["a", "b", "c", "d"])
    [['a', 'b', 'c']]
    >>> spans(["a", "z"], ["a", *"mnopqrs", "z"])
    [['a'], ['z']]
    """
    if len(changed) < 2:
        return [[p] for p in changed]
    places = [order.index(p) for p in changed]
    whole = list(order[min(places) : max(places) + 1])
    return [whole] if len(changed) >= RANGE_SHARE * len(whole) else [[p] for p in changed]


def _key(table: str) -> dg.AssetKey:
    from assets.keys import key

    return key(table)


def _failure(result: dg.ExecuteInProcessResult) -> str:
    """The first step that failed and why. Only our own messages are told: they hold no value."""
    for event in result.all_events:
        if event.is_step_failure:
            return f"{event.step_key}: {_innermost(event.step_failure_data.error)}"
    return "the run did not finish"


def _innermost(error: Any) -> str:
    while error is not None and error.cause is not None:
        error = error.cause
    if error is None:
        return "unknown"
    ours = error.cls_name == "ComputationError"
    return error.message.partition(": ")[2].strip() if ours else str(error.cls_name)
