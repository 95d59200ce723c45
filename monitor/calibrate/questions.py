"""Asks a person for the facts that a calibration cannot measure; `back` returns to the question before."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from monitor.calibrate.answers import Answers, complaint_of, length_mm, weight_kg

_SPACED_UNIT = re.compile(r"(?<=\d)\s+(?=(kg|lbs?)\b)")
_BETWEEN = re.compile(r"[;\s]+|,\s+")


class Question(NamedTuple):
    """`read` turns the text into the answer; it raises ValueError with what a person should type."""

    text: str
    read: Callable[[str], Any]


def yes_or_no(text: str) -> bool:
    """Raises ValueError for anything else.

    >>> yes_or_no("y"), yes_or_no("no")
    (True, False)
    """
    if text not in ("y", "yes", "n", "no"):
        raise ValueError("Answer yes or no.")
    return text.startswith("y")


def several_weights(text: str) -> tuple[str, ...]:
    """At least two different weights. Raises ValueError.

    >>> several_weights("20, 45 lb")
    ('20', '45lb')
    """
    weights = tuple(filter(None, _BETWEEN.split(_SPACED_UNIT.sub("", text))))
    if len({weight_kg(weight) for weight in weights}) < 2:
        raise ValueError("Enter at least two different weights.")
    return weights


def _whole_number(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= 1_000_000:
        raise ValueError("Enter a whole number from 1 to 1000000.")
    return int(text)


QUESTIONS = {
    "weights": Question(
        "Two or more known weights at the cell, light to heavy (20 60 100 in kg, or 45lb 135lb)", several_weights
    ),
    "block_mm": Question(
        "Height of the block (250 mm, 25 cm or 10 in; Enter: use the drum)",
        lambda text: length_mm(text, most_mm=2000) if text else None,
    ),
    "drum_mm": Question(
        "Circumference of the drum under the cord (157.1 mm, or 6.2 in)", lambda text: length_mm(text, most_mm=5000)
    ),
    "counts_per_turn": Question("Counts of one turn (lines of the encoder times four)", _whole_number),
    "tap": Question("Can somebody knock on the stack while it is held? (yes/no)", yes_or_no),
}


def ask_answers(kind: str, ask: Callable[[str], str], complain: Callable[[str], None]) -> Answers:
    """Asks until the answers suit this kind of machine."""
    given: dict[str, Any] = {}
    position = 0
    while True:
        keys = _keys(kind, given)
        if position == len(keys):
            answers = Answers(**({"tap": False} | {key: given[key] for key in keys}))
            if not (complaint := complaint_of(answers, kind)):
                return answers
            complain(complaint[1])
            position = 0
        text = ask(QUESTIONS[keys[position]].text)
        if text in ("b", "back"):
            position = max(position - 1, 0)
            continue
        try:
            given[keys[position]] = QUESTIONS[keys[position]].read(text)
        except ValueError as error:
            complain(str(error))
        else:
            position += 1


def _keys(kind: str, given: dict[str, Any]) -> list[str]:
    """The questions for this kind of machine, in order."""
    keys = ["weights"]
    if kind != "static":
        keys.append("block_mm")
        if given.get("block_mm", "not asked yet") is None:
            keys += ["drum_mm", "counts_per_turn"]
    if kind == "stack":
        keys.append("tap")
    return keys
