"""Hold EditView's MEMIT against what the public reference program computed on the same model, stage by stage.

    python -m benchmarks.golden FOLDER… [--json]

A folder holds `requests.json`, `hparams.json`, `context_templates.json`, `model`, `cov_layer{L}.safetensors`,
`intermediates.safetensors` (z, ks_call{j}, cur_zs_call{j}) and `delta_layer{L}.safetensors`. Figures are relative
Frobenius distances. Exits 1 when one is beyond its tolerance.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from editview.domain.checkpoint import Device
from editview.domain.facts import Fact, Group
from editview.domain.operations import Memit
from editview.domain.plan import Checkpoint
from editview.domain.progress import silent
from editview.edits.memit import edit
from editview.lm.answers import check
from editview.lm.model import LanguageModel
from editview.lm.opening import open_model

TOLERANCE = {"target vectors": 1e-4, "keys": 1e-4, "current values": 1e-4, "weight change": 1e-4, "answers": 1e-4}


@dataclass(frozen=True)
class Line:
    case: str
    quantity: str
    of: str
    distance: float
    tolerance: float

    @property
    def fits(self) -> bool:
        return self.distance <= self.tolerance


def followed(path: Path) -> Path:
    """The file or folder meant; where links were unpacked as small text files, their text says where."""
    if path.is_file() and path.stat().st_size < 512:
        target = path.parent / path.read_text("utf-8").strip()
        if target.exists():
            return target.resolve()
    return path.resolve()


def distance(ours: Tensor, theirs: Tensor) -> float:
    theirs = theirs.double()
    return float((ours.cpu().double() - theirs).norm() / theirs.norm())


def read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def case_facts(folder: Path) -> list[Fact]:
    return [
        Fact(
            str(record["case_id"]),
            Group.EDITED,
            record["subject"],
            record["prompt"],
            record["target_true"]["str"],
            record["target_new"]["str"],
            tuple(record["paraphrase_prompts"]),
        )
        for record in read(folder / "requests.json")
    ]


def compare(folder: Path) -> tuple[list[Line], float]:
    """The lines of one case, and the seconds that the edit took."""
    settings = read(folder / "hparams.json")
    if settings["method"] != "MEMIT":
        raise SystemExit(f"{folder}: only MEMIT's cases can be compared, this is {settings['method']}")
    given = settings["hparams"]
    layers = tuple(given["layers"])
    operation = Memit(
        layers=layers,
        learning_rate=given["v_lr"],
        steps=given["v_num_grad_steps"],
        clamp=given["clamp_norm_factor"],
        weight_decay=given["v_weight_decay"],
        kl_weight=given["kl_factor"],
        covariance_weight=given["mom2_update_weight"],
    )
    statistics = {
        layer: next(iter(load_file(followed(folder / f"cov_layer{layer}.safetensors")).values())) for layer in layers
    }
    checkpoint = Checkpoint(source=str(followed(folder / "model")), dtype="float32")
    lm = open_model(checkpoint, Device("cpu", "CPU", 0), silent)
    facts = case_facts(folder)
    lines = _answers(folder, lm, facts, "pre")
    start = time.perf_counter()
    trace = edit(
        lm, facts, operation, 0, silent, statistics=statistics, templates=read(folder / "context_templates.json")
    )
    seconds = time.perf_counter() - start
    theirs = load_file(folder / "intermediates.safetensors")

    def line(quantity: str, of: str, ours: Tensor, golden: Tensor) -> Line:
        return Line(folder.name, quantity, of, distance(ours, golden), TOLERANCE[quantity])

    lines.append(line("target vectors", "all facts", trace.targets, theirs["z"]))
    for call, layer in enumerate(layers):
        golden = load_file(folder / f"delta_layer{layer}.safetensors")["delta"]
        lines.append(line("keys", f"layer {layer}", trace.keys[layer], theirs[f"ks_call{call}"]))
        lines.append(line("current values", f"layer {layer}", trace.values[layer], theirs[f"cur_zs_call{call}"]))
        lines.append(line("weight change", f"layer {layer}", trace.changes[layer], golden))
    return lines + _answers(folder, lm, facts, "post"), seconds


def _answers(folder: Path, lm: LanguageModel, facts: list[Fact], when: str) -> list[Line]:
    """NLL of both answers to prompt and paraphrases, before or after the edit."""
    ours, theirs = [], []
    checks = [check_ for batch in check(lm, facts, silent) for check_ in batch]
    for check_, record in zip(checks, read(folder / "eval.json")[when], strict=True):
        golden = record["rewrite_prompts_probs"] + record["paraphrase_prompts_probs"]
        for answer, of_wording in zip(check_.answers, golden, strict=True):
            ours += [answer.nll_wanted, answer.nll_other]
            theirs += [of_wording["target_new"], of_wording["target_true"]]
    said = "before the edit" if when == "pre" else "after the edit"
    return [
        Line(folder.name, "answers", said, distance(torch.tensor(ours), torch.tensor(theirs)), TOLERANCE["answers"])
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.golden", description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    arguments = parser.parse_args()
    lines: list[Line] = []
    seconds = {}
    for folder in arguments.folders:
        found, seconds[folder.name] = compare(folder)
        lines += found
    for line in lines:
        mark = "ok" if line.fits else "TOO FAR"
        print(
            f"{line.case}  {line.quantity:15} {line.of:16} {line.distance:.1e}  (at most {line.tolerance:.0e})  {mark}"
        )
    for name, taken in seconds.items():
        print(f"{name}  edit took {taken:.1f} s on {torch.get_num_threads()} threads")
    if arguments.json:
        result = [asdict(line) | {"fits": line.fits} for line in lines]
        print(json.dumps({"lines": result, "edit_seconds": seconds, "fits": all(line.fits for line in lines)}))
    sys.exit(0 if all(line.fits for line in lines) else 1)


if __name__ == "__main__":
    main()
