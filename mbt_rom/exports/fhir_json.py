"""Resources of a FHIR file: read strictly, each checked against the published definition of its version.

Belongs here: telling a single resource, a Bundle and NDJSON apart, and what is wrong with a resource. Does not belong here: rows
and columns (`fhir`). A fault names the path of an element, never what stands there.

STU3, R4 and R4B are read. A resource is taken for STU3 when it has an element that only STU3 has.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any

from pydantic import BaseModel, ValidationError

from mbt_rom.exports.errors import ExportError

RESPONSE, QUESTIONNAIRE = "QuestionnaireResponse", "Questionnaire"
#: The number of levels that lists and elements may be nested in each other.
MOST_LEVELS = 100
_NAME = re.compile(r"[A-Za-z_]{1,60}", re.ASCII)
#: Names of the Dutch citizen number as a system of identifiers.
_CITIZEN = (b"namingsystem/bsn", b"2.16.840.1.113883.2.4.6.3")
_ONLY_STU3 = {
    RESPONSE: lambda found: bool(found.keys() & {"context", "parent"}) or isinstance(found.get("questionnaire"), dict),
    QUESTIONNAIRE: lambda found: any(item.keys() & {"option", "options"} for item in every_item(found)),
}


class NotFhirError(Exception):
    """What is wrong with a text or a resource, in words that hold none of its values."""


@dataclass(frozen=True)
class Found:
    """One resource. `row`: its line, its position in the Bundle, or 1. `fault`: why it cannot be read, None where it can.

    `resource` is empty where the text is no JSON. `address`: the `fullUrl` of a Bundle's entry.
    """

    row: int
    resource: Mapping[str, Any]
    fault: str | None = None
    address: str = ""

    @property
    def kind(self) -> str:
        """Its type; '' where it states none."""
        stated = self.resource.get("resourceType")
        return stated if isinstance(stated, str) else ""


def is_fhir(data: bytes) -> bool:
    """True for JSON that speaks of resource types; what it holds is not looked at."""
    return data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{" and b'"resourceType"' in data


def resources(data: bytes) -> Iterator[Found]:
    """All resources of a file, one after the other; those of a line that cannot be read with a fault.

    Raises `ExportError` file_unreadable where the file as a whole cannot be read, and patient_column_citizen_numbers where it
    names the citizen number as an identifier.
    """
    data = data.removeprefix(b"\xef\xbb\xbf")
    _refuse_citizen_numbers(data)
    yield from _lines(data) if _is_ndjson(data) else _document(data)


def _refuse_citizen_numbers(data: bytes) -> None:
    folded = data.lower()
    if any(name in folded for name in _CITIZEN):
        raise ExportError(
            "patient_column_citizen_numbers",
            "the file gives citizen service numbers as identifiers; it was refused and must not be kept",
        )


# Texts ----------------------------------------------------------------------------------------------------------------


def _is_ndjson(data: bytes) -> bool:
    """More than one line, and the second begins a resource too or the first is a whole one."""
    filled = list(islice((line.strip() for line in io.BytesIO(data) if line.strip()), 2))
    return len(filled) == 2 and (filled[1][:1] == b"{" or _is_whole(filled[0]))


def _is_whole(line: bytes) -> bool:
    try:
        strictly(line)
    except NotFhirError:
        return False
    return True


def strictly(text: bytes) -> dict[str, Any]:
    """A JSON object whose keys differ and whose numbers are numbers. Raises `NotFhirError`."""
    try:
        read = json.loads(text.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_number, parse_float=Decimal)
    except UnicodeDecodeError:
        raise NotFhirError("not UTF-8") from None
    except RecursionError:
        raise NotFhirError(f"more than {MOST_LEVELS} levels") from None
    except (ValueError, ArithmeticError) as error:
        at = f" at its character {error.pos + 1}" if isinstance(error, json.JSONDecodeError) else ""
        raise NotFhirError(f"not JSON{at}") from None
    if not isinstance(read, dict):
        raise NotFhirError("JSON that is no resource")
    if _is_too_deep(read):
        raise NotFhirError(f"more than {MOST_LEVELS} levels")
    if b"\\ud" in text.lower():
        _refuse_half_characters(read)
    return read


def _refuse_half_characters(read: dict[str, Any]) -> None:
    """JSON can spell half of a character, which no text can hold."""
    try:
        json.dumps(read, ensure_ascii=False, default=str).encode("utf-8")
    except UnicodeEncodeError:
        raise NotFhirError("half of a character (a surrogate)") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) < len(pairs):
        raise NotFhirError("a key stands twice in one element")
    return read


def _no_number(text: str) -> None:
    raise NotFhirError("a number that is none (NaN or infinite)")


def _is_too_deep(read: dict[str, Any]) -> bool:
    level: list[Any] = [read]
    for _ in range(MOST_LEVELS):
        inside = [list(x.values()) if isinstance(x, dict) else x for x in level if isinstance(x, dict | list)]
        level = [x for values in inside for x in values if isinstance(x, dict | list)]
        if not level:
            return False
    return True


# Kinds of file --------------------------------------------------------------------------------------------------------


def _lines(data: bytes) -> Iterator[Found]:
    for row, line in enumerate(io.BytesIO(data), start=1):
        if line.strip():
            try:
                yield _checked(row, strictly(line))
            except NotFhirError as error:
                yield Found(row, {}, str(error))


def _document(data: bytes) -> Iterator[Found]:
    try:
        read = strictly(data)
    except NotFhirError as error:
        raise ExportError("file_unreadable", str(error)) from None
    if read.get("resourceType") != "Bundle":
        yield _checked(1, read)
        return
    entries = read.get("entry", [])
    if not isinstance(entries, list):
        raise ExportError("file_unreadable", "Bundle.entry is no list")
    for row, entry in enumerate(entries, start=1):
        yield from _entry(row, entry)


def _entry(row: int, entry: object) -> Iterator[Found]:
    """The resource of an entry; none where it only deletes or answers."""
    if not isinstance(entry, dict) or not isinstance(entry.get("resource", {}), dict):
        yield Found(row, {}, f"Bundle.entry[{row - 1}] is no element")
    elif "resource" in entry:
        address = entry.get("fullUrl")
        yield _checked(row, entry["resource"], address if isinstance(address, str) else "")


def _checked(row: int, resource: dict[str, Any], address: str = "") -> Found:
    kind = resource.get("resourceType")
    if not isinstance(kind, str):
        return Found(row, resource, "resourceType is missing")
    if kind == "Bundle":
        return Found(row, resource, "a Bundle inside another file; deliver it as a file of its own")
    return Found(row, resource, fault_of(resource) if kind in _ONLY_STU3 else None, address)


# Definitions ----------------------------------------------------------------------------------------------------------


def fault_of(resource: dict[str, Any]) -> str | None:
    """Where and in what way the resource breaks the definition of its version; None where it does not."""
    kind = str(resource["resourceType"])
    try:
        _model(kind, is_stu3=_ONLY_STU3[kind](resource)).model_validate(resource)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        return f"{_path(kind, first['loc'])}: {str(first['type']).replace('_', ' ')}"
    except (RecursionError, ValueError, TypeError, AttributeError, ArithmeticError) as error:
        return f"{kind}: {type(error).__name__}"
    return None


def _model(kind: str, *, is_stu3: bool) -> type[BaseModel]:
    """The definition. Loaded when one is needed: it takes a while."""
    if kind == RESPONSE:
        from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse as R4Response
        from fhir.resources.STU3.questionnaireresponse import QuestionnaireResponse as Stu3Response

        return Stu3Response if is_stu3 else R4Response
    from fhir.resources.R4B.questionnaire import Questionnaire as R4Questionnaire
    from fhir.resources.STU3.questionnaire import Questionnaire as Stu3Questionnaire

    return Stu3Questionnaire if is_stu3 else R4Questionnaire


def _path(kind: str, parts: tuple[int | str, ...]) -> str:
    """The path as FHIR writes it; a name that no element can have is not repeated."""
    path = kind
    for part in parts:
        path += f"[{part}]" if isinstance(part, int) else f".{part if _NAME.fullmatch(part) else '?'}"
    return path


def every_item(resource: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """All items of a Questionnaire or a response, at every level, those below answers too, in the order of the file."""
    waiting = _elements(resource, "item")[::-1]
    while waiting:
        item = waiting.pop()
        yield item
        below = [inner for answer in _elements(item, "answer") for inner in _elements(answer, "item")]
        waiting += (below + _elements(item, "item"))[::-1]


def _elements(element: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    stated = element.get(name)
    return [x for x in stated if isinstance(x, dict)] if isinstance(stated, list) else []
