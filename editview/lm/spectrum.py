"""The spectrum of a model's keys: the eigenvalues of their covariance, which show what AlphaEdit's threshold leaves."""

from __future__ import annotations

from collections.abc import Sequence

from editview.domain.errors import EditViewError
from editview.domain.progress import Progress
from editview.domain.spectrum import Spectrum
from editview.domain.texts import Text
from editview.lm.model import LanguageModel
from editview.lm.statistics import key_statistics


def spectra(
    lm: LanguageModel, layers: Sequence[int], text: Text, tokens: int | None, progress: Progress
) -> tuple[Spectrum, ...]:
    """For each layer, in the order of the model, over the first tokens of a text; None: as many as it takes.

    Raises EditViewError for a layer that the model doesn't have or that can't be edited, and what `key_statistics`
    raises.
    """
    if lm.anatomy.not_editable:
        raise EditViewError(f"This model can't be edited: {lm.anatomy.not_editable}.")
    asked = sorted(set(layers))
    if not asked or asked[-1] >= len(lm.anatomy.blocks):
        raise EditViewError(f"Name layers from 0 to {len(lm.anatomy.blocks) - 1}: those that this model has.")
    known = key_statistics(lm, asked, text, tokens, progress)
    found = []
    for done, layer in enumerate(asked):
        progress(done, len(asked), "Ordering directions by their use")
        found.append(Spectrum(layer, tuple(known[layer].eigen().values.tolist())))
    return tuple(found)
