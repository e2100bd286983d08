"""The page of real files says what the code does with them."""

from pathlib import Path

import pytest
import real_data
import real_exports

pytestmark = [pytest.mark.real_data, pytest.mark.slow, pytest.mark.long]


@pytest.fixture(scope="module")
def shared() -> Path:
    folder = real_data.shared_folder()
    if not (folder / "data").is_dir():
        pytest.skip(f"the real data sets are not at {folder.name}/data; set MBT_ROM_SHARED to their folder")
    return folder


def test_the_table_of_the_page_is_what_the_code_does(shared: Path) -> None:
    assert real_exports.table(shared).splitlines() == real_exports.table_of_page().splitlines()


def test_every_file_has_a_line(shared: Path) -> None:
    page = real_exports.table_of_page()
    folder = shared / "data"
    assert [f for f in real_exports.files(shared) if f"| {f.relative_to(folder).as_posix()} |" not in page] == []
