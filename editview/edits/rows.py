"""What the model is given while facts are edited: prompts in their contexts, cut at the subject's last token."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import DynamicCache

from editview.domain.errors import EditViewError
from editview.domain.facts import Fact
from editview.lm.forward import head_only_at, padded, run, stopping_after
from editview.lm.model import LanguageModel
from editview.lm.tokens import answered, encoded_at, subject_end

ESSENCE = "{} is a"  # what the subject is said to be must not change (MEMIT's KL term)


@dataclass(frozen=True)
class Row:
    """One text the model reads."""

    before: list[int]  # tokens in front of the subject's last
    after: list[int]  # from the subject's last token on


@dataclass(frozen=True)
class Rows:
    """All that is read in the search for one fact's target vector."""

    fact: int  # its place in the list of facts
    contexts: list[Row]  # the prompt in each context, the bare one first, with the new answer but its last token
    target: list[int]  # the new answer's tokens, scored at the last positions of `contexts`
    essence: Row  # for the KL term; read at the subject's last token, and nothing after it plays a part

    @property
    def columns(self) -> int:
        return max(len(row.after) for row in self.contexts)

    @property
    def essence_is_bare(self) -> bool:
        """Whether the prompt begins with its subject, so that the bare row has read the essence's on its way."""
        bare = self.contexts[0]
        return bare.before == self.essence.before and bare.after[0] == self.essence.after[0]


def filled(template: str, fact: Fact) -> tuple[str, int]:
    """A fact's prompt inside a context template ('{}' stands for the prompt), and where the subject ends in it."""
    start = template.index("{}")
    end = start + subject_end(fact, fact.template)
    return template.replace("{}", fact.prompt), end


def rows_of(lm: LanguageModel, facts: Sequence[Fact], templates: Sequence[str], first: int = 0) -> list[Rows]:
    """The rows of some facts, the first of which has the place `first` in the whole list.

    Raises EditViewError for a prompt that lacks its subject, or is longer than the model reads.
    """
    targets = [target for _, target in answered(lm.tokenizer, [(fact.prompt, fact.new_answer or "") for fact in facts])]
    texts = [filled(template, fact) for fact in facts for template in templates]
    texts += [(ESSENCE.replace("{}", fact.subject), len(fact.subject)) for fact in facts]
    read = [Row(ids[:at], ids[at:]) for ids, at in encoded_at(lm.tokenizer, texts)]
    found = []
    for index, (fact, target) in enumerate(zip(facts, targets, strict=True)):
        contexts = [
            Row(row.before, row.after + target[:-1])
            for row in read[index * len(templates) : (index + 1) * len(templates)]
        ]
        if max(len(row.before) + len(row.after) for row in contexts) > lm.longest:
            raise EditViewError(
                f"The fact '{fact.id}' can't be edited: its prompt with an opening and the new answer is longer than "
                f"the {lm.longest:,} tokens this model reads. Shorten the prompt."
            )
        essence = read[len(facts) * len(templates) + index]
        found.append(Rows(first + index, contexts, target, Row(essence.before, essence.after[:1])))
    return found


def read_shared(
    lm: LanguageModel, befores: Sequence[list[int]], kinds: int, after: int, until: nn.Module | None = None
) -> tuple[DynamicCache, Tensor, list[list[int]]]:
    """Read once what all rows of a kind begin with: row i is of kind i % `kinds`, as contexts follow each other.

    Returns the keys and values of every row's beginning, the mask [rows, columns] of what in them isn't padding, and
    what is left of each row of `befores`. The forward ends after the module `until`; `after` is how many tokens will
    follow `befores` at most. Where a model looks back so little that padding in the midst would count, nothing is
    shared.
    """
    past = DynamicCache(config=lm.model.config)
    shared: list[list[int]] = [[]] * kinds
    if len(befores) > kinds and 2 * max(map(len, befores)) + after <= _reach(lm):
        shared = [_beginning(befores[kind::kinds]) for kind in range(kinds)]
    ids, seen = padded(shared, lm.device, left=True)
    if ids.shape[1]:
        ending = None if until is None else stopping_after(until, lambda _, __: None)
        read_on(lm, past, seen.new_empty(kinds, 0), ids, seen, ending)
        of_row = torch.arange(len(befores), device=lm.device) % kinds
        past.batch_select_indices(of_row)
        seen = seen[of_row]
    else:
        seen = seen.new_empty(len(befores), 0)
    return past, seen, [row[len(shared[number % kinds]) :] for number, row in enumerate(befores)]


def read_on(
    lm: LanguageModel,
    past: DynamicCache,
    seen: Tensor,
    ids: Tensor,
    real: Tensor,
    ending: AbstractContextManager[None] | None = None,
) -> Tensor:
    """Read `ids` [rows, columns] on from `past`, which grows; no head is computed, and `ending` ends it sooner.

    `seen` and `real` are the masks of what isn't padding, before and now; returned is that of both.
    """
    mask = torch.cat([seen, real], dim=1)
    at = seen.sum(1, keepdim=True) + (real.cumsum(1) - 1).clamp(min=0)
    nowhere = torch.empty(0, dtype=torch.long, device=lm.device)
    with ending or head_only_at(lm, nowhere, nowhere):
        run(lm, ids, attention_mask=mask, position_ids=at, past=past)
    return mask


def _beginning(rows: Sequence[list[int]]) -> list[int]:
    """What all rows begin with: the least and the greatest differ soonest."""
    least, greatest = min(rows), max(rows)
    same = (one == other for one, other in zip(least, greatest, strict=False))
    return least[: sum(itertools.takewhile(bool, same))]


def _reach(lm: LanguageModel) -> int:
    """How many tokens back the model looks in its shortest-sighted layers."""
    named = (getattr(lm.config, name, None) for name in ("sliding_window", "window_size", "attention_chunk_size"))
    return min((reach for reach in named if isinstance(reach, int)), default=lm.longest)
