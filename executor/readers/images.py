"""A folder of image folders as a table, read by Pillow (the extra `images`).

Each subfolder is a class, in the order of their names; each file in it one row: `image`, u8 of shape
[channels, height, width] with 3 channels (RGB), or 1 (grey) where all files are grey, and `label`, the place
of its class. All images have the same size unless a shape is told (`image=3,32,32`, or `image=32,32,3` with
channels last as Keras has them): then each is turned to that many channels and resized (bilinear). Rows
stand class by class, in the order of file names. PNG, JPEG, BMP, GIF (first frame), PPM and WebP are read,
by content; hidden files are skipped, anything else is refused by name. A picture of more than 64 million
pixels is refused before it is decoded.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from executor.errors import BadTable
from executor.readers.table import Reading, Shape, Table, finished, integer_dtype
from executor.rows import Array
from primitives.data import Dtype

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "PPM", "WEBP")
PIXELS_MAX = 64_000_000
FILES_MAX = 10_000_000
CLASSES_MAX = 65_536
GREY = ("1", "L", "LA", "I", "I;16")
MODES = {1: "L", 3: "RGB"}
TABLE_MAX = 4 << 30
"""Bytes of all pictures of a folder that is read at once."""


def image_segments(path: Path, reading: Reading) -> Iterator[Table]:
    """The tables of an image folder; see `executor.readers.read_table`. BadTable where Pillow is missing."""
    try:
        import PIL.Image as pillow
    except ImportError:
        raise BadTable("reading images needs Pillow: pip install -e '.[images]'") from None
    classes, files = _files(path)
    shape = reading.shapes.get("image") or _common_shape(pillow, path, files)
    if len(shape) != 3 or not {shape[0], shape[2]} & MODES.keys() or min(shape) < 1:
        raise BadTable(f"images have 1 or 3 channels, a height and a width, not shape {list(shape)}")
    size = shape[0] * shape[1] * shape[2]
    if reading.segment is None and size * len(files) > TABLE_MAX:
        raise BadTable(f"{path.name}: the images unpack to more than {TABLE_MAX} bytes")
    step = reading.rows_at_once(len(files), size)
    for start in range(0, len(files), step):
        part = files[start : start + step]
        yield _table(reading, len(classes), [_pixels(pillow, path, file, shape) for file, _ in part], part)


def class_names(path: Path) -> tuple[str, ...]:
    """The classes of an image folder, in the order of their numbers."""
    return tuple(sorted(entry.name for entry in path.iterdir() if entry.is_dir() and entry.name[0] != "."))


def _files(path: Path) -> tuple[tuple[str, ...], list[tuple[Path, int]]]:
    classes = class_names(path)
    if not 1 <= len(classes) <= CLASSES_MAX:
        raise BadTable(f"{path.name}: an image folder has a subfolder for each class, 1 to {CLASSES_MAX}")
    files: list[tuple[Path, int]] = []
    for place, name in enumerate(classes):
        for file in sorted((path / name).iterdir()):
            if file.name.startswith("."):
                continue
            if not file.is_file():
                raise BadTable(f"{name}/{file.name} is no file")
            files.append((file, place))
            if len(files) > FILES_MAX:
                raise BadTable(f"{path.name}: more than {FILES_MAX} files")
    if not files:
        raise BadTable(f"{path.name}: there is no image in any subfolder")
    return classes, files


def _common_shape(pillow: Any, path: Path, files: list[tuple[Path, int]]) -> Shape:
    """The size that all images have, and whether all are grey. Only headers are read."""
    sizes, modes = set(), set()
    for file, _ in files:
        with _opened(pillow, path, file) as image:
            sizes.add(image.size)
            modes.add(image.mode)
        if len(sizes) > 1:
            raise BadTable(f"{path.name}: the images differ in size; tell one: --shape image=3,HEIGHT,WIDTH")
    ((width, height),) = sizes
    return (1 if modes <= set(GREY) else 3, height, width)


def _opened(pillow: Any, path: Path, file: Path) -> Any:
    """An image whose header is sound and within bounds; nothing is decoded."""
    name = f"{file.parent.name}/{file.name}"
    try:
        image = pillow.open(file, formats=FORMATS)
    except Exception as error:  # Pillow's plugins raise many kinds for files that are none of theirs
        raise BadTable(f"{name} is no image that can be read: {type(error).__name__}") from None
    if image.width * image.height > PIXELS_MAX:
        image.close()
        raise BadTable(f"{name} has more than {PIXELS_MAX} pixels")
    return image


def _pixels(pillow: Any, path: Path, file: Path, shape: Shape) -> Array:
    last = shape[0] not in MODES
    channels, height, width = (shape[2], *shape[:2]) if last else shape
    with _opened(pillow, path, file) as image:
        try:
            picture = image.convert(MODES[channels])
        except Exception as error:
            name = f"{file.parent.name}/{file.name}"
            raise BadTable(f"{name} cannot be decoded: {type(error).__name__}") from None
    if picture.size != (width, height):
        picture = picture.resize((width, height), pillow.Resampling.BILINEAR)
    pixels = np.asarray(picture, dtype=np.uint8).reshape(height, width, channels)
    return pixels if last else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def _table(reading: Reading, classes: int, pixels: list[Array], files: list[tuple[Path, int]]) -> Table:
    dtypes = {
        "image": reading.dtypes.get("image", Dtype.U8),
        "label": reading.dtypes.get("label", integer_dtype(0, classes - 1)),
    }
    labels = np.array([place for _, place in files], dtype=np.int64)
    return Table(
        {
            "image": finished("image", np.stack(pixels), dtypes["image"], None),
            "label": finished("label", labels, dtypes["label"], None),
        },
        dtypes,
    )
