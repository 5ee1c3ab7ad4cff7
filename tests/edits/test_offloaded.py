"""Models whose layers wait in main memory or on the disk are edited as those that lie on the device as a whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from editview.domain.errors import Cancelled
from editview.domain.operations import AlphaEdit, ConstrainedFineTune, Edit, LocalFineTune, Memit, Rome, UltraEdit
from editview.domain.placement import Place
from editview.domain.plan import Checkpoint
from editview.domain.progress import silent
from editview.edits.methods import edit
from editview.lm.answers import check
from editview.lm.changes import differing
from editview.lm.devices import devices
from editview.lm.model import LanguageModel
from editview.lm.offloading import Offloaded
from editview.lm.opening import open_model
from editview.lm.tracing import trace
from tests.families import TEXT, edits, facts, language_model
from tests.lm.test_tracing import known_facts
from tests.offloaded import CPU, in_memory, opened

FAMILIES = ("gpt2", "llama3", "gemma2", "gpt-neox")  # of these gpt2 and llama3 have tied heads


@pytest.fixture
def text(tmp_path: Path) -> str:
    path = tmp_path / "text.txt"
    path.write_text("\n".join(TEXT.split(". ")) + "\n", "utf-8")
    return str(path)


@pytest.fixture
def checkpoints(tmp_path: Path) -> Callable[[str], Checkpoint]:
    def saved(family: str) -> Checkpoint:
        made = language_model(family, bos=True)
        made.model.save_pretrained(tmp_path / family)
        made.tokenizer.save_pretrained(tmp_path / family)
        return Checkpoint(source=str(tmp_path / family))

    return saved


def operations(text: str) -> list[Edit]:
    searched = {"layers": (0, 1), "steps": 4, "prefixes": 2, "statistics": text, "statistics_tokens": 500}
    trained = {"layers": (0,), "epochs": 3, "learning_rate": 1e-3}
    return [
        Memit.model_validate({**searched, "covariance_weight": 1.0}),
        AlphaEdit.model_validate({**searched, "threshold": 1e3}),
        Rome.model_validate({**searched, "layers": (0,)}),
        LocalFineTune.model_validate(trained),
        ConstrainedFineTune.model_validate(trained),
        UltraEdit.model_validate({"layers": (0, 1)}),
    ]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_method_writes_the_same_bits(family: str, text: str) -> None:
    whole, partly = language_model(family, bos=True), in_memory(language_model(family, bos=True))
    assert partly.current_fingerprint() == whole.fingerprint
    for operation in operations(text):
        before = {name: tensor.clone() for name, tensor in whole.weights().items()}
        one = edit(whole, edits(), operation, 1, {}, silent)
        other = edit(partly, edits(), operation, 1, {}, silent)
        assert one.rounded_away == other.rounded_away
        changed = differing(before, whole.weights())
        assert changed == differing(before, dict(partly.weights())) != ()
        assert differing(whole.weights(), partly.weights()) == (), operation.method
    assert list(check(whole, facts(), silent)) == list(check(partly, facts(), silent))
    assert away(partly)


@pytest.mark.parametrize("method", range(6))
def test_what_waits_on_the_disk_gives_the_same_edit(
    method: int, checkpoints: Callable[[str], Checkpoint], text: str
) -> None:
    """But for rounding: where numbers begin in memory decides which of its sums a processor makes first."""
    checkpoint = checkpoints("llama3" if method % 2 else "gpt2")
    same_edit(open_model(checkpoint, CPU, silent), opened(checkpoint, 3), operations(text)[method])


@pytest.mark.gpu
@pytest.mark.parametrize("place", [Place.MEMORY, Place.DISK])
@pytest.mark.parametrize("method", range(6))
def test_a_card_with_some_of_the_layers_gives_the_same_edit(
    method: int, place: Place, checkpoints: Callable[[str], Checkpoint], text: str
) -> None:
    checkpoint, card = checkpoints("llama3"), devices()[0]
    same_edit(open_model(checkpoint, card, silent), opened(checkpoint, 3, 2, place, card), operations(text)[method])


def same_edit(whole: LanguageModel, partly: LanguageModel, operation: Edit) -> None:
    assert partly.fingerprint == whole.fingerprint
    before = {name: tensor.clone() for name, tensor in whole.weights().items()}
    for lm in (whole, partly):
        edit(lm, edits(), operation, 1, {}, silent)
    changed = differing(before, whole.weights())
    assert changed == differing(before, partly.weights()) != ()
    for name in changed:
        wanted = whole.weights()[name] - before[name]
        found = partly.weights()[name].to(wanted.device) - before[name]
        assert float((found - wanted).norm() / wanted.norm()) < 1e-3
    assert away(partly)


def test_it_is_traced_alike() -> None:
    whole, partly = language_model("llama3"), in_memory(language_model("llama3"))
    known = known_facts(whole)
    assert trace(partly, known, silent) == trace(whole, known, silent)


def test_after_stop_it_is_as_it_was(text: str) -> None:
    whole, partly = language_model("gpt2"), in_memory(language_model("gpt2"))
    for operation in operations(text):
        reports: list[int] = []

        def stop(done: int, total: int, what: str, reports: list[int] = reports) -> None:
            if any(word in what for word in ("Training", "layers", "one fact", "Looking")):
                reports.append(done)
            if len(reports) == 2:
                raise Cancelled

        with pytest.raises(Cancelled):
            edit(partly, edits(), operation, 1, {}, stop)
        assert differing(whole.weights(), partly.weights()) == (), operation.method
        assert away(partly)


def test_gradients_bring_weights_back_instead_of_holding_on_to_them(monkeypatch: pytest.MonkeyPatch) -> None:
    partly = in_memory(language_model("llama3"))
    asked: list[str] = []
    original = Offloaded.__getitem__

    def get(self: Offloaded, name: str) -> Tensor:
        asked.append(name)
        return original(self, name)

    hidden = partly.embedding(torch.arange(2, 12)[None]).detach().requires_grad_()
    with partly.gradients():
        loss = partly.model(inputs_embeds=hidden, use_cache=False).logits.logsumexp(-1).sum()
        monkeypatch.setattr(Offloaded, "__getitem__", get)
        torch.autograd.grad(loss, hidden)
    kinds = {name.split(".")[-2] for name in asked}
    assert {"q_proj", "o_proj", "up_proj", "gate_proj", "down_proj", "input_layernorm"} <= kinds
    assert {name.split(".")[2] for name in asked} == {"0", "1"}


def test_the_files_of_the_checkpoint_are_never_written(checkpoints: Callable[[str], Checkpoint], text: str) -> None:
    checkpoint = checkpoints("gpt2")
    partly = opened(checkpoint, 3)
    files = {path: path.read_bytes() for path in Path(checkpoint.source).iterdir()}
    edit(partly, edits(), operations(text)[0], 1, {}, silent)
    assert {path: path.read_bytes() for path in Path(checkpoint.source).iterdir()} == files


def away(lm: LanguageModel) -> bool:
    """Whether nothing of the first two layers lies on the device."""
    blocks = [lm.anatomy.block(lm.model, layer) for layer in (0, 1)]
    return all(weight.is_meta for block in blocks for weight in block.parameters())
