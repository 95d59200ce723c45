"""What the page concludes from sets."""

import json

import pytest

from tests import needs
from tests.browser import Page
from tests.display.rules import run

pytestmark = needs.chromium


@pytest.mark.parametrize(
    ("leak", "counts", "key"),
    [
        ({}, {}, None),
        ({"lockout_s": 3.0, "unload_s": 2.0}, {"jerk": 1}, "lockout_rest"),
        ({"lockout_s": 3.0}, {"jerk": 2, "turnaround": 12, "rep": 6}, "jerk"),
        ({"lockout_s": 1.5}, {"turnaround": 12, "abrupt": 1, "bounce": 1}, "turnaround"),
        ({"bottom_s": 0.9}, {}, None),
        ({"low_tension_s": 4.0}, {"speed_over": 3}, "tension_out.low"),
        ({"unload_s": 5.0}, {"force_ceiling": 2}, "force_ceiling"),
        ({"high_tension_s": 11.0}, {}, "tension_out.high"),
        ({"unjudged_s": 11.0}, {}, None),  # unjudged time is not a leak
        ({}, {"bottom_rest": 1}, "bottom_rest"),
    ],
)
def test_one_thing_to_do_better(rules: Page, leak: dict[str, float], counts: dict[str, int], key: str | None) -> None:
    record = json.dumps({"set": 1, "session": "s", "leak": leak, "counts": counts, "under_load_s": 60})
    found = run(rules, f'const {{ worst }} = await import("/js/summary.js"); return worst({record})?.key ?? null;')
    assert found == key if key is None else found.startswith(key)


def test_the_leak_of_the_current_set(rules: Page) -> None:
    leak = run(
        rules,
        """const { leakSoFar } = await import("/js/leak.js");
        const model = live({ t_s: 50 });
        const tell = (id, kind, t_s, more) =>
          model.heard(`event/${kind}`, event(kind, { id, t_s, ...more }), false, 1000);
        tell(1, "lockout_rest", 2, { duration_s: 2 });
        tell(2, "lockout_rest", 47, { duration_s: null });
        tell(3, "unload", 10, { duration_s: 1.5 });
        tell(4, "tension_out", 11, { side: "low", duration_s: 1, part_of: 3 }); // half of it is the unload's
        tell(5, "tension_out", 20, { side: "high", duration_s: 1 });
        tell(6, "jerk", 30, { duration_s: 0.2 });
        tell(7, "turnaround", 32, { duration_s: 0, at: "upper", grade: "smooth", dwell_s: 0.5 });
        tell(8, "drop", 36, { duration_s: 0.2 }); // no turn is known yet
        tell(9, "turnaround", 45, { duration_s: 0, at: "lower", grade: "abrupt", dwell_s: 0.5 });
        tell(10, "speed_over", 44, { duration_s: 1 }); // a quarter of it is the turnaround's
        tell(11, "bottom_rest", 25, { duration_s: 9, set: 2 });
        tell(12, "bottom_rest", 49, { duration_s: null, ended_set: true });
        return leakSoFar(model.recent, 1, 50);""",
    )
    assert leak == pytest.approx({
        "lockout_s": 5, "bottom_s": 0, "unload_s": 1.5, "low_tension_s": 0.5, "high_tension_s": 1, "speed_s": 0.25,
        "jerk_s": 1.75, "drop_s": 4, "turnaround_s": 1.5,
    })  # fmt: skip


def test_the_last_set_at_the_same_load_is_found(rules: Page) -> None:
    assert run(
        rules,
        """const { History } = await import("/js/history.js");
        const history = new History();
        const add = (set, working_load_n) => history.add({ session: "s", set, working_load_n });
        add(1, 700); add(2, 804); add(3, 806); add(4, 900); add(5, null);
        return [1, 2, 3, 4, 5].map((set) => history.before(history.sets[set - 1])?.set ?? null);""",
    ) == [None, None, 2, None, None]


def test_a_day_of_training_gives_one_skill_and_one_strength(rules: Page) -> None:
    assert run(
        rules,
        """const { History } = await import("/js/history.js");
        const history = new History();
        const add = (session, set, under_tension_s, strength_n, ended_utc) => {
          const skill = under_tension_s === null ? null : under_tension_s / 60;
          history.add({ session, set, under_load_s: 60, under_tension_s, skill, strength_n, ended_utc });
        };
        add("a", 1, 30, 700, "2026-11-02T12:00:00Z");
        add("a", 2, 60, 800, "2026-11-02T12:05:00Z");
        add("b", 1, 45, 750, "2026-11-02T12:20:00Z"); // another load began a session of its own
        add("c", 1, 54, 820, "2026-11-09T12:00:00Z");
        add("c", 2, null, 820, "2026-11-09T12:10:00Z");
        add("d", 1, 57, null, "2026-11-16T12:00:00Z");
        add("e", 1, 57, 840, undefined);
        return history.days.map(({ day, skill, strength_n }) => [day, skill, strength_n]);""",
    ) == [["2026-11-02", 0.75, 800], ["2026-11-09", 0.9, 820], ["e", 0.95, 840]]
