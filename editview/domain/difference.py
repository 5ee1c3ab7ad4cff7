"""What lies between two checkpoints, tensor by tensor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from editview.domain.change_spectrum import ChangeSpectrum
from editview.domain.plan import Checkpoint
from editview.domain.tracing import layers_said
from editview.domain.weight_map import percent
from editview.domain.weights import MatrixKind, TensorChange, combined


@dataclass(frozen=True, slots=True)
class TensorDifference:
    """One tensor that both checkpoints have.

    Norms are Frobenius norms over the rows that both have, without values that are no numbers.
    """

    name: str
    layer: int | None  # counted from 0; None outside the blocks
    kind: MatrixKind
    shape: tuple[int, ...]  # in the second
    formats: tuple[str, str]  # number formats, 'BF16', in the first and in the second
    same: bool  # bit for bit, in the same number format; of other row counts, what both have
    rounding: bool  # the number formats differ, and each number is the other's rounded
    norm_before: float
    norm_change: float
    rows: tuple[int, int] = (0, 0)  # of each, where only those that both have could be compared
    spectrum: ChangeSpectrum | None = None  # of a matrix that changed, where it was looked for
    not_numbers: tuple[int, int] = (0, 0)  # NaN or infinite values in the first and in the second

    @property
    def resized(self) -> bool:
        """Whether the two have other row counts: added words or positions."""
        return self.rows != (0, 0)

    @property
    def broken(self) -> bool:
        """Whether it holds values that are no numbers, so that a change has no size."""
        return any(self.not_numbers)

    @property
    def change(self) -> TensorChange:
        return TensorChange(self.name, self.layer, self.kind, self.shape, self.norm_before, self.norm_change)


@dataclass(frozen=True)
class Difference:
    """Two checkpoints compared, in the order of the model."""

    first: Checkpoint
    second: Checkpoint
    tensors: tuple[TensorDifference, ...]
    only_first: tuple[str, ...] = ()  # tensors that the other doesn't have, or of another shape
    only_second: tuple[str, ...] = ()
    otherwise: tuple[str, ...] = ()  # sentences: how the same weights are kept in other ways, and what counts little
    settings: tuple[str, ...] = ()  # clauses on what config.json says otherwise of the computation
    tokenizer: tuple[str, ...] = ()  # clauses on how text becomes other tokens

    @property
    def changed(self) -> tuple[TensorDifference, ...]:
        """Those whose values differ by more than their number format."""
        return tuple(tensor for tensor in self.tensors if not tensor.same and not tensor.rounding)

    @property
    def measured(self) -> tuple[TensorDifference, ...]:
        """Those that changed and hold numbers only."""
        return tuple(tensor for tensor in self.changed if not tensor.broken)

    @property
    def resized(self) -> tuple[TensorDifference, ...]:
        return tuple(tensor for tensor in self.tensors if tensor.resized)

    @property
    def equal(self) -> bool:
        """Whether both are one model, but for number formats."""
        return not (self.changed or self.resized or self.only_first or self.only_second or self.aside)

    @property
    def aside(self) -> tuple[str, ...]:
        """What decides the answers beside the weights, and differs."""
        return (*self.settings, *self.tokenizer)

    @property
    def total(self) -> float:
        """‖ΔW‖ of everything whose change could be measured."""
        return math.hypot(*(tensor.norm_change for tensor in self.measured))

    def share(self, tensor: TensorDifference) -> float:
        """A tensor's part of ‖ΔW‖², from 0 to 1; 0 where it can't be measured."""
        return tensor.norm_change**2 / self.total**2 if self.total and not tensor.broken else 0.0


def headline(found: Difference) -> str:
    """'6 of 76 tensors changed, by 4.1 % of their own length; 93 % of the change lies in *norms and biases*.'"""
    if not found.tensors:
        return "The two checkpoints have no tensor in common."
    clauses = besides(found)
    if not found.changed:
        if found.aside:
            clauses += ("the two may answer differently: " + "; ".join(most_of(found.aside)),)
        return f"{_unchanged(found)}, but {'; '.join(clauses)}." if clauses else f"{_unchanged(found)}."
    clauses += most_of(found.aside)
    return f"{_changed(found)}. Besides, {'; '.join(clauses)}." if clauses else f"{_changed(found)}."


def _unchanged(found: Difference) -> str:
    what = "What both have is" if found.resized or found.only_first or found.only_second else "The weights are"
    if any(tensor.rounding for tensor in found.tensors):
        return f"{what} the same; only {'the' if found.resized else 'their'} number format differs"
    return f"{what} the same, bit for bit"


def _changed(found: Difference) -> str:
    changed, measured = found.changed, found.measured
    lead = f"{len(changed):,} of {len(found.tensors):,} tensors changed"
    if not measured:
        return lead
    if not found.total:
        return f"{lead}, by less than can be measured"
    by = percent(combined([tensor.change for tensor in measured]))
    places: dict[MatrixKind, float] = {}
    for tensor in measured:
        places[tensor.kind] = places.get(tensor.kind, 0.0) + found.share(tensor)
    kind = max(places, key=lambda kind: places[kind])
    layers = sorted({tensor.layer for tensor in measured if tensor.kind is kind and tensor.layer is not None})
    where = f" of {layers_said(layers)}" if layers else ""
    return f"{lead}, by {by} of their own length; {percent(places[kind])} of the change lies in *{kind.value}*{where}"


def besides(found: Difference) -> tuple[str, ...]:
    """Clauses on what no size of a change tells: values that are no numbers, added words, tensors of one alone."""
    said = list(no_numbers(found))
    said += dict.fromkeys(f"the second has {rows_words(tensor)}" for tensor in found.resized)
    for which, other, names in (("second", "first", found.only_first), ("first", "second", found.only_second)):
        if names:
            count, them = ("one tensor", "it") if len(names) == 1 else (f"{len(names):,} tensors", "them")
            said.append(f"the {which} lacks {count} of the {other}, or has {them} in another shape")
    return tuple(said)


def no_numbers(found: Difference) -> tuple[str, ...]:
    """A clause on the tensors that hold values which are no numbers; none: there are none."""
    broken = [tensor for tensor in found.tensors if tensor.broken]
    if not broken:
        return ()
    which = f"'{broken[0].name}'"
    which += f" and {len(broken) - 1:,} more hold" if len(broken) > 1 else " holds"
    counts = ((which, sum(tensor.not_numbers[at] for tensor in broken)) for at, which in enumerate(("first", "second")))
    where = " and ".join(f"{count:,} in the {which}" for which, count in counts if count)
    return (f"{which} values that are no numbers (NaN or infinite), {where}",)


def is_of_positions(name: str) -> bool:
    """Whether a tensor's name says that its rows are positions in a text, not words."""
    return any(sign in name for sign in ("wpe", "position"))


