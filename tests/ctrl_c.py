"""Lets a process that a test starts hear Ctrl-C: `subprocess.Popen(..., preexec_fn=hears_ctrl_c)`."""

import signal


def hears_ctrl_c() -> None:
    """Also if the tests were started in the background, because a shell then ignores SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
