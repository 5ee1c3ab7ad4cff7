"""From the name of a checkpoint to a folder on this machine: the demo, a folder, the Hugging Face cache or hub."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, cast

from huggingface_hub import HfApi, hf_hub_download, snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, RepositoryNotFoundError
from huggingface_hub.utils.tqdm import tqdm

from editview.domain import places
from editview.domain.errors import Cancelled, EditViewError
from editview.domain.progress import Progress
from editview.domain.sentences import amount

WANTED = (".json", ".safetensors", ".model", ".txt", ".tiktoken", ".jinja")
PICKLES = (".bin", ".pt", ".pth", ".ckpt")


def local_folder(source: str) -> Path | None:
    """The folder of a source; None for a hub id that isn't in the local cache.

    Raises EditViewError when the source names a folder that isn't there.
    """
    if source == "demo":
        folder = places.resources() / "demo" / "model"
        if not (folder / "config.json").is_file():
            raise EditViewError("The built-in demo model is missing from this installation. Install EditView again.")
        return folder
    folder = Path(os.path.expanduser(source))  # '~nobody' stays as written
    if folder.is_dir():
        return folder
    if folder.exists():
        raise EditViewError(f"'{source}' is a file. Choose the folder that the model lies in.")
    if not _looks_like_hub_id(source):
        raise EditViewError(f"There is no folder '{source}'. Choose a folder that holds a model, or a Hugging Face id.")
    try:
        return Path(snapshot_download(source, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError):
        return None


_FROM_AFAR = cast(tuple[type[Exception], ...], (*HfHubHTTPError.__bases__, OSError))
"""What goes wrong on the way to the hub: the errors of the HTTP library that it uses, whichever that is."""


def hub_id(source: str) -> str | None:
    """The id by which the hub knows a source; None for a folder and the demo."""
    return None if source == "demo" or Path(os.path.expanduser(source)).is_dir() else source


def _looks_like_hub_id(source: str) -> bool:
    return (
        not source.startswith((".", "~", "/"))
        and not os.path.isabs(source)
        and "\\" not in source
        and source.count("/") <= 1
        and not source.endswith("/")
    )


def download(source: str, progress: Progress, *, pickle: bool = False, code: bool = False) -> Path:
    """Bring a checkpoint or adapter from the hub into the local cache, file by file. What was there isn't read again.

    Raises EditViewError when there is no such model, no network, or nothing but pickled weights.
    """
    try:
        files = HfApi().model_info(source, files_metadata=True).siblings or []
        sizes = {file.rfilename: file.size or 0 for file in files if "/" not in file.rfilename}
        wanted = [name for name in sizes if name.endswith(WANTED) or (code and name.endswith(".py"))]
        if not any(name.endswith(".safetensors") for name in wanted):
            if not pickle:
                raise EditViewError(
                    f"'{source}' has no weights in the safetensors format, and pickled weights can run code when they "
                    "are read. Choose another checkpoint, or allow pickled weights for this one."
                )
            wanted += [name for name in sizes if name.endswith(PICKLES)]
        total, done, folder = sum(sizes[name] for name in wanted), 0, None
        for name in sorted(wanted, key=lambda name: sizes[name]):
            bar = _reporting(progress, done, total, f"Downloading {source} ({amount(total)})")
            folder = Path(hf_hub_download(source, name, tqdm_class=bar)).parent
            done += sizes[name]
        progress(total, total, f"Downloading {source} ({amount(total)})")
    except (EditViewError, Cancelled):
        raise
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise EditViewError(
            f"Hugging Face knows no model '{source}', or it needs a login. Check the id.", str(error)
        ) from error
    except _FROM_AFAR as error:
        raise EditViewError(
            f"There is no folder '{source}' here, and from Hugging Face it couldn't be downloaded. Check the name, the "
            "network connection and the free disk space, then try again.",
            str(error),
        ) from error
    if folder is None:
        raise EditViewError(f"'{source}' holds no files that make a model. Choose another checkpoint.")
    return folder


def _reporting(progress: Progress, before: int, total: int, what: str) -> type[Any]:
    """A tqdm bar that draws nothing and reports bytes; a Cancelled out of `progress` ends the download."""

    class Bar(tqdm):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            options.pop("name", None)
            super().__init__(*arguments, **{**options, "disable": True})  # type: ignore[no-untyped-call]
            self.read = 0

        def update(self, n: float | None = 1) -> bool | None:
            self.read += int(n or 0)
            progress(min(before + self.read, total), total, what)
            return None

    return Bar
