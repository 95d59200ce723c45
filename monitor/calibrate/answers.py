"""What a calibration has to be told, typed in by a person or read from a file: what the sensors cannot say.

weights = ["20 kg", "60 kg"]     two or more, at the cell, lightest first; "45 lb" is understood
block_mm = 250                   a block to set the stack down on, as high as can be; or
drum_mm = 157.1                  the circumference of the encoder's drum, and
counts_per_turn = 2400           the counts of one turn of it
tap = true                       somebody can knock on the stack
write = true                     the profile may be changed
"""

import re
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from monitor.profile.toml_document import ConfigError, Document

POUND_KG = 0.45359237
LEAST_RATIO = 1.5  # of the heaviest to the lightest weight: nearer ones say nothing of linearity

_WEIGHT = re.compile(r"\s*(\d+(?:[.,]\d+)?)\s*(kg|lbs?)?\s*")


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
    """Not a weight; the sentence says what one looks like."""


def weight_kg(text: str) -> float:
    """`20`, `20 kg` and `45 lb` in kilograms."""
    found = _WEIGHT.fullmatch(text.lower())
    if not found or not 0 < (number := float(found[1].replace(",", "."))) <= 1000:
        raise WeightError(f'"{text}" is no weight; write 20 kg or 45 lb, up to 1000')
    return number * POUND_KG if (found[2] or "").startswith("lb") else number


def read_answers(path: Path, kind: str) -> Answers:
    """Raises ConfigError, which names the place."""
    document = Document.read(path)
    document.check(Answers)
    answers = msgspec.convert(document.table, Answers)
    if complaint := complaint_of(answers, kind):
        raise ConfigError(f"{path}: {complaint[0]} {complaint[1]}")
    return answers


def complaint_of(answers: Answers, kind: str) -> tuple[str, str] | None:
    """Which answer does not do for this kind of machine, and why."""
    try:
        weights_kg = answers.weights_kg
    except WeightError as error:
        return "weights", str(error)
    if weights_kg[-1] < LEAST_RATIO * weights_kg[0]:
        far = "lie too near together; give a light and a heavy one"
        return "weights", f"{far}, the heaviest at least {LEAST_RATIO:g} times the lightest"
    drum = answers.drum_mm is not None and answers.counts_per_turn is not None
    if kind != "static" and (answers.block_mm is None) is not drum:
        return "block_mm", "has to be given, or drum_mm with counts_per_turn, and not both: one of the two ways"
    return None
