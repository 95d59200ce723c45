"""Draws a text as a QR code; the only user of segno."""

from collections.abc import Iterator
from itertools import groupby

import msgspec

QUIET = 4  # modules of white around the code, as the standard demands


class QrDrawing(msgspec.Struct, frozen=True):
    """The dark modules as the path of an SVG; `size` is the width of the drawing with its margin."""

    size: int
    path: str


def drawing(text: str) -> QrDrawing:
    rows = _modules(text)
    runs = [
        f"M{start} {y}h{length}v1h-{length}z"
        for y, row in enumerate(rows)
        for start, length, dark in _runs(row)
        if dark
    ]
    return QrDrawing(len(rows), "".join(runs))


def blocks(text: str) -> list[str]:
    """Lines for a terminal that is set to black on white; each shows two rows."""
    rows = _modules(text)
    rows += [[False] * len(rows)] * (len(rows) % 2)
    pairs = zip(rows[::2], rows[1::2], strict=True)
    return ["".join(" ▄▀█"[2 * upper + lower] for upper, lower in zip(*pair, strict=True)) for pair in pairs]


def _modules(text: str) -> list[list[bool]]:
    import segno  # here, because its tables take a megabyte of a daemon that may never draw a code

    code = segno.make_qr(text, error="m", boost_error=False)
    return [[bool(module) for module in row] for row in code.matrix_iter(border=QUIET)]


def _runs(row: list[bool]) -> Iterator[tuple[int, int, bool]]:
    start = 0
    for dark, modules in groupby(row):
        length = len(list(modules))
        yield start, length, dark
        start += length
