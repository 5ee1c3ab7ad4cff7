"""Training examples: what a fine-tune learns to continue with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation."""

    role: str  # 'system', 'user', 'assistant'
    content: str


@dataclass(frozen=True, slots=True)
class Example:
    """A text to learn. Only `completion` is trained on; `prompt`, or the conversation so far, comes before it.

    Running text is a completion without a prompt. A conversation with several answers is one example an answer.
    """

    completion: str
    prompt: str = ""
    conversation: tuple[Turn, ...] = ()


def content_hash(examples: Iterable[Example]) -> str:
    """Names the content, not the file: equal examples in the same order share what was computed with them."""
    digest = hashlib.sha256()
    for example in examples:
        digest.update(json.dumps(asdict(example), ensure_ascii=False).encode("utf-8", "surrogatepass"))
        digest.update(b"\n")
    return digest.hexdigest()
