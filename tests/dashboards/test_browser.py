"""Pages in a real browser, from disk: every figure of an open section is drawn, and the console stays empty."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from dashboards.site import SiteData, site

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--enable-logging=stderr", "--virtual-time-budget=10000",
)  # fmt: skip
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine (looked for chromium, google-chrome)"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, site_data: SiteData) -> Path:
    """The site on disk."""
    target = tmp_path_factory.mktemp("site")
    for path, content in site(site_data).items():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_bytes(content)
    return target


def load(page: Path, profile: Path) -> tuple[str, list[str]]:
    """The page after its scripts ran, and what they wrote to the console."""
    command = [str(BROWSER), *FLAGS, f"--user-data-dir={profile}", "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout, [line for line in done.stderr.splitlines() if ":CONSOLE" in line]


@pytest.mark.parametrize(
    "path", ["index.html", "programmes/duin.html", "flow/duin.html", "expert-centre.html", "data-quality.html"]
)
def test_a_page_draws_its_figures_without_complaint(folder: Path, tmp_path: Path, path: str) -> None:
    source = (folder / path).read_text()
    dom, console = load(folder / path, tmp_path)
    closed = re.sub(r'<details(?: class="moment")?>.*?</details>', "", source, flags=re.S)
    expected = closed.count('class="plot"')
    drawn = len(re.findall(r'<div class="plot[^"]*js-plotly-plot"', dom))
    assert console == []
    assert drawn == expected
    assert dom.count('class="main-svg"') >= expected
    assert (expected == 0) == (path == "index.html")


def test_a_complaint_would_be_noticed(folder: Path, tmp_path: Path) -> None:
    broken = folder / "broken.html"
    broken.write_text((folder / "data-quality.html").read_text().replace('{"data":', '{"data"'))
    dom, console = load(broken, tmp_path)
    assert console != []
    assert "js-plotly-plot" not in dom
