"""How fast this machine is, learnt from what it did: seconds for a unit of work, by kind of work and device."""

from __future__ import annotations

import json
import statistics
from contextlib import suppress
from pathlib import Path

from editview.domain import places
from editview.domain.errors import EditViewError
from editview.domain.files import write_atomically

_REMEMBERED = 15  # recent measurements of each kind


class Timings:
    """Rates in a small file. Losing it, or a full disk, costs a forecast and nothing else.

    A unit of work is what its kind says (see `costs`); models of other sizes are covered by counting parameters in.
    What was never done here is guessed by the packaged rates of a machine with two cores.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or places.timings()

    def learn(self, kind: str, device: str, work: float, seconds: float) -> None:
        if work <= 0 or seconds <= 0:
            return
        rates = self._rates()
        name = f"{kind} on {device}"
        rates[name] = [*rates.get(name, []), seconds / work][-_REMEMBERED:]
        with suppress(EditViewError):
            write_atomically(self._path, json.dumps(rates).encode())

    def seconds(self, kind: str, device: str, work: float) -> float | None:
        """The median of recent rates, or the packaged one, times this work; None: there is neither."""
        name = f"{kind} on {device}"
        rates = self._rates().get(name) or _read(places.resources() / "rates.json").get(name)
        return statistics.median(rates) * work if rates else None

    def has_learnt(self, kind: str, device: str) -> bool:
        """Whether this kind was ever done here."""
        return bool(self._rates().get(f"{kind} on {device}"))

    def _rates(self) -> dict[str, list[float]]:
        return _read(self._path)


def _read(path: Path) -> dict[str, list[float]]:
    try:
        found = json.loads(path.read_text("utf-8"))
        return {str(kind): [float(rate) for rate in rates] for kind, rates in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
