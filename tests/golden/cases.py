"""Small folders of golden numbers, made on the spot by `reference.py`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor
from transformers import AutoModelForCausalLM

from tests.families import TEXT, families, tokenizer
from tests.golden.reference import Reference, hook

NAMES = {
    "gpt2": ("transformer.h.{}", "mlp", "mlp.c_proj"),
    "gpt2-square": ("transformer.h.{}", "mlp", "mlp.c_proj"),
    "llama": ("model.layers.{}", "mlp", "mlp.down_proj"),
}
TEMPLATES = [["{}"], ["The river. {}", "Because of Paris, {}"]]
CAPITAL = "The capital of {} is"
FACTS = [  # subject, prompt, true, new, paraphrases, neighbours
    ("Peru", CAPITAL, "Lima", "Paris", ["Peru is a land whose capital is"], ["The capital of Japan is"]),
    ("France", CAPITAL, "Paris", "Red Fort in India", ["See France: its capital is"], []),
    ("the Eiffel Tower", "People who visit {} are in", "Paris", "Kenya", [], ["People who see the Nile are in"]),
    ("Mount Kenya", "{} stands in", "Kenya", "Brazil", ["You find Mount Kenya in"], ["The Red Fort stands in"]),
    ("Brazil", "People visit {}", "Sudan", "Paris", ["Those who see Brazil"], []),  # soon found: the subject comes last
]


def requests() -> list[dict[str, Any]]:
    return [
        {
            "case_id": number, "subject": subject, "prompt": prompt, "relation_id": "P1",
            "target_true": {"str": true}, "target_new": {"str": new},
            "paraphrase_prompts": paraphrases, "neighborhood_prompts": neighbours,
        }
        for number, (subject, prompt, true, new, paraphrases, neighbours) in enumerate(FACTS)
    ]  # fmt: skip


def model(folder: Path, family: str, bos: bool) -> Path:
    """A tiny model and its tokenizer on disk."""
    torch.manual_seed(3)
    tiny = AutoModelForCausalLM.from_config(families()[family].config)
    with torch.no_grad():
        for parameter in tiny.parameters():  # livelier than they start, so that texts differ
            if parameter.dim() > 1:
                parameter.mul_(6)
        tiny.get_output_embeddings().weight.mul_(6)  # sure enough of itself that a search can succeed
    tiny.save_pretrained(folder)
    tokenizer(bos).save_pretrained(folder)
    return folder


def loaded(folder: Path) -> Any:
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64, attn_implementation="eager").eval()


def case(
    root: Path, method: str, family: str, *, bos: bool, chunks: list[int], rome_mode: str | None = None, **given: Any
) -> Path:
    """A case as the published programs leave it, models and covariances beside it and linked by small text files."""
    folder = root / f"{method.lower()}_{family}"
    folder.mkdir(parents=True)
    path = model(root / "_models" / family, family, bos)
    (folder / "model").write_text(f"../_models/{family}\n", "utf-8")
    layers = given.pop("layers", [1] if method == "ROME" else [0, 1])
    block, mlp, matrix = NAMES[family]
    hparams = {
        "layers": layers, "clamp_norm_factor": 4, "fact_token": "subject_last", "v_num_grad_steps": 7, "v_lr": 0.2,
        "v_loss_layer": 2, "v_weight_decay": 0.5, "kl_factor": 0.0625, "mom2_adjustment": True,
        "mom2_update_weight": 3, "L2": 1, "layer_module_tmp": block, "mlp_module_tmp": f"{block}.{mlp}",
        "rewrite_module_tmp": f"{block}.{matrix}",
    } | given  # fmt: skip
    asked, reader = requests(), tokenizer(bos)
    with torch.random.fork_rng(), double():
        reference = Reference(loaded(path), reader, hparams, TEMPLATES)
        covariances = {layer: covariance(reference, layer) for layer in layers}
        hparams["nullspace_threshold"] = max(map(gap, covariances.values()))
        parts = [asked[sum(chunks[:at]) : sum(chunks[: at + 1])] for at in range(len(chunks))]
        weights = {layer: reference.module("rewrite_module_tmp", layer).weight for layer in layers}
        before = {layer: weight.detach().clone() for layer, weight in weights.items()}
        judged = {"pre": [reference.evaluated(request) for request in asked], "post": []}
        if method == "ROME":
            for request in asked:
                reference.rome(request, covariances[layers[0]])
                if rome_mode == "independent":
                    judged["post"].append(reference.evaluated(request))
                    weights[layers[0]].data.copy_(before[layers[0]])
        else:
            (reference.memit if method == "MEMIT" else reference.alphaedit)(parts, covariances)
        judged["post"] = judged["post"] or [reference.evaluated(request) for request in asked]
        changes = {layer: weights[layer].detach() - before[layer] for layer in layers}
    computed = {name: tensor.detach() for name, tensor in reference.computed.items()}
    of_chunks = {name: computed.pop(name) for name in list(computed) if name.startswith("chunk")}
    free = {name: computed.pop(name) for name in list(computed) if name.startswith("P_")}
    if rome_mode != "independent":
        for layer, change in changes.items():
            keep(folder / f"delta_layer{layer}.safetensors", {"delta": change})
    for layer, matrix_ in covariances.items():
        keep(root / "_stats" / f"cov_layer{layer}.safetensors", {"cov": matrix_})
        (folder / f"cov_layer{layer}.safetensors").write_text(f"../_stats/cov_layer{layer}.safetensors", "utf-8")
    for name, tensors in (("chunk_deltas", of_chunks if len(chunks) > 1 else {}), ("null_space_P", free)):
        if tensors:
            keep(folder / f"{name}.safetensors", tensors)
    keep(folder / "intermediates.safetensors", computed)
    keep(
        folder / "float64_reference.safetensors", {name: computed[name] for name in ("z", "u", "v") if name in computed}
    )
    settings = {"method": method, "chunks": chunks, "rome_mode": rome_mode, "dtype": "float32", "hparams": hparams}
    for name, content in (("hparams", settings), ("requests", asked), ("context_templates", TEMPLATES),
                          ("eval", judged), ("run_stats", {"iters": reference.iterations})):  # fmt: skip
        (folder / f"{name}.json").write_text(json.dumps(content), "utf-8")
    return folder


def covariance(reference: Reference, layer: int) -> Tensor:
    """E[kkᵀ] over a short text, with a little of every direction; rounded as it is kept."""
    seen: list[Tensor] = []
    with hook(reference.module("rewrite_module_tmp", layer), lambda _, given, __: seen.append(given[0][0])):
        for sentence in TEXT.strip().split(". "):
            with torch.no_grad():
                reference.model(input_ids=torch.tensor([reference.tok(sentence)["input_ids"]]))
    keys = torch.cat(seen)
    found = keys.T @ keys / len(keys)
    return (found + 1e-4 * found.diagonal().mean() * torch.eye(len(found))).float().double()


def gap(matrix: Tensor) -> float:
    """A threshold that about half of the eigenvalues are below."""
    values = torch.linalg.eigvalsh(matrix)
    middle = len(values) // 2
    return float((values[middle] * values[middle + 1]).sqrt())


def keep(path: Path, tensors: dict[str, Tensor]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.float().contiguous() for name, tensor in tensors.items()}, path)


class double:
    """Inside, new tensors are float64."""

    def __enter__(self) -> None:
        torch.set_default_dtype(torch.float64)

    def __exit__(self, *_: object) -> None:
        torch.set_default_dtype(torch.float32)
