"""The page's pure functions, in Chromium: bar, cues, states, retries, summary, sound, bounds."""

import json
from collections.abc import Iterator
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from monitor.events import AnyEvent
from monitor.vocabulary.lookup import row_of
from monitor.vocabulary.table import ROWS
from tests import needs
from tests.browser import Browser, Page
from tests.display.stage import CALM, DisplayStage

pytestmark = needs.chromium
LIVE = json.dumps({"v": 1, "session": "s", **msgspec.to_builtins(CALM)})

MODEL = f"""const {{ Model }} = await import("/js/model.js");
const {{ screen }} = await import("/js/screen.js");
const LIVE = {LIVE};
const event = (kind, more) => ({{ v: 1, id: 1, seq: 1, session: "s", set: 1, kind, t_s: 1, found_s: 1, duration_s: 0,
  rep: 1, phase: "positive", position_m: 0, part_of: null, historical: false, ...more }});
const live = (more, now_ms = 1000) => {{
  const model = new Model();
  model.link({{ up: true, attempts: 0, next_ms: 0 }}, 0);
  model.heard("live/feedback", {{ ...LIVE, ...more }}, false, now_ms);
  return model;
}};
"""


@pytest.fixture(scope="module")
def rules(browser: Browser, the_stage: DisplayStage) -> Iterator[Page]:
    """An empty page that can import the display's modules."""
    page = browser.open(the_stage.url + "icon.svg", width=100, height=100)
    yield page
    page.close()


def run(page: Page, body: str) -> Any:
    return page.evaluate(f"(async () => {{ {MODEL} {body} }})()")


def test_the_bar_has_a_dead_band_and_is_exact_beyond_it(rules: Page) -> None:
    levels = run(
        rules,
        """const { barLevel } = await import("/js/bar.js");
        return [0.97, 1, 1.03, 0.9, 1.1, 0.8, 1.2, 0.4, 3].map((tension) => barLevel(tension, 0.1, "none"));""",
    )
    assert levels[:3] == [0.5, 0.5, 0.5]  # the dead band
    assert levels[3:] == pytest.approx([0.4, 0.6, 0.3, 0.7, 0.0, 1.0])
    edges = run(
        rules,
        """const { barLevel } = await import("/js/bar.js");
        return [0.08, 0.1, 0.147].map((half) => barLevel(1 + half, half, "none"));""",
    )
    assert edges == pytest.approx([0.6] * 3)  # the band's place is the same whatever its width


def test_the_bar_never_contradicts_its_colour(rules: Page) -> None:
    """Not even when a colour is held for a moment, or by the daemon's rounding."""
    low, inside, high = run(
        rules,
        """const { barLevel } = await import("/js/bar.js");
        const tensions = [0.5, 0.91, 1, 1.09, 1.5];
        return ["low", "in", "high"].map((band) => tensions.map((tension) => barLevel(tension, 0.1, band)));""",
    )
    assert max(low) < 0.4
    assert min(high) > 0.6
    assert min(inside) == pytest.approx(0.4)
    assert max(inside) == pytest.approx(0.6)


def test_data_is_stale_after_200_ms(rules: Page) -> None:
    assert run(
        rules,
        """const model = live({}, 1000);
        const at = (now_ms) => { const now = screen(model, now_ms); return [now.state, now.next_ms]; };
        return [at(1000), at(1199), at(1200), at(2500)];""",
    ) == [["set", 1200], ["set", 1200], ["stale", 2000], ["stale", 3000]]


def test_a_machine_at_rest_is_stale_after_one_and_a_half_seconds(rules: Page) -> None:
    assert run(
        rules,
        """const model = live({ set: null, feedback_hz: 1 }, 1000);
        const at = (now_ms) => { const now = screen(model, now_ms); return [now.state, now.next_ms]; };
        const rest = [at(1000), at(2499), at(2500)];
        model.heard("live/feedback", { ...LIVE, t_s: 9, feedback_hz: 25 }, false, 2500);
        return [...rest, at(2699), at(2700)].map(([state]) => state);""",
    ) == ["idle", "idle", "stale", "set", "stale"]


