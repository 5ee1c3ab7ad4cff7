"""Exported stages: what others open is the stage, to the bit or as said; and nothing is left of one that failed."""

from __future__ import annotations

import copy
import errno
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event as Signal
from typing import Any

import pytest
import torch
import yaml
from peft import AutoPeftModelForCausalLM
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from editview.domain.errors import Cancelled, EditViewError
from editview.domain.events import EngineLoading, Event
from editview.domain.export import Export, Form
from editview.domain.export_words import disagreement
from editview.domain.facts import FactSheet
from editview.domain.operations import LocalFineTune
from editview.domain.plan import Checkpoint, Plan
from editview.domain.requests import ExportStage
from editview.domain.verdicts import Answer, Check
from editview.formats.plans import read_plan
from editview.lm.saving import WRITING
from editview.runs import export, export_forms
from editview.runs.model_card import plain
from tests import small
from tests.families import facts, language_model
from tests.runs.studio import Studio

Weights = dict[str, torch.Tensor]


def write(
    studio: Studio,
    plan: Plan,
    folder: Path,
    form: Form = Form.STORED,
    overwrite: bool = False,
    sheet: FactSheet | None = None,
    emit: Callable[[Event], None] = lambda event: None,
    stop: Signal | None = None,
    stage: int | None = None,
) -> Export:
    at = len(plan.active) if stage is None else stage
    asked = ExportStage(plan, sheet or studio.world.sheet, at, str(folder), form, overwrite)
    return studio.another_runner().export(asked, emit, stop or Signal())


def loaded(folder: Path | str, **settings: Any) -> Weights:
    """As anybody opens it."""
    model = AutoModelForCausalLM.from_pretrained(folder, **settings)
    return dict(model.state_dict())


