"""Openings put before a prompt while its target vector is searched, so that an edit holds in running text too.

MEMIT samples them from the model itself (Meng et al. 2023, section 4.2): a few words after a common beginning.
"""

from __future__ import annotations

import torch

from editview.lm.forward import head_only_at, padded, run
from editview.lm.model import LanguageModel, asking
from editview.lm.tokens import encode

BEGINNINGS = ("The", "Therefore", "Because", "I", "You")
TOKENS = 10
UNWANTED = str.maketrans("{}\ufffd", "   ")  # braces mark the place of the prompt; the sign of half a character
CHOICES = 5  # sampled among the likeliest this many


def context_templates(lm: LanguageModel, count: int, seed: int) -> list[list[str]]:
    """Templates by type, '{}' standing for the prompt: the bare prompt, then `count` sampled openings.

    The same model, count and seed give the same openings; no random state but its own is touched.
    """
    if count == 0:
        return [["{}"]]
    rows = [encode(lm.tokenizer, BEGINNINGS[index % len(BEGINNINGS)]) for index in range(count)]
    chance = torch.Generator().manual_seed(seed)
    bare = len(encode(lm.tokenizer, BEGINNINGS[0])) - len(
        lm.tokenizer(BEGINNINGS[0], add_special_tokens=False).input_ids
    )
    special = set(lm.tokenizer.all_special_ids)
    with asking(lm):
        while len(rows[0]) < TOKENS + bare:
            ids, _ = padded(rows, lm.device)
            at = torch.tensor([len(row) - 1 for row in rows], device=lm.device)
            with head_only_at(lm, torch.arange(count, device=lm.device), at):
                logits = run(lm, ids).logits.float().cpu()
            logits[:, list(special)] = -torch.inf
            likely = logits.topk(min(CHOICES, logits.shape[1] - len(special)))
            picked = torch.multinomial(likely.values.softmax(-1), 1, generator=chance)
            for row, token in zip(rows, likely.indices.gather(1, picked).squeeze(1).tolist(), strict=True):
                row.append(token)
    texts = [lm.tokenizer.decode(row, skip_special_tokens=True) for row in rows]
    return [["{}"], [" ".join(text.translate(UNWANTED).split()) + ". {}" for text in texts]]
