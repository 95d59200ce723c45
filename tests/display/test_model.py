"""What the page keeps of the records that it receives."""

import json
from types import SimpleNamespace
from typing import cast

from monitor.events import AnyEvent
from monitor.vocabulary.lookup import row_of
from monitor.vocabulary.table import ROWS
from tests import needs
from tests.browser import Page
from tests.display.rules import run

pytestmark = needs.chromium


def test_the_model_is_bounded(rules: Page) -> None:
    """Plays 20,000 events."""
    sizes = run(
        rules,
        """const { History } = await import("/js/history.js");
        const model = live({}), history = new History();
        for (let id = 1; id <= 20000; id += 1) {
          const kind = ["jerk", "rep", "slack"][id % 3];
          model.heard(`event/${kind}`, event(kind, { id, rep: id, duration_s: id % 7 ? 0 : null }), false, id);
          history.add({ session: "s", set: id });
        }
        return [model.recent.length, model.open.size, model.reps.size, history.sets.length];""",
    )
    assert sizes == [200, 50, 200, 200]


def test_a_new_session_and_a_new_set_start_empty(rules: Page) -> None:
    assert run(
        rules,
        """const model = live({});
        model.heard("event/rep", event("rep", { id: 3 }), false, 1000);
        const first = [model.reps.size, model.recent.length];
        model.heard("live/feedback", { ...LIVE, set: 2, t_s: 9 }, false, 2000);
        const second = [model.reps.size, model.recent.length];
        model.heard("live/feedback", { ...LIVE, session: "t", set: 1 }, false, 3000);
        return [first, second, [model.reps.size, model.recent.length, model.set]];""",
    ) == [[1, 1], [0, 1], [0, 0, 1]]


def test_a_set_that_ended_before_shows_no_summary(rules: Page) -> None:
    assert run(
        rules,
        """const state = (retained, historical) => {
          const model = live({ set: null });
          model.heard("set", event("set_end", { id: 9, historical }), retained, 1000);
          return [screen(model, 1001).state, model.ended.id];
        };
        return [state(false, false), state(true, false), state(false, true)];""",
    ) == [["summary", 9], ["idle", 9], ["idle", 9]]


def test_resumed_events_give_no_cues(rules: Page) -> None:
    assert run(
        rules,
        """const model = live({ set: 3 });
        model.heard("resume/page", event("jerk", { id: 5, set: 3, historical: true, duration_s: null }), false, 1000);
        model.heard("resume/page", event("rep", { id: 6, set: 3, rep: 4, historical: true }), false, 1000);
        model.heard("resume/page", event("rep", { id: 7, set: 2, rep: 1, historical: true }), false, 1000);
        model.heard("resume/page", event("set_end", { id: 8, set: 2, historical: true, reps: 1 }), false, 1000);
        model.heard("resume/page", { v: 1, mark: "end" }, false, 1000);
        const now = screen(model, 1001);
        return [now.cue, now.heave, model.open.size, [...model.reps.keys()], model.ended.set, now.state];""",
    ) == ["positive", None, 0, [4], 2, "set"]


def test_a_page_knows_whether_it_has_received_the_whole_set(rules: Page) -> None:
    assert run(
        rules,
        """const model = live({ set: 3 }), seen = [model.whole];
        const next = (topic, record) => { model.heard(topic, record, false, 1000); seen.push(model.whole); };
        next("resume/page", event("jerk", { id: 5, set: 3, historical: true }));
        next("resume/page", { v: 1, mark: "begin" });
        next("resume/page", { v: 1, mark: "end" });
        next("live/feedback", { ...LIVE, set: 4, t_s: 9 });
        model.link({ up: false, attempts: 1, next_ms: 9000 }, 2000);
        model.link({ up: true, attempts: 0, next_ms: 0 }, 3000);
        next("live/feedback", { ...LIVE, set: 5, t_s: 19 });
        next("event/set_start", event("set_start", { id: 9, set: 6 }));
        return seen;""",
    ) == [False, False, False, True, True, False, True]


def test_a_resumed_interval_keeps_its_end(rules: Page) -> None:
    """The store sends both records of an interval, each with its own seq."""
    assert run(
        rules,
        """const model = live({ set: 3 });
        const past = (seq, more) => event("bottom_rest", { id: 5, set: 3, seq, historical: true, ...more });
        model.heard("resume/page", past(7, { duration_s: null }), false, 1000);
        model.heard("resume/page", past(9, { duration_s: 4.5 }), false, 1000);
        model.heard("resume/page", past(7, { duration_s: null }), false, 1000);
        return model.recent.map(({ record }) => record.duration_s);""",
    ) == [4.5]


def test_what_is_a_fault_and_what_is_listed(rules: Page) -> None:
    assert run(
        rules,
        """const { isFault, isListed } = await import("/js/kinds.js");
        const of = { part_of: 3 };
        const records = [event("jerk"), event("jerk", of), event("failure"), event("rep"), event("kind_of_tomorrow"),
                         event("stack_touch"), event("stack_touch", { ended_set: true })];
        return records.map((record) => [isFault(record), isListed(record)]);""",
    ) == [[True, True], [False, False], [False, True], [False, False], [False, False], [True, True], [False, False]]


def test_the_page_finds_the_same_row_as_the_monitor(rules: Page) -> None:
    """For each row, an event with its values, alone and together with those of the kind's other rows."""
    records = [{"kind": row.kind, **row.when} for row in ROWS]
    records += [
        {"kind": one.kind, **other.when, **one.when} for one in ROWS for other in ROWS if one.kind == other.kind
    ]
    keys = run(
        rules,
        f"""const {{ rowOf }} = await import("/js/kinds.js");
        return {json.dumps(records)}.map((record) => rowOf(record).key);""",
    )
    assert keys == [row_of(cast(AnyEvent, SimpleNamespace(**record))).key for record in records]