def in_folder(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A place with nothing in it."""
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


@pytest.fixture
def edited(studio: Studio) -> Plan:
    plan = studio.plan(small.edit(studio.world.text))
    studio.run(plan)
    return plan


def llama(folder: Path, dtype: torch.dtype) -> Checkpoint:
    lm = language_model("llama")
    lm.tokenizer = copy.deepcopy(lm.tokenizer)  # other tests use it as well
    lm.tokenizer.chat_template = "{{ messages[0]['content'] }}"
    lm.model.to(dtype).save_pretrained(folder)
    lm.tokenizer.save_pretrained(folder)
    return Checkpoint(source=str(folder))


# ---- whole ---------------------------------------------------------------------------------------------------------


def test_only_what_changed_differs_from_the_base_and_anybody_can_open_it(studio: Studio, out: Path) -> None:
    plan = studio.plan(small.edit(studio.world.text), small.lora(studio.world.data))
    run = studio.run(plan)
    before = studio.weights(run)
    for stage in (1, 2):
        done = write(studio, plan, out / str(stage), stage=stage)
        base, now = loaded(studio.world.checkpoint.source), loaded(done.folder)
        assert base.keys() == now.keys()
        kept = {name: tensor for name, tensor in before[stage - 1].items() if not name.startswith("memory.")}
        assert small.same(now, base | kept)
        assert (done.off, done.facts, done.dtype) == (0, len(studio.world.sheet), "float32")
        assert done.title == run.stages[stage].info.title
    model = AutoModelForCausalLM.from_pretrained(out / "2")
    assert model.lm_head.weight is model.transformer.wte.weight
    own, theirs = in_folder(out / "2"), in_folder(Path(studio.world.checkpoint.source))
    for name in theirs.keys() - {"model.safetensors"}:
        assert own[name] == theirs[name], name
    assert own.keys() - theirs.keys() == {"README.md", "editview.json", "plan.toml"}
    assert AutoTokenizer.from_pretrained(out / "2")("Peru").input_ids
    assert len({path.stat().st_mode for path in (out / "2").iterdir()}) == 1


def test_half_precision_is_rounded_only_where_something_changed_and_kept_whole_when_asked(
    studio: Studio, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("editview.lm.saving._SHARD", "20KB")
    plan = small.plan(llama(tmp_path / "llama", torch.bfloat16), small.lora(studio.world.data))
    sheet = FactSheet("facts", tuple(facts()))
    run = studio.run(plan, sheet)
    [kept] = studio.weights(run)
    base = loaded(tmp_path / "llama", dtype="auto")

    done = write(studio, plan, out / "stored", sheet=sheet)
    now = loaded(out / "stored", dtype="auto")
    assert {tensor.dtype for tensor in now.values()} == {torch.bfloat16}
    assert small.same(now, base | {name: tensor.bfloat16() for name, tensor in kept.items()})
    assert done.off > 0
    assert "By rounding" in (out / "stored" / "README.md").read_text()
    assert len(list((out / "stored").glob("model-*.safetensors"))) > 1
    assert (out / "stored" / "chat_template.jinja").read_text() == (tmp_path / "llama/chat_template.jinja").read_text()

    done = write(studio, plan, out / "computed", Form.COMPUTED, sheet=sheet)
    now = loaded(out / "computed")
    assert small.same(now, {name: tensor.float() for name, tensor in base.items()} | kept)
    assert (done.off, done.dtype) == (0, "float32")


def test_single_tensors_of_another_format_keep_it(studio: Studio, out: Path, tmp_path: Path) -> None:
    checkpoint = llama(tmp_path / "llama", torch.bfloat16)
    file = tmp_path / "llama" / "model.safetensors"
    weights = load_file(file)
    weights["model.norm.weight"] = weights["model.norm.weight"].float() * 1.001
    save_file(weights, file, {"format": "pt"})
    plan, sheet = small.plan(checkpoint), FactSheet("facts", tuple(facts()))
    write(studio, plan, out / "same", sheet=sheet)
    assert small.same(load_file(out / "same" / "model.safetensors"), weights)


# ---- base and adapter ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["gpt2-edit", "gpt2-lora", "llama-lora", "llama-bf16-lora"])
def test_an_adapter_makes_the_base_the_stage(studio: Studio, out: Path, tmp_path: Path, kind: str) -> None:
    sheet, checkpoint = studio.world.sheet, studio.world.checkpoint
    if kind.startswith("llama"):
        sheet = FactSheet("facts", tuple(facts()))
        checkpoint = llama(tmp_path / "llama", torch.bfloat16 if "bf16" in kind else torch.float32)
    made = small.edit(studio.world.text) if "edit" in kind else small.lora(studio.world.data, learning_rate=2e-2)
    plan = small.plan(checkpoint, made)
    run = studio.run(plan, sheet)
    [kept] = studio.weights(run)
    done = write(studio, plan, out / "adapter", Form.ADAPTER, sheet=sheet)

    merged = AutoPeftModelForCausalLM.from_pretrained(out / "adapter", dtype=torch.float32).merge_and_unload()
    base, now = loaded(checkpoint.source, dtype=torch.float32), dict(merged.state_dict())
    assert small.same({name: now[name] for name in base.keys() - kept.keys()},
                      {name: base[name] for name in base.keys() - kept.keys()})  # fmt: skip
    gaps = {name: float((now[name] - kept[name]).abs().max()) for name in kept}
    assert max(gaps.values()) == pytest.approx(done.error, rel=1e-6, abs=1e-9)
    assert all(gap <= 4e-7 * float(kept[name].abs().max()) for name, gap in gaps.items())
    assert done.bytes < 100_000
    ranks = json.loads((out / "adapter" / "adapter_config.json").read_text())["rank_pattern"]
    assert max(ranks.values()) <= (3 if "edit" in kind else 8)


@pytest.mark.parametrize(
    ("form", "says"),
    [("full", "more than an adapter can hold"), ("dora", "DoRA changes whole matrices"), ("locft", "LocFT-BF changes"),
     ("none", "Nothing differs")],
)  # fmt: skip
def test_an_adapter_that_would_not_be_exact_is_refused(studio: Studio, out: Path, form: str, says: str) -> None:
    made = {
        "full": small.tune(studio.world.data),
        "dora": small.lora(studio.world.data, dora=True),
        "locft": LocalFineTune(layers=(0,), epochs=2),
    }
    with pytest.raises(EditViewError, match=says):
        write(studio, studio.plan(*([made[form]] if form in made else [])), out / "adapter", Form.ADAPTER)
    assert not list(out.iterdir())


@pytest.mark.parametrize("form", ["full", "dora"])
def test_what_the_plan_does_not_tell_is_measured(
    studio: Studio, out: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setattr(export, "export_obstacle", lambda asked: "")
    data = studio.world.data
    plan = studio.plan(small.tune(data) if form == "full" else small.lora(data, dora=True, learning_rate=2e-2))
    studio.run(plan)
    says = "more than the matrices of linear layers" if form == "full" else "isn't of low rank"
    with pytest.raises(EditViewError, match=says):
        write(studio, plan, out / "adapter", Form.ADAPTER)
    assert not list(out.iterdir())


# ---- what is read back ---------------------------------------------------------------------------------------------


def flip(folder: Path) -> None:
    path = folder / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def cut(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


@pytest.mark.parametrize(("damage", "says"), [(flip, "aren't those that were written"), (cut, "can't be opened again")])
def test_a_damaged_write_is_noticed(
    studio: Studio, edited: Plan, out: Path, monkeypatch: pytest.MonkeyPatch, damage: Callable[[Path], None], says: str
) -> None:
    original = export_forms.save_checkpoint

    def damaged(model: Any, folder: Path, progress: Any) -> None:
        original(model, folder, progress)
        damage(folder)

    monkeypatch.setattr(export_forms, "save_checkpoint", damaged)
    with pytest.raises(EditViewError, match=says) as caught:
        write(studio, edited, out / "model")
    assert "failed and was removed" in str(caught.value)
    assert not list(out.iterdir())


def answer_otherwise(monkeypatch: pytest.MonkeyPatch, *ids: str) -> None:
    """What is read back gives these facts' answers, whatever the model really says."""
    original = export.check

    def check(*arguments: Any) -> Iterator[tuple[Check, ...]]:
        for batch in original(*arguments):
            yield tuple(
                replace(one, answers=tuple(replace(answer, gives=True) for answer in one.answers))
                if one.fact_id in ids
                else one
                for one in batch
            )

    monkeypatch.setattr(export, "check", check)


def test_other_verdicts_fail_the_export_and_name_the_facts(
    studio: Studio, edited: Plan, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(studio, edited, out / "model")
    before = in_folder(out)
    answer_otherwise(monkeypatch, "e1", "c0")
    with pytest.raises(EditViewError) as caught:
        write(studio, edited, out / "model", overwrite=True)
    assert "2 of 8 facts have other verdicts when it is read back (e1 fails → holds; c0 fails → holds)" in str(
        caught.value
    )
    assert in_folder(out) == before


def test_what_rounding_does_to_a_verdict_is_said_with_the_way_out(
    studio: Studio, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = small.plan(llama(tmp_path / "llama", torch.bfloat16), small.lora(studio.world.data))
    sheet = FactSheet("facts", tuple(facts()))
    studio.run(plan, sheet)
    answer_otherwise(monkeypatch, "peru")
    with pytest.raises(EditViewError, match="rounded from float32 to bfloat16: export it as computed"):
        write(studio, plan, out / "model", sheet=sheet)


# ---- whole or not at all -------------------------------------------------------------------------------------------


def full(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    "place",
    ["editview.runs.export_forms.save_checkpoint", "editview.lm.saving.shutil.copyfile",
     "transformers.modeling_utils.safe_save_file", "editview.runs.export.write_card", "os.fsync",
     "pathlib.Path.rename"],
)  # fmt: skip
@pytest.mark.parametrize("over", [False, True])
def test_an_error_at_any_point_leaves_things_as_they_were(
    studio: Studio, edited: Plan, out: Path, monkeypatch: pytest.MonkeyPatch, place: str, over: bool
) -> None:
    if over:
        write(studio, edited, out / "model")
    before = in_folder(out)
    monkeypatch.setattr(place, full)
    with pytest.raises(EditViewError, match="the disk is full"):
        write(studio, edited, out / "model", overwrite=over)
    monkeypatch.undo()
    assert in_folder(out) == before
    assert [path.name for path in out.iterdir()] == (["model"] if over else [])


def test_too_little_room_is_said_before_anything_is_written(
    studio: Studio, edited: Plan, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_forms, "free", lambda folder: 1000)
    with pytest.raises(EditViewError, match=r"takes \d+ kB and 1 kB are free"):
        write(studio, edited, out / "model")
    assert not list(out.iterdir())


@pytest.mark.parametrize("phase", ["Reading the checkpoint", WRITING, "Loading the weights", "Asking the facts"])
def test_stop_leaves_nothing_behind(studio: Studio, edited: Plan, out: Path, phase: str) -> None:
    stop, seen = Signal(), []

    def watch(event: Event) -> None:
        if isinstance(event, EngineLoading) and event.what.startswith(phase):
            seen.append(event.what)
            stop.set()

    with pytest.raises(Cancelled):
        write(studio, edited, out / "model", emit=watch, stop=stop)
    assert seen
    assert not list(out.iterdir())
    write(studio, edited, out / "model")


def test_nothing_is_written_over(studio: Studio, edited: Plan, out: Path) -> None:
    other = out / "photos"
    other.mkdir()
    (other / "cat.png").write_bytes(b"meow")
    for overwrite in (False, True):
        with pytest.raises(EditViewError, match="no export of EditView"):
            write(studio, edited, other, overwrite=overwrite)
    assert in_folder(out) == {"photos/cat.png": b"meow"}
    with pytest.raises(EditViewError, match="is a file"):
        write(studio, edited, other / "cat.png")

    write(studio, edited, out / "model", stage=0)
    before = in_folder(out / "model")
    with pytest.raises(EditViewError, match="holds an earlier export"):
        write(studio, edited, out / "model")
    assert in_folder(out / "model") == before
    write(studio, edited, out / "model", overwrite=True)
    assert in_folder(out / "model")["model.safetensors"] != before["model.safetensors"]
    assert sorted(path.name for path in out.iterdir()) == ["model", "photos"]


def test_the_checkpoint_of_the_plan_stays(studio: Studio, edited: Plan, out: Path) -> None:
    write(studio, edited, out / "model")
    plan = small.plan(Checkpoint(source=str(out / "model")))
    with pytest.raises(EditViewError, match="starts from what lies"):
        write(studio, plan, out / "model", overwrite=True)


def test_what_a_killed_export_left_is_cleared_away(studio: Studio, edited: Plan, out: Path) -> None:
    (out / ".model.999999999-0a.part").mkdir()
    (out / ".model.bin.part").mkdir()  # another program's
    write(studio, edited, out / "model")
    assert sorted(path.name for path in out.iterdir()) == [".model.bin.part", "model"]


def test_a_stage_that_is_not_kept_says_what_to_do(studio: Studio, out: Path) -> None:
    with pytest.raises(EditViewError, match="Run the plan, then export again"):
        write(studio, studio.plan(small.edit(studio.world.text)), out / "model")
    assert not list(out.iterdir())


def test_a_stage_that_later_steps_decide_is_exported_too(studio: Studio, out: Path) -> None:
    tune = small.tune(studio.world.data, trained="edited")
    plan = studio.plan(tune, small.edit(studio.world.text, layers=(1,)))
    run = studio.run(plan)
    write(studio, plan, out / "model", stage=1)
    now, base = loaded(out / "model"), loaded(studio.world.checkpoint.source)
    assert small.same(now, base | studio.weights(run)[0])
    assert "editview export plan.toml --stage 1" in (out / "model" / "README.md").read_text()


# ---- the card ------------------------------------------------------------------------------------------------------


def test_the_card_tells_everything_and_no_text_breaks_it(studio: Studio, out: Path) -> None:
    evil = "a | b\n# <img src=x onerror=alert(1)> `x` [y](http://z) www.z.org **bold** ```"
    first, *rest = studio.world.sheet
    sheet = FactSheet("sheet | <b>", (replace(first, template=f"{evil} {{}}", new_answer="re|d"), *rest))
    plan = studio.plan(small.edit(studio.world.text), name=f"P {evil}")
    run = studio.run(plan, sheet)
    write(studio, plan, out / "model", sheet=sheet)
    card = (out / "model" / "README.md").read_text()
    _, head, body = card.split("---\n", 2)
    assert yaml.safe_load(head) == {
        "library_name": "transformers", "tags": ["editview", "knowledge-editing"],
    }  # fmt: skip
    outside = re.sub(r"(?ms)^(`{3,})\w*\n.*?^\1$", "", body)
    assert "<img" not in outside
    assert not re.search(r"(?<!\\)\]\(|(?<!\\)`x|www\.z", outside)
    assert "\n# <" not in outside
    rows = [line for line in outside.splitlines() if line.endswith("|") and line.count("|") > 5]
    assert all(len(re.findall(r"(?<!\\)\|", line)) == 6 for line in rows)
    assert len(rows) == 2 + len(sheet)

    told = json.loads((out / "model" / "editview.json").read_text())
    assert [fact["verdict"] for fact in told["facts"]] == [run.verdict(fact.id, 1).value for fact in sheet]  # type: ignore[union-attr]
    assert told["facts"][0]["template"] == f"{evil} {{}}"
    [(name, checksum)] = told["weights"].items()
    assert checksum == hashlib.sha256((out / "model" / name).read_bytes()).hexdigest()
    assert checksum in card
    assert told["versions"]["torch"] in card
    assert told["sheet"]["sha256"] == sheet.content_hash
    again = read_plan(out / "model" / "plan.toml")
    assert [operation.content() for operation in again.operations] == [one.content() for one in plan.operations]
    assert (again.name, again.checkpoint, again.seed) == (plan.name, plan.checkpoint, plan.seed)


@pytest.mark.parametrize(
    ("text", "reads"),
    [("a|b", r"a\|b"), ("<b> & c", "&lt;b&gt; &amp; c"), ("# no\nheading", r"\# no heading"), ("1. no", r"1\. no"),
     ("http://x", r"http\://x"), ("`x` *y* _z_", r"\`x\` \*y\* \_z\_"), ("tab\t \x00.", "tab ."), ("a: (b)", "a: (b)")],
)  # fmt: skip
def test_any_text_reads_as_it_is(text: str, reads: str) -> None:
    assert plain(text) == reads


def test_a_check_says_which_verdicts_differ() -> None:
    def checks(*given: bool) -> list[Check]:
        return [Check(f"f{i}", (Answer("p", "s", one, 0.5, None),)) for i, one in enumerate(given)]

    assert disagreement(checks(True, False), checks(True, False)) == ""
    assert disagreement(checks(True, False), checks(True, True)).startswith("1 of 2 facts has another verdict")
    assert "and 3 more" in disagreement(checks(*[True] * 8), checks(*[False] * 8))
