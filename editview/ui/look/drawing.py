"""A drawing out of the window: copied, or saved as PNG at twice its size or as SVG."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMimeData, QPoint, QRect, QSaveFile, QSize
from PySide6.QtGui import QGuiApplication, QImage, QImageWriter, QPaintDevice
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QFileDialog, QWidget

SCALE = 2  # of an image that is copied or saved


@dataclass(frozen=True, slots=True)
class Drawing:
    """`paint` draws it on a device, in the pixels of `size`; files are called by `name`."""

    name: str
    size: QSize
    paint: Callable[[QPaintDevice], None]

    def image(self) -> QImage:
        image = QImage(self.size * SCALE, QImage.Format.Format_ARGB32)
        image.setDevicePixelRatio(SCALE)
        self.paint(image)
        return image

    def svg(self) -> bytes:
        data = QByteArray()
        buffer = QBuffer(data)
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        generator = QSvgGenerator()
        generator.setOutputDevice(buffer)
        generator.setSize(self.size)
        generator.setViewBox(QRect(QPoint(), self.size))
        generator.setResolution(96)
        generator.setTitle(self.name)
        self.paint(generator)
        return bytes(data.data())

    def copy(self) -> None:
        """As image and as SVG at once: where it is pasted takes what it can use."""
        both = QMimeData()
        both.setImageData(self.image())
        both.setData("image/svg+xml", self.svg())
        QGuiApplication.clipboard().setMimeData(both)

    def write(self, path: Path) -> bool:
        """Whole or not at all; the name's ending says which kind. False: it couldn't be written."""
        if path.suffix.lower() == ".svg":
            data = self.svg()
        else:
            buffer = QBuffer()
            buffer.open(QIODevice.OpenModeFlag.WriteOnly)
            QImageWriter(buffer, b"png").write(self.image())
            data = bytes(buffer.data().data())
        file = QSaveFile(str(path))
        return file.open(QIODevice.OpenModeFlag.WriteOnly) and file.write(data) == len(data) and file.commit()

    def save(self, window: QWidget, failed: Callable[[str], None]) -> None:
        """Ask where, and as what; `failed` is told in a sentence when it couldn't be written."""
        name = self.name.lower().replace(" ", "-")
        kinds = "Picture (*.png);;Drawing (*.svg)"
        path, kind = QFileDialog.getSaveFileName(window, "Save picture", f"{name}.png", kinds)
        if not path:
            return
        target = Path(path)
        if not target.suffix:
            target = target.with_suffix(".svg" if "svg" in kind else ".png")
        if not self.write(target):
            failed(f"The picture wasn't saved: {target.parent} can't be written to. Choose another folder.")
