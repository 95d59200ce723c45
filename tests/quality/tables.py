"""The summary as plain text, aligned, for a person at a terminal."""

from collections.abc import Sequence

from tests.quality import summary
from tests.quality.circumstances import KEYS
from tests.quality.corpus import Group
from tests.quality.runner import Result

Cell = str | int | float | None
STRATA_KEYS = (
    *("jerk", "drop", "fault_turn", "lockout_rest", "bottom_rest", "stack_touch", "slack", "force_ceiling"),
    *("stall", "failure"),
)
STATIC_KEYS = ("set_start", "set_end", "stage", "tension_out", "force_ceiling", "failure", "unload", "slack")
NO_STACK_KEYS = tuple(key for key in KEYS if key not in ("stack_touch", "bottom_rest"))
OTHERS: dict[Group, str] = {
    "unknown": "Range and load unknown at first; judged from the third repetition on",
    "static": "Static contractions: force alone",
    "motor": "A motor sets the speed",
    "squat": "The lowering comes first, on a stack or with a barbell",
}


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """A table as text: the first column aligned to the left, the others to the right."""
    cells = [list(head), *([_text(cell) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    lines = [
        "  ".join(
            cell.ljust(width) if i in (0, len(head)) else cell.rjust(width) for i, (cell, width) in enumerate(row)
        )
        for row in ([*zip(row, widths, strict=True)] for row in cells)
    ]
    return "\n".join([title, "-" * len(lines[0]), *(line.rstrip() for line in lines), ""])


def _text(cell: Cell) -> str:
    if cell is None:
        return "."
    return f"{cell:.3f}" if isinstance(cell, float) else str(cell)


def _ms(value: float | int | None) -> Cell:
    return None if value is None else round(value * 1000)


def everything(results: Sequence[Result], keys: Sequence[str]) -> str:
    """All tables."""
    lifted = summary.lifted(results)
    parts = [kinds("Events; times in ms, `clean`: false ones in clean sets", lifted, keys)]
    parts += [counts(lifted), grades(lifted), strata(lifted, keys), sensors(results)]
    for group, title in OTHERS.items():
        if some := summary.of_group(results, group):
            own = STATIC_KEYS if group == "static" else NO_STACK_KEYS if group == "motor" else keys
            parts.append(kinds(title, some, [key for key in own if key in keys]))
            if group != "static":
                parts.append(counts(some))
            if group in ("motor", "squat"):
                parts.append(strata(some, own, ("tempo", "rate", "cell", "known", "kind")))
    return "\n".join(parts)


def kinds(title: str, results: Sequence[Result], keys: Sequence[str]) -> str:
    rows = []
    for key in keys:
        if key == "stage" and not any(result.group == "static" for result in results):
            continue
        n = summary.of_kind(results, key)
        misses = summary.misses_target(key, n)
        verdict = "" if key not in summary.TARGETS else "; ".join(misses) if misses else "met"
        if key == "sensor_fault":
            verdict = "see below"
        rows.append(
            [
                *(key, n["required"], n["missed"], n["false"], n["neutral"], n["precision"], n["recall"], n["f1"]),
                *(n["clean_false"], n["false_per_clean_minute"]),
                *(pair(n["t_error_mean_s"], n["t_error_p95_s"]), pair(n["found_p50_s"], n["found_p95_s"])),
                *(
                    pair(n["known_p50_s"], n["known_p95_s"]),
                    pair(n["duration_error_mean_s"], n["duration_error_p95_s"]),
                ),
                verdict,
            ]
        )
    head = ["kind", "required", "missed", "false", "neutral", "precis.", "recall", "F1", "clean", "/min"]
    head += ["|t| mean/p95", "found p50/p95", "true+ p50/p95", "|dur| mean/p95", "target"]
    return table(title, head, rows)


def pair(one: float | int | None, other: float | int | None) -> str:
    """Two times, given in s, in ms."""
    return "." if one is None else f"{_text(_ms(one))}/{_text(_ms(other))}"


def counts(results: Sequence[Result]) -> str:
    o = summary.overall(results)
    learned = o["learned"]
    rows: list[list[Cell]] = [
        ["sets with every repetition counted", o["sets_exact"], f">= {summary.REPS_EXACT}", f"of {o['sets']}"],
    ]
    for tempo, bound in o["bounds"].items():
        limit = f"<= {summary.BOUND_MEAN_S[tempo] * 1000:.0f}"
        rows.append([f"boundaries {tempo}, mean |error| ms", _ms(bound["mean_s"]), limit, f"p95 {_ms(bound['p95_s'])}"])
    rows += [
        ["load within 1 %", learned["load_within"], f"of {learned['sets']}", f"max {_text(learned['load_error_max'])}"],
        [
            "friction within 0.02",
            learned["friction_within"],
            f"of {learned['friction_sets']}",
            f"max {_text(learned['friction_error_max'])}",
        ],
        ["load known by the end of rep 2", learned["in_time"], f"of {learned['sets']}", ""],
        ["time under load, mean |error| s", o["under_load_error_mean_s"], "", ""],
        ["time under tension, mean |error| s", o["under_tension_error_mean_s"], "", ""],
        ["records whose time moved later", o["moved"], "0", ""],
    ]
    if o["range_error_max_m"] is not None:
        rows.append(["range learned, max |error| of an end m", o["range_error_max_m"], "", ""])
    rows += [[f"right {name}", right, f"of {of}", ""] for name, (right, of) in o["attributes"].items()]
    return table("Repetitions, learning and attributes", ["", "", "target", ""], rows)


def grades(results: Sequence[Result]) -> str:
    names = ("smooth", "fair", "abrupt", "bounce", "None")
    found = dict(summary.overall(results)["grades"])
    rows: list[list[Cell]] = [[true, *(found.get((true, graded), 0) for graded in names)] for true in names]
    return table("Turnarounds whose grade is sure: true (down) and reported", ["", *names], rows)


def strata(results: Sequence[Result], keys: Sequence[str], names: Sequence[str] = ()) -> str:
    """Tables for the strata with these names, or for all; a table with a single row is left out."""
    keys = [key for key in STRATA_KEYS if key in keys]
    parts = []
    for name, drawers in summary.by_stratum(results).items():
        if len(drawers) < 2 or (names and name not in names):
            continue
        rows = []
        for drawer, some in sorted(drawers.items(), key=lambda item: (len(item[0].split(" ")[0]), item[0])):
            jerk = summary.of_kind(some, "jerk")
            rows.append(
                [
                    drawer,
                    len(some),
                    *(summary.of_kind(some, key)["f1"] for key in keys),
                    pair(jerk["found_p50_s"], jerk["found_p95_s"]),
                    summary.overall(some)["sets_exact"],
                ]
            )
        parts.append(table(f"F1 by {name}", [name, "sets", *keys, "jerk found ms", "reps exact"], rows))
    return "\n".join(parts)


def sensors(results: Sequence[Result]) -> str:
    rows: list[list[Cell]] = [
        [name, c["hit"] + c["missed"], c["missed"], c["false"], c["neutral"]]
        for name, c in summary.sensors(results).items()
    ]
    causes = table("Sensors at fault", ["fault, or cause reported", "required", "missed", "false", "neutral"], rows)
    false = summary.broken_false(results)
    invented = ", ".join(f"{kind} {number}" for kind, number in false.most_common()) or "none"
    return f"{causes}\nFalse events of the lifter while sensors were at fault: {invented}\n"


def wrong(results: Sequence[Result], keys: Sequence[str]) -> str:
    rows: list[list[Cell]] = [
        [name, row.outcome, row.kind, row.t_s, row.note] for name, row in summary.wrong(results, keys)
    ]
    return table("Missed and false events", ["case", "", "kind", "t_s", ""], rows)
