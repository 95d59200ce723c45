"""The facts that a calibration cannot measure, typed by a person or read from a file.

weights = ["20 kg", "60 kg"]     two or more, at the cell, lightest first; "45 lb" works, too
block_mm = 250                   the height of a block under the stack, as high as possible; or
drum_mm = 157.1                  the circumference of the encoder's drum, and
counts_per_turn = 2400           the counts of one turn of the drum
tap = true                       somebody can knock on the stack
write = true                     the profile may be changed
"""

import re
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from monitor.profile.toml_document import ConfigError, Document
from monitor.profile.weights import KG_PER_LB

LEAST_RATIO = 1.5  # of the heaviest to the lightest weight: closer weights do not show linearity

_WEIGHT = re.compile(r"\s*(\d+(?:[.,]\d+)?)\s*(kg|lbs?)?\s*")
_LENGTH = re.compile(r"\s*(\d+(?:[.,]\d+)?)\s*(mm|cm|m|in|inch|inches|\")?\s*")
_UNIT_MM = {"mm": 1.0, "cm": 10.0, "m": 1000.0}
INCH_MM = 25.4


class Answers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """See the module's docstring."""

    weights: Annotated[tuple[str, ...], Meta(min_length=2, max_length=12)]
    block_mm: Annotated[float, Meta(gt=0, le=2000)] | None = None
    drum_mm: Annotated[float, Meta(gt=0, le=5000)] | None = None
    counts_per_turn: Annotated[int, Meta(gt=0, le=1_000_000)] | None = None
    tap: bool = True
    write: bool = False

    @property
    def weights_kg(self) -> tuple[float, ...]:
        return tuple(sorted(weight_kg(weight) for weight in self.weights))


class WeightError(ValueError):
    """The text is not a weight; the message shows the format."""


def weight_kg(text: str) -> float:
    """A weight in kilograms. Raises WeightError.

    >>> weight_kg("20"), weight_kg("20 kg"), round(weight_kg("45 lb"), 2)
    (20.0, 20.0, 20.41)
    """
    found = _WEIGHT.fullmatch(text.lower())
    if not found or not 0 < (number := float(found[1].replace(",", "."))) <= 1000:
        raise WeightError(f'"{text}" is not a weight; write 20 kg or 45 lb, up to 1000')
    return number * KG_PER_LB if (found[2] or "").startswith("lb") else number


class LengthError(ValueError):
    """The text is not a length; the message shows the format."""


def length_mm(text: str, *, most_mm: float) -> float:
    """A length in millimetres. Raises LengthError.

    >>> [round(length_mm(text, most_mm=2000)) for text in ("250", "250mm", "25 cm", "10 in", "0,25 m")]
    [250, 250, 250, 254, 250]
    """
    found = _LENGTH.fullmatch(text.lower())
    length = float(found[1].replace(",", ".")) * _UNIT_MM.get(found[2] or "mm", INCH_MM) if found else 0.0
    if not 0 < length <= most_mm:
        raise LengthError(f'"{text}" is not a length; write 250 mm, 25 cm or 10 in, up to {most_mm:g} mm')
    return length


def read_answers(path: Path, kind: str) -> Answers:
    """Raises ConfigError, which names the line."""
    document = Document.read(path)
    document.check(Answers)
    answers = msgspec.convert(document.table, Answers)
    if complaint := complaint_of(answers, kind):
        raise ConfigError(f"{path}: {complaint[0]} {complaint[1]}")
    return answers


def complaint_of(answers: Answers, kind: str) -> tuple[str, str] | None:
    """The key of an answer that does not suit this kind of machine, and the reason; else None."""
    try:
        weights_kg = answers.weights_kg
    except WeightError as error:
        return "weights", str(error)
    if weights_kg[-1] < LEAST_RATIO * weights_kg[0]:
        reason = "are too close together; give a light and a heavy one"
        return "weights", f"{reason}, the heaviest at least {LEAST_RATIO:g} times the lightest"
    drum = answers.drum_mm is not None and answers.counts_per_turn is not None
    if kind != "static" and (answers.block_mm is None) is not drum:
        return "block_mm", "or drum_mm with counts_per_turn must be given, but not both"
    return None
