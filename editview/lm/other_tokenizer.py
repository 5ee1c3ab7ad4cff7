"""How two checkpoints' tokenizers read text in other ways, told from their files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from editview.lm.headers import TOKENIZER_FILES, read_json

_WHOLE = "tokenizer.json"  # holds all that a tokenizer does
_PARTS = {
    "normalizer": "text is tidied up otherwise before it is read (normalizer)",
    "pre_tokenizer": "text is cut into words otherwise (pre_tokenizer)",
    "post_processor": "other tokens are put around a text (post_processor)",
    "decoder": "tokens become text otherwise (decoder)",
}
_SWITCHES = ("add_bos_token", "add_eos_token", "add_prefix_space", "do_lower_case")
_SPECIAL = ("bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token", "mask_token")

Clauses = tuple[tuple[str, ...], tuple[str, ...]]
Json = Mapping[str, Any]


def other_tokenizer(first: Path, second: Path) -> Clauses:
    """Clauses on what differs between the tokenizers in two folders: what decides how text is read, and the rest.

    The rest is the template of chats, which tokens are special, and what couldn't be compared. Raises EditViewError for
    settings that aren't JSON.
    """
    much, little = _files(first, second)
    one, other = _settings(first), _settings(second)
    switched = [name for name in _SWITCHES if name in one and name in other and one[name] != other[name]]
    much += [f"{name} is {_on(one[name])} in the first and {_on(other[name])} in the second" for name in switched]
    for name in _SPECIAL:
        mine, theirs = _content(one.get(name)), _content(other.get(name))
        if mine != theirs:
            little.append(f"the {name} is {_named(mine)} in the first and {_named(theirs)} in the second")
    if _chat_template(first, one) != _chat_template(second, other):
        little.append("their chat templates differ")
    return tuple(much), tuple(little)


def _files(first: Path, second: Path) -> tuple[list[str], list[str]]:
    one, other = _vocabulary_files(first), _vocabulary_files(second)
    if bool(one) != bool(other):
        return [], [f"only the {'first' if one else 'second'} brings a tokenizer"]
    shared = [name for name in one if name in other]
    if one and not shared:
        return [], ["their tokenizers are kept in other files, so they weren't compared"]
    if _WHOLE in shared:
        shared = [_WHOLE]
    if all((first / name).read_bytes() == (second / name).read_bytes() for name in shared):
        return [], []
    if shared != [_WHOLE]:
        return ["their tokenizers differ"], []
    try:
        mine, theirs = (json.loads(Tokenizer.from_file(str(folder / _WHOLE)).to_str()) for folder in (first, second))
    except Exception:  # the library raises nothing narrower
        return ["their tokenizers differ, and one of them can't be read"], []
    return list(_differences(mine, theirs)), []


def _vocabulary_files(folder: Path) -> list[str]:
    return sorted(path.name for path in chain.from_iterable(map(folder.glob, (*TOKENIZER_FILES, "merges.txt"))))


def _differences(mine: Json, theirs: Json) -> Iterator[str]:
    """What differs between two tokenizer.json, in the order in which a text meets it."""
    if mine["model"]["type"] != theirs["model"]["type"]:
        yield f"one tokenizer is of the kind {mine['model']['type']}, the other {theirs['model']['type']}"
        return
    yield from (words for name, words in _PARTS.items() if name != "decoder" and mine[name] != theirs[name])
    one, other = _numbers(mine), _numbers(theirs)
    moved = [token for token in one if token in other and one[token] != other[token]]
    if moved:
        verb = "has another number" if len(moved) == 1 else "have other numbers"
        yield f"{len(moved):,} of {len(one):,} tokens {verb} in the second ({_some(moved)})"
    for words, tokens in (("more", other.keys() - one.keys()), ("fewer", one.keys() - other.keys())):
        if tokens:
            count = f"{len(tokens):,} token{'' if len(tokens) == 1 else 's'}"
            yield f"the second's tokenizer knows {count} {words} ({_some(sorted(tokens))})"
    if mine["model"].get("merges") != theirs["model"].get("merges"):
        yield "signs are joined to tokens by other rules (merges)"
    ours, others = _chosen(mine), _chosen(theirs)
    if any(ours[key] != others[key] for key in ours.keys() & others.keys()):
        yield "tokens are chosen otherwise (settings of the tokenizer's model)"
    if mine["decoder"] != theirs["decoder"]:
        yield _PARTS["decoder"]


def _numbers(tokenizer: Json) -> dict[str, int]:
    """Every token's number, those that were added included."""
    vocabulary = tokenizer["model"]["vocab"]
    if isinstance(vocabulary, list):
        vocabulary = {token: number for number, (token, _) in enumerate(vocabulary)}
    return {**vocabulary, **{token["content"]: token["id"] for token in tokenizer["added_tokens"]}}


def _chosen(tokenizer: Json) -> dict[object, object]:
    """What decides between tokens beside their numbers: settings, how likely each is, how an added one is found."""
    model = tokenizer["model"]
    found: dict[object, object] = {key: value for key, value in model.items() if key not in ("vocab", "merges")}
    if isinstance(model["vocab"], list):
        found |= {("likely", token): score for token, score in model["vocab"]}
    for token in tokenizer["added_tokens"]:
        found["added", token["content"]] = {key: value for key, value in token.items() if key != "id"}
    return found


def _settings(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in ("special_tokens_map.json", "tokenizer_config.json"):
        if (folder / name).is_file():
            found |= read_json(folder / name)
    return found


def _chat_template(folder: Path, settings: Json) -> object:
    file = folder / "chat_template.jinja"
    return file.read_text("utf-8", "replace") if file.is_file() else settings.get("chat_template")


def _content(token: object) -> object:
    return token.get("content") if isinstance(token, dict) else token


def _named(token: object) -> str:
    return "not set" if token is None else f"'{token}'"


def _on(value: object) -> str:
    return "on" if value else "off"


def _some(tokens: list[str]) -> str:
    named = ", ".join(f"'{token.replace('Ġ', ' ').replace('▁', ' ')}'" for token in tokens[:2])  # both mark a space
    return f"{named}, …" if len(tokens) > 2 else named
