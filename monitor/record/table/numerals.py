"""Reads cells as numbers. The decimal mark may be a point or a comma, but the same one in the whole table."""

import math
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")
_GROUPED = re.compile(r"[+-]?\d{1,3}([\s'\u2019,.]\d{3})+([.,]\d+)?")
_WITH_UNIT = re.compile(r"[+-]?[\d.,]+\s*[^\W\d_]+")
_NOTHING = ("nan", "na", "n/a", "#n/a", "null", "none", "-", "--")


class Mistake(Exception):
    """The error in a cell, as the end of a sentence; `at`: its index in the block."""

    def __init__(self, at: int, words: str) -> None:
        super().__init__(words)
        self.at = at


class Numerals:
    """Takes all cells of a table, in blocks."""

    def __init__(self) -> None:
        self._points = self._commas = self._decimal = False

    @property
    def doubtful(self) -> bool:
        """True if there are commas, and each could separate thousands."""
        return self._commas and not self._decimal

    def floats(self, cells: Sequence[str]) -> NDArray[np.float64]:
        """The numbers, NaN for an empty cell. Raises Mistake at the first cell that is not a finite decimal number."""
        text = "\n".join(cells)
        points, commas = "." in text, "," in text
        if commas and not self._decimal:
            self._decimal = any("," in cell and not _THOUSANDS.fullmatch(cell.strip()) for cell in cells)
        if (self._points or points) and (self._commas or commas):
            self._refuse_mixture(cells)
        self._points |= points
        self._commas |= commas
        if not text.isascii():
            text = text.replace("\u2212", "-")  # the true minus sign
        if commas:
            text = text.replace(",", ".")
        plain = text.isascii() and "_" not in text  # only Python reads 1_000 and digits of other scripts as numbers
        if plain and "n" not in text and "N" not in text:
            try:
                values = np.array([float(cell) if cell else np.nan for cell in text.split("\n")])
            except ValueError:
                pass
            else:
                if not np.isinf(values).any():
                    return values
        return np.array([_checked(at, cell) for at, cell in enumerate(cells)])

    def _refuse_mixture(self, cells: Sequence[str]) -> None:
        """Raises Mistake at the first cell with the second decimal mark."""
        points, commas = self._points, self._commas
        for at, cell in enumerate(cells):
            points |= "." in cell
            commas |= "," in cell
            if points and commas:
                both = "." in cell and "," in cell
                what = "which has both" if both else "and others have the other mark"
                raise Mistake(at, f", {what}: write one decimal mark, and thousands without separators")


def is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True


def _checked(at: int, cell: str) -> float:
    """Reads one number. Raises Mistake."""
    bare = cell.strip()
    if not bare:
        return math.nan
    text = bare.replace("\u2212", "-").replace(",", ".")
    if bare.casefold() in _NOTHING or bare.casefold().lstrip("+-") in ("nan", "inf", "infinity"):
        raise Mistake(at, ": leave the cell empty where nothing was measured")
    try:
        value = float(text) if text.isascii() and "_" not in text else None
    except ValueError:
        value = None
    if value is None:
        raise Mistake(at, _remedy(bare))
    if math.isinf(value):
        raise Mistake(at, ", larger than any measurement: leave the cell empty where nothing was measured")
    return value


def _remedy(cell: str) -> str:
    if _GROUPED.fullmatch(cell):
        return ", not a number: write thousands without separators"
    if _WITH_UNIT.fullmatch(cell):
        return ", not a number: write it without a unit"
    return ", not a number: write a decimal number, or nothing where it was not measured"
