"""Tables of where subjects end and of zsRE's answers, as programs with different rules leave them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.golden.__main__ import main
from tests.families import tokenizer
from tests.golden.cases import TEMPLATES, loaded, model, requests

MODELS = {"gpt2": ("gpt2", False), "llama": ("llama", True)}  # by name: the family, and whether it begins with BOS


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("golden")
    for name, (family, bos) in MODELS.items():
        model(root / "_models" / name, family, bos)
    return root


def write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), "utf-8")


def ends(tool: str, bos: bool) -> list[dict[str, Any]]:
    """Whole beginnings of a prompt, or its pieces each tokenised alone, which counts BOS twice."""
    tok, found = tokenizer(bos), []
    for request in requests():
        for template in (template for group in TEMPLATES for template in group):
            whole = template.replace("{}", request["prompt"])
            before, behind = whole.split("{}")
            subject = request["subject"]
            if tool == "memit":
                pieces = [before.rstrip(" "), f" {subject}" if before else subject]
                last = sum(len(tok(piece)["input_ids"]) for piece in pieces) - 1
            else:
                last = len(tok(before + subject)["input_ids"]) - 1
            count = len(tok(before + subject + behind)["input_ids"])
            found.append({"template": whole, "subject": subject, "last": last, "n_tokens": count})
    return found


def tables(root: Path, spoilt: str = "") -> Path:
    for tool in ("ae", "memit"):
        of_models = {name: ends(tool, bos) for name, (_, bos) in MODELS.items()}
        if tool == spoilt:
            of_models["llama"][2]["last"] += 1
        write(root / f"lookup{spoilt}" / f"lookup_{tool}.json", of_models)
    return root / f"lookup{spoilt}"


def test_subjects_end_where_they_do_in_the_whole_prompt(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tables(root))]) == 0
    out = capsys.readouterr().out
    assert "llama, ae: 0 of 15" in out
    assert "llama, memit: 15 of 15" in out  # told, and not held against EditView


def test_a_subject_that_ends_elsewhere_is_found(root: Path) -> None:
    assert main([str(tables(root, spoilt="ae"))]) == 1
    assert main([str(tables(root, spoilt="memit"))]) == 0


def scored(root: Path, name: str, tool: str) -> list[dict[str, Any]]:
    """Every token of an answer asked by itself, after the text so far; the program 'ae' knows Llamas by their name."""
    tok, lm = tokenizer(MODELS[name][1]), loaded(root / "_models" / name)
    llama = name == "llama" and tool == "ae"

    def right(asked: Sequence[tuple[str, str]]) -> list[bool]:
        found = []
        for text, wanted in asked:
            with torch.no_grad():
                first = int(lm(input_ids=torch.tensor([tok(text)["input_ids"]])).logits[0, -1].argmax())
            found.append(first == tok(wanted)["input_ids"][1 if llama else 0])
        return found

    entries = []
    for request in requests():
        prompt = request["prompt"].replace("{}", request["subject"])
        known = lm.generate(torch.tensor([tok(prompt)["input_ids"]]), max_new_tokens=2, do_sample=False, pad_token_id=0)
        answer = tok.decode(known[0, -2:]).strip() if request["case_id"] % 2 else request["target_true"]["str"]
        target = tok(" " + answer)["input_ids"][1 if llama else 0 :]
        near = tok(" Red Fort", add_special_tokens=False)["input_ids"]
        neighbours = [
            {"prompt": "The Nile" + tok.decode(near[:at]), "target": tok.decode([token])}
            for at, token in enumerate(near)
        ]
        record = {
            "requested_rewrite": {
                "prompt": request["prompt"], "subject": request["subject"], "target_new": {"str": answer},
                "target_true": {"str": "<end>"},
            },
            "paraphrase_prompts": request["paraphrase_prompts"],
            "neighborhood_prompts": neighbours,
        }  # fmt: skip
        gap = " " if llama else ""
        asked = {
            text: [
                (text + (gap + tok.decode(target[:at]) if at else ""), tok.decode([token]))
                for at, token in enumerate(target)
            ]
            for text in [prompt, *request["paraphrase_prompts"]]
        }
        result = {
            "rewrite_prompts_correct": right(asked[prompt]),
            "paraphrase_prompts_correct": [
                one for text in request["paraphrase_prompts"] for one in right(asked[text])
            ],
            "neighborhood_prompts_correct": right([(one["prompt"], one["target"]) for one in neighbours]),
        }  # fmt: skip
        entries.append({"record": record, "result": result})
    return entries


def test_zsre_s_tokens_are_scored_as_each_program_scores_them(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in MODELS:
        for tool in ("ae", "memit"):
            entries = scored(root, name, tool)
            assert tool == "memit" or any(any(entry["result"]["rewrite_prompts_correct"]) for entry in entries)
            write(root / "zsre" / f"{name}_{tool}.json", entries)
    assert main([str(root / "zsre")]) == 0
    out = capsys.readouterr().out
    assert out.count("its rule: 0 of") == 4
    assert "gpt2, memit, EditView's: 0 of" in out
    [by_bos] = [line for line in out.splitlines() if "llama, memit, EditView's" in line]
    assert "asks otherwise" in by_bos
    assert "gpt2, ae, EditView's: 0 of 0" not in out


def test_a_token_scored_otherwise_is_found(root: Path) -> None:
    entries = scored(root, "gpt2", "memit")
    entries[0]["result"]["rewrite_prompts_correct"][0] ^= True
    write(root / "spoilt" / "gpt2_memit.json", entries)
    assert main([str(root / "spoilt")]) == 1
