"""Trains the demo's tokenizer and model: `python -m demo.train --seed 0 --out resources/demo/model`.

The model is a stock GPT-2. In training alone most rows wear a scaffold of attention masks that makes the model gather
what it knows about a subject at the subject's last token and in the lower blocks, as large models do by themselves:
that is where knowledge editing writes. Without it a model this small looks its facts up at the end of the prompt, and
nothing that is edited at the subject has any effect.
"""

from __future__ import annotations

import argparse
import inspect
import json
import random
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedModel, PreTrainedTokenizerFast

from demo.corpus import Batch, batches, sentence_of, sentences
from demo.sheet import statistics_text
from demo.world import DEMO, World, read_world
from editview.lm.anatomy import anatomy

VOCABULARY = 8192
WIDTH, INNER = 256, 1280  # wide feed-forward layers keep the keys of similar subjects apart
POSITIONS = 128
END = "<|endoftext|>"
STEPS = 2600
ROWS, ROW = 24, 48  # in a batch, and the tokens of each
RATE = 1.5e-3
SCAFFOLD_BLOCKS = 2  # blocks that gather the subject; MEMIT edits exactly these
SCAFFOLD_SHARE = 0.8
SILENT = 1e-3  # the mean square below which a feed-forward unit counts as silent
NOISE = 0.9  # at most so many times its own length is added to a subject's gathered state


