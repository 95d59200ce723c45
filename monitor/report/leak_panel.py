"""Shows where tension leaked: one bar for the whole set, and one row for each cause."""

from monitor.events import Leak
from monitor.report.markup import Markup, element, together
from monitor.report.session_story import leaks, lost_s
from monitor.report.words import duration
from monitor.vocabulary.leaks import LEAKS

NOT_KNOWN = "The load was not known, so tension could not be judged."


def leak_panel(set_s: float | None, leak: Leak | None) -> Markup:
    """For a set or for a whole session."""
    title = element("h3", "Where tension leaked")
    if leak is None or not set_s:
        return element("div", title, element("p", NOT_KNOWN))
    causes = leaks(leak)
    worst_s = max((seconds for _, seconds in causes), default=1.0)
    rows = [
        element(
            "tr",
            element("th", LEAKS[key].en, scope="row"),
            element("td", _bar(key, seconds / worst_s)),
            element("td", f"{seconds:.1f} s"),
        )
        for key, seconds in causes
    ]
    unjudged = ""
    if leak.unjudged_s >= 1:
        unjudged = f" {duration(leak.unjudged_s)} could not be judged: load or sensors were not known."
    leaked = element("b", duration(lost_s(leak)))
    sentence = element("p", leaked, f" of {duration(set_s)} leaked." + unjudged)
    return element(
        "div",
        title,
        sentence,
        _share_bar(set_s, leak),
        element("table", element("tbody", *rows), class_="leak") if rows else None,
    )


def _bar(key: str, share: float) -> Markup:
    return _svg(
        element("rect", width=f"{100 * share:.2f}", height="10", class_=f"share-{key}", rx="1"), "0 0 100 10", "bar"
    )


def _share_bar(set_s: float, leak: Leak) -> Markup:
    """The whole set: what did not leak, each cause of leak, and time that could not be judged."""
    x, bars = 0.0, []
    kept_s = max(0.0, set_s - lost_s(leak) - leak.unjudged_s)
    for key, seconds in [("tension", kept_s), *leaks(leak), ("unjudged_s", leak.unjudged_s)]:
        width = 100 * seconds / set_s
        bars.append(element("rect", x=f"{x:.2f}", width=f"{width:.2f}", height="10", class_=f"share-{key}"))
        x += width
    return _svg(together(*bars), "0 0 100 10", "share")


def _svg(content: Markup, box: str, kind: str) -> Markup:
    return element("svg", content, viewBox=box, preserveAspectRatio="none", class_=kind, aria_hidden="true")
