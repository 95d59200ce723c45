"""The questions before a calibration: units, yes or no, and the way back."""

import pytest

from monitor.calibrate.answers import Answers
from monitor.calibrate.questions import ask_answers, several_weights


def answered(kind: str, *typed: str) -> tuple[Answers, list[str]]:
    """The answers, and the complaints on the way."""
    left = list(typed)
    complaints: list[str] = []
    answers = ask_answers(kind, lambda _: left.pop(0), complaints.append)
    assert not left
    return answers, complaints


@pytest.mark.parametrize(
    ("text", "weights"),
    [
        ("20 60 100", ("20", "60", "100")),
        ("20kg, 60 kg", ("20kg", "60kg")),
        ("45 lb 135 lbs", ("45lb", "135lbs")),
        ("22,5 60", ("22,5", "60")),
    ],
)
def test_weights_are_understood_with_units(text: str, weights: tuple[str, ...]) -> None:
    assert several_weights(text) == weights


@pytest.mark.parametrize(("text", "block_mm"), [("250", 250), ("250mm", 250), ("10 in", 254), ("0.25 m", 250)])
def test_the_block_is_understood_with_units(text: str, block_mm: float) -> None:
    answers, complaints = answered("stack", "20 60", text, "no")
    assert answers.block_mm == pytest.approx(block_mm)
    assert not answers.tap
    assert not complaints


def test_back_returns_to_the_question_before() -> None:
    answers, complaints = answered(
        "stack", "back", "20 60", "", "157.1", "back", "back", "back", "20 80", "10 in", "yes"
    )
    assert not complaints
    assert answers.weights == ("20", "80")
    assert answers.block_mm == pytest.approx(254)
    assert answers.drum_mm is None
    assert answers.tap


def test_yes_or_no_accepts_nothing_else() -> None:
    answers, complaints = answered("stack", "20 60", "250", "yesterday", "", "n")
    assert complaints == ["Answer yes or no."] * 2
    assert not answers.tap


def test_answers_that_do_not_suit_begin_the_questions_again() -> None:
    answers, complaints = answered("static", "20 25", "20 60")
    assert "too close together" in complaints[0]
    assert answers.weights == ("20", "60")