def test_a_repeated_time_stamp_is_not_new_data(rules: Page) -> None:
    """A daemon that repeats itself counts as silent."""
    assert run(
        rules,
        """const model = live({ t_s: 5 }, 1000);
        for (const now_ms of [1100, 1300]) model.heard("live/feedback", { ...LIVE, t_s: 5 }, false, now_ms);
        const repeated = screen(model, 1300).state;
        model.heard("live/feedback", { ...LIVE, t_s: 5.04 }, true, 1300);
        const retained = screen(model, 1300).state;
        model.heard("live/feedback", { ...LIVE, t_s: 5.04 }, false, 1300);
        return [repeated, retained, screen(model, 1300).state];""",
    ) == ["stale", "stale", "set"]


def test_the_worst_state_is_shown(rules: Page) -> None:
    ceiling = 'model.heard("event/force_ceiling", event("force_ceiling", { duration_s: null }), false, 1000);'
    shown = run(
        rules,
        f"""const states = [];
        for (const more of [{{}}, {{ load_from: "unknown", band: null, tension: null }}, {{ band: "high" }},
                            {{ band: "high", fault: "frozen" }}, {{ set: null }}]) {{
          const model = live(more);
          {ceiling}
          states.push(screen(model, 1001).state);
        }}
        const model = live({{ fault: "frozen" }});
        states.push(screen(model, 5000).state);
        model.heard("status", {{ v: 1, state: "offline", conn: 1 }}, true, 5000);
        states.push(screen(model, 5000).state);
        model.link({{ up: false, attempts: 1, next_ms: 9000 }}, 5000);
        states.push(screen(model, 5000).state, screen(model, 5000).seconds);
        return states;""",
    )
    assert shown == ["set", "alarm", "alarm", "fault", "idle", "stale", "offline", "offline", 4]


def test_cues_alarm_before_heave_before_rest_before_pace(rules: Page) -> None:
    cues = run(
        rules,
        """const { setCue } = await import("/js/cue.js");
        const base = { sent: null, heaved: null, resting: null, band: "in", phase: "negative", open: new Set() };
        const cue = (more) => setCue({ ...base, ...more });
        const open = new Set(["stall", "speed_over"]);
        const all = { heaved: { cue: "jerk" }, resting: "lockout", open, band: "low" };
        return [cue({ ...all, sent: "word" }), cue(all), cue({ ...all, heaved: null }),
                cue({ ...all, heaved: null, resting: null }), cue({ band: "low", open: new Set(["speed_over"]) }),
                cue({ open: new Set(["speed_over"]) }), cue({})];""",
    )
    assert cues == ["word", "jerk", "lockout", "stall", "speed_over", "speed_over", "negative"]


def test_nothing_flashes_more_than_three_times_a_second(rules: Page) -> None:
    """The worst case: another band with each message, for ten seconds."""
    changes, urgent, last = run(
        rules,
        """const { Steady } = await import("/js/steady.js");
        const steady = new Steady();
        let changes = 0, urgent = 0, before = null, state = null;
        for (let now_ms = 0; now_ms < 10000; now_ms += 40) {
          const more = [{ band: "low" }, { band: "high" }, { band: "in", resting: "lockout" }][(now_ms / 40) % 3];
          const now = steady.steady(screen(live(more, now_ms), now_ms), now_ms);
          const look = [now.band, now.resting, now.heave].join();
          if (look !== before) changes += 1;
          before = look;
        }
        for (let now_ms = 10000; now_ms < 20000; now_ms += 40) {
          const now = steady.steady(screen(live((now_ms / 40) % 2 ? { fault: "frozen" } : {}, now_ms), now_ms), now_ms);
          if (now.state !== state) urgent += 1;
          state = now.state;
        }
        const calm = steady.steady(screen(live({}, 30000), 30000), 30000);
        const now = steady.steady(screen(live({ fault: "frozen" }, 30040), 30040), 30040);
        return [changes, urgent, `${calm.state} ${now.state}`];""",
    )
    assert 10 < changes <= 60  # two changes are a flash
    assert 2 < urgent <= 60
    assert last == "set fault"  # an urgent state is shown at once


