"""Listens for the one key that ends a live view: q."""

import asyncio
import os
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quit_key(pressed: asyncio.Event) -> Iterator[None]:
    """Sets the event on q, and when the keyboard is gone; does nothing where stdin is not a keyboard."""
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
