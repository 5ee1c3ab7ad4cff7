"""Facts and fact sheets."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import cached_property


class Group(StrEnum):
    """What a fact is on the sheet for."""

    EDITED = "edited"  # to be changed: the new answer is wanted
    NEIGHBOURS = "neighbours"  # other subjects close to an edit: must stay as they are
    CONTROL = "control"  # known before and never edited: the yardstick for ordinary forgetting


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact: a subject, a prompt about it and the answer.

    `template` and each paraphrase hold `{}` where the subject stands. Neighbours read from files that don't name
    their subject have an empty subject and no `{}`. Answers carry no leading space. The true answer of an edit is empty
    where its file names none.
    """

    id: str
    group: Group
    subject: str
    template: str
    true_answer: str
    new_answer: str | None = None
    paraphrases: tuple[str, ...] = ()
    neighbour_of: str | None = None

    @property
    def prompt(self) -> str:
        return self.template.replace("{}", self.subject)

    @property
    def paraphrase_prompts(self) -> tuple[str, ...]:
        return tuple(paraphrase.replace("{}", self.subject) for paraphrase in self.paraphrases)

    @property
    def wordings(self) -> tuple[str, ...]:
        """The prompt, then its paraphrases, with the subject filled in."""
        return (self.prompt, *self.paraphrase_prompts)

    @property
    def wanted(self) -> str:
        """The answer the model should give: the new one for an edit, the true one for everything else."""
        return self.new_answer if self.group is Group.EDITED and self.new_answer is not None else self.true_answer

    @property
    def other(self) -> str | None:
        """The answer to hold against the wanted one: the true one for an edit, the edit's new one for a neighbour."""
        return (self.true_answer or None) if self.group is Group.EDITED else self.new_answer


@dataclass(frozen=True)
class FactSheet:
    """A named list of facts, in the order of the file. Fact ids are unique."""

    name: str
    facts: tuple[Fact, ...]
    read_as: str = ""  # the form of its file, where that isn't our own, and what was chosen: 'zsRE, …'

    def __iter__(self) -> Iterator[Fact]:
        return iter(self.facts)

    def __len__(self) -> int:
        return len(self.facts)

    def group(self, group: Group) -> tuple[Fact, ...]:
        return tuple(fact for fact in self.facts if fact.group is group)

    @cached_property
    def position(self) -> dict[str, int]:
        """Where each fact stands on the sheet, by id."""
        return {fact.id: index for index, fact in enumerate(self.facts)}

    @cached_property
    def content_hash(self) -> str:
        """Names the content, not the file: equal sheets share what was computed for them."""
        text = json.dumps([asdict(fact) for fact in self.facts], ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()
