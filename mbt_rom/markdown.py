"""Markdown for generated pages: tables whose cells stay cells, lists of ids in words.

Belongs here: the syntax. Does not belong here: what a page says (`dictionary`, `instrument_pages`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def cell(text: object) -> str:
    r"""Text that cannot break out of its cell of a table: bars are escaped, lines joined.

    >>> cell("one | two\nthree")
    'one \\| two three'
    """
    return " ".join(str(text).split()).replace("|", "\\|")


def plain(text: str | None) -> str:
    r"""Text in which no character means anything to Markdown that somebody might write without meaning it: `*`, `<`, `[`.

    >>> plain("a * b < c")
    'a \\* b \\< c'
    """
    text = " ".join((text or "").split())
    for character in "\\*<[":
        text = text.replace(character, f"\\{character}")
    return text


def table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """The lines of a table; none where there is no row. A column that is empty in every row is left out.

    >>> table(["a", "b", "c"], [[1, "", "x"], [2, "", ""]])
    ['| a | c |', '|---|---|', '| 1 | x |', '| 2 |  |']
    """
    cells = [[cell(entry) for entry in row] for row in rows]
    if not cells:
        return []
    kept = [at for at in range(len(headers)) if any(row[at] for row in cells)]
    lines = [[headers[at] for at in kept], *([row[at] for at in kept] for row in cells)]
    head, *body = [f"| {' | '.join(line)} |" for line in lines]
    return [head, "|" + "---|" * len(kept), *body]


def code(text: str | None) -> str:
    """The text as code, such as an id; nothing for None."""
    return f"`{text}`" if text else ""


def codes(ids: Iterable[str]) -> str:
    """Ids as code, separated by commas."""
    return ", ".join(code(i) for i in ids)


def paragraph(*texts: str | None) -> list[str]:
    """One paragraph of those texts that there are, and the blank line after it; nothing where there are none."""
    said = [" ".join(text.split()) for text in texts if text]
    return [" ".join(said), ""] if said else []


def section_body(*parts: Sequence[str]) -> list[str]:
    """The lines of several paragraphs, lists and tables with one blank line between each; none at the end."""
    lines: list[str] = []
    for part in parts:
        lines += [*part, ""] if part and part[-1] else part
    while lines and not lines[-1]:
        lines.pop()
    return lines


def section(heading: str, body: Sequence[str]) -> list[str]:
    """A heading with its lines and a blank line; nothing where there are no lines."""
    return [f"## {heading}", "", *body, ""] if body else []