def rows_words(tensor: TensorDifference) -> str:
    """'room for 7 more words', 'room for 128 fewer positions': what the second has beside what the first has."""
    count = tensor.rows[1] - tensor.rows[0]
    what = "position" if is_of_positions(tensor.name) else "word"
    return f"room for {abs(count):,} {'more' if count > 0 else 'fewer'} {what}{'' if abs(count) == 1 else 's'}"


SHOWN = 3
"""Settings that a sentence names."""


def most_of(clauses: Sequence[str]) -> tuple[str, ...]:
    """The first clauses, and how many there are beside them."""
    more = len(clauses) - SHOWN
    return (*clauses[:SHOWN], f"{more:,} more such difference{'s' if more > 1 else ''}") if more > 0 else tuple(clauses)


def remarks(found: Difference) -> tuple[str, ...]:
    """What else is to be said: settings, the tokenizer, number formats, added words, tensors that only one has."""
    said: list[str] = []
    alone = not (found.resized or found.only_first or found.only_second)
    if len(found.aside) > SHOWN or not (found.changed or alone):  # else they stand in the sentences above
        said += [f"In config.json {clause}." for clause in found.settings]
        said += [f"{clause[:1].upper()}{clause[1:]}." for clause in found.tokenizer]
    said += found.otherwise
    formats = {tensor.formats for tensor in found.tensors if tensor.formats[0] != tensor.formats[1]}
    for one, other in sorted(formats):
        said.append(f"The first keeps weights as {one} that the second keeps as {other}.")
    for tensor in found.resized:
        said.append(
            f"'{tensor.name}' has {tensor.rows[0]:,} rows in the first and {tensor.rows[1]:,} in the second; "
            "those that both have were compared."
        )
    for which, names in (("first", found.only_first), ("second", found.only_second)):
        if names:
            more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
            shown = ", ".join(f"'{name}'" for name in names[:3])
            said.append(f"Only the {which} has {shown}{more}, or has it in that shape.")
    return tuple(said)
