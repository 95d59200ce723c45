"""A daemon that hangs with its broker: the sockets stay open without data, and the page must notice."""

import time
from pathlib import Path

from monitor.profile.reading import load_profile
from tests import needs
from tests.browser import Browser
from tests.daemon.whole import a_profile
from tests.faults.stage import a_daemon, a_lifter
from tests.soak import Figure, beside_the_day, soak, soak_only

SEEN_WITHIN_S = 20.0


@soak
@beside_the_day
@soak_only  # takes one and a half keep-alives; test_page_link.py holds that to the same limit
@needs.chromium
def test_a_hung_daemon_is_shown_as_absent(tmp_path: Path, browser: Browser, figure: Figure) -> None:
    profile = a_profile(tmp_path, None)
    url = f"http://127.0.0.1:{load_profile(profile).display.port}/"
    with a_lifter(tmp_path, profile, 1.0), a_daemon(tmp_path, profile, tmp_path / "tty") as daemon:
        while not daemon.is_up:
            time.sleep(0.02)
        page = browser.open(url, width=810, height=1080)
        page.wait("globalThis.repMonitor?.model.feedback && document.body.dataset.state !== 'stale'")
        daemon.freeze()
        began_s = time.monotonic()
        page.wait("document.body.dataset.state === 'stale'")  # nothing live is left standing
        stale_s = time.monotonic() - began_s
        page.wait("document.body.dataset.state === 'offline'", within_s=2 * SEEN_WITHIN_S)
        absent_s = time.monotonic() - began_s
        daemon.thaw()
        page.wait("!['offline', 'stale', 'connecting'].includes(document.body.dataset.state)", within_s=60)
        page.evaluate("repMonitor.link.stop()")
        page.close()
    figure("daemon hangs with its own broker", f"stale after {stale_s:.1f} s, absent after {absent_s:.1f} s; and back")
    assert absent_s <= SEEN_WITHIN_S
