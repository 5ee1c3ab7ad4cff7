"""A text that is read passage by passage, wherever it comes from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Text:
    """Passages, one a line, which can be gone through again and again; equal `content` means equal passages."""

    name: str  # for sentences
    lines: Iterable[str] = field(repr=False, compare=False)
    content: str  # names the content: a sha256
