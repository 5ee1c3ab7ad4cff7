"""What kind of update lies between two checkpoints, judged by rules from what their difference shows.

What tells them apart: a knowledge edit changes the feed-forward output matrices of a few layers, in a direction for
each fact, and those layers towards the same outputs. An adapter changes many matrices, each in equally many directions,
and layers towards different ones. Training all weights changes norms and biases too, and matrices in all directions.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from statistics import median

from editview.domain.change_spectrum import ChangeSpectrum
from editview.domain.difference import Difference, TensorDifference, besides, most_of, no_numbers, rows_words
from editview.domain.tracing import layers_said
from editview.domain.weight_map import percent
from editview.domain.weights import MatrixKind

_INSIDE = (MatrixKind.ATTENTION_IN, MatrixKind.ATTENTION_OUT, MatrixKind.MLP_IN, MatrixKind.MLP_OUT)

ALIKE, APART = 0.85, 0.6
"""Layers that share more than the first of the outputs they write to, were written by one edit; those that share less
than the second weren't."""

_EQUAL = 0.75  # of the matrices have the adapter's rank, or up to a quarter less: rounding hides directions
_FEW = 0.2  # of the matrices at least: fewer may be an accident
_HELD = 0.5  # of a change at least has to lie in the directions that are counted
_DENSE = 0.3  # of the matrices at least were changed in many directions, where all weights were trained
_OUT, _FAR_OUT = 4.0, 6.0  # times the least, and times 1: how much further a layer's memory was changed
_CHANCE = 1.3  # no singular value of a matrix of independent numbers is further above its size
_STRANGERS = (
    1.0  # of its own length: matrices that were trained apart differ by √2, none that was trained on by as much
)


class UpdateKind(StrEnum):
    IDENTICAL = "identical"
    ROUNDING = "rounding only"
    RESIZED = "other row counts"
    SETTINGS = "other settings"
    EDIT = "knowledge edit"
    LORA = "merged LoRA"
    DORA = "merged DoRA"
    FULL = "full fine-tune"
    EDIT_AND_TUNE = "edit and fine-tune"
    UNCLEAR = "unclear"


@dataclass(frozen=True)
class Judgement:
    """What kind of update it was, in a sentence, and what says so."""

    kind: UpdateKind
    sentence: str
    evidence: tuple[str, ...] = ()  # sentences, the weightiest first
    facts: int | None = None  # about so many were edited; None: it can't be told, or there was no edit
    rank: int | None = None  # of the adapter


def judged(found: Difference) -> Judgement:
    """Judge a difference; telling more than identical and rounding takes its spectra (`lm/change_spectra.py`)."""
    changed = tuple(tensor for tensor in found.changed if tensor.norm_change or tensor.broken)
    if not changed:
        return _unchanged(found)
    told = _of_change(found, changed)
    added = [f" The second has {words}." for words in dict.fromkeys(map(rows_words, found.resized))]
    return replace(told, sentence="".join((told.sentence, *added, _as_well(found))))


def _of_change(found: Difference, changed: tuple[TensorDifference, ...]) -> Judgement:
    if any(tensor.broken for tensor in changed):
        told = "Some values are no numbers (NaN or infinite), so what kind of update this was can't be told."
        return Judgement(UpdateKind.UNCLEAR, told, ("A change from or to such a value has no size.",))
    if any(tensor.spectrum is None and len(tensor.shape) == 2 and min(tensor.shape) > 1 for tensor in changed):
        return _unclear("Only the size of the change was looked at, not its directions.")
    seen = _Seen(found, changed)
    if not seen.matrices:
        return _unclear("No matrix inside the layers changed.")
    if seen.written == seen.matrices and not seen.beside:
        return _only_written(seen)
    return _tuned(seen)


def _unchanged(found: Difference) -> Judgement:
    if not found.tensors:
        return _unclear("They have no tensor in common.")
    if found.only_first or found.only_second:
        return _unclear("What both have is the same.", *map(_sentence, besides(found)))
    rounded = [tensor for tensor in found.tensors if tensor.rounding]
    count, rest = f"{len(found.tensors):,} tensors", ""
    told = f"What both have of all {count} is the same" if found.resized else f"All {count} are the same"
    told += ", bit for bit."
    kind, sentence = UpdateKind.IDENTICAL, "Nothing was changed: the weights are identical."
    if found.changed:  # zeros of another sign, say
        sentence = "Nothing was changed that could be measured."
        told = f"{len(found.changed):,} of {count} differ by less than can be measured, the others not at all."
    if rounded:
        kind, sentence = UpdateKind.ROUNDING, "Nothing was changed but the number format: the rest is rounding."
        told = f"Each number of the {len(rounded):,} tensors that differ is the other one in a coarser number format."
        rest = " but for their number format"
    if found.resized:
        added = " and ".join(dict.fromkeys(map(rows_words, found.resized)))
        kind = UpdateKind.RESIZED
        sentence = f"The second has {added}; what both have is the same{rest}.{_as_well(found)}"
    elif found.aside:
        clauses = "; ".join(most_of(found.aside))
        kind, sentence = UpdateKind.SETTINGS, f"The weights are the same{rest}; {_what_else(found)} not: {clauses}."
    return Judgement(kind, sentence, (told, *map(_sentence, no_numbers(found))))


