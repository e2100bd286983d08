"""Texts of survey tools without their markup. Belongs here: that step. Does not belong here: what the texts mean."""

from __future__ import annotations

import html
import re

_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")


def plain_text(label: str) -> str:
    """A label as people see it: without markup, in one line.

    >>> plain_text("<b>How often</b>&nbsp;last week?")
    'How often last week?'
    """
    return " ".join(html.unescape(_TAG.sub(" ", label)).split())
