"""Ten lines of a kind a minute, and then how many more there were."""

import logging

from monitor.daemon.log_limit import LINES, PERIOD_S, LogLimit


def test_a_storm_is_ten_lines_and_a_count() -> None:
    now_s = 0.0
    limit = LogLimit(lambda: now_s)
    said: list[str] = []

    def say(text: str, *args: object) -> None:
        record = logging.LogRecord("monitor.daemon.daemon", logging.WARNING, "", 0, text, args, None)
        if limit.filter(record):
            said.append(record.getMessage())

    for k in range(100):
        now_s += 0.1
        say("%s: %s", "absent", k)
    assert said == [f"absent: {k}" for k in range(LINES)]
    say("another kind of line")
    assert said[-1] == "another kind of line"
    now_s += PERIOD_S
    say("%s: %s", "absent", "again")
    assert said[-1] == "absent: again (90 lines like this were not said)"
    say("%s: %s", "absent", "and again")
    assert said[-1] == "absent: and again"


def test_what_is_rare_is_always_said() -> None:
    now_s = 0.0
    limit = LogLimit(lambda: now_s)
    for _ in range(200):
        now_s += PERIOD_S / LINES
        assert limit.filter(logging.LogRecord("a", logging.ERROR, "", 0, "a line", None, None))