def _what_else(found: Difference) -> str:
    """'the settings are', 'the tokenizer is', 'the settings and the tokenizer are'."""
    if not found.settings:
        return "the tokenizer is"
    return "the settings and the tokenizer are" if found.tokenizer else "the settings are"


def _as_well(found: Difference) -> str:
    """' The settings are not the same either.', or nothing."""
    return f" {_capital(_what_else(found))} not the same either." if found.aside else ""


def _unclear(*evidence: str) -> Judgement:
    return Judgement(UpdateKind.UNCLEAR, "What kind of update this was can't be told.", evidence)


@dataclass(frozen=True)
class _Seen:
    """What changed, sorted."""

    found: Difference
    changed: tuple[TensorDifference, ...]

    @property
    def matrices(self) -> list[TensorDifference]:
        """Those inside the layers that an edit or an adapter can change."""
        return [tensor for tensor in self.changed if tensor.spectrum and tensor.kind in _INSIDE]

    @property
    def written(self) -> list[TensorDifference]:
        """The feed-forward output matrices, where edits write."""
        return [tensor for tensor in self.matrices if tensor.kind is MatrixKind.MLP_OUT]

    @property
    def others(self) -> list[TensorDifference]:
        return [tensor for tensor in self.matrices if tensor.kind is not MatrixKind.MLP_OUT]

    @property
    def beside(self) -> list[TensorDifference]:
        """Norms, biases, embeddings and whatever else no edit and hardly an adapter changes."""
        return [tensor for tensor in self.changed if not tensor.spectrum or tensor.kind not in _INSIDE]

    @property
    def layers(self) -> int:
        return len({tensor.layer for tensor in self.found.tensors} - {None})

    def where(self, tensors: Sequence[TensorDifference]) -> str:
        """'layers 2 and 3', 'all 6 layers'."""
        layers = _layers(tensors)
        return f"all {self.layers} layers" if len(layers) == self.layers > 1 else layers_said(layers)


# ---- a knowledge edit --------------------------------------------------------------------------------------------


def _only_written(seen: _Seen) -> Judgement:
    written = seen.written
    count, of = len(seen.changed), len(seen.found.tensors)
    rest = " in what both have" if seen.found.resized else ""
    where = seen.where(written)
    only = f"Only {count:,} of {of:,} tensors changed{rest}, each where a layer writes its memory: {where}."
    if len(written) == 1 and not _is_thinner_rescaled(written[0]):
        return _edit(seen, only)
    agreements = [share for tensor in written if (share := _spectrum(tensor).agreement) is not None]
    alike = sum(agreements) / len(agreements) if agreements else 0.0
    if alike >= ALIKE and len(written) < seen.layers:
        return _edit(seen, only, f"These layers write to the same outputs: {percent(alike)} of the directions agree.")
    rescaled = [tensor for tensor in written if _spectrum(tensor).rescaled]
    if alike > APART and len(rescaled) <= len(written) / 2:
        return _unclear(only, f"{percent(alike)} of the directions that neighbouring layers write to agree.")
    tuned = _tuned(seen)
    if alike > APART:
        return tuned
    apart = f"Neighbouring layers write to different outputs ({percent(alike)} in common), as separate adapters do."
    return replace(tuned, evidence=(*tuned.evidence, apart))


def _edit(seen: _Seen, *evidence: str) -> Judgement:
    written, where = seen.written, seen.where(seen.written)
    spectra = [_spectrum(tensor) for tensor in written]
    if not any(spectrum.rank for spectrum in spectra):
        return _unclear(*evidence, "The change is no larger than rounding.")
    if all(spectrum.is_thin for spectrum in spectra):
        if median(spectrum.held for spectrum in spectra) < _HELD:
            return _unclear(*evidence, _directions(written), "Most of the change lies in none of them.")
        facts = max(spectrum.rank for spectrum in spectra)
        sentence = f"A knowledge edit of {_facts(facts)}, written into {where}."
        return Judgement(UpdateKind.EDIT, sentence, (*evidence, _directions(written), _PER_FACT), facts)
    sentence = f"A knowledge edit, written into {where}; how many facts it wrote can't be told."
    trained = "It was changed in so many directions as by training it, or by very many facts."
    return Judgement(UpdateKind.EDIT, sentence, (*evidence, _directions(written), trained))


