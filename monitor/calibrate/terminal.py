"""Guides a person through a calibration in the terminal, one instruction at a time.

Without a terminal (a file of answers, a log) each instruction and each result is a plain line, and a refusal ends the
calibration.
"""

import asyncio
import os
import sys
from types import TracebackType
from typing import Self

from monitor.calibrate.answers import Answers
from monitor.calibrate.questions import ask_answers, yes_or_no
from monitor.calibrate.refused import Refused


class Terminal:
    """Implements `procedure.Guide`. `interactive`: a person can answer with Enter or q."""

    def __init__(self, *, interactive: bool) -> None:
        from rich.console import Console

        self._console = Console(highlight=False)
        self._interactive = interactive
        self._status = self._console.status("") if interactive and self._console.is_terminal else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._quiet()

    def step(self, title: str, instruction: str) -> None:
        self._quiet()
        self.say(f"\n[bold]{title}[/]  {_plain(instruction)}")
        if self._status is not None:
            self._status.update("")
            self._status.start()

    def hint(self, text: str) -> None:
        if self._status is not None:
            self._status.update(_plain(text))

    def done(self, text: str) -> None:
        self._quiet()
        self.say(f"  [green]ok[/]  {_plain(text)}")

    def remark(self, text: str) -> None:
        self._quiet()
        self.say(f"  [yellow]note[/]  {_plain(text)}")

    async def again(self, refused: Refused) -> bool:
        """Shows the refusal. Returns True if the person wants to repeat the step."""
        if not self._interactive:
            return False
        self._quiet()
        self.say(f"  [red]no[/]  {_plain(refused.cause)}.\n      {_plain(refused.remedy)}.")
        self.say("      [dim]Enter: try again. q: quit; finished steps are stored.[/]")
        return not (await _line()).strip().lower().startswith("q")

    def ask_answers(self, kind: str) -> Answers:
        """Asks for everything that the sensors cannot measure, before the first step."""
        self.say("A few questions first; after them you need the keyboard only at the end.")
        self.say('"back" returns to the question before, Ctrl-C quits at any time.')
        return ask_answers(kind, self._ask, self._complain)

    def confirm(self, question: str) -> bool:
        """Asks until the answer is yes or no."""
        while True:
            try:
                return yes_or_no(self._ask(f"{question} (yes/no)"))
            except ValueError as error:
                self._complain(str(error))

    def show(self, lines: list[str]) -> None:
        """Prints the lines of a diff, in the usual colours."""
        for line in lines:
            style = "green" if line.startswith("+") else "red" if line.startswith("-") else "dim"
            self._console.print(line, style=style, markup=False)

    def _complain(self, text: str) -> None:
        self.say(f"[red]{_plain(text)}[/]")

    def _ask(self, question: str) -> str:
        self._console.print(f"[bold]?[/] {_plain(question)}: ", end="")
        try:
            return input().strip().lower()
        except EOFError:  # Ctrl-D, or the terminal was closed
            raise KeyboardInterrupt from None

    def say(self, text: str) -> None:
        """Prints a line with rich's markup."""
        self._console.print(text, soft_wrap=True)

    def _quiet(self) -> None:
        if self._status is not None:
            self._status.stop()


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)


async def _line() -> str:
    """Reads a line without blocking the event loop, so that Ctrl-C still works."""
    loop = asyncio.get_running_loop()
    line: asyncio.Future[str] = loop.create_future()
    stdin = sys.stdin.fileno()

    def read() -> None:
        if not line.done():
            line.set_result(os.read(stdin, 1024).decode(errors="replace") or "q")

    loop.add_reader(stdin, read)
    try:
        return await line
    finally:
        loop.remove_reader(stdin)
