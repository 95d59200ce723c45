"""The one key that a command listens to while it draws: q."""

import asyncio
import os
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quit_key(pressed: asyncio.Event) -> Iterator[None]:
    """`q` sets the event, and so does the keyboard's end; where stdin is no keyboard nothing does."""
    if not sys.stdin.isatty():
        yield
        return
    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    loop = asyncio.get_running_loop()

    def read() -> None:
        data = os.read(keyboard, 64)
        if not data or b"q" in data.lower():
            pressed.set()

    tty.setcbreak(keyboard)
    loop.add_reader(keyboard, read)
    try:
        yield
    finally:
        loop.remove_reader(keyboard)
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)
