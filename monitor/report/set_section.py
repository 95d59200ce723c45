"""The report's section about one set: overlay, leak, repetitions with graded turnarounds, stages."""

from collections.abc import Sequence

from monitor.events import Rep, Stage, Turnaround
from monitor.profile.weights import newtons, weight
from monitor.report.advice import advice
from monitor.report.leak_panel import leak_panel
from monitor.report.markup import Markup, element
from monitor.report.session_story import SetStory, length_s
from monitor.report.tables import UNKNOWN, row, table
from monitor.report.words import clock, count, duration, partial, rep_notes
from monitor.vocabulary.lookup import faults_by_name


def set_section(one: SetStory, static: bool, *, folded: bool) -> Markup:
    """Returns the section; a `folded` one is closed until a reader opens it."""
    heading = element("h2", f"Set {one.number}", element("small", " " + _set_words(one), class_="quiet"))
    remedy = advice(one)
    parts: list[Markup] = []
    if remedy:
        parts.append(element("p", element("b", "One thing to do better: "), remedy, class_="advice"))
    if one.end is None:
        parts.append(element("p", "The recording ended within this set, so there is no summary.", class_="advice"))
    halves = []
    if one.reps:
        halves.append(_overlay(one))
    end = one.end
    leak = leak_panel(length_s(end), end.leak) if end else None
    halves.append(element("div", leak, _turns(one) if not static else None, class_="half"))
    parts.append(element("div", *halves, class_="halves"))
    if one.reps:
        parts.append(_rep_table(one))
    if one.stages:
        parts.append(_stage_table(one.stages))
    if folded:
        return element("details", element("summary", heading), *parts, class_="block set", data_set=one.number)
    return element("section", heading, *parts, class_="block set", data_set=one.number)


def _set_words(one: SetStory) -> str:
    end = one.end
    parts = []
    if end is not None and end.working_load_n is not None:
        parts.append(newtons(end.working_load_n) + {"learned": ", learned", "given": ""}.get(end.working_load_from, ""))
    if one.reps:
        parts.append(count(len(one.reps), "repetition") + partial(one.partial_reps))
    if end is not None:
        parts.append(f"{duration(end.under_load_s)} under load")
        if end.skill is not None:
            parts.append(f"skill {end.skill:.0%}")
        if end.clean_reps is not None and one.reps:
            parts.append(f"{end.clean_reps} of {len(one.reps)} clean")
        if end.outcome == "failure":
            parts.append("to failure")
    return " · ".join(parts)


def _overlay(one: SetStory) -> Markup:
    return element(
        "figure",
        element("figcaption", "Every repetition over the others"),
        element("div", class_="overlay", data_set=one.number),
        element("p", class_="overlay-key quiet", data_set=one.number),
        class_="half",
    )


def _turns(one: SetStory) -> Markup | None:
    grades: dict[str, int] = {}
    for event in one.moments:
        if isinstance(event, Turnaround) and event.grade is not None:
            grades[event.grade] = grades.get(event.grade, 0) + 1
    if not grades:
        return None
    chips = [
        element("li", element("b", str(grades[grade])), f" {words}", class_=f"grade grade-{grade}")
        for grade, words in (("smooth", "smooth"), ("fair", "fair"), ("abrupt", "abrupt"), ("bounce", "bounced"))
        if grade in grades
    ]
    return element("div", element("h3", "All turnarounds by grade"), element("ul", *chips, class_="grades"))


def _rep_table(one: SetStory) -> Markup:
    """Columns in the order of the movement: turn, up, turn, down."""
    head = ["Rep", "Bottom turn", "Up", "Top turn", "Down", "Range", "Mean", "In band", "Notes", "Faults"]
    rows = []
    for rep in one.reps:
        moved_s = max(rep.duration_s or 0.0, 1e-9)
        until_s = rep.t_s + (rep.duration_s or 0.0)
        number = f"{rep.rep}" + (" ½" if rep.partial else "")
        cells = [
            element(
                "button", number, type="button", class_="link", data_zoom=f"{rep.t_s} {until_s}",
                data_rep=f"{one.number} {rep.rep}", aria_label=f"Show repetition {rep.rep}",
            ),
            _grade(one.turn(rep, "lower")),
            f"{rep.positive_s:.1f} s",
            _grade(one.turn(rep, "upper")),
            f"{rep.negative_s:.1f} s",
            f"{rep.rom_m * 100:.0f} cm",
            UNKNOWN if rep.tension_mean_n is None else weight(rep.tension_mean_n),
            UNKNOWN if rep.in_band_s is None else f"{rep.in_band_s / moved_s:.0%}",
            ", ".join(note for note in rep_notes(rep) if note != "partial"),
            _leaked(one, rep),
        ]  # fmt: skip
        rows.append(row(cells, data_set=one.number, data_rep=rep.rep))
    return table(head, rows, "reps")


def _grade(turn: Turnaround | None) -> Markup:
    if turn is None:
        return Markup(UNKNOWN)
    if turn.grade is None:
        return element("span", "on the rest", class_="quiet")
    word = "bounced" if turn.grade == "bounce" else turn.grade
    return element("span", word, class_=f"grade grade-{turn.grade}")


def _leaked(one: SetStory, rep: Rep) -> str:
    events = (event for event in one.moments if event.rep == rep.rep and not isinstance(event, Turnaround))
    names = faults_by_name(events)
    return ", ".join(f"{name} (x{n})" if n > 1 else name for name, n in names.items())


def _stage_table(stages: Sequence[Stage]) -> Markup:
    rows = [
        row(
            [
                element(
                    "button", str(stage.stage), type="button", class_="link",
                    data_zoom=f"{stage.t_s} {stage.t_s + (stage.duration_s or 1.0)}",
                ),
                clock(stage.t_s),
                "" if stage.duration_s is None else f"{stage.duration_s:.1f} s",
                newtons(stage.target_n),
                UNKNOWN if stage.mean_n is None else newtons(stage.mean_n),
                f"{stage.in_band_s:.1f} s",
            ]
        )
        for stage in stages
    ]  # fmt: skip
    return table(("Stage", "At", "Lasted", "Target", "Held", "In band"), rows, "stages")
