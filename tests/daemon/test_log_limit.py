"""The log contains ten lines of a kind in a minute, then the number of the others."""

import logging

from monitor.daemon.log_limit import LINES, PERIOD_S, LogLimit


def test_many_equal_lines_become_ten_and_a_count() -> None:
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
    assert said[-1] == "absent: again (90 lines like this were suppressed)"
    say("%s: %s", "absent", "and again")
    assert said[-1] == "absent: and again"


def test_rare_lines_are_always_logged() -> None:
    now_s = 0.0
    limit = LogLimit(lambda: now_s)
    for _ in range(200):
        now_s += PERIOD_S / LINES
        assert limit.filter(logging.LogRecord("a", logging.ERROR, "", 0, "a line", None, None))