_PER_FACT = "An edit adds one direction for each fact; only UltraEdit adds one for each piece of a new answer."


def _facts(count: int) -> str:
    return "one fact" if count == 1 else f"about {count:,} facts"


# ---- a fine-tune, and an edit under or over it --------------------------------------------------------------------


@dataclass(frozen=True)
class _Tune:
    """What a fine-tune was, told from the matrices that no edit seems to have touched."""

    kind: UpdateKind
    sentence: str  # without a full stop, 'a merged LoRA of rank 8 on …'
    evidence: tuple[str, ...]
    rank: int | None = None


def _tuned(seen: _Seen) -> Judgement:
    apart = _apart(seen)
    body = [tensor for tensor in seen.matrices if tensor not in apart]
    tune = _adapter(seen, body) if body else None
    edited = {tensor.name: 0 for tensor in apart}
    adapted = body
    if tune is not None and tune.kind is UpdateKind.DORA:
        edited |= _not_rescaled(body)
        adapted = [tensor for tensor in body if _spectrum(tensor).rescaled]
    if tune is not None and tune.rank is not None:
        edited |= _more_than(tune.rank, adapted)
    if tune is None and body:
        tune = _full(seen, body)
        if tune is not None:
            edited |= _standing_out(seen)
    if tune is None:
        return _unclear(*_no_training(body), _directions(seen.matrices), *_beside(seen))
    written = [tensor for tensor in seen.written if tensor.name in edited]
    if not written:
        return Judgement(tune.kind, f"{_capital(tune.sentence)}.", tune.evidence, rank=tune.rank)
    counts = [edited[tensor.name] or _thin_rank(tensor) for tensor in written]
    facts = max(counts) if all(counts) else None
    how_many = f" of {_facts(facts)}" if facts else ""
    where = seen.where(written)
    sentence = f"A knowledge edit{how_many} in {where}, under or over {tune.sentence}."
    told = f"Where {where} write{'s' if len(written) == 1 else ''} memory, "
    if facts and tune.kind is UpdateKind.FULL and any(edited[tensor.name] for tensor in written):
        told += (
            f"{facts:,} direction{'s' if facts > 1 else ''} changed far more than all others, as no fine-tune does it."
        )
    else:
        told += (
            "the change is another one than elsewhere: " + _directions(written)[0].lower() + _directions(written)[1:]
        )
    return Judgement(UpdateKind.EDIT_AND_TUNE, sentence, (told, *tune.evidence), facts, tune.rank)


def _apart(seen: _Seen) -> list[TensorDifference]:
    """Feed-forward output matrices that changed where a fine-tune of the other matrices didn't change them all."""
    tuned = set(_layers(seen.others))
    written = set(_layers(seen.written))
    if not tuned or not written:
        return []
    lonely = [tensor for tensor in seen.written if tensor.layer not in tuned]
    if written < tuned:
        usual = median(tensor.change.relative for tensor in seen.others)
        lonely += [tensor for tensor in seen.written if tensor.change.relative > _OUT * usual or not seen.beside]
    return lonely


def _adapter(seen: _Seen, body: Sequence[TensorDifference]) -> _Tune | None:
    """A LoRA, where most matrices changed in equally many directions; a DoRA, where most rows were rescaled."""
    judged_by = [tensor for tensor in body if tensor.kind is not MatrixKind.MLP_OUT] or list(body)
    rescaled = [tensor for tensor in judged_by if _spectrum(tensor).rescaled]
    if len(rescaled) > len(judged_by) / 2:
        return _dora(seen, body, rescaled)
    known = Counter(rank for tensor in body if (rank := _thin_rank(tensor)))
    if not known:
        return None
    most = max(known.values())
    rank = max(rank for rank, count in known.items() if count == most)
    if len(_like(rank, judged_by)) < _EQUAL * len(judged_by):
        return None
    equal = _like(rank, body)
    if median(_spectrum(tensor).held for tensor in equal) < _HELD:
        return None
    count = f"{len(equal):,} of {len(body):,} matrices changed in {rank:,} directions and no more, up to rounding."
    where = f"on {_kinds(body)} of {seen.where(body)}"
    return _Tune(UpdateKind.LORA, f"a merged LoRA of rank {rank:,} {where}", (count, *_beside(seen)), rank)