def test_a_delayed_change_is_shown_in_time(rules: Page) -> None:
    assert run(
        rules,
        """const { Steady } = await import("/js/steady.js");
        const steady = new Steady();
        const at = (band, now_ms) => steady.steady(screen(live({ band }, now_ms), now_ms), now_ms);
        at("in", 1000); at("low", 1300);
        const held = at("in", 1350);
        return [held.band, held.next_ms, at("in", 1500).band];""",
    ) == ["low", 1500, "in"]


def test_retry_delays_grow_to_30_s_with_jitter(rules: Page) -> None:
    delays = run(
        rules,
        """const { retryDelay_ms } = await import("/js/link.js");
        const delays = (attempts) => [0, 0.5, 0.999].map((random) => retryDelay_ms(attempts, random));
        return [0, 1, 2, 3, 4, 9, 60].map(delays);""",
    )
    assert all(1000 <= low < middle < high <= 30000 for low, middle, high in delays)
    assert delays[0][0] == 1000
    assert delays[-1][0] == 15000


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


def test_sounds_by_priority_and_not_too_often(rules: Page) -> None:
    assert run(
        rules,
        """const { chooseSound } = await import("/js/sound.js");
        const base = { state: "set", band: "in", resting: "none", heave: null, under_load_s: 4.2 };
        const choose = (more, played = {}, tick_s = 4) =>
          chooseSound({ ...base, ...more }, 10000, new Map(Object.entries(played)), tick_s);
        const all = { state: "alarm", heave: "jerk", resting: "lockout", band: "low" };
        return [choose(all), choose(all, { alarm: 9800 }), choose({ ...all, heave: null }, { alarm: 9800 }),
                choose({ band: "low" }), choose({ band: "high" }), choose({ band: "low" }, { low: 9000 }),
                choose({}), choose({}, {}, 3),
                choose({ state: "countdown", reason: "count", seconds: 3, under_load_s: null }),
                choose({ state: "countdown", reason: "begin", seconds: null, under_load_s: null })];""",
    ) == ["alarm", "heave", "rest", "low", "high", None, None, "tick", "tick", "begin"]


def test_at_most_one_cue_in_two_seconds_is_spoken(rules: Page) -> None:
    chosen, said = run(
        rules,
        """const { chooseCue } = await import("/js/voice.js");
        const base = { state: "set", band: "in", resting: "none", heave: null, cue: "positive" };
        const choose = (more, spoken = {}) => chooseCue({ ...base, ...more }, 10000, new Map(Object.entries(spoken)));
        const all = { state: "alarm", heave: "jerk", resting: "lockout", cue: "low", band: "low" };
        const set = { ...all, state: "set" }, rested = { lockout: 7000 };
        const chosen = [choose({}), choose(all), choose(set), choose({ ...set, heave: null }),
                choose({ cue: "low", band: "low" }), choose(all, { low: 8100 }), choose(all, { force_ceiling: 7900 }),
                choose({ resting: "lockout", band: "low" }, rested), choose({ resting: "lockout" }, rested)];
        const spoken = new Map(), said = [];
        for (let now_ms = 0; now_ms < 60000; now_ms += 40) {
          const cue = chooseCue({ ...base, ...all, state: now_ms % 3000 ? "set" : "alarm" }, now_ms, spoken);
          if (cue) { spoken.set(cue, now_ms); said.push(now_ms); }
        }
        return [chosen, said];""",
    )
    assert chosen == [None, "force_ceiling", "jerk", "lockout", "low", None, "force_ceiling", "low", None]
    assert len(said) == 30
    assert all(later - sooner >= 2000 for sooner, later in pairwise(said))


def test_only_a_local_voice_of_the_packs_language_is_used(rules: Page) -> None:
    assert run(
        rules,
        """const { findVoice } = await import("/js/voice.js");
        const voice = (name, lang, localService, usual = false) => ({ name, lang, localService, default: usual });
        const voices = [voice("far", "de-DE", false, true), voice("one", "de_AT", true),
                        voice("usual", "de-DE", true, true), voice("other", "en-GB", true)];
        return ["de", "en", "de-CH", "fr"].map((language) => findVoice(voices, language)?.name ?? null);""",
    ) == ["usual", "other", "usual", None]


