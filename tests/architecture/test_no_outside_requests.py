"""The guard of conftest.py does what it says: other hosts are refused, this machine is not."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from urllib.error import URLError

import pytest

ELSEWHERE = "192.0.2.1"  # RFC 5737: an address for documentation, never routed


@pytest.mark.parametrize("method", ["connect", "connect_ex"])
def test_another_host_is_refused(method: str) -> None:
    with socket.socket() as caller, pytest.raises(AssertionError, match="this machine only"):
        getattr(caller, method)((ELSEWHERE, 80))


def test_a_datagram_to_another_host_is_refused() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller,
        pytest.raises(AssertionError, match="this machine only"),
    ):
        caller.sendto(b"x", (ELSEWHERE, 9))


def test_looking_up_another_host_is_refused() -> None:
    with pytest.raises(AssertionError, match="this machine only"):
        socket.getaddrinfo("example.org", 443)


def test_this_machine_may_be_called() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as caller:
        assert caller.getpeername() == server.getsockname()


def test_a_child_process_meets_a_dead_proxy() -> None:
    child = subprocess.run(
        [sys.executable, "-c", f"import urllib.request as u; u.urlopen('http://{ELSEWHERE}/', timeout=5)"],
        capture_output=True,
        text=True,
        env=dict(os.environ),
        check=False,
    )
    assert child.returncode != 0
    assert URLError.__name__ in child.stderr
    assert "refused" in child.stderr
