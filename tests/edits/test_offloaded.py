"""Models whose layers wait in main memory or on the disk are edited as those that lie on the device as a whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from editview.domain.checkpoint import Device
from editview.domain.errors import Cancelled
from editview.domain.operations import AlphaEdit, ConstrainedFineTune, Edit, LocalFineTune, Memit, Rome, UltraEdit
from editview.domain.plan import Checkpoint
from editview.domain.progress import silent
from editview.edits.methods import edit
from editview.lm import layout
from editview.lm.answers import check
from editview.lm.changes import differing
from editview.lm.model import LanguageModel
from editview.lm.offloading import Offloaded
from editview.lm.opening import open_model
from editview.lm.tracing import trace
from tests.families import TEXT, edits, facts, language_model
from tests.lm.test_tracing import known_facts

CPU = Device("cpu", "CPU", 2**34)
FAMILIES = ("gpt2", "llama3", "gemma2", "gpt-neox")  # of these llama3 has a tied head, and gpt2 too


@pytest.fixture
def text(tmp_path: Path) -> str:
    path = tmp_path / "text.txt"
    path.write_text("\n".join(TEXT.split(". ")) + "\n", "utf-8")
    return str(path)


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[LanguageModel, LanguageModel]]:
    """A family's model as a whole, and with only some of its layers at rest on the device."""

    def opened(family: str, waiting: str = "disk") -> tuple[LanguageModel, LanguageModel]:
        made = language_model(family, bos=True)
        made.model.save_pretrained(tmp_path / family)
        made.tokenizer.save_pretrained(tmp_path / family)
        checkpoint = Checkpoint(source=str(tmp_path / family))
        whole = open_model(checkpoint, CPU, silent)
        layer = sum(t.numel() * 4 for name, t in whole.weights().items() if name.startswith(whole.anatomy.blocks[0]))
        every = sum(t.numel() * 4 for t in whole.weights().values())
        with monkeypatch.context() as patch:
            patch.setattr(layout, "memory_free", lambda _: 2 * (every - layer))
            partly = open_model(checkpoint, CPU, silent, working=0)
        assert partly.offloaded is not None
        if waiting == "memory":
            in_memory(partly.offloaded)
        return whole, partly

    return opened


def in_memory(weights: Offloaded) -> None:
    """What waits on the disk waits in main memory from now on: on a CPU that makes no difference by itself."""
    for name, values in weights.items():
        weights.write(name, values)


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
def test_every_method_writes_the_same_bits(
    family: str, opened: Callable[..., tuple[LanguageModel, LanguageModel]], text: str
) -> None:
    whole, partly = opened(family, "memory")
    assert partly.fingerprint == whole.fingerprint
    for lm in (whole, partly):  # where numbers begin in memory decides which of its sums a processor makes first
        for parameter in lm.model.parameters():
            parameter.data = parameter.data.clone()
    for operation in operations(text):
        before = {name: tensor.clone() for name, tensor in whole.weights().items()}
        one = edit(whole, edits(), operation, 1, {}, silent)
        other = edit(partly, edits(), operation, 1, {}, silent)
        assert one.rounded_away == other.rounded_away
        changed = differing(before, whole.weights())
        assert changed == differing(before, dict(partly.weights())) != ()
        assert differing(whole.weights(), partly.weights()) == (), operation.method
    assert list(check(whole, facts(), silent)) == list(check(partly, facts(), silent))
    assert all(weight.is_meta for weight in partly.anatomy.block(partly.model, 0).parameters())


@pytest.mark.parametrize("method", range(6))
def test_what_waits_on_the_disk_gives_the_same_edit(
    method: int, opened: Callable[..., tuple[LanguageModel, LanguageModel]], text: str
) -> None:
    whole, partly = opened("llama3" if method % 2 else "gpt2")
    before = {name: tensor.clone() for name, tensor in whole.weights().items()}
    for lm in (whole, partly):
        edit(lm, edits(), operations(text)[method], 1, {}, silent)
    for name in differing(before, whole.weights()):
        wanted = whole.weights()[name] - before[name]
        assert float((partly.weights()[name] - before[name] - wanted).norm() / wanted.norm()) < 1e-3


def test_it_is_traced_alike(opened: Callable[..., tuple[LanguageModel, LanguageModel]]) -> None:
    whole, partly = opened("llama3")
    known = known_facts(whole)
    assert trace(partly, known, silent) == trace(whole, known, silent)


def test_after_stop_it_is_as_it_was(opened: Callable[..., tuple[LanguageModel, LanguageModel]], text: str) -> None:
    whole, partly = opened("gpt2")
    for operation in operations(text):
        calls = 0

        def stop(done: int, total: int, what: str) -> None:
            nonlocal calls
            calls += "Training" in what or "layers" in what or "one fact" in what or "Looking" in what
            if calls == 2:
                raise Cancelled

        with pytest.raises(Cancelled):
            edit(partly, edits(), operation, 1, {}, stop)
        assert differing(whole.weights(), partly.weights()) == (), operation.method
        assert all(weight.is_meta for weight in partly.anatomy.block(partly.model, 0).parameters())


def test_the_way_back_doesn_t_hold_on_to_weights(
    opened: Callable[..., tuple[LanguageModel, LanguageModel]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, partly = opened("llama3", "memory")
    assert partly.offloaded is not None
    ids = torch.arange(2, 12)[None]
    asked: list[str] = []
    original = Offloaded.__getitem__

    def get(self: Offloaded, name: str) -> Tensor:
        asked.append(name)
        return original(self, name)

    monkeypatch.setattr(Offloaded, "__getitem__", get)
    hidden = partly.embedding(ids).detach().requires_grad_()
    with partly.gradients():
        loss = partly.model(inputs_embeds=hidden, use_cache=False).logits.logsumexp(-1).sum()
        assert asked == []
        (slope,) = torch.autograd.grad(loss, hidden)
    assert {name.rpartition(".")[0].rpartition(".")[2] for name in asked} >= {"down_proj", "up_proj", "q_proj"}
    assert torch.isfinite(slope).all()


def test_the_files_of_the_checkpoint_are_never_written(
    opened: Callable[..., tuple[LanguageModel, LanguageModel]], text: str, tmp_path: Path
) -> None:
    _, partly = opened("gpt2")
    files = {path: path.read_bytes() for path in (tmp_path / "gpt2").iterdir()}
    edit(partly, edits(), operations(text)[0], 1, {}, silent)
    assert partly.offloaded is not None
    assert partly.offloaded.written
    assert {path: path.read_bytes() for path in (tmp_path / "gpt2").iterdir()} == files
