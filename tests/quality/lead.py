"""How much sooner a jerk is found where the cell is fast: by encoder and force together, and by the encoder alone."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from monitor.profile.settings import CellSettings
from tests.quality import summary, tables
from tests.quality.corpus import Case, Split, case, performed, seed_of
from tests.quality.runner import Result, evaluate


def printed(split: Split, sets: int) -> str:
    """The table over those of the first `sets` faulty sets whose cell is fast."""
    cases = [one for one in (case("faulty", seed_of(split, index)) for index in range(sets)) if one.fast_cell]
    alone: list[Result] = []
    together: list[Result] = []
    for item, signals, samples in performed(cases):
        alone.append(evaluate(_of_unknown_cell(item), signals, samples))
        together.append(evaluate(item, signals, samples))
    rows = [_row("encoder alone", alone), _row("encoder and force", together)]
    title = f"Force leads position: jerks of {len(cases)} sets, {split} seeds 0 to {sets - 1}"
    return tables.table(title, ["by", "required", "missed", "false", "F1", "found p50/p95"], rows)


def _of_unknown_cell(item: Case) -> Case:
    """The same set, with a detector that does not know its cell to be fast."""
    detect = msgspec.structs.replace(item.given_profile.detect, cell=CellSettings())
    return replace(item, given_profile=msgspec.structs.replace(item.given_profile, detect=detect))


def _row(name: str, results: Sequence[Result]) -> list[tables.Cell]:
    n = summary.of_kind(results, "jerk")
    found = tables.pair(n["found_p50_s"], n["found_p95_s"])
    return [name, n["required"], n["missed"], n["false"], n["f1"], found]
