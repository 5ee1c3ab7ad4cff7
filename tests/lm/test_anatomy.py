"""The parts of every architecture are found by structure."""

from __future__ import annotations

import pytest
import torch
from transformers import AutoModelForCausalLM

from editview.domain.errors import EditViewError
from editview.domain.weights import MatrixKind
from editview.lm.anatomy import anatomy, writes_transposed
from tests.families import FAMILIES, families, not_editable, not_readable


@pytest.mark.parametrize("family", FAMILIES)
def test_where_edits_are_written(family: str) -> None:
    known = families()[family]
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(known.config)
    found = anatomy(model)
    assert found.not_editable is None
    assert found.blocks[1] == known.block
    assert found.mlp_outputs[1] == f"{known.block}.{known.mlp_output}"
    assert len(found.blocks) == len(found.mlp_outputs) == 3
    assert writes_transposed(found.mlp_output(model, 1)) is known.transposed


@pytest.mark.parametrize("family", FAMILIES)
def test_every_tensor_has_its_kind_and_layer(family: str) -> None:
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(families()[family].config)
    tensors = anatomy(model).tensors
    assert [tensor.name for tensor in tensors] == [name for name, _ in model.named_parameters()]
    for layer in range(3):
        kinds = [tensor.kind for tensor in tensors if tensor.layer == layer]
        assert kinds.count(MatrixKind.MLP_OUT) == 1
        assert kinds.count(MatrixKind.ATTENTION_OUT) == 1
        assert 1 <= kinds.count(MatrixKind.MLP_IN) <= 2
        assert 1 <= kinds.count(MatrixKind.ATTENTION_IN) <= 3
        assert MatrixKind.OTHER not in kinds
    outside = {tensor.kind for tensor in tensors if tensor.layer is None}
    assert MatrixKind.EMBEDDING in outside
    eyes = {MatrixKind.OTHER} if family == "gemma3-with-eyes" else set()
    assert outside <= {MatrixKind.EMBEDDING, MatrixKind.HEAD, MatrixKind.NORM} | eyes


@pytest.mark.parametrize("kind", not_editable())
def test_what_can_t_be_edited_says_why(kind: str) -> None:
    config, reason = not_editable()[kind]
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    found = anatomy(model)
    assert found.not_editable is not None
    assert reason in found.not_editable
    assert found.mlp_outputs == ()
    assert len(found.tensors) == len(list(model.parameters()))


@pytest.mark.parametrize("kind", not_readable())
def test_what_can_t_be_read_is_refused_with_the_reason(kind: str) -> None:
    config, reason = not_readable()[kind]
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    with pytest.raises(EditViewError, match=reason):
        anatomy(model)
