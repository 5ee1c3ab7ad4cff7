"""What a fine-tune trains, told before anything is loaded."""

from __future__ import annotations

import pytest

from editview.domain.errors import EditViewError
from editview.domain.operations import FullFineTune, Lora
from editview.domain.scope import Parts, layers_to_train
from editview.domain.tracing import layers_said
from editview.domain.weights import MatrixKind, TensorInfo

TENSORS = (
    TensorInfo("embed", None, MatrixKind.EMBEDDING, (1000, 10)),
    *(
        tensor
        for layer in range(4)
        for tensor in (
            TensorInfo(f"{layer}.up", layer, MatrixKind.MLP_IN, (10, 40), transposed=True),
            TensorInfo(f"{layer}.router", layer, MatrixKind.OTHER, (4, 10)),
            TensorInfo(f"{layer}.norm", layer, MatrixKind.NORM, (10,)),
        )
    ),
)
PARTS = Parts(TENSORS, edited=(1, 2), parameters=2_500_000_000)


def layers(trained: str, *chosen: int, edited: tuple[int, ...] = (1, 2)) -> tuple[int, ...] | None:
    operation = FullFineTune.model_validate({"trained": trained, "layers": chosen})
    return layers_to_train(operation, lambda: edited, lambda: 4)


def test_each_choice_comes_to_its_layers() -> None:
    assert layers("all") is None
    assert layers("edited") == (1, 2)
    assert layers("not-edited") == (0, 3)
    assert layers("chosen", 3, 0, 3) == (0, 3)


def test_no_layer_at_all_is_refused_by_name() -> None:
    for trained, words in (("edited", "edited layers"), ("not-edited", "unedited layers")):
        with pytest.raises(EditViewError, match=f"is to train {words}, and nothing in the plan edits any"):
            layers(trained, edited=())
    with pytest.raises(EditViewError, match="no layer left to train"):
        layers("not-edited", edited=(0, 1, 2, 3))
    with pytest.raises(EditViewError, match="no layer left to train"):
        layers("chosen")


def test_layers_of_which_the_model_has_only_some_are_refused() -> None:
    with pytest.raises(EditViewError, match="there is no layer 8 "):
        PARTS.trained(FullFineTune(trained="chosen", layers=(0, 7)))


def test_the_sentence_counts_what_is_trained() -> None:
    assert PARTS.sentence(FullFineTune()) == "Trains 13 tensors: 11,800 of 2.5 billion weights."
    edited = FullFineTune(trained="edited")
    assert PARTS.sentence(edited) == "Trains 6 tensors in layers 2 and 3: 900 of 2.5 billion weights."
    lora = Lora(rank=2, trained="chosen", layers=(3,))
    assert PARTS.sentence(lora) == "Trains 100 weights added to 1 matrix in layer 4; the model has 2.5 billion."
    dora = lora.model_copy(update={"dora": True})
    assert "140 weights" in PARTS.sentence(dora), "one more for each of the matrix's 40 outputs"


def test_kinds_to_choose_from_are_those_that_the_method_can_train() -> None:
    kinds = (MatrixKind.MLP_IN, MatrixKind.NORM, MatrixKind.OTHER)
    assert PARTS.kinds(FullFineTune()) == (MatrixKind.EMBEDDING, *kinds)
    assert PARTS.kinds(FullFineTune(trained="edited", matrices=(MatrixKind.NORM,))) == kinds
    assert PARTS.kinds(Lora()) == (MatrixKind.MLP_IN,)
    assert Parts(TENSORS, (), 1).kinds(FullFineTune(trained="edited")) == ()


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ((2,), "layer 3"),
        ((2, 3), "layers 3 and 4"),
        ((2, 3, 4), "layers 3 to 5"),
        ((1, 3, 5), "layers 2, 4 and 6"),
        ((0, 1, 2, 7, 8, 10, 11, 12), "layers 1 to 3, 8, 9 and 11 to 13"),
    ],
)
def test_layers_are_said_as_people_count_them(layers: tuple[int, ...], words: str) -> None:
    assert layers_said(layers) == words
