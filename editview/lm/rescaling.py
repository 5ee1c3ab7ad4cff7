"""Rows that were made longer or shorter, told apart from a change of low rank: how a merged DoRA changes a matrix.

It gives diag(s) · (W + BA), so what is left beside the factors s is of BA's rank (Liu et al. 2024, arXiv 2402.09353,
equation 5).
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor

from editview.domain.change_spectrum import Rescaled, thin
from editview.lm.singular import EXACT, decomposed, leading

_TINY = torch.finfo(torch.float32).tiny
_MOST = 128  # directions looked for in a matrix that isn't taken apart whole
_MERGED = 2.0  # times further than usual it is rounded: sum, factor and product in float32, each by itself
_COARSE = 0.5  # singular values that computing in float32 leaves, relative to eps · ‖matrix‖
_ROUNDS = 100  # of finding factors and directions in turn
_CHANCE = 0.455  # median of the square of a normal number
_CLEAR = 10.0  # times that: coarse rounding of a change without factors stays below
_FALLING = 0.97  # it goes on while what is left falls at least to this share of itself


def rescaled(old: Tensor, new: Tensor, limit: float, guess: int) -> Rescaled:
    """The smallest rank of new - diag(s) · old, both [outputs, inputs], that any factors s leave.

    Singular values up to `limit` count as rounding. `guess` is tried first (0: none). What fits no low rank is given
    with `is_whole` False. Computed in float64, large matrices in float32.
    """
    most = max(1, math.ceil(thin(min(old.shape))) - 1)
    if min(old.shape) > EXACT:
        old, new = old.float(), new.float()
        most, limit = min(most, _MOST), max(limit, _COARSE * torch.finfo(torch.float32).eps * float(new.norm()))
    else:
        if new.dtype == torch.float32:
            limit *= _MERGED
        old, new = old.double(), new.double()
    found = _fitted(old, new, limit, min(guess, most)) if guess else None
    if found is None or not found.is_whole:
        found = _fitted(old, new, limit, most)
    elif guess > 1:
        below = _fitted(old, new, limit, guess - 1)
        if not below.is_whole:
            return found
        found = below
    too_few, enough = 0, found.rank
    while found.is_whole and enough - too_few > 1:
        middle = (enough + too_few) // 2
        tried = _fitted(old, new, limit, middle)
        if tried.is_whole:
            found, enough = tried, middle
        else:
            too_few = middle
    return found


def _fitted(old: Tensor, new: Tensor, limit: float, rank: int) -> Rescaled:
    """What is left beside factors of the outputs, `rank` directions being allowed for."""
    found = _searched(old, new, limit, rank, ahead=True)
    return found if found.is_whole else _searched(old, new, limit, rank, ahead=False)


def _searched(old: Tensor, new: Tensor, limit: float, rank: int, ahead: bool) -> Rescaled:
    """As `_fitted`, by one search.

    Directions of what the factors leave, and factors from the part of the matrices that lies outside those directions,
    are found in turn, for as long as that lowers what lies in other directions. Where directions are like the old
    rows, that goes slowly: `ahead` starts each turn where all before it lead to (Anderson's acceleration; Walker & Ni
    2011, algorithm AA), which may lead astray where many directions are allowed for.
    """
    rest, chance = math.inf, torch.Generator().manual_seed(0)
    factors = found = _factors(old, new, old.new_zeros(0, old.shape[1]))
    turns: list[Tensor] = []
    steps: list[Tensor] = []
    for _ in range(_ROUNDS):
        left = new - factors[:, None] * old
        _, sizes, right = decomposed(left) if min(left.shape) <= EXACT else leading(left, rank, chance)
        kept = right[:rank]
        outside = left - left @ kept.T @ kept
        before, rest = rest, float(outside.norm())
        if ahead and rest > before and len(steps) > 1:  # on from the last turn itself
            rest, factors, turns, steps = before, found, [], []
            continue
        if rest > _FALLING * before:
            break
        last, found = found, _factors(old, new, kept)
        turns.append(found - last)
        steps.append(found - factors)
        factors = found
        if ahead and len(steps) > 1:
            changes = torch.stack([after - before for before, after in pairwise(steps)], 1)
            factors = found - torch.stack(turns[1:], 1) @ torch.linalg.lstsq(changes, steps[-1]).solution
    above = int((sizes > limit).sum())
    clear = _are_clear(factors, old - old @ kept.T @ kept, outside)
    return Rescaled(float(factors.min()), float(factors.max()), above, above <= rank, clear)


def _are_clear(factors: Tensor, old: Tensor, rest: Tensor) -> bool:
    """Whether most factors are further from one than `rest` makes them, which neither they nor directions explain.

    A factor found by least squares errs by σ / ‖row‖, σ being the size of one number of the rest (`_factors`).
    """
    errors = rest.square().mean(1) / old.square().sum(1).clamp(min=_TINY)
    return float(((factors - 1).square() / errors.clamp(min=_TINY)).median()) > _CLEAR * _CHANCE


def _factors(old: Tensor, new: Tensor, kept: Tensor) -> Tensor:
    """What each row of the old has to be multiplied by to come nearest to the new one, outside the directions `kept`.

    Those are orthonormal, [k, inputs], so that the products of what lies outside them are differences.
    """
    inside = old @ kept.T
    product = (old * new).sum(1) - (inside * (new @ kept.T)).sum(1)
    square = old.square().sum(1) - inside.square().sum(1)
    return product / square.clamp(min=_TINY)
