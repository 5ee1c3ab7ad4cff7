"""Texts of tiny models' words, and what is needed to count how much was read."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from editview.domain.texts import Text
from editview.lm.model import LanguageModel
from editview.lm.statistics import chapters
from tests.families import TEXT


def words(lines: int, seed: int = 0) -> Text:
    """Lines of words in random order, of very different lengths."""
    draw = random.Random(seed)
    known = TEXT.split()
    made = [" ".join(draw.choices(known, k=draw.randint(1, 40))) for _ in range(lines)]
    return Text(f"{lines} lines", made, f"{lines} {seed}")


@pytest.fixture
def short_chapters(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a small text has many, with several batches each."""
    monkeypatch.setattr(chapters, "CHAPTER", 256)
    monkeypatch.setattr(chapters, "BATCH_TOKENS", 128)


@contextmanager
def forwards(lm: LanguageModel) -> Iterator[Callable[[], int]]:
    """How often the model was run inside."""
    seen: list[None] = []
    hook = lm.model.register_forward_pre_hook(lambda *_: seen.append(None))
    try:
        yield lambda: len(seen)
    finally:
        hook.remove()
