"""Packing: several short examples in one row, which read nothing of each other."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from transformers import PreTrainedModel

from editview.domain.errors import EditViewError
from editview.lm.model import at_rest
from editview.tuning.batches import IGNORED, Row, Rows


class Packed:
    """Rows put together into packs of at most `max_length` tokens, best fit decreasing: the longest first, each where
    it leaves least room. Within a pack they keep their order, and packs are ordered by their first row.
    """

    def __init__(self, rows: Rows, max_length: int) -> None:
        self._rows = rows
        packs: list[list[int]] = []
        room: list[tuple[int, int]] = []  # of each pack that has any, ascending, with its place
        for at in sorted(range(len(rows)), key=rows.length, reverse=True):
            fits = bisect_left(room, (rows.length(at), -1))
            left, pack = room.pop(fits) if fits < len(room) else (max_length, len(packs))
            if pack == len(packs):
                packs.append([])
            packs[pack].append(at)
            if left > rows.length(at):
                insort(room, (left - rows.length(at), pack))
        self.packs = sorted(sorted(pack) for pack in packs)

    def __len__(self) -> int:
        return len(self.packs)

    def __getitem__(self, at: int) -> list[Row]:
        return [self._rows[one] for one in self.packs[at]]

    def __iter__(self) -> Iterator[list[Row]]:
        return map(self.__getitem__, range(len(self)))


def packed_batch(packs: Sequence[Sequence[Row]], padding: int) -> dict[str, Tensor]:
    """input_ids, position_ids and labels, each [batch, longest pack].

    Positions begin anew with every example. By that, and the mask that is missing, transformers tells where one ends
    and lets none see another; what fills a row up counts as one more. An example's first token is never predicted.
    """
    longest = max(sum(len(row.tokens) for row in pack) for pack in packs)
    ids = torch.full((len(packs), longest), padding)
    positions = torch.zeros_like(ids)
    labels = torch.full_like(ids, IGNORED)
    for i, pack in enumerate(packs):
        at = 0
        for row in pack:
            end = at + len(row.tokens)
            ids[i, at:end] = torch.tensor(row.tokens)
            positions[i, at:end] = torch.arange(len(row.tokens))
            learnt = at + max(row.answer_at, 1)
            labels[i, learnt:end] = ids[i, learnt:end]
            at = end
        positions[i, at:] = torch.arange(longest - at)
    return {"input_ids": ids, "position_ids": positions, "labels": labels}


def refuse_unless_apart(model: PreTrainedModel) -> None:
    """Raises EditViewError for a model whose attention doesn't keep packed examples apart.

    What it reads of an example must not depend on the one before it, and must be what it reads of it alone, as far as
    its number format tells.
    """
    tokens = torch.arange(1, 13, device=model.device)
    first, other, second = tokens[:4], tokens[4:8], tokens[8:]
    ids = torch.stack([torch.cat([first, second]), torch.cat([other, second])])
    positions = torch.arange(4, device=model.device).repeat(2, 2)
    try:
        with at_rest(model), torch.no_grad():
            packed = model(input_ids=ids, position_ids=positions, use_cache=False).logits[:, 4:].float()
            alone = model(input_ids=second[None], use_cache=False).logits.float()
    except (TypeError, ValueError) as error:
        raise _not_apart(str(error)) from error
    noise = torch.finfo(model.dtype).eps * 16 * alone.abs().max()
    if (packed[0] - packed[1]).abs().max() > noise or (packed - alone).abs().max() > alone.std() / 10:
        raise _not_apart(f"{type(model).__name__} reads a packed example otherwise than alone")


def _not_apart(details: str) -> EditViewError:
    return EditViewError(
        "This model can't keep examples apart that share a row. Switch off 'Pack short examples' in the step's card.",
        details,
    )
