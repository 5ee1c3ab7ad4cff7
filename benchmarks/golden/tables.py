"""Tables of tokens: where subjects end, and zsRE's answers under teacher forcing.

Several programs made them, with rules of their own where a tokenizer puts a beginning-of-text token in front.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import and_
from pathlib import Path
from typing import Any

from benchmarks.golden.lines import Line, NotComparable, followed, read
from editview.domain.checkpoint import Device
from editview.domain.errors import EditViewError
from editview.domain.facts import Fact, Group
from editview.domain.plan import Checkpoint
from editview.domain.progress import silent
from editview.lm.answers import check
from editview.lm.model import LanguageModel, asking
from editview.lm.opening import open_model
from editview.lm.tokens import answered, encode, last_token_before, subject_end
from editview.lm.tree import read_texts

RIGHT = "ae"  # finds the subject's last token in the tokens of the whole prompt; 'memit' counts those of its pieces
PLACES = ("rewrite_prompts_correct", "paraphrase_prompts_correct", "neighborhood_prompts_correct")


def lookup(folder: Path) -> list[Line]:
    """How many of a table's prompts EditView would look the subject up elsewhere in."""
    lines = []
    tools = {path.stem.removeprefix("lookup_"): read(path) for path in sorted(folder.glob("lookup_*.json"))}
    judged = {RIGHT} & tools.keys() or tools.keys() - {"memit"}
    for tool, by_model in tools.items():
        for model, entries in by_model.items():
            tokenizer = _model(folder, model).tokenizer
            differ = [entry for entry in entries if _looked_up(tokenizer, entry) != (entry["last"], entry["n_tokens"])]
            note = "; ".join(f"'{e['template']}' of '{e['subject']}': {_place(e['last'])}" for e in differ[:3])
            share = len(differ) / max(len(entries), 1)
            said = f"{model}, {tool}: {len(differ)} of {len(entries)}"
            tolerance = 0.0 if tool in judged else None
            lines.append(Line(folder.resolve().name, "subject's end", said, share, tolerance, note))
    return lines


def _place(said: Any) -> str:
    return f"token {said}" if isinstance(said, int) else "refused"


def _looked_up(tokenizer: Any, entry: dict[str, Any]) -> tuple[int, int]:
    """The index of the subject's last token, and the number of tokens."""
    fact = Fact("entry", Group.EDITED, entry["subject"], entry["template"], "", "")
    try:
        at = last_token_before(tokenizer, fact.prompt, subject_end(fact, fact.template))
    except EditViewError:
        at = -1
    return at, len(encode(tokenizer, fact.prompt))


def is_zsre(path: Path) -> bool:
    try:
        entries = read(path)
    except NotComparable:
        return False
    return isinstance(entries, list) and bool(entries) and {"record", "result"} <= set(entries[0])


@dataclass
class Wording:
    """One prompt, its answer, and how many of the answer's tokens a program found right."""

    prompt: str
    answer: str
    right: int
    parts: list[tuple[str, str]] = field(default_factory=list)  # of a neighbour: each token, and what it is put after


def zsre(folder: Path) -> list[Line]:
    """Shares of prompts with another number of right tokens than a program found.

    Its own rule, asked of EditView's reading of the model, must give its file. EditView's figures must too wherever
    that rule asks the same; elsewhere the difference is told.
    """
    lines: list[Line] = []
    for path in (path for path in sorted(folder.glob("*_*.json")) if is_zsre(path)):
        model, _, tool = path.stem.rpartition("_")
        lm = _model(folder, model)
        wordings = [wording for entry in read(path) for wording in _wordings(entry)]
        begins = encode(lm.tokenizer, "a") != lm.tokenizer("a", add_special_tokens=False)["input_ids"]
        skips = 1 if "llama" in model.lower() and tool != "memit" else 0
        asked = [_queries(lm.tokenizer, skips, wording) for wording in wordings]
        same = [queries == _plainly(lm.tokenizer, wording) for queries, wording in zip(asked, wordings, strict=True)]
        rule_known = tool in ("memit", "ae") and (begins or not skips)
        for said, found, judged in (
            ("its rule", _right(lm, asked), [True] * len(wordings) if rule_known else same),
            ("EditView's", _ours(lm, wordings), same),
        ):
            wrong = [a != wording.right for a, wording in zip(found, wordings, strict=True)]
            differ = sum(map(and_, wrong, judged))
            of, otherwise = f"{model}, {tool}, {said}: {differ} of {sum(judged)}", len(wordings) - sum(judged)
            note = f"of {otherwise} that this program asks otherwise, {sum(wrong) - differ} differ" if otherwise else ""
            tolerance = 0.0 if any(judged) else None
            share = differ / len(wordings)
            lines.append(Line(folder.resolve().name, "zsRE tokens", of, share, tolerance, note))
    return lines


