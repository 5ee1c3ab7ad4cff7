"""Two tokenizers told apart by their files, however those were written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from editview.lm.other_tokenizer import other_tokenizer

Json = dict[str, Any]
Two = tuple[Path, Path]


@pytest.fixture
def two(tmp_path: Path) -> Two:
    """The same tokenizer twice."""
    for name in "ab":
        (tmp_path / name).mkdir()
        words = {"a": 0, "b": 1, "c": 2, "Ġ": 3, "ab": 4, "<end>": 5}
        made = Tokenizer(models.BPE(vocab=words, merges=[("a", "b")]))
        made.normalizer, made.pre_tokenizer = normalizers.NFC(), pre_tokenizers.ByteLevel()
        made.add_special_tokens(["<end>"])
        made.save(str(tmp_path / name / "tokenizer.json"))
        (tmp_path / name / "tokenizer_config.json").write_text('{"eos_token": "<end>"}', "utf-8")
    return tmp_path / "a", tmp_path / "b"


def change(folder: Path, how: Callable[[Json], object], file: str = "tokenizer.json") -> None:
    content = json.loads((folder / file).read_text("utf-8"))
    how(content)
    (folder / file).write_text(json.dumps(content), "utf-8")


def test_the_same_written_otherwise_is_the_same(two: Two) -> None:
    assert other_tokenizer(*two) == ((), ())

    def older(content: Json) -> None:  # as earlier versions wrote it
        content["model"]["merges"] = ["a b"]
        del content["model"]["ignore_merges"]

    change(two[1], older)
    assert other_tokenizer(*two) == ((), ())


@pytest.mark.parametrize(
    ("how", "told"),
    [
        (lambda of: of["model"]["vocab"].update({"a": 3, "Ġ": 0}), "2 of 6 tokens have other numbers"),
        (lambda of: of["model"].update(merges=[]), "(merges)"),
        (lambda of: of.update(normalizer={"type": "Lowercase"}), "(normalizer)"),
        (lambda of: of["pre_tokenizer"].update(add_prefix_space=False), "(pre_tokenizer)"),
        (lambda of: of["added_tokens"][0].update(lstrip=True), "tokens are chosen otherwise"),
        (lambda of: of["model"].update(byte_fallback=True), "tokens are chosen otherwise"),
    ],
)  # fmt: skip
def test_what_reads_text_otherwise_is_told(two: Two, how: Callable[[Json], object], told: str) -> None:
    change(two[1], how)
    ((said,), rest) = other_tokenizer(*two)
    assert told in said
    assert rest == ()


def test_added_tokens_are_named(two: Two) -> None:
    added = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    change(
        two[1], lambda of: of["added_tokens"].extend({"id": 6 + at, "content": f"<{at}>", **added} for at in range(3))
    )
    assert other_tokenizer(*two)[0] == ("the second's tokenizer knows 3 tokens more ('<0>', '<1>', …)",)
    assert other_tokenizer(*reversed(two))[0] == ("the second's tokenizer knows 3 tokens fewer ('<0>', '<1>', …)",)


def test_chats_and_special_tokens_are_said_in_passing(two: Two) -> None:
    change(two[1], lambda of: of.update(eos_token={"content": "<end>"}, pad_token="<end>"), "tokenizer_config.json")
    (two[1] / "chat_template.jinja").write_text("{{ messages }}", "utf-8")
    assert other_tokenizer(*two) == (
        (), ("the pad_token is not set in the first and '<end>' in the second", "their chat templates differ")
    )  # fmt: skip


def test_a_switch_of_the_settings_counts_where_both_have_it(two: Two) -> None:
    change(two[0], lambda of: of.update(add_bos_token=False), "tokenizer_config.json")
    assert other_tokenizer(*two) == ((), ())
    change(two[1], lambda of: of.update(add_bos_token=True), "tokenizer_config.json")
    assert other_tokenizer(*two)[0] == ("add_bos_token is off in the first and on in the second",)


def test_files_that_cannot_be_laid_side_by_side_are_told(two: Two, tmp_path: Path) -> None:
    (two[1] / "tokenizer.json").write_text("{}", "utf-8")
    assert other_tokenizer(*two)[0] == ("their tokenizers differ, and one of them can't be read",)
    (two[1] / "tokenizer.json").rename(two[1] / "tokenizer.model")
    assert other_tokenizer(*two) == ((), ("their tokenizers are kept in other files, so they weren't compared",))
    (two[1] / "tokenizer.model").unlink()
    assert other_tokenizer(*two) == ((), ("only the first brings a tokenizer",))
    for folder, words in zip(two, ("a", "b"), strict=True):
        (folder / "tokenizer.json").unlink(missing_ok=True)
        (folder / "vocab.json").write_text(json.dumps({words: 0}), "utf-8")
    assert other_tokenizer(*two)[0] == ("their tokenizers differ",)
