"""How much sooner a jerk is found by encoder and force together than by the encoder alone, for each kind of cell."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import msgspec

from monitor.profile.settings import CellSettings
from tests.quality import summary, tables
from tests.quality.corpus import Case, Split, case, performed, seed_of
from tests.quality.runner import Result, evaluate


def printed(split: Split, sets: int) -> str:
    """The table over the first `sets` faulty sets."""
    alone: dict[str, list[Result]] = defaultdict(list)
    together: dict[str, list[Result]] = defaultdict(list)
    for item, signals, samples in performed([case("faulty", seed_of(split, index)) for index in range(sets)]):
        cell = item.strata["cell"]
        alone[cell].append(evaluate(_of_unknown_cell(item), signals, samples))
        together[cell].append(evaluate(item, signals, samples))
    rows = []
    for cell in sorted(alone):
        rows += [_row(cell, "encoder", alone[cell]), _row(cell, "encoder and force", together[cell])]
    title = f"Force leads position: jerks of {sets} sets, {split} seeds 0 to {sets - 1}"
    return tables.table(title, ["cell", "by", "required", "missed", "false", "F1", "found p50/p95"], rows)


def _of_unknown_cell(item: Case) -> Case:
    """The same set, with a detector that does not know its cell."""
    detect = msgspec.structs.replace(item.given_profile.detect, cell=CellSettings())
    return replace(item, given_profile=msgspec.structs.replace(item.given_profile, detect=detect))


def _row(cell: str, by: str, results: Sequence[Result]) -> list[tables.Cell]:
    n = summary.of_kind(results, "jerk")
    found = tables.pair(n["found_p50_s"], n["found_p95_s"])
    return [cell, by, n["required"], n["missed"], n["false"], n["f1"], found]
