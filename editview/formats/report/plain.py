"""Text as a page can hold it: without the signs that no document may contain, and `*titles*` emphasised."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010ffff]")


def plain(text: str) -> str:
    """The text with a � for every control sign and half sign."""
    return _FORBIDDEN.sub("�", text)


def emphasised(sentence: str) -> Markup:
    """A sentence as HTML: what stands between asterisks is emphasised, and no line ends between a number and its %."""
    kept = re.sub(r"(?<=\d) (?=%)", "\N{NO-BREAK SPACE}", plain(sentence))
    return Markup(re.sub(r"\*([^*]+)\*", r"<em>\1</em>", str(escape(kept))))
