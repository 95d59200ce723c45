"""When a cue is shown, sounds or is spoken."""

from itertools import pairwise

from tests import needs
from tests.browser import Page
from tests.display.rules import run

pytestmark = needs.chromium


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