def _dora(seen: _Seen, body: Sequence[TensorDifference], rescaled: Sequence[TensorDifference]) -> _Tune:
    """A DoRA, told by these matrices. Rounding hides directions and hardly adds any: some of them have its rank."""
    ranks = sorted((_thin_rank(tensor) for tensor in rescaled), reverse=True)
    rank = ranks[math.ceil(_FEW * len(ranks)) - 1]
    equal = _like(rank, body)
    scales = [found for tensor in body if (found := _spectrum(tensor).rescaled)]
    low, high = min(found.least for found in scales), max(found.most for found in scales)
    factors, where = f"outputs rescaled by {low:.3g} to {high:.3g}", f"on {_kinds(body)} of {seen.where(body)}"
    if len(_like(rank, rescaled)) < _EQUAL * len(rescaled):
        told = f"{len(scales):,} of {len(body):,} matrices have {factors}; rounding hides directions beside them."
        of = f" of rank {rank:,} or more" if rank else ""
        return _Tune(UpdateKind.DORA, f"a merged DoRA{of} {where}", (told, *_beside(seen)))
    told = f"Beside {factors}, {len(equal):,} of {len(body):,} matrices changed in {rank:,} directions, up to rounding."
    return _Tune(UpdateKind.DORA, f"a merged DoRA of rank {rank:,} {where}", (told, *_beside(seen)), rank)


def _like(rank: int, tensors: Sequence[TensorDifference]) -> list[TensorDifference]:
    """Those of this rank, or a little less: rounding hides directions."""
    return [tensor for tensor in tensors if max(1.0, 0.75 * rank) <= _thin_rank(tensor) <= rank]


def _full(seen: _Seen, body: Sequence[TensorDifference]) -> _Tune | None:
    """Training of all weights, where norms and biases changed too or matrices did in many directions."""
    dense = [tensor for tensor in body if _is_dense(tensor)]
    kinds = {tensor.kind for tensor in seen.changed}
    norms = MatrixKind.NORM in kinds or {MatrixKind.EMBEDDING, *_INSIDE} <= kinds
    if sum(_spectrum(tensor).rescaled is not None for tensor in body) >= _FEW * len(body):
        return None
    if _no_training(body) or (not norms and len(dense) < _DENSE * len(body)):
        return None
    layers = _layers([tensor for tensor in seen.changed if tensor.layer is not None])
    outside = any(tensor.layer is None for tensor in seen.beside)
    what = "the whole model" if outside or len(layers) == seen.layers else layers_said(layers)
    told = "" if norms or kinds >= set(_INSIDE) else f", {_kinds(seen.matrices)} alone"
    changed = f"{len(seen.changed):,} of {len(seen.found.tensors):,} tensors changed."
    evidence = (*_beside(seen), _directions(body), changed)
    return _Tune(UpdateKind.FULL, f"a full fine-tune of {what}{told}", evidence)


def _no_training(body: Sequence[TensorDifference]) -> tuple[str, ...]:
    """Why no training can have changed these matrices so, as evidence; nothing where one can."""
    dense = [tensor for tensor in body if _is_dense(tensor)]
    if not dense:
        return ()
    if all(_is_like_chance(tensor) for tensor in dense):
        return ("Each number changed by itself, as quantising or noise changes them, and training doesn't.",)
    usual = median(tensor.change.relative for tensor in dense)
    if usual > _STRANGERS:
        far = f"Their matrices differ by {percent(usual)} of their length, as those of models that were trained apart."
        return (far,)
    return ()


def _standing_out(seen: _Seen) -> dict[str, int]:
    """Feed-forward output matrices that changed much further than a fine-tune of all weights changes the others of
    their layers; and in how many directions they did so."""
    strength, usual = {}, {}
    for tensor in seen.written:
        near = [_spectrum(other).values[0] for other in seen.others if other.layer == tensor.layer]
        if near:
            usual[tensor.name] = median(near)
            strength[tensor.name] = _spectrum(tensor).values[0] / usual[tensor.name]
    if not strength:
        return {}
    least = min(strength.values())
    out = {name for name, value in strength.items() if value > _FAR_OUT or value > max(2.0, _OUT * least)}
    bulk = {name: 2 * usual[name] * min(least, 1.0) for name in out}
    by_name = {tensor.name: _spectrum(tensor) for tensor in seen.written}
    counts = {name: sum(value > bulk[name] for value in by_name[name].values) for name in out}
    return {name: count if count < by_name[name].directions / 3 else 0 for name, count in counts.items()}