def test_feedback_fades_in_three_steps(rules: Page) -> None:
    """What is shown in the band, below it and in a heave, for each level of guidance."""
    seen = run(
        rules,
        """const look = (guidance, more, heave) => {
          const model = live({ rep: 2, ...more });
          if (heave) model.heard("event/jerk", event("jerk", { cause: "mid" }), false, 1000);
          const now = screen(model, 1001, { guidance });
          return `${now.veiled ? "nothing" : now.band} ${now.cue}`;
        };
        const cases = [[{}, false], [{ band: "low", cue: "low" }, false], [{ band: "low", rep: 3, cue: "low" }, false],
                       [{ rep: 3, band: "low" }, true], [{ rep: 3, resting: "lockout", cue: "lockout" }, false]];
        return ["always", "out", "alternate"].map((guidance) => cases.map((shown) => look(guidance, ...shown)));""",
    )
    assert seen == [
        ["in positive", "low low", "low low", "low jerk", "in lockout"],
        ["nothing positive", "low low", "low low", "low jerk", "in lockout"],
        ["nothing positive", "low low", "nothing positive", "none jerk", "none lockout"],
    ]


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


FAKE = """const { Link } = await import("/js/link.js");
const published = [], answers = [];
const handlers = {};
const client = {
  connected: true, unsubscribe() {}, end() {}, removeAllListeners() {},
  on: (name, handler) => (handlers[name] = handler),
  subscribe: (topic, options, done) => done?.(),
  publish: (topic, message) => published.push([topic, JSON.parse(message)]),
};
globalThis.mqtt = { connect: (url, options) => Object.assign(client, { url, options }) };
const link = new Link({ url: "ws://here/mqtt", tree: "rep/m", heard: () => {}, changed: () => {} });
link.start();
const answer = (more) => {
  const { id } = published.at(-1)[1];
  const record = { v: 1, id, ok: false, stamp_s: Date.now() / 1000 + 3600, error: null, detail: null, ...more };
  handlers.message(`rep/m/ack/${id}`, JSON.stringify(record), { retain: false });
};
"""


def test_a_command_is_repeated_if_our_clock_was_wrong(rules: Page) -> None:
    topic, first, second, answered, ahead_s = run(
        rules,
        FAKE
        + """link.command("protocol", { name: "2/4" }, (ack) => answers.push(ack));
        const first = published[0][1];
        answer({ error: "stale" });
        const second = published[1][1];
        answer({ ok: true });
        answer({ ok: true });
        return [published[0][0], first, second, answers, second.stamp_s - first.stamp_s];""",
    )
    assert topic == "rep/m/cmd/protocol"
    assert (first["v"], first["name"], second["name"]) == (1, "2/4", "2/4")
    assert first["id"] != second["id"]
    assert 3590 < ahead_s < 3610
    assert [ack["ok"] for ack in answered] == [True]


def test_the_link_uses_mqtt_3_1_1(rules: Page) -> None:
    options = run(rules, FAKE + "return client.options;")
    assert (options["protocolVersion"], options["clean"], options["reconnectPeriod"]) == (4, True, 0)
    assert 0 < 1.5 * options["keepalive"] < 20  # a daemon that hangs longer is shown as absent


def test_notices_show_the_daemons_troubles(rules: Page) -> None:
    shown = run(
        rules,
        """const { notices } = await import("/js/notices.js");
        const words = { text: (key) => key };
        const sound = { link: { state: "live", detail: null }, storage: {}, recording: "on", config: {} };
        const unstable = { state: "unstable", detail: "it drops again and again" };
        const wrong = { link: unstable, storage: { trouble: "full", warning: "lies" }, recording: "failed",
          config: { trouble: "a mistake" }, calibration: { drift: "it walks" } };
        return [notices(null, words), notices(sound, words), notices(wrong, words)];""",
    )
    wrong = ["full", "notice.recording", "it drops again and again", "a mistake", "it walks", "lies"]
    assert shown == [[], [], wrong]
