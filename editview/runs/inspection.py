"""Finds which facts a checkpoint's change touched: candidates ranked by the change, then asked of both models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from editview.domain.errors import EditViewError
from editview.domain.inspection import (
    ASKED,
    NAMED,
    BothSaid,
    Candidate,
    Inspection,
    Memory,
    Touched,
    candidates_of,
    merged,
)
from editview.domain.plan import Checkpoint
from editview.domain.progress import Progress
from editview.domain.requests import InspectCheckpoint
from editview.edits.reversing import without
from editview.formats.subjects import packaged, read_subjects
from editview.lm.answers import first_sentences
from editview.lm.comparing import refuse_others
from editview.lm.model import LanguageModel
from editview.lm.standing_out import memory, relative_values, standing_out, top
from editview.lm.stored import StoredCheckpoint
from editview.lm.touching import change, has_memory, memory_changes, subject_keys, times
from editview.lm.written import words_written

YARDSTICK = 500
"""Subjects that are read at least, so that it is known what others get: packaged ones beside few candidates."""

NEUTRAL = ("{} is", "{} is known for", "The first thing to know about {} is")
"""What is asked about a subject that comes without a prompt."""

MOST_TOKENS = 12  # of an answer

Open = Callable[[Checkpoint], LanguageModel]
Times = dict[int, Tensor]  # by layer, of all subjects


def inspect(open_: Open, asked: InspectCheckpoint, progress: Progress) -> Inspection:
    """`open_` opens one checkpoint at a time; two whole models are never in memory together.

    Raises EditViewError for checkpoints that can't be compared or opened and for lists that can't be used; Cancelled.
    """
    candidates = _candidates(asked)
    if asked.original is None:
        found = _alone(open_, asked, candidates, progress)
    else:
        found = _beside(open_, asked, asked.original, candidates, progress)
    return replace(found, subjects=asked.subjects, sheet=asked.sheet, columns=asked.columns)


def _beside(
    open_: Open,
    asked: InspectCheckpoint,
    original: Checkpoint,
    candidates: Sequence[Candidate],
    progress: Progress,
) -> Inspection:
    first, second = StoredCheckpoint(original), StoredCheckpoint(asked.edited)
    refuse_others(first, second)
    changes = memory_changes(first, second, progress)
    layers = tuple(layer for layer, change in enumerate(changes) if change)
    skipped = tuple(layer for layer, change in enumerate(changes) if change is None)
    empty = Inspection(asked.edited, original, layers, len(candidates), (), skipped=skipped, changes=changes)
    if not layers:
        return empty
    whole = [all(has_memory(one, layer) for layer in skipped) for one in (first, second)]
    if not any(whole):
        raise EditViewError("Neither checkpoint is whole, so neither can be opened and asked. Fetch them again.")
    lm = open_(original if whole[0] else asked.edited)
    found = _times(lm, candidates, layers, lambda layer: change(first, second, layer), progress)
    chosen = _most(found, candidates)
    prompts = [prompt for _, some in chosen for prompt in some]
    one = first_sentences(lm, prompts, MOST_TOKENS, progress)
    if all(whole):
        del lm  # before the other is opened
        other = first_sentences(open_(asked.edited), prompts, MOST_TOKENS, progress)
        return replace(empty, touched=_asked(chosen, one, other))
    unknown = [None] * len(prompts)
    return replace(empty, touched=_asked(chosen, *((one, unknown) if whole[0] else (unknown, one))))


def _alone(open_: Open, asked: InspectCheckpoint, candidates: Sequence[Candidate], progress: Progress) -> Inspection:
    """What stands out of the edited weights takes the place of the change, and what is left that of the original."""
    lm = open_(asked.edited)
    stand = standing_out(relative_values(lm, progress))
    tops = {layer: top(memory(lm, layer), count) for layer, (_, count) in stand.items() if count}
    memories = tuple(
        Memory(layer, f"{lm.anatomy.mlp_outputs[layer]}.weight", ratio, count)
        for layer, (ratio, count) in stand.items()
    )
    empty = Inspection(asked.edited, None, tuple(tops), len(candidates), (), memories)
    if not tops:
        return empty
    parts = {layer: one.whole for layer, one in tops.items()}
    acted = _times(lm, candidates, tuple(tops), lambda layer: parts[layer].float(), progress)
    chosen = _most(acted, candidates)
    prompts = [prompt for _, some in chosen for prompt in some]
    after = first_sentences(lm, prompts, MOST_TOKENS, progress)
    with without(lm, parts):
        before = first_sentences(lm, prompts, MOST_TOKENS, progress)
    found = replace(empty, touched=_asked(chosen, before, after))
    if found.written:
        return found
    most = max(tops, key=lambda layer: stand[layer][0])  # no subject shows it: the strongest directions are tried alone
    answers = words_written(lm, most, tops[most], packaged(), progress)[:NAMED]
    told = tuple(replace(one, answers=answers) if one.layer == most else one for one in memories)
    return replace(found, memories=told)


def _candidates(asked: InspectCheckpoint) -> tuple[Candidate, ...]:
    listed = read_subjects(asked.subjects) if asked.subjects else ()
    of_sheet = candidates_of(asked.facts)
    if asked.facts and not of_sheet and not listed:
        raise EditViewError(
            "None of the sheet's facts names its subject, so there is nothing to rank. Give a list of subjects, or "
            "neither for the packaged one."
        )
    return merged((*of_sheet, *listed)) or packaged()


def _times(
    lm: LanguageModel,
    candidates: Sequence[Candidate],
    layers: Sequence[int],
    changed: Callable[[int], Tensor],
    progress: Progress,
) -> Times:
    """By layer how strongly its change acts on each candidate."""
    subjects = [one.subject for one in candidates]
    known = set(subjects)
    spare = [one.subject for one in packaged() if one.subject not in known]
    lacking = max(0, min(YARDSTICK - len(subjects), len(spare)))
    read = subjects + [spare[i * len(spare) // lacking] for i in range(lacking)]
    keys = subject_keys(lm, read, layers, progress)
    found = {}
    for done, layer in enumerate(layers):
        progress(done, len(layers), "Ranking the subjects")
        found[layer] = times(changed(layer), keys[layer])[: len(subjects)]
    progress(len(layers), len(layers), "Ranking the subjects")
    return found


def _most(found: Times, candidates: Sequence[Candidate]) -> list[tuple[Touched, tuple[str, ...]]]:
    """Those that the change acts on most, in the layer where it does, not asked yet; with the prompts to ask."""
    strongest, places = torch.stack(list(found.values())).max(0)
    layers, chosen = list(found), strongest.argsort(descending=True, stable=True)[:ASKED].tolist()
    return [
        (
            Touched(candidates[i].subject, float(strongest[i]), layers[int(places[i])], ()),
            tuple(prompt.replace("{}", candidates[i].subject) for prompt in candidates[i].prompts or NEUTRAL),
        )
        for i in chosen
    ]


def _asked(
    chosen: Sequence[tuple[Touched, tuple[str, ...]]], before: Sequence[str | None], after: Sequence[str | None]
) -> tuple[Touched, ...]:
    """With the answers, in the order of the prompts; those that differ first."""
    answers = iter(zip(before, after, strict=True))
    found = [replace(one, said=tuple(BothSaid(prompt, *next(answers)) for prompt in asked)) for one, asked in chosen]
    return tuple(sorted(found, key=lambda one: not one.differs))
