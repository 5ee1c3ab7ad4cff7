"""The spectrum of keys against a plain decomposition, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path

import numpy
import pytest

from editview.domain.errors import EditViewError
from editview.domain.progress import silent
from editview.domain.texts import Text
from editview.formats.statistics_text import statistics_text
from editview.lm.spectrum import spectra
from editview.lm.statistics import key_statistics
from tests import small
from tests.families import language_model


@pytest.fixture
def text(tmp_path: Path) -> Text:
    return statistics_text(str(small.statistics(tmp_path / "text.txt")))


def test_eigenvalues_come_ascending_by_layer_and_count_what_is_free(text: Text) -> None:
    lm = language_model("llama")
    found = spectra(lm, (2, 0, 2), text, 3000, silent)
    assert [spectrum.layer for spectrum in found] == [0, 2]
    for spectrum in found:
        covariance = (
            key_statistics(lm, (spectrum.layer,), text, 3000, silent)[spectrum.layer].covariance.double().numpy()
        )
        values = numpy.linalg.eigvalsh(covariance)
        assert len(spectrum.values) == 40
        numpy.testing.assert_allclose(spectrum.values, values, rtol=1e-6, atol=1e-9)
        for threshold in (values[7] * 1.0001, values[20] * 1.0001):
            assert spectrum.below(threshold) == (values < threshold).sum()


def test_layers_that_are_not_there_are_refused(text: Text) -> None:
    lm = language_model()
    for layers in ((), (0, 3)):
        with pytest.raises(EditViewError, match=re.escape("Name layers from 0 to 2")):
            spectra(lm, layers, text, 3000, silent)
