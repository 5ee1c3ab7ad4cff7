"""How much work something is, in units that grow with it; `timings` learns the seconds a unit takes on this machine.

A unit counts parameters, so that what was learnt on one model gives a first estimate for another of another size. An
edit's time includes its statistics, which are taken once for a state of the weights; the median forgets such outliers.
"""

from __future__ import annotations

from collections.abc import Iterable

from editview.domain.examples import Example
from editview.domain.facts import Fact
from editview.runs.operations import Prepared, PreparedEdit, PreparedReverse, PreparedUndo

ASKING = "asking"
ASKING_LIVE = "asking live"
READING = "reading"  # text for statistics: tokens × parameters up to the last layer that is asked

_CHARACTERS_A_TOKEN = 4  # roughly; a wrong guess cancels out, since learning and forecasting share it


def work(prepared: Prepared, parameters: int) -> float:
    """Of an operation: facts × texts read for each, or steps × tokens a step; times parameters. 0: next to nothing.

    A reversal looks through the weights once.
    """
    if isinstance(prepared, PreparedUndo):
        return 0.0
    if isinstance(prepared, PreparedReverse):
        return float(parameters)
    if isinstance(prepared, PreparedEdit):
        return float(len(prepared.facts) * prepared.operation.texts_a_fact * parameters)
    operation, sample = prepared.operation, prepared.data.sample
    lengths = [operation.max_length if operation.packing else min(length(example), operation.max_length)
               for example in sample]  # fmt: skip
    return operation.steps * operation.batch_size * sum(lengths) / len(lengths) * parameters


def asking(facts: Iterable[Fact], parameters: int) -> float:
    """Of asking facts after a stage: wordings × parameters."""
    return float(sum(len(fact.wordings) for fact in facts) * parameters)


def asking_live(facts: Iterable[Fact], parameters: int) -> float:
    """Of asking facts once during training, the prompt alone: prompts × parameters."""
    return float(sum(1 for _ in facts) * parameters)


def length(example: Example) -> float:
    """In tokens, roughly."""
    return example.letters / _CHARACTERS_A_TOKEN + 1
