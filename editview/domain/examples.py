"""Training examples: what a fine-tune learns to continue with."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation."""

    role: str  # 'system', 'user', 'assistant'
    content: str


@dataclass(frozen=True, slots=True)
class Example:
    """A text to learn. `completion` is the answer; `prompt`, or the conversation so far, comes before it.

    Running text is a completion without a prompt.
    """

    completion: str
    prompt: str = ""
    conversation: tuple[Turn, ...] = ()
    line: int = field(default=0, compare=False)  # of the file, where it begins, from 1; 0: it comes from no file

    @property
    def letters(self) -> int:
        """How long it is, in characters."""
        return len(self.prompt) + len(self.completion) + sum(len(turn.content) for turn in self.conversation)

    @property
    def where(self) -> str:
        return f"Line {self.line:,}" if self.line else "An example"