def _wordings(entry: dict[str, Any]) -> list[Wording]:
    record, (first, others, near) = entry["record"], (entry["result"][place] for place in PLACES)
    rewrite, paraphrases = record["requested_rewrite"], record["paraphrase_prompts"]
    answer = f" {rewrite['target_new']['str']}"
    found = [Wording(rewrite["prompt"].replace("{}", rewrite["subject"]), answer, sum(first))]
    for at, prompt in enumerate(paraphrases):
        size = len(others) // len(paraphrases)
        found.append(Wording(prompt, answer, sum(others[at * size : (at + 1) * size])))
    neighbour = Wording("", "", 0)
    for one, right in zip(record["neighborhood_prompts"], near, strict=True):
        if one["prompt"] != neighbour.prompt + neighbour.answer:  # else it is the same answer's next token
            found.append(neighbour := Wording(one["prompt"], "", 0))
        neighbour.answer += one["target"]
        neighbour.right += right
        neighbour.parts.append((one["prompt"], one["target"]))
    return found


def _ours(lm: LanguageModel, wordings: Sequence[Wording]) -> list[int | None]:
    facts = [
        Fact(str(index), Group.CONTROL, "", wording.prompt, wording.answer) for index, wording in enumerate(wordings)
    ]
    return [one.answers[0].wanted_first for batch in check(lm, facts, silent) for one in batch]


Query = tuple[list[int], int]  # what is read, and the token that is to come out first after it


def _queries(tokenizer: Any, skips: int, wording: Wording) -> list[Query]:
    """What the programs ask: each token of the answer after the text that those before it make, tokenised anew.

    `skips` tokens in front of the answer's are left out, and then a space is put before what was said.
    """
    parts = list(wording.parts)
    if not parts:
        target = tokenizer(wording.answer)["input_ids"][skips:]
        for at, token in enumerate(target):
            before = (" " if skips else "") + tokenizer.decode(target[:at]) if at else ""
            parts.append((wording.prompt + before, tokenizer.decode([token])))
    wanted = [tokenizer(text)["input_ids"][skips : skips + 1] or [-1] for _, text in parts]
    return [(encode(tokenizer, before), token) for (before, _), [token] in zip(parts, wanted, strict=True)]


def _plainly(tokenizer: Any, wording: Wording) -> list[Query]:
    """The same under teacher forcing, with nothing in front of the answer: as EditView reads it."""
    [(before, target)] = answered(tokenizer, [(wording.prompt, wording.answer)])
    return [(before + target[:at], token) for at, token in enumerate(target)]


def _right(lm: LanguageModel, asked: Sequence[list[Query]]) -> list[int]:
    """How many of each wording's queries the model answers with the wanted token."""
    flat = [(index, query) for index, queries in enumerate(asked) for query in queries]
    counts = [0] * len(asked)
    with asking(lm):
        for reading in read_texts(lm, [query[0] for _, query in flat], [1] * len(flat), 2048):
            choices = reading.logits.argmax(-1).tolist()
            for text, (start, _) in zip(reading.texts, reading.spans, strict=True):
                index, (_, wanted) = flat[text]
                counts[index] += choices[start] == wanted
    return counts


def _model(folder: Path, name: str) -> LanguageModel:
    path = followed(folder.resolve().parent / "_models" / name)
    if not path.is_dir():
        raise NotComparable(f"the model '{name}' isn't beside it, in {path.parent}")
    return open_model(Checkpoint(source=str(path), dtype="float32"), Device("cpu", "CPU", 0), silent)
