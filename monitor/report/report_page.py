"""A session as one HTML file that loads nothing else: style, script and data are inside.

Its content policy names the one script and the one style by their digests and forbids everything else. So nothing that
came in with a recording could run, even if it slipped past the escaping.
"""

from collections.abc import Sequence
from importlib.resources import files
from string import Template

import msgspec

from monitor.profile.strength import StrengthTest
from monitor.report.blindness import BLIND, BLIND_STATIC
from monitor.report.drawing import drawing
from monitor.report.gathering import Gathered
from monitor.report.markup import Markup, element, json_in_script, together
from monitor.report.paper import content_policy, paper_style
from monitor.report.resistance_section import resistance_section
from monitor.report.sections import blindness, event_list, figures, found, header, set_table, trouble, work_on
from monitor.report.session_story import SessionStory
from monitor.report.set_section import set_section
from monitor.version import VERSION

SCRIPTS = ("curve.js", "parts.js", "marks.js", "tip.js", "timeline.js", "controls.js", "overlay.js", "report.js")

SETS_OPEN = 3  # with more sets, each is folded until a reader opens it


def report_page(
    gathered: Gathered,
    story: SessionStory,
    *,
    began_utc: str | None,
    losses: Sequence[str],
    strength: StrengthTest | None = None,
) -> str:
    """Returns the whole file; `strength`: the lifter's, to be drawn beside the machine's resistance."""
    static = gathered.profile.machine.kind == "static"
    drawn = drawing(gathered, story)
    folder = files("monitor.report") / "page"
    style = paper_style((folder / "report.css").read_text(encoding="utf-8"))
    script = "\n".join((folder / name).read_text(encoding="utf-8") for name in SCRIPTS)
    timeline = Markup((folder / "timeline.html").read_text(encoding="utf-8"))
    sets = [set_section(one, static, folded=len(story.sets) > SETS_OPEN) for one in story.sets]
    body = together(
        trouble(losses),
        figures(story, static),
        work_on(story),
        set_table(story),
        *([timeline, *sets] if len(sets) > 1 else [*sets, timeline]),
        resistance_section(gathered.limits, strength),
        found(story),
        blindness(gathered, story, BLIND_STATIC if static else BLIND),
        event_list(drawn.marks),
    )
    return Template((folder / "report.html").read_text(encoding="utf-8")).substitute(
        title=element("title", f"Training report, {gathered.profile.machine.id}"),
        policy=content_policy(style, script),
        style=style,
        header=header(gathered, began_utc),
        body=body,
        footer=element("footer", f"rep-monitor {VERSION}", class_="quiet"),
        data=json_in_script(msgspec.json.encode(drawn)),
        script=script,
    )
