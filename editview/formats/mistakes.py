"""What is wrong in a table written by hand, in words: unknown names, wrong types, values out of bounds."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from editview.formats.toml_lines import Place

Kind = TypeVar("Kind", bound=BaseModel)

_EXPECTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text in quotes",
    "tuple_type": "a list in square brackets",
    "model_type": "a table",
    "dict_type": "a table",
    "greater_than": "above {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "below {lt}",
    "less_than_equal": "at most {le}",
    "literal_error": "{expected}",
    "too_long": "a list of at most {max_length}",
}
_LARGEST_SHOWN = 10**40


@dataclass(frozen=True, slots=True)
class Mistake:
    place: Place
    sentence: str  # without a full stop


def validated(
    kind: type[Kind], table: dict[str, Any], known: Iterable[str], place: Place, found: list[Mistake]
) -> Kind | None:
    """The table as an object of this kind, taken at its word: '60' is no number. Mistakes go to `found`."""
    known = list(known)
    before = len(found)
    for name in table.keys() - known:
        found.append(Mistake((*place, name), f"'{name}' is not known here{did_you_mean(name, known)}"))
    try:
        made = kind.model_validate({name: _frozen(table[name]) for name in known if name in table}, strict=True)
    except ValidationError as error:
        found += [Mistake((*place, *details["loc"]), _said(details)) for details in error.errors()]
        return None
    return made if len(found) == before else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """'; did you mean x?', or what there is to choose from."""
    known = list(known)
    close = difflib.get_close_matches(name.lower(), known, n=1)
    return f"; did you mean '{close[0]}'?" if close else f"; expected one of: {', '.join(known)}"


def _said(details: ErrorDetails) -> str:
    name = next(str(part) for part in reversed(details["loc"]) if isinstance(part, str))
    inside = f"in '{name}', entry {details['loc'][-1] + 1}" if isinstance(details["loc"][-1], int) else f"'{name}'"
    expected = _EXPECTED.get(details["type"])
    if expected is None:
        return f"{inside} is not as expected: {details['msg']}"
    bounds = {key: f"{at:g}" if isinstance(at, float) else at for key, at in details.get("ctx", {}).items()}
    counted = "; layers are counted from 0 here: layer 1 of the window is 0" if name == "layers" else ""
    return f"{inside} must be {expected.format(**bounds)}, and is {_shown(details['input'])}{counted}"


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'the text "{value[:40]}"'
    if isinstance(value, tuple | list):
        return "a list"
    if isinstance(value, int) and abs(value) > _LARGEST_SHOWN:
        return "a number beyond all bounds"
    return "a table" if isinstance(value, dict) else str(value)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
