"""FT-L: fine-tuning of one matrix, no weight moving further than ε from where it was.

Zhu et al. 2020, "Modifying Memories in Transformer Models", arXiv 2012.00363, in the form in which Meng et al. 2022
(arXiv 2202.05262) compare with it: Adam, 25 passes over the facts in the order of the sheet, in batches of up to 128,
every weight put back into its bounds after each step. In their program all tokens of an answer are predicted from the
prompt's last position, so that only the first one is truly learnt. Here each is predicted from those before it
(teacher forcing), which is what the model will be asked for.
"""

from __future__ import annotations

from collections.abc import Sequence

from editview.domain.facts import Fact
from editview.domain.operations import ConstrainedFineTune
from editview.domain.progress import Progress
from editview.edits.answers import lessons
from editview.edits.requests import check_facts, checked_layers, settled
from editview.edits.tuned import tuned
from editview.edits.writing import Outcome
from editview.lm.model import LanguageModel


def edit(
    lm: LanguageModel, facts: Sequence[Fact], operation: ConstrainedFineTune, seed: int, progress: Progress
) -> Outcome:
    """Write the new answers of `facts` into the weights, in place, whole or not at all. Nothing in it is random."""
    operation = settled(lm, operation)
    [layer] = checked_layers(lm, operation)
    check_facts(facts, by_subject=False)
    order = range(len(facts))
    return tuned(lm, lessons(lm, facts), layer, operation, progress, order=lambda: order, limit=operation.limit)
