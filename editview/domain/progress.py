"""How long work reports how far it is. Each report is also the point where it can be cancelled."""

from typing import Protocol


class Progress(Protocol):
    """Called with units done, units in all and what is being done now; raises `Cancelled` after Stop."""

    def __call__(self, done: int, total: int, what: str) -> None: ...


def silent(done: int, total: int, what: str) -> None:
    """Report to nobody."""
