"""How tests are shared among workers: whole files, folders with one browser, the longest first."""

from pathlib import Path

from tests.workers import LONGEST, TOGETHER, place, unit

ROOT = Path(__file__).parents[1]


def test_what_is_named_exists() -> None:
    assert [path for path in (*TOGETHER, *LONGEST) if not (ROOT / path).exists()] == []


def test_a_file_or_a_folder_with_a_browser_goes_to_one_worker() -> None:
    assert unit("tests/display/test_axe.py::test_the_settings") == "tests/display"
    assert unit("tests/store/test_store.py::test_x[a/b::c]") == "tests/store/test_store.py"


def test_the_longest_come_first() -> None:
    short = place("tests/store/test_store.py::test_x")
    assert place("tests/display/test_axe.py::test_x") < place("tests/test_readme.py::test_x") < short
