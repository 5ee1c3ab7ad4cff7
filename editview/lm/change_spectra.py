"""The singular values of what changed between two checkpoints, one matrix in memory at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from editview.domain.change_spectrum import ChangeSpectrum
from editview.domain.difference import Difference, TensorDifference
from editview.domain.progress import Progress
from editview.domain.weights import MatrixKind
from editview.lm.low_rank import rounding
from editview.lm.rescaling import rescaled
from editview.lm.singular import singular
from editview.lm.stored import StoredCheckpoint

_SLACK = 1.5  # a change may be rounded more than once: an adapter's product, the sum, a second operation
_LIKE_ROUNDING = 0.5  # of what rounding everything would do; what is smaller is no rounding of everything
_GAP = 0.9  # of the directions: where fewer stand out, the rest is rounding indeed
_TRIES = 4  # matrices whose rows weren't rescaled, before no more are looked at
_TOP = 1 / 8  # of the directions of a change of no low rank: laid beside those of the layer before
_ROWS = 1024  # rounded at a time

WHAT = "Looking at the directions of the change"


def with_spectra(
    first: StoredCheckpoint, second: StoredCheckpoint, found: Difference, progress: Progress
) -> Difference:
    """A difference (`lm/comparing.py`) with the spectrum of every matrix that changed. `progress` counts numbers.

    In memory are at most the second's matrix, the change in float32 and, where rows may have been rescaled, a few as
    large. Raises what reading and `progress` raise.
    """
    matrices = [tensor for tensor in found.changed if _has_spectrum(tensor)]
    total = sum(math.prod(tensor.shape) for tensor in matrices) or 1
    # Norms and embeddings carry no adapter: where they changed, it was no DoRA that rescaled rows.
    adapted = not any(tensor.kind in (MatrixKind.NORM, MatrixKind.EMBEDDING) for tensor in found.changed)
    done, missed, guess, last, spectra = 0, 0, 0, None, {}
    for tensor in matrices:
        progress(done, total, WHAT)
        info = second.infos.get(tensor.name)
        transposed = info is not None and info.transposed
        pair = _read(first, second, tensor, transposed)
        progress(done, total, WHAT)
        spectrum, outputs, limit = _spectrum(pair)
        progress(done, total, WHAT)
        looked_for = adapted and tensor.layer is not None and (guess > 0 or missed < _TRIES)
        if looked_for and _may_hide_factors(pair, spectrum, limit):
            before = first.whole(tensor.name)[: tensor.shape[0]]
            scaled = rescaled(before.T if transposed else before, pair.second, limit, guess)
            if scaled.is_whole and scaled.is_clear:
                guess, spectrum = scaled.rank, replace(spectrum, rescaled=scaled)
            else:
                missed += 1
        if tensor.kind is MatrixKind.MLP_OUT:
            if last is not None:
                spectrum = replace(spectrum, agreement=_agreement(last, outputs))
            last = outputs
        spectra[tensor.name] = spectrum
        done += math.prod(tensor.shape)
    progress(total, total, WHAT)
    tensors = (replace(tensor, spectrum=spectra.get(tensor.name)) for tensor in found.tensors)
    return replace(found, tensors=tuple(tensors))


def _has_spectrum(tensor: TensorDifference) -> bool:
    return len(tensor.shape) == 2 and min(tensor.shape) > 1 and not tensor.broken and tensor.norm_change > 0


@dataclass(frozen=True)
class _Pair:
    """Both matrices as [outputs, inputs]: the second in its number format, the change in float32."""

    second: Tensor
    change: Tensor
    rounded: torch.dtype  # the number format that the second's numbers were rounded to
    coarser: torch.dtype | None  # that of the first, where it is coarser: it may be what was rounded


def _read(first: StoredCheckpoint, second: StoredCheckpoint, tensor: TensorDifference, transposed: bool) -> _Pair:
    rows = min(tensor.rows) or tensor.shape[0]
    after = second.whole(tensor.name)[:rows]
    change = after.to(torch.float32, copy=True).contiguous()
    flat, at, rounded, coarser = change.view(-1), 0, _rounded_to(after), None
    for piece in first.pieces(tensor.name, len(flat)):
        flat[at : at + len(piece)] -= piece.float()
        at += len(piece)
        if torch.finfo(piece.dtype).eps > torch.finfo(rounded).eps:
            coarser = piece.dtype
    after, change = (matrix.T if transposed else matrix for matrix in (after, change))
    return _Pair(after, change, rounded, coarser)


def _rounded_to(weights: Tensor) -> torch.dtype:
    """Their number format, or a coarser one that they were worked on in before: they hold no finer numbers."""
    for dtype in (torch.bfloat16, torch.float16):
        if torch.finfo(dtype).bits < torch.finfo(weights.dtype).bits and _holds(dtype, weights):
            return dtype
    return weights.dtype


def _holds(dtype: torch.dtype, weights: Tensor) -> bool:
    return all(torch.equal(part.to(dtype).to(part.dtype), part) for part in torch.split(weights, _ROWS))


def _spectrum(pair: _Pair) -> tuple[ChangeSpectrum, Tensor, float]:
    """The spectrum, its directions of outputs [outputs, some], and what the second's number format rounds at most.

    Where the first is in a coarser number format, it may be the second's own origin or that one rounded. It was rounded
    if the change is of no low rank and what lies beside its leading directions is as large as rounding would be.
    """
    limit, _ = _rounding(pair.second, pair.rounded)
    left, sizes, _ = singular(pair.change, limit)
    norm, limit = float(pair.change.norm()), max(limit, float(sizes[0]) * torch.finfo(torch.float32).eps)
    spectrum = ChangeSpectrum(tuple(sizes.tolist()), min(pair.change.shape), norm, limit)
    if pair.coarser is not None and not (spectrum.rank_is_known and spectrum.rank < _GAP * spectrum.directions):
        coarse, whole = _rounding(pair.second, pair.coarser)
        beside = norm**2 - float(sizes[sizes > coarse].square().sum())
        if beside > (_LIKE_ROUNDING * whole) ** 2:
            spectrum = replace(spectrum, rounding=max(coarse, limit))
    count = spectrum.rank if spectrum.is_thin else min(spectrum.rank, int(_TOP * spectrum.directions))
    return spectrum, left[:, : max(1, count)], limit


def _rounding(weights: Tensor, dtype: torch.dtype) -> tuple[float, float]:
    """How large a singular value of the errors of rounding can be, and how large all of them are (Frobenius).

    Independent errors have hardly a singular value above the largest norm of a row and that of a column, together
    (Bandeira & van Handel 2016, theorem 3.1).
    """
    rows, columns = 0.0, torch.zeros(weights.shape[1], dtype=torch.float64)
    for part in torch.split(weights, _ROWS):
        errors = rounding(part.to(dtype)).square()
        rows = max(rows, float(errors.sum(1).max()))
        columns += errors.sum(0)
    return _SLACK * (math.sqrt(rows) + math.sqrt(float(columns.max()))), math.sqrt(float(columns.sum()))


def _may_hide_factors(pair: _Pair, spectrum: ChangeSpectrum, limit: float) -> bool:
    """Whether rescaled rows may be in a change: it isn't of low rank, or rounding was coarse enough to hide that."""
    fine = torch.finfo(pair.rounded).bits >= 32 and spectrum.rounding <= limit
    return not (spectrum.is_thin and fine)


def _agreement(one: Tensor, other: Tensor) -> float:
    """How much of the smaller span lies in the larger: the mean squared cosine of their principal angles."""
    return float((one.T @ other).square().sum() / min(one.shape[1], other.shape[1]))
