"""How fast statistics of keys are taken, beside a plain program for the same, in the same process on the same passages.

    python -m benchmarks.statistics [--tokens 3072] [--repeats 2] [--json]

The model has GPT-2 small's size and random weights, the text is the packaged one in passages of very different
lengths, layers 3 to 7 are asked for, and there is one thread. The plain program reads a passage at a time, lets the
model compute everything up to its logits, and adds up whole products kᵀk. Runs alternate, and the fastest of each kind
counts, since everything else on the machine only makes them slower. EditView's includes keeping what it found on the
disk.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from transformers import GPT2Config, GPT2LMHeadModel

from editview.domain.checkpoint import Device
from editview.domain.plan import Checkpoint
from editview.domain.progress import silent
from editview.domain.texts import Text
from editview.formats.statistics_text import statistics_text
from editview.lm.anatomy import anatomy
from editview.lm.model import LanguageModel, fingerprint
from editview.lm.opening import open_model
from editview.lm.statistics import key_statistics
from editview.lm.tokens import encode

LAYERS = (3, 4, 5, 6, 7)


def model() -> LanguageModel:
    """GPT-2 small's size with random weights, and the demo's tokenizer."""
    tokenizer = open_model(Checkpoint(), Device("cpu", "CPU", 0), silent).tokenizer
    torch.manual_seed(0)
    made = GPT2LMHeadModel(GPT2Config()).eval()
    return LanguageModel(made, tokenizer, anatomy(made), fingerprint(made, tokenizer))


def passages() -> Text:
    """The packaged text, some lines to a passage."""
    lines, draw, made = list(statistics_text("packaged").lines), random.Random(0), []
    while lines:
        number = draw.choice((1, 4, 16, 60))
        made.append(" ".join(lines[:number]))
        del lines[:number]
    return Text("passages", made, "passages")


def plain(lm: LanguageModel, text: Text, tokens: int) -> dict[int, Tensor]:
    sums: dict[int, Tensor] = {}

    def add(layer: int) -> Callable[[object, tuple[Tensor, ...]], None]:
        def hook(_: object, inputs: tuple[Tensor, ...]) -> None:
            keys = inputs[0][0]
            product = keys.T @ keys
            sums[layer] = sums[layer] + product if layer in sums else product

        return hook

    hooks = [lm.anatomy.mlp_output(lm.model, layer).register_forward_pre_hook(add(layer)) for layer in LAYERS]
    left = tokens
    with torch.no_grad():
        for line in text.lines:
            ids = encode(lm.tokenizer, line)[:left]
            lm.model(input_ids=torch.tensor([ids]))
            left -= len(ids)
            if not left:
                break
    for hook in hooks:
        hook.remove()
    return {layer: total / tokens for layer, total in sums.items()}


def ours(lm: LanguageModel, text: Text, tokens: int) -> dict[int, Tensor]:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["EDITVIEW_HOME"] = str(Path(folder))
        found = key_statistics(lm, LAYERS, text, tokens, silent)
        return {layer: one.covariance for layer, one in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description="How fast statistics of keys are taken, beside a plain program.")
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    parser.add_argument("--tokens", type=int, default=3072)
    parser.add_argument("--repeats", type=int, default=2, help="runs of each kind; the fastest counts")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    lm, text = model(), passages()

    taken: dict[str, list[tuple[float, float]]] = {"plain": [], "editview": []}

    def timed(name: str, program: Callable[[LanguageModel, Text, int], dict[int, Tensor]]) -> dict[int, Tensor]:
        """Notes the seconds by the clock, and of this process alone."""
        clock, process = time.perf_counter(), time.process_time()
        found = program(lm, text, chosen.tokens)
        taken[name].append((time.perf_counter() - clock, time.process_time() - process))
        return found

    distance = 0.0
    for _ in range(chosen.repeats):
        expected, found = timed("plain", plain), timed("editview", ours)
        distance = max(
            float((found[layer].double() - full.double()).norm() / full.double().norm())
            for layer, full in expected.items()
            if chosen.tokens >= len(full)
        )
    rates, cpu_rates = (
        {name: chosen.tokens / min(seconds[kind] for seconds in runs) for name, runs in taken.items()}
        for kind in (0, 1)
    )
    ratio, cpu_ratio = (rate["editview"] / rate["plain"] for rate in (rates, cpu_rates))
    print(
        f"{chosen.tokens:,} tokens, layers {LAYERS[0]} to {LAYERS[-1]} of 12, one thread, fastest of {chosen.repeats}: "
        f"plain {rates['plain']:,.0f} tokens/s, EditView {rates['editview']:,.0f} tokens/s: {ratio:.2f} times as fast; "
        f"in CPU time, which a busy machine disturbs less, {cpu_ratio:.2f} times; covariances differ by {distance:.1e}"
    )
    if chosen.json:
        result = {
            "tokens": chosen.tokens, "tokens_per_s": rates, "ratio": ratio, "tokens_per_cpu_s": cpu_rates,
            "cpu_ratio": cpu_ratio, "largest_distance": distance,
        }  # fmt: skip
        print(json.dumps(result))


if __name__ == "__main__":
    main()
