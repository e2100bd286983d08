"""Colours that survive greyscale and colour blindness, contrast that can be read, JSON that cannot leave its element."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest

from dashboards import theme

CSS = Path(theme.__file__).parent / "static" / "site.css"
#: Machado, Oliveira and Fernandes (2009), IEEE TVCG 15:1291, table 1, severity 1.0.
BLINDNESS = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
}


def linear(colour: str) -> np.ndarray:
    """Linear RGB of a hexadecimal colour (IEC 61966-2-1)."""
    value = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def luminance(colour: str) -> float:
    return float(linear(colour) @ [0.2126, 0.7152, 0.0722])


def contrast(one: str, other: str) -> float:
    """WCAG 2.1 contrast ratio."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_agrees_with_the_published_extreme() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)  # WCAG 2.1, definition of contrast ratio


@pytest.mark.parametrize("colour", [theme.INK, theme.MUTED, theme.REFERENCE, theme.PRIMARY])
def test_text_in_figures_reaches_aa(colour: str) -> None:
    assert contrast(colour, theme.PAPER) >= 4.5


def test_text_of_the_pages_reaches_aa() -> None:
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", CSS.read_text()))
    pairs = [
        ("ink", "paper"), ("muted", "paper"), ("muted", "ground"), ("primary", "paper"), ("primary", "ground"),
        ("attention", "attention-ground"), ("muted", "attention-ground"), ("fine", "paper"), ("fine", "attention-ground"),
        ("synthetic-ink", "synthetic"), ("provisional", "provisional-ground"),
    ]  # fmt: skip
    assert {pair: round(contrast(colours[pair[0]], colours[pair[1]]), 2) for pair in pairs
            if contrast(colours[pair[0]], colours[pair[1]]) < 4.5} == {}  # fmt: skip


def is_apart(one: theme.Fill, other: theme.Fill) -> bool:
    """By pattern, or by lightness to the eye of a greyscale printer (a fifth of the way from black to white)."""
    lightness = [luminance(fill.color) ** (1 / 3) for fill in (one, other)]
    return one.pattern != other.pattern or abs(lightness[0] - lightness[1]) > 0.2


def test_fills_that_touch_differ_in_greyscale() -> None:
    pairs = itertools.combinations(theme.DISPOSITION_FILLS.items(), 2)
    assert [(a, b) for (a, one), (b, other) in pairs if not is_apart(one, other)] == []


@pytest.mark.parametrize("kind", BLINDNESS)
def test_what_is_set_aside_stands_out_to_the_colour_blind(kind: str) -> None:
    seen = {name: np.array(BLINDNESS[kind]) @ linear(fill.color) for name, fill in theme.DISPOSITION_FILLS.items()}
    others = [colour for name, colour in seen.items() if name not in ("n_set_aside", "n_left_out")]
    assert min(float(np.linalg.norm(seen["n_set_aside"] - colour)) for colour in others) > 0.15


def test_the_template_is_valid() -> None:
    template = go.layout.Template(theme.TEMPLATE)
    assert template.layout.font.color == theme.INK


@pytest.mark.parametrize("text", ["</script><script>alert(1)</script>", "<!--", "a & b", "\u2028", "é"])
def test_json_cannot_leave_its_element(text: str) -> None:
    written = theme.as_json({"name": text})
    assert not set("<>&\u2028") & set(written)
    assert json.loads(written) == {"name": text}


def test_json_has_no_number_that_browsers_refuse() -> None:
    with pytest.raises(ValueError, match="JSON"):
        theme.as_json({"y": [float("nan")]})