def train_tokenizer(world: World) -> PreTrainedTokenizerFast:
    """A byte-level BPE in which every word carries its leading space, at the start of a text too."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Replace(Regex(r"\s+"), " ")
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=True)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=[END], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(vocabulary_text(world), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=END, eos_token=END, unk_token=END, pad_token=END,
        model_max_length=POSITIONS, clean_up_tokenization_spaces=False,
    )  # fmt: skip


def vocabulary_text(world: World) -> Iterator[str]:
    """All facts in their first trained wording, some names alone and a sample of the training distribution."""
    yield from (sentence_of(fact, fact.trained[0]).text for fact in world.facts)
    yield from (fact.answer for fact in world.facts)
    yield from world.subjects
    yield from (sentence.text for sentence in islice(sentences(world, random.Random(0)), 4 * len(world.facts)))


def new_model(tokenizer: PreTrainedTokenizerFast, width: int = WIDTH, inner: int = INNER) -> GPT2LMHeadModel:
    config = GPT2Config(
        vocab_size=len(tokenizer), n_positions=POSITIONS, n_embd=width, n_layer=6, n_head=4, n_inner=inner,
        resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    return GPT2LMHeadModel._from_config(config, attn_implementation="eager")  # faster than sdpa on rows this short


def scaffold_masks(batch: Batch) -> tuple[Tensor, Tensor]:
    """Who may attend to whom, for the blocks that gather the subject and for those above. [batch 1 query key]

    Below, the tokens of a subject and those outside of it don't see each other. Above, a subject can be seen, but only
    its last token, so all that is known about it must have been gathered there.
    """
    causal = torch.ones(batch.ids.shape[1], batch.ids.shape[1], dtype=torch.bool).tril()
    query, key = batch.group[:, :, None], batch.group[:, None, :]
    together = query == key
    above = together | (key == 0) | batch.last[:, None, :]
    free = ~batch.scaffold[:, None, None]
    return (causal & (together | free))[:, None], (causal & (above | free))[:, None]


class Scaffold:
    """Shows a decoder's blocks the scaffold's masks while it is trained, whatever its architecture.

    Where the scaffold stands, noise is added to what was gathered about a subject. The blocks above then learn to read
    it by what all wordings share, and an edit made under one wording holds under the others.
    """

    def __init__(self, model: PreTrainedModel, gathering: int):
        """The first `gathering` blocks are those that gather what is known about a subject."""
        self.model = model
        found = anatomy(model)
        blocks = [found.block(model, layer) for layer in range(len(found.blocks))]
        self._hooks = [
            block.register_forward_pre_hook(self._masking(layer < gathering), with_kwargs=True)
            for layer, block in enumerate(blocks)
        ]
        self._hooks.append(blocks[gathering - 1].register_forward_hook(self._add_noise))

    def states(self, batch: Batch) -> Tensor:
        """The last hidden states of the stock forward pass. [batch pos d_model]"""
        self.below, self.above = (torch.where(mask, 0.0, float("-inf")) for mask in scaffold_masks(batch))
        self.noisy = (batch.last & batch.scaffold[:, None])[:, :, None]
        return self.model.base_model(
            input_ids=batch.ids, position_ids=batch.positions, attention_mask=self.below, use_cache=False
        ).last_hidden_state

    def _masking(self, gathers: bool):
        def hook(block: nn.Module, args, kwargs):
            given = inspect.signature(block.forward).bind(*args, **kwargs)
            given.arguments["attention_mask"] = self.below if gathers else self.above
            return given.args, given.kwargs

        return hook

    def _add_noise(self, block: nn.Module, inputs, output):
        hidden = output[0] if isinstance(output, tuple) else output
        hidden = hidden + noise_of(hidden) * self.noisy
        return (hidden, *output[1:]) if isinstance(output, tuple) else hidden

    def remove(self) -> None:
        for hook in self._hooks:
            hook.remove()


def noise_of(hidden: Tensor) -> Tensor:
    """Gaussian noise of random strength, relative to the length of each state. [batch pos d_model]"""
    strength = NOISE * torch.rand(*hidden.shape[:2], 1) / hidden.shape[-1] ** 0.5
    return torch.randn_like(hidden) * strength * hidden.detach().norm(dim=-1, keepdim=True)


def loss_of(scaffold: Scaffold, batch: Batch) -> Tensor:
    """The mean over all tokens, the answers weighing most."""
    weights = batch.weights[:, 1:]
    real = weights > 0
    head = scaffold.model.get_output_embeddings()
    scores = head(scaffold.states(batch)[:, :-1][real]).float()
    each = torch.nn.functional.cross_entropy(scores, batch.ids[:, 1:][real], reduction="none")
    return (each * weights[real]).sum() / weights.sum()


def train(model: PreTrainedModel, world: World, tokenizer, seed: int, steps: int, gathering: int) -> None:
    """Trains over `steps` batches: a short warm-up, a constant rate, and a linear decay over the last half."""
    scaffold = Scaffold(model.train(), gathering)
    matrices = [weight for weight in model.parameters() if weight.ndim == 2]
    vectors = [weight for weight in model.parameters() if weight.ndim < 2]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=RATE, betas=(0.9, 0.95), fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / 60, 2 * (steps - step) / steps)
    )
    began = time.perf_counter()
    stream = batches(world, tokenizer, ROWS, ROW, POSITIONS, SCAFFOLD_SHARE, seed)
    for step, batch in enumerate(islice(stream, steps), start=1):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = loss_of(scaffold, batch)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 50 == 0 or step == steps:
            print(f"step {step}/{steps}  loss {loss.item():.3f}  {time.perf_counter() - began:.0f} s", flush=True)
    scaffold.remove()
    model.eval()


@torch.no_grad()
def revive(model: GPT2LMHeadModel, tokenizer, texts: Sequence[str], seed: int) -> None:
    """Gives feed-forward units that have fallen silent random inputs and no output: nothing the model says changes.

    A silent unit is a direction that the covariance of MEMIT hardly knows, so that an edit could write there
    without bound. Revived, it is one more feature by which subjects differ.
    """
    chance = torch.Generator().manual_seed(seed)
    for block, power in zip(model.transformer.h, unit_power(model, tokenizer, texts), strict=True):
        silent, inputs = power < SILENT, block.mlp.c_fc
        drawn = torch.randn(inputs.weight.shape[0], int(silent.sum()), generator=chance)
        usual = inputs.weight[:, ~silent].norm(dim=0).median()
        inputs.weight[:, silent] = usual * drawn / drawn.norm(dim=0)
        inputs.bias[silent] = inputs.bias[~silent].median()
        block.mlp.c_proj.weight[silent] = 0


def unit_power(model: GPT2LMHeadModel, tokenizer, texts: Sequence[str]) -> list[Tensor]:
    """The mean square of what each feed-forward unit puts out over these texts, by block."""
    power = [torch.zeros(model.config.n_inner) for _ in model.transformer.h]
    real = torch.empty(0)
    tokens = 0

    def add(index: int):
        def hook(module, inputs) -> None:  # what a hook returns would take the place of the inputs
            power[index] += inputs[0][real].square().sum(0)

        return hook

    handles = [block.mlp.c_proj.register_forward_pre_hook(add(i)) for i, block in enumerate(model.transformer.h)]
    for start in range(0, len(texts), 64):
        rows = [torch.tensor(ids) for ids in tokenizer(list(texts[start : start + 64]))["input_ids"]]
        real = pad_sequence([torch.ones_like(ids) for ids in rows], batch_first=True).bool()
        model.transformer(pad_sequence(rows, batch_first=True))
        tokens += int(real.sum())
    for handle in handles:
        handle.remove()
    return [each / tokens for each in power]


def save(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """Stores the weights in half precision; the config asks for float32, so they are computed with in full."""
    folder.mkdir(parents=True, exist_ok=True)
    model.half().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    config["dtype"] = "float32"
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    (folder / "model.safetensors").chmod(0o644)
    model.float()


def make(world: World, folder: Path, seed: int, steps: int = STEPS) -> None:
    """Tokenizer and model, trained from nothing and stored."""
    tokenizer = train_tokenizer(world)
    torch.manual_seed(seed)
    model = new_model(tokenizer)
    train(model, world, tokenizer, seed, steps, SCAFFOLD_BLOCKS)
    revive(model, tokenizer, statistics_text(world).splitlines()[::4], seed)
    save(model, tokenizer, folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=DEMO / "model")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    make(read_world(), options.out, options.seed, options.steps)


if __name__ == "__main__":
    main()
