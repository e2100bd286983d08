"""What every test shares: the real data where they exist, how hard Hypothesis searches, and a shut door to the network.

Belongs here: fixtures that two or more folders of tests need. Does not belong here: builders of test data for one
module (they stand in that module's test file), expected numbers, anything that imports Dagster or pandas.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

ROOT = Path(__file__).resolve().parents[1]
DEAD_PROXY = "http://127.0.0.1:9"

# The code location names the tables that its home uses, and without ROM_HOME that is a home left here by `make run`: no
# test may depend on it. Set before any module of ours is imported, and passed on to child processes.
os.environ["ROM_HOME"] = str(ROOT / "no-home-in-tests")

settings.register_profile(
    "ci", max_examples=50, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("long", max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile(
    "mutation", max_examples=10, deadline=None, derandomize=True, database=None, phases=[Phase.generate]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


class OutsideRequestError(AssertionError):
    """A test tried to reach another host."""


def _is_here(host: object) -> bool:
    """Whether a host name or address means this machine."""
    if host in (None, "", b"", "localhost", b"localhost", socket.gethostname()):
        return True
    text = host.decode() if isinstance(host, bytes) else str(host)
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _refuse_outside(family: int, address: Any) -> None:
    if family in (socket.AF_INET, socket.AF_INET6) and not _is_here(address[0]):
        raise OutsideRequestError(f"a test tried to reach the host {address[0]!r}; tests talk to this machine only")


def _guarded(method: Callable[..., Any]) -> Callable[..., Any]:
    """The socket method, refusing an address (always its last argument) of another host."""

    def call(self: socket.socket, *arguments: Any) -> Any:
        _refuse_outside(self.family, arguments[-1])
        return method(self, *arguments)

    return call


@pytest.fixture(autouse=True, scope="session")
def no_outside_requests() -> Iterator[None]:
    """Makes every request to another host fail: in this process at the socket, in child processes by a dead proxy."""
    patch = pytest.MonkeyPatch()
    for name in ("connect", "connect_ex", "sendto"):
        patch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))
    ask = socket.getaddrinfo

    def getaddrinfo(host: Any, *arguments: Any, **keywords: Any) -> Any:
        _refuse_outside(socket.AF_INET, (host,))
        return ask(host, *arguments, **keywords)

    patch.setattr(socket, "getaddrinfo", getaddrinfo)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        patch.setenv(name, DEAD_PROXY)
        patch.setenv(name.upper(), DEAD_PROXY)
    for name in ("no_proxy", "NO_PROXY"):
        patch.setenv(name, "localhost,127.0.0.1,::1")
    yield
    patch.undo()


@pytest.fixture(autouse=os.environ.get("HYPOTHESIS_PROFILE") == "mutation")
def fresh_value_sets() -> None:
    """Computes the value sets anew for each test, so that each is known to rest on the code that computes them."""
    from mbt_rom import registry

    registry._all_value_sets.cache_clear()


@pytest.fixture(scope="session")
def project_root() -> Path:
    """The folder that holds pyproject.toml."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with the real data sets, which are never committed: `MBT_ROM_SHARED`, else `shared` beside the project."""
    named = os.environ.get("MBT_ROM_SHARED")
    folder = Path(named) if named else ROOT.parent / "shared"
    if not (folder / "data").is_dir():
        pytest.skip("the real data sets are not here: set MBT_ROM_SHARED to the folder that holds data/")
    return folder


@pytest.fixture(scope="session")
def python() -> str:
    """The Python that runs the tests, for child processes."""
    return sys.executable
