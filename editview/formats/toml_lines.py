"""In which line of a TOML text a key stands, since the parser doesn't say."""

from __future__ import annotations

import re
from collections import Counter

Place = tuple[str | int, ...]
"""Where something stands: names of tables and keys, and numbers of tables of the same name."""

_HEADER = re.compile(r"[ \t]*(\[\[?)\s*([^\[\]\n]+?)\s*\]\]?")
_KEY = re.compile(
    r"""[ \t]*((?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')(?:[ \t]*\.[ \t]*(?:[A-Za-z0-9_-]+|"[^"\n]*"))*)[ \t]*="""
)
_REST = re.compile(r'"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*|.', re.DOTALL)


def lines(text: str) -> dict[Place, int]:
    """Line, from 1, of every table and key of valid TOML: ('operation', 0, 'steps') in the first [[operation]]."""
    found: dict[Place, int] = {}
    tables: Counter[str] = Counter()
    here: Place = ()
    at, line, depth, fresh = 0, 1, 0, True
    while at < len(text):
        if fresh and depth == 0:
            fresh = False
            if header := _HEADER.match(text, at):
                brackets, name = header.groups()
                here = _parts(name)
                if brackets == "[[":
                    here = (*here, tables[name])
                    tables[name] += 1
                found[here] = line
                at = header.end()
                continue
            if key := _KEY.match(text, at):
                found[here + _parts(key.group(1))] = line
                at = key.end()
                continue
        token = _REST.match(text, at)
        assert token is not None
        depth += (token.group() in "[{") - (token.group() in "]}")
        line += token.group().count("\n")
        fresh = token.group() == "\n"
        at = token.end()
    return found


def line_of(found: dict[Place, int], path: Place) -> int:
    """The line of a key, or of the nearest table or key around it that has one of its own."""
    while path and path not in found:
        path = path[:-1]
    return found.get(path, 1)


def _parts(name: str) -> Place:
    return tuple(part.strip().strip("\"'") for part in name.split("."))
