"""What the page says about data that is stale and about trouble."""

from tests import needs
from tests.browser import Page
from tests.display.rules import run

pytestmark = needs.chromium


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