def _more_than(rank: int, body: Sequence[TensorDifference]) -> dict[str, int]:
    """Feed-forward output matrices that changed in more directions than the adapter has, and in how many more; 0: in
    too many to tell, and further than their like."""
    written = [tensor for tensor in body if tensor.kind is MatrixKind.MLP_OUT]
    more = {tensor.name: found - rank for tensor in written if (found := _thin_rank(tensor)) > rank}
    usual = median(tensor.change.relative for tensor in written) if written else 0.0
    far = [tensor for tensor in written if tensor.change.relative > 2 * usual]
    return more | {tensor.name: 0 for tensor in far if not _thin_rank(tensor)}


def _not_rescaled(body: Sequence[TensorDifference]) -> dict[str, int]:
    """Feed-forward output matrices that a DoRA's factors and directions don't explain, changed no less than others."""
    written = [tensor for tensor in body if tensor.kind is MatrixKind.MLP_OUT]
    usual = median(tensor.change.relative for tensor in written) if written else 0.0
    return {tensor.name: 0 for tensor in written if not _spectrum(tensor).rescaled and tensor.change.relative >= usual}


def _is_dense(tensor: TensorDifference) -> bool:
    spectrum = _spectrum(tensor)
    return not spectrum.rank_is_known or spectrum.rank > spectrum.directions / 4


def _is_like_chance(tensor: TensorDifference) -> bool:
    """Whether a change is as independent numbers are, each by itself: no training leaves that, quantising does.

    Their largest singular value is σ (√rows + √columns), σ being the size of one (Bandeira & van Handel 2016).
    """
    rows, columns = tensor.shape
    spectrum = _spectrum(tensor)
    return spectrum.values[0] < _CHANCE * spectrum.norm * (1 / math.sqrt(rows) + 1 / math.sqrt(columns))


# ---- words ----------------------------------------------------------------------------------------------------------


def _spectrum(tensor: TensorDifference) -> ChangeSpectrum:
    assert tensor.spectrum is not None
    return tensor.spectrum


def _thin_rank(tensor: TensorDifference) -> int:
    """The rank of a change of low rank, beside rescaled outputs if need be; 0: it is of none."""
    spectrum = _spectrum(tensor)
    if spectrum.rescaled:
        return spectrum.rescaled.rank if spectrum.rescaled.is_whole else 0
    return spectrum.rank if spectrum.is_thin else 0


def _is_thinner_rescaled(tensor: TensorDifference) -> bool:
    """Whether a change is of lower rank beside rescaled outputs: rounding alone may make those seem to be there."""
    spectrum = _spectrum(tensor)
    return spectrum.rescaled is not None and spectrum.rescaled.rank < spectrum.rank


def _layers(tensors: Sequence[TensorDifference]) -> list[int]:
    return sorted({tensor.layer for tensor in tensors if tensor.layer is not None})


def _kinds(tensors: Sequence[TensorDifference]) -> str:
    """'*attention: looking* and *memory: writing*', 'every matrix'."""
    kinds = [kind for kind in _INSIDE if any(tensor.kind is kind for tensor in tensors)]
    if len(kinds) == len(_INSIDE):
        return "every matrix"
    named = [f"*{kind.value}*" for kind in kinds]
    return f"{', '.join(named[:-1])} and {named[-1]}" if len(named) > 1 else named[0]


def _directions(tensors: Sequence[TensorDifference]) -> str:
    ranks = sorted(_spectrum(tensor).rank for tensor in tensors)
    of = max(_spectrum(tensor).directions for tensor in tensors)
    some = f"{ranks[0]:,}" if ranks[0] == ranks[-1] else f"{ranks[0]:,} to {ranks[-1]:,}"
    least = "" if all(_spectrum(tensor).rank_is_known for tensor in tensors) else "at least "
    matrices = "It" if len(tensors) == 1 else "Each"
    return f"{matrices} changed in {least}{some} of {of:,} directions that stand out of rounding."


def _beside(seen: _Seen) -> tuple[str, ...]:
    if not seen.beside:
        rows = " in the rows that both have" if seen.found.resized else ""
        return (f"No norm, no bias and no embedding changed{rows}.",)
    kinds = [kind.value for kind in MatrixKind if any(tensor.kind is kind for tensor in seen.beside)]
    named = f"{', '.join(kinds[:-1])} and {kinds[-1]}" if len(kinds) > 1 else kinds[0]
    return (f"{len(seen.beside):,} other tensors changed as well ({named}), which edits and adapters leave alone.",)


def _capital(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]


def _sentence(clause: str) -> str:
    return f"{_capital(clause)}."
