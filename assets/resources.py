"""What assets are given from outside: the home, as one run sees it."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

import dagster as dg
from pydantic import PrivateAttr

from assets.home import Home
from assets.lock import writing
from assets.state import State

#: How long a run that somebody starts by hand waits for the writer before it.
WAIT_SECONDS = 600.0


#: Tag of a run: the process that it lives and dies with.
PROCESS_TAG = "mbt_rom/process"
_open_states: dict[tuple[Path, date], State] = {}


class HomeResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The home in folder `root`, for tables as they are on `as_of` (YYYY-MM-DD). It holds the lock during the run.

    Nothing here reads the clock: `pipelines` gives it a form that knows the time, for what is not configured.
    """

    root: str
    as_of: str = ""
    _state: State | None = PrivateAttr(default=None)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Generator["HomeResource", None, None]:
        """Takes the lock of the home for the time of the run, and opens it."""
        root = Path(self.root)
        if context.instance and context.run_id:
            context.instance.add_run_tags(context.run_id, {PROCESS_TAG: process()})
        with writing(root, who=f"Dagster run {context.run_id}", now=self.moment(), wait_seconds=WAIT_SECONDS):
            self._state = _open_states.get((root.resolve(), self.date())) or State(Home.open(root), self.date())
            yield self

    @property
    def state(self) -> State:
        """The home as this run sees it."""
        if self._state is None:
            raise RuntimeError("the home is opened when a run starts")
        return self._state

    def moment(self) -> datetime:
        """The time that others are shown as the begin of the run."""
        raise NotImplementedError

    def date(self) -> date:
        """The date for which tables are computed."""
        return date.fromisoformat(self.as_of)


@contextmanager
def opened(state: State) -> Generator[None, None, None]:
    """Within the block, runs in this process on that home and date use this state, so that nothing is parsed twice."""
    key = (state.home.root, state.as_of)
    _open_states[key] = state
    try:
        yield
    finally:
        del _open_states[key]


def process(pid: int | None = None) -> str:
    """Name of a process that no later one will have: its number and when it started; '' when there is none."""
    number = pid or os.getpid()
    try:
        fields = Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return ""
    return f"{number}.{fields[19]}"


def is_alive(name: str) -> bool:
    """Whether the process of that name still runs."""
    number = name.partition(".")[0]
    return number.isdigit() and process(int(number)) == name
