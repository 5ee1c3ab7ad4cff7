"""The kind of an update, judged from made-up spectra; on real updates it is measured by `benchmarks.update_kinds`."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import replace

import pytest

from editview.domain.change_spectrum import ChangeSpectrum, Rescaled
from editview.domain.difference import Difference, TensorDifference
from editview.domain.plan import Checkpoint
from editview.domain.update_kind import Judgement, UpdateKind, judged
from editview.domain.weights import MatrixKind

LAYERS, SIZE, ROUNDING = 6, 64, 1e-6
INSIDE = (MatrixKind.ATTENTION_IN, MatrixKind.ATTENTION_OUT, MatrixKind.MLP_IN, MatrixKind.MLP_OUT)
OUT = MatrixKind.MLP_OUT


def spectrum(rank: int, size: float = 1.0, **more: object) -> ChangeSpectrum:
    """`rank` directions, each a little weaker than the one before."""
    values = tuple(size * 0.95**i for i in range(rank)) + (1e-8,) * (SIZE - rank)
    return ChangeSpectrum(values, SIZE, math.hypot(*values), ROUNDING, **more)  # type: ignore[arg-type]


def tensor(kind: MatrixKind, layer: int | None, found: ChangeSpectrum | None, **more: object) -> TensorDifference:
    shape = (SIZE,) if kind is MatrixKind.NORM else (SIZE, 4 * SIZE)
    change = found.norm if found else float(more.pop("change", 0.0))  # type: ignore[arg-type]
    settings = {"formats": ("F32", "F32"), "same": not change, "rounding": False} | more
    return TensorDifference(
        f"{layer}.{kind.name}", layer, kind, shape, norm_before=10.0, norm_change=change, spectrum=found, **settings
    )  # type: ignore[arg-type]


def difference(*changed: TensorDifference) -> Difference:
    """A model of six layers of which these tensors changed."""
    names = {each.name for each in changed}

    def untouched() -> Iterator[TensorDifference]:
        for layer in range(LAYERS):
            for kind in (*INSIDE, MatrixKind.NORM):
                yield tensor(kind, layer, None)
        yield tensor(MatrixKind.EMBEDDING, None, None)

    rest = (each for each in untouched() if each.name not in names)
    return Difference(Checkpoint(), Checkpoint(), (*changed, *rest))


def tuned(rank: int, but: Collection[int] = (), **more: object) -> list[TensorDifference]:
    """Every matrix of the model changed in so many directions, but for the memory of some layers."""
    layers = [(kind, layer) for layer in range(LAYERS) for kind in INSIDE if kind is not OUT or layer not in but]
    return [tensor(kind, layer, spectrum(rank, **more)) for kind, layer in layers]


def norms() -> list[TensorDifference]:
    return [tensor(MatrixKind.NORM, layer, None, change=0.01) for layer in range(LAYERS)]


def kind(*changed: TensorDifference) -> Judgement:
    found = judged(difference(*changed))
    assert found.evidence
    return found


def test_equal_weights_and_another_number_format() -> None:
    assert kind().kind is UpdateKind.IDENTICAL
    cast = tensor(OUT, 0, None, change=1e-3, rounding=True, formats=("F32", "BF16"))
    assert kind(cast).kind is UpdateKind.ROUNDING
    signs = kind(tensor(OUT, 0, None, same=False))  # of zeros
    assert signs.sentence == "Nothing was changed that could be measured."
    assert signs.evidence[0].startswith("1 of 31 tensors differ by less")


def test_a_knowledge_edit_with_its_number_of_facts() -> None:
    one = kind(tensor(OUT, 2, spectrum(1)))
    assert one.sentence == "A knowledge edit of one fact, written into layer 3."
    several = kind(tensor(OUT, 1, spectrum(8)), tensor(OUT, 2, spectrum(8, agreement=0.97)))
    assert (several.kind, several.facts) == (UpdateKind.EDIT, 8)
    assert several.sentence == "A knowledge edit of about 8 facts, written into layers 2 and 3."
    trained = kind(tensor(OUT, 2, spectrum(SIZE)))
    assert (trained.kind, trained.facts) == (UpdateKind.EDIT, None)
    assert "can't be told" in trained.sentence


def test_layers_that_write_to_different_outputs_were_written_by_adapters() -> None:
    apart = [tensor(OUT, layer, spectrum(4, agreement=0.1 if layer else None)) for layer in range(3)]
    assert kind(*apart).sentence == "A merged LoRA of rank 4 on *memory: writing* of layers 1 to 3."
    between = [tensor(OUT, layer, spectrum(4, agreement=0.7 if layer else None)) for layer in range(3)]
    assert kind(*between).kind is UpdateKind.UNCLEAR


def test_a_merged_adapter_with_its_rank() -> None:
    lora = kind(*tuned(16))
    assert lora.sentence == "A merged LoRA of rank 16 on every matrix of all 6 layers."
    assert (lora.kind, lora.rank) == (UpdateKind.LORA, 16)
    dora = kind(*tuned(SIZE, rescaled=Rescaled(0.97, 1.04, 8, is_whole=True, is_clear=True)))
    assert (dora.kind, dora.rank) == (UpdateKind.DORA, 8)
    assert "0.97 to 1.04" in dora.evidence[0]


def test_rescaled_outputs_tell_a_dora_whose_directions_rounding_hides() -> None:
    def rescaled(rank: int) -> ChangeSpectrum:
        return spectrum(rank, rescaled=Rescaled(0.99, 1.01, rank, is_whole=True, is_clear=True))

    hidden = [tensor(kind, layer, rescaled(2 + layer)) for layer in range(LAYERS) for kind in INSIDE]
    found = kind(*hidden)
    assert (found.kind, found.rank) == (UpdateKind.DORA, None)
    assert found.sentence == "A merged DoRA of rank 6 or more on every matrix of all 6 layers."
    nothing_left = [tensor(kind, layer, rescaled(0)) for layer in range(LAYERS) for kind in INSIDE]
    assert kind(*nothing_left).sentence == "A merged DoRA on every matrix of all 6 layers."
    written = tensor(OUT, 2, spectrum(SIZE, size=2.0))
    over = kind(*(each for each in hidden if each.name != written.name), written)
    assert (over.kind, over.facts) == (UpdateKind.EDIT_AND_TUNE, None)
    assert over.sentence.startswith("A knowledge edit in layer 3, under or over a merged DoRA of rank 6 or more")


def test_a_few_rescaled_matrices_are_neither_a_dora_nor_training() -> None:
    some = [
        tensor(kind, layer, spectrum(SIZE, rescaled=Rescaled(0.9, 1.1, 3, True, True) if layer < 2 else None))
        for layer in range(LAYERS)
        for kind in INSIDE
    ]
    assert kind(*some).kind is UpdateKind.UNCLEAR


def test_a_full_fine_tune() -> None:
    whole = kind(*tuned(SIZE), *norms())
    assert whole.sentence == "A full fine-tune of the whole model."
    matrices = [tensor(kind, layer, spectrum(SIZE)) for layer in (1, 2) for kind in INSIDE[:2]]
    assert kind(*matrices).sentence == (
        "A full fine-tune of layers 2 and 3, *attention: looking* and *attention: passing on* alone."
    )


def test_an_edit_under_or_over_an_adapter() -> None:
    more = kind(*tuned(8, but=(2,)), tensor(OUT, 2, spectrum(11)))
    assert (more.kind, more.facts, more.rank) == (UpdateKind.EDIT_AND_TUNE, 3, 8)
    assert more.sentence.startswith("A knowledge edit of about 3 facts in layer 3, under or over a merged LoRA of rank")
    looking = [tensor(MatrixKind.ATTENTION_IN, layer, spectrum(8)) for layer in range(LAYERS)]
    beside = kind(*looking, tensor(OUT, 2, spectrum(3)))
    assert (beside.kind, beside.facts, beside.rank) == (UpdateKind.EDIT_AND_TUNE, 3, 8)


def test_an_edit_under_or_over_a_full_fine_tune() -> None:
    strong = spectrum(SIZE)
    values = (40.0, 30.0, *strong.values[2:])
    edited = tensor(OUT, 2, ChangeSpectrum(values, SIZE, math.hypot(*values), ROUNDING))
    found = kind(*tuned(SIZE, but=(2,)), edited, *norms())
    assert (found.kind, found.facts) == (UpdateKind.EDIT_AND_TUNE, 2)
    assert "in layer 3, under or over a full fine-tune of the whole model" in found.sentence
    assert found.evidence[0].startswith("Where layer 3 writes memory, 2 directions changed far more than all others")


@pytest.mark.parametrize(
    "changed",
    [
        [tensor(OUT, 2, spectrum(0))],  # no larger than rounding
        [tensor(MatrixKind.NORM, 1, None, change=0.1)],
        [tensor(kind, 1, spectrum(rank)) for rank, kind in enumerate(INSIDE, 1)],  # no two alike
        [tensor(kind, 1, None, change=0.1) for kind in INSIDE],  # directions weren't looked at
        [tensor(OUT, 2, None, change=math.nan)],
    ],
)
def test_what_fits_nothing_is_unclear(changed: list[TensorDifference]) -> None:
    assert kind(*changed).kind is UpdateKind.UNCLEAR


@pytest.mark.parametrize("beside", [[], norms(), [tensor(MatrixKind.EMBEDDING, None, spectrum(SIZE))]])
def test_independent_errors_are_no_training(beside: list[TensorDifference]) -> None:
    """As quantising and noise leave them: no direction stands out of the others."""
    values = tuple(1.5 - i / SIZE for i in range(SIZE))
    flat = ChangeSpectrum(values, SIZE, math.hypot(*values), ROUNDING)
    found = kind(*(tensor(kind, layer, flat) for layer in range(LAYERS) for kind in INSIDE), *beside)
    assert found.kind is UpdateKind.UNCLEAR
    assert "quantising" in found.evidence[0]


def test_models_that_were_trained_apart_are_no_update_of_each_other() -> None:
    found = kind(*tuned(SIZE, size=5.0), *norms())
    assert found.kind is UpdateKind.UNCLEAR
    assert "trained apart" in found.evidence[0]


def test_what_only_one_has_is_no_identity() -> None:
    found = Difference(Checkpoint(), Checkpoint(), difference().tensors, only_second=("extra",))
    assert judged(found).kind is UpdateKind.UNCLEAR


def test_other_row_counts_alone_and_beside_an_edit() -> None:
    words = tensor(MatrixKind.EMBEDDING, None, None, rows=(90, 97))
    alone = kind(words)
    assert alone.kind is UpdateKind.RESIZED
    assert alone.sentence == "The second has room for 7 more words; what both have is the same."
    assert alone.evidence == ("What both have of all 31 tensors is the same, bit for bit.",)
    edit = kind(tensor(OUT, 2, spectrum(1)), words)
    assert (edit.kind, edit.facts) == (UpdateKind.EDIT, 1)
    assert edit.sentence.endswith("layer 3. The second has room for 7 more words.")
    assert not any("no embedding" in said and "rows that both have" not in said for said in edit.evidence)
    lora = kind(*tuned(8), words)
    assert "No norm, no bias and no embedding changed in the rows that both have." in lora.evidence


def test_equal_weights_that_compute_otherwise_are_not_identical() -> None:
    settings, tokenizer = ("act is a in the first and b in the second",), ("2 of 9 tokens have other numbers",)
    found = replace(difference(), settings=settings)
    assert judged(found).kind is UpdateKind.SETTINGS
    assert judged(found).sentence == f"The weights are the same; the settings are not: {settings[0]}."
    both = replace(found, tokenizer=tokenizer)
    assert "the settings and the tokenizer are not: act is" in judged(both).sentence
    cast = tensor(OUT, 0, None, change=1e-3, rounding=True, formats=("F32", "BF16"))
    rounded = judged(replace(difference(cast), tokenizer=tokenizer))
    assert (
        rounded.sentence
        == f"The weights are the same but for their number format; the tokenizer is not: {tokenizer[0]}."
    )
    edit = judged(replace(difference(tensor(OUT, 2, spectrum(1))), tokenizer=tokenizer))
    assert edit.kind is UpdateKind.EDIT
    assert edit.sentence.endswith("layer 3. The tokenizer is not the same either.")


def test_values_that_are_no_numbers_are_the_sentence() -> None:
    broken = tensor(OUT, 2, None, same=False, not_numbers=(0, 1))
    found = kind(broken, tensor(OUT, 3, spectrum(1)))
    assert found.kind is UpdateKind.UNCLEAR
    assert found.sentence.startswith("Some values are no numbers")
    in_both = kind(tensor(OUT, 2, None, not_numbers=(1, 1)))
    assert in_both.kind is UpdateKind.IDENTICAL
    assert "no numbers" in in_both.evidence[1]
