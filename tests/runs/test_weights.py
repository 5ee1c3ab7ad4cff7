"""Moving one live model between stages."""

import torch
from torch import nn

from editview.runs.weights import Weights
from tests import small


def model() -> nn.Module:
    torch.manual_seed(0)
    made = nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 4), nn.Linear(4, 5, bias=False))
    made[2].weight = made[0].weight  # tied, as language models do
    return made


def test_only_what_differs_is_a_delta_and_moving_there_and_back_is_exact() -> None:
    live = model()
    before = {name: tensor.clone() for name, tensor in live.state_dict().items()}
    weights = Weights(live)
    assert weights.delta() == {}

    weights.touched()
    with torch.no_grad():
        live[1].weight[0, 0] += 1e-7
    delta = weights.delta()
    assert list(delta) == ["1.weight"]
    changed = live[1].weight.clone()

    weights.move_to({})
    assert small.same(live.state_dict(), before)
    weights.move_to(delta)
    assert torch.equal(live[1].weight, changed)
    assert torch.equal(live[2].weight, before["2.weight"])


def test_a_changed_sign_of_zero_is_a_difference() -> None:
    live = model()
    weights = Weights(live)
    weights.touched()
    with torch.no_grad():
        live[1].bias.zero_()
    weights = Weights(live)
    weights.touched()
    with torch.no_grad():
        live[1].bias.neg_()
    assert list(weights.delta()) == ["1.bias"]


def test_after_an_interrupted_operation_moving_restores_everything() -> None:
    live = model()
    weights = Weights(live)
    before = weights.base["0.weight"].clone()
    weights.touched()
    with torch.no_grad():
        for parameter in live.parameters():
            parameter.mul_(2)
    assert weights.is_whole
    weights.move_to({})
    assert weights.delta() == {}
    assert torch.equal(live[0].weight, before)


def test_a_model_with_other_tensors_is_not_whole() -> None:
    live = model()
    weights = Weights(live)
    live.add_module("adapter", nn.Linear(2, 2))
    assert not weights.is_whole
