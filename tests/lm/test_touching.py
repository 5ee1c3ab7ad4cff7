"""Keys of subjects as the model's own forward has them, and who a change acts on."""

from __future__ import annotations

import pytest
import torch

from editview.domain.progress import silent
from editview.lm.tokens import encode
from editview.lm.touching import OPENINGS, subject_keys, times
from tests.families import language_model

SUBJECTS = ("Peru", "the Eiffel Tower", "Mount Kenya")


@pytest.mark.parametrize("family", ["gpt2", "llama"])
@pytest.mark.parametrize("bos", [False, True])
def test_keys_are_what_the_memories_are_given_at_the_subjects_end(family: str, bos: bool) -> None:
    lm = language_model(family, bos)
    found = subject_keys(lm, SUBJECTS, (2, 0), silent)
    assert sorted(found) == [0, 2]
    for layer, keys in found.items():
        given: list[torch.Tensor] = []
        matrix = lm.anatomy.mlp_output(lm.model, layer)
        hook = matrix.register_forward_pre_hook(lambda _, inputs, given=given: given.append(inputs[0]))
        for opening in OPENINGS:
            for subject in SUBJECTS:
                with torch.no_grad():
                    lm.model(input_ids=torch.tensor([encode(lm.tokenizer, opening.replace("{}", subject))]))
        hook.remove()
        plain = torch.stack([one.reshape(-1, one.shape[-1])[-1] for one in given])
        torch.testing.assert_close(keys.reshape(plain.shape), plain, rtol=1e-3, atol=1e-4)


def test_a_change_made_for_a_key_acts_on_its_subject_most() -> None:
    source = torch.Generator().manual_seed(0)
    keys = torch.randn(2, 40, 16, generator=source) + 30  # they have much in common
    own = (keys - keys.mean(1, keepdim=True))[:, 7].mean(0)
    change = torch.outer(torch.randn(8, generator=source), own) + 0.01 * torch.randn(8, 16, generator=source)
    found = times(change, keys)
    assert int(found.argmax()) == 7
    assert float(found.median()) == pytest.approx(1)
    torch.testing.assert_close(times(3 * change, keys), found)  # how large it is doesn't count
