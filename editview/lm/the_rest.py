"""What no size of a change tells of two checkpoints: settings, tokenizers, and values that are no numbers."""

from __future__ import annotations

from dataclasses import replace

from editview.domain.difference import Difference
from editview.domain.progress import Progress
from editview.lm.not_numbers import measured_anew
from editview.lm.other_settings import other_settings
from editview.lm.other_tokenizer import other_tokenizer
from editview.lm.stored import StoredCheckpoint


def with_the_rest(
    first: StoredCheckpoint, second: StoredCheckpoint, found: Difference, progress: Progress
) -> Difference:
    """A difference (`lm/comparing.py`) with all of it. Raises what reading and `progress` raise."""
    settings, little = other_settings(first.built.config, second.built.config)
    tokenizer, in_passing = other_tokenizer(first.built.folder, second.built.folder)
    said = [f"In config.json {clause}." for clause in little]
    said += [f"{clause[:1].upper()}{clause[1:]}." for clause in in_passing]
    told = replace(found, otherwise=(*found.otherwise, *said), settings=settings, tokenizer=tokenizer)
    return measured_anew(first, second, told, progress)
