"""What the bundle tells a desktop about itself."""

import os
import shutil
import subprocess
import xml.etree.ElementTree as ET
from configparser import RawConfigParser
from pathlib import Path

import pytest

from editview.domain import places
from editview.domain.plan import PLAN_ENDING

DESKTOP = Path(__file__).parent.parent / "bundle" / "desktop"

pytestmark = pytest.mark.skipif(os.name != "posix", reason="a shell script for Linux desktops")


def unpacked(folder: Path) -> Path:
    """A bundle as it is built, but for the program."""
    shutil.copytree(DESKTOP, folder / "desktop")
    shutil.copy(places.resources() / "icons" / "editview.svg", folder / "desktop")
    (folder / "desktop" / "install.sh").rename(folder / "install.sh")
    return folder


def install(bundle: Path, share: Path, *words: str) -> None:
    subprocess.run([bundle / "install.sh", *words], env={**os.environ, "XDG_DATA_HOME": str(share)}, check=True)


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("editview.*")}


def test_the_desktop_is_told_of_the_program_where_it_lies_and_forgets_it_again(tmp_path: Path) -> None:
    bundle, share = unpacked(tmp_path / "My & | apps" / "EditView"), tmp_path / "share"
    install(bundle, share)
    entry = RawConfigParser()
    entry.optionxform = str  # type: ignore[assignment, method-assign]
    entry.read(share / "applications" / "editview.desktop")
    told = entry["Desktop Entry"]
    assert told["Exec"] == f'"{bundle}/editview" open %F'
    assert told["TryExec"] == f"{bundle}/editview"
    assert files(share) == {"editview.desktop", "editview.svg", "editview.xml"}
    install(bundle, share, "--remove")
    assert not files(share)


def test_plans_are_told_by_the_name_they_are_saved_under_and_by_how_they_begin() -> None:
    told = ET.parse(DESKTOP / "editview.xml").getroot()
    space = {"m": "http://www.freedesktop.org/standards/shared-mime-info"}
    [glob], [magic] = told.findall(".//m:glob", space), told.findall(".//m:match", space)
    assert glob.get("pattern") == f"*{PLAN_ENDING}"
    assert places.demo_plan().read_text(encoding="utf-8").startswith(magic.get("value", "?"))
    kind = told.find("m:mime-type", space)
    assert kind is not None
    assert f"MimeType={kind.get('type')};" in (DESKTOP / "editview.desktop").read_text(encoding="utf-8").splitlines()
