"""MEMIT, AlphaEdit and ROME as they were published, written out word for word and nothing of EditView in it.

One request at a time, every step through the whole model, every matrix inverted, all in float64: slow, and good enough
to hold against.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import kl_div, log_softmax

Request = dict[str, Any]


class Reference:
    """A program that edits `model` (float64). Module names come from `hparams`, as the published programs have them."""

    def __init__(self, model: Any, tokenizer: Any, hparams: dict[str, Any], templates: list[list[str]]) -> None:
        self.model, self.tok, self.hparams, self.templates = model, tokenizer, hparams, templates
        self.computed: dict[str, Tensor] = {}
        self.iterations: list[int] = []
        self._calls = {"ks": 0, "cur_zs": 0}

    # ---- reading the model -----------------------------------------------------------------------------------

    def place(self, template: str, request: Request) -> tuple[str, int]:
        """A prompt in its context, and the index of its subject's last token among all tokens of the text."""
        subject = request["subject"]
        text = template.replace("{}", request["prompt"].replace("{}", subject))
        end = template.index("{}") + request["prompt"].index("{}") + len(subject)
        return text, self.token_of(text, end)

    def token_of(self, text: str, end: int) -> int:
        offsets = self.tok(text, return_offsets_mapping=True)["offset_mapping"]
        return max(index for index, (start, stop) in enumerate(offsets) if start < end <= stop)

    def module(self, name: str, layer: int) -> Any:
        return self.model.get_submodule(self.hparams[name].format(layer))

    def at_subject(self, template: str, request: Request, name: str, layer: int) -> tuple[Tensor, Tensor]:
        """What a module is given and puts out at the subject's last token."""
        text, index = self.place(template, request)
        seen: list[tuple[Tensor, Tensor]] = []

        def see(_: Any, given: Any, output: Any) -> None:
            whole = output[0] if isinstance(output, tuple) else output
            seen.append((given[0][0, index], whole[0, index]))

        with hook(self.module(name, layer), see), torch.no_grad():
            self.model(input_ids=torch.tensor([self.tok(text)["input_ids"]]))
        return seen[0]

    def key(self, request: Request, layer: int) -> Tensor:
        """The mean over types of openings of each type's mean."""
        means = []
        for group in self.templates:
            keys = [self.at_subject(template, request, "rewrite_module_tmp", layer)[0] for template in group]
            means.append(sum(keys) / len(keys))
        return sum(means) / len(means)

    def keys(self, requests: Sequence[Request], layer: int) -> Tensor:
        return self._kept("ks", torch.stack([self.key(request, layer) for request in requests]))

    def current(self, requests: Sequence[Request], layer: int) -> Tensor:
        outputs = [self.at_subject("{}", request, "layer_module_tmp", layer)[1] for request in requests]
        return self._kept("cur_zs", torch.stack(outputs))

    def _kept(self, what: str, tensor: Tensor) -> Tensor:
        self.computed[f"{what}_call{self._calls[what]}"] = tensor
        self._calls[what] += 1
        return tensor

    # ---- the search ------------------------------------------------------------------------------------------

    def target(self, request: Request, layer: int, name: str) -> Tensor:
        """What module `name` of a layer should put out at the subject so that the new answer follows."""
        h = self.hparams
        wanted = self.tok(" " + request["target_new"]["str"], add_special_tokens=False)["input_ids"]
        begun = self.tok.decode(wanted[:-1])
        texts, places = [], []
        for template in (template for group in self.templates for template in group):
            text, index = self.place(template, request)
            texts.append(text + begun)
            places.append(index)
        texts.append(f"{request['subject']} is a")
        places.append(self.token_of(texts[-1], len(request["subject"])))
        rows = [self.tok(text)["input_ids"] for text in texts]
        longest = max(map(len, rows))
        ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
        delta: Tensor | None = None
        initial: Tensor | None = None

        def add(_: Any, __: Any, output: Any) -> Any:
            nonlocal delta, initial
            whole = (output[0] if isinstance(output, tuple) else output).clone()
            if initial is None:
                initial = whole[0, places[0]].detach().clone()
                delta = torch.zeros_like(initial, requires_grad=True)
            for row, index in enumerate(places):
                whole[row, index] = whole[row, index] + delta
            return (whole, *output[1:]) if isinstance(output, tuple) else whole

        optimiser, essence = None, None
        for iteration in range(h["v_num_grad_steps"]):
            with hook(self.module(name, layer), add):
                logits = self.model(input_ids=ids, attention_mask=mask).logits
            assert delta is not None
            assert initial is not None
            logs = log_softmax(logits, -1)
            nll = torch.zeros(())
            for row in range(len(rows) - 1):
                start = len(rows[row]) - len(wanted)
                of_row = [logs[row, start + at, token] for at, token in enumerate(wanted)]
                nll = nll - sum(of_row) / len(wanted) / (len(rows) - 1)
            now = logs[-1, places[-1]]
            essence = now.detach() if essence is None else essence
            pull = h["v_weight_decay"] * delta.norm() / initial.norm() ** 2
            loss = nll + h["kl_factor"] * kl_div(essence, now, log_target=True, reduction="sum") + pull
            if loss < 0.05 or iteration == h["v_num_grad_steps"] - 1:
                self.iterations.append(iteration + 1)
                break
            optimiser = optimiser or torch.optim.Adam([delta], lr=h["v_lr"])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            most = h["clamp_norm_factor"] * initial.norm()
            with torch.no_grad():
                if delta.norm() > most:
                    delta *= most / delta.norm()
        return (initial + delta).detach()

    # ---- the methods -----------------------------------------------------------------------------------------

    def memit(self, chunks: list[list[Request]], covariances: dict[int, Tensor]) -> None:
        weight = self.hparams["mom2_update_weight"]

        def change(layer: int, keys: Tensor, residual: Tensor) -> Tensor:
            inverse = torch.linalg.inv(weight * covariances[layer] + keys.T @ keys)
            return residual.T @ (inverse @ keys.T).T

        for number, chunk in enumerate(chunks):
            self._spread(number, chunk, change)

    def alphaedit(self, chunks: list[list[Request]], covariances: dict[int, Tensor]) -> None:
        layers, threshold = self.hparams["layers"], self.hparams["nullspace_threshold"]
        free, cache = {}, {layer: torch.zeros_like(covariances[layer]) for layer in layers}
        for layer in layers:
            vectors, values, _ = torch.linalg.svd(covariances[layer])
            few = vectors[:, values < threshold]
            free[layer] = few @ few.T
            self.computed[f"P_layer{layer}"] = free[layer]

        def change(layer: int, keys: Tensor, residual: Tensor) -> Tensor:
            left = free[layer] @ (keys.T @ keys + cache[layer]) + self.hparams["L2"] * torch.eye(keys.shape[1])
            return (torch.linalg.inv(left) @ free[layer] @ keys.T @ residual).T

        for number, chunk in enumerate(chunks):
            self._spread(number, chunk, change)
            for layer in layers:
                keys = self.keys(chunk, layer)
                cache[layer] += keys.T @ keys

    def _spread(self, number: int, chunk: list[Request], change: Callable[[int, Tensor, Tensor], Tensor]) -> None:
        layers = self.hparams["layers"]
        z = torch.stack([self.target(request, layers[-1], "layer_module_tmp") for request in chunk])
        self.computed["z"] = torch.cat([self.computed["z"], z]) if "z" in self.computed else z
        for at, layer in enumerate(layers):
            keys = self.keys(chunk, layer)
            residual = (z - self.current(chunk, layers[-1])) / (len(layers) - at)
            self.computed[f"chunk{number}_layer{layer}"] = self.write(layer, change(layer, keys, residual))

    def rome(self, request: Request, covariance: Tensor) -> None:
        [layer] = self.hparams["layers"]
        contexts = [template for group in self.templates for template in group]
        keys = [self.at_subject(template, request, "rewrite_module_tmp", layer)[0] for template in contexts]
        u = torch.linalg.inv(covariance) @ (sum(keys) / len(keys))
        u = u / u.norm()
        target = self.target(request, layer, "mlp_module_tmp")
        given, output = self.at_subject("{}", request, "rewrite_module_tmp", layer)
        v = (target - output) / (given @ u)
        for name, vector in (("u", u), ("v", v)):
            before = self.computed.get(name, vector.new_empty(0, len(vector)))
            self.computed[name] = torch.cat([before, vector[None]])
        self.write(layer, torch.outer(v, u))

    def write(self, layer: int, change: Tensor) -> Tensor:
        """Add ΔW [outputs, inputs] to the edited matrix; returns it in the matrix's own orientation."""
        module = self.module("rewrite_module_tmp", layer)
        own = change.T if type(module).__name__ == "Conv1D" else change
        with torch.no_grad():
            module.weight += own
        return own.contiguous()

    # ---- answers ---------------------------------------------------------------------------------------------

    def evaluated(self, request: Request) -> dict[str, Any]:
        """Mean NLL of both answers after each prompt, and whether the wanted one is the first choice throughout."""
        prompts = {
            "rewrite_prompts": ([request["prompt"].replace("{}", request["subject"])], "target_new"),
            "paraphrase_prompts": (request["paraphrase_prompts"], "target_new"),
            "neighborhood_prompts": (request["neighborhood_prompts"], "target_true"),
        }
        found: dict[str, Any] = {"case_id": request["case_id"]}
        for kind, (texts, wanted) in prompts.items():
            read = [
                {of: self.answer(text, request[of]["str"]) for of in ("target_new", "target_true")} for text in texts
            ]
            found[f"{kind}_probs"] = [{of: nll for of, (nll, _) in one.items()} for one in read]
            found[f"{kind}_correct"] = [all(one[wanted][1]) for one in read]
        return found

    def answer(self, prompt: str, answer: str) -> tuple[float, list[bool]]:
        """Mean NLL per token, and which tokens are the first choice."""
        before = self.tok(prompt)["input_ids"]
        tokens = self.tok(f" {answer}", add_special_tokens=False)["input_ids"]
        with torch.no_grad():
            logs = log_softmax(self.model(input_ids=torch.tensor([before + tokens])).logits[0], -1)
        rows = logs[len(before) - 1 : -1]
        nll = -float(rows[range(len(tokens)), tokens].mean())
        return nll, [int(row.argmax()) == token for row, token in zip(rows, tokens, strict=True)]


@contextmanager
def hook(module: Any, function: Callable[..., Any]) -> Any:
    handle = module.register_forward_hook(function)
    try:
        yield
    finally:
        handle.remove()
