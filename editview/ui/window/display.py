"""Whether a window can be shown here, found out before Qt needs to know: it would end the process there and then."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from PySide6.QtCore import QCoreApplication, QPluginLoader


@contextmanager
def obstacle() -> Iterator[str]:
    """Why no window can be shown on this machine, for the specialist; '' when one can.

    The display that answered stays open inside, and Qt is to open it there: when its last client leaves, an X server
    may begin anew, and drops whoever connects meanwhile.
    """
    with ExitStack() as kept:
        yield _obstacle(kept)


def _obstacle(kept: ExitStack) -> str:
    if sys.platform in ("win32", "darwin"):
        return ""
    reasons = []
    for platform in _platforms():
        reason = _reason(platform, kept)
        if not reason:
            return ""
        reasons.append(reason)
    unset = "Neither DISPLAY nor WAYLAND_DISPLAY is set, and QT_QPA_PLATFORM doesn't name another platform."
    return "\n".join(reasons) or unset


def _platforms() -> list[str]:
    """The platforms that Qt will try in turn."""
    wanted = os.environ.get("QT_QPA_PLATFORM")
    if wanted:
        return [platform.partition(":")[0] for platform in wanted.split(";")]
    return [name for name, sign in (("wayland", "WAYLAND_DISPLAY"), ("xcb", "DISPLAY")) if os.environ.get(sign)]


def _reason(platform: str, kept: ExitStack) -> str:
    loader = next((loader for loader in _plugins() if platform in _keys(loader)), None)
    if loader is None:
        known = ", ".join(sorted(key for loader in _plugins() for key in _keys(loader)))
        return f"Qt knows no platform '{platform}', which QT_QPA_PLATFORM names; it knows {known}."
    if not loader.load():
        return loader.errorString()
    if platform == "xcb" and not _x_answers(kept):
        return f"No X server that may be used answers at DISPLAY={os.environ.get('DISPLAY', '')}."
    if platform.startswith("wayland") and not _wayland_answers(kept):
        return f"No Wayland compositor answers at WAYLAND_DISPLAY={os.environ.get('WAYLAND_DISPLAY', '')}."
    return ""


def _plugins() -> Iterator[QPluginLoader]:
    own = os.environ.get("QT_QPA_PLATFORM_PLUGIN_PATH")
    folders = [Path(path) / "platforms" for path in QCoreApplication.libraryPaths()]
    for folder in [Path(own), *folders] if own else folders:
        for path in sorted(folder.glob("*.so")):
            yield QPluginLoader(str(path))


def _keys(loader: QPluginLoader) -> list[str]:
    found: dict[str, Any] = loader.metaData()
    return list(found.get("MetaData", {}).get("Keys", []))


def _x_answers(kept: ExitStack) -> bool:
    """Connects as Qt will: the address is taken from the environment, and the key where there is one."""
    xcb = ctypes.CDLL("libxcb.so.1")
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
    kept.callback(xcb.xcb_disconnect, connection)
    return not xcb.xcb_connection_has_error(connection)


def _wayland_answers(kept: ExitStack) -> bool:
    wayland = ctypes.CDLL("libwayland-client.so.0")
    wayland.wl_display_connect.restype = ctypes.c_void_p
    connection = wayland.wl_display_connect(None)
    if connection:
        kept.callback(wayland.wl_display_disconnect, ctypes.c_void_p(connection))
    return bool(connection)
