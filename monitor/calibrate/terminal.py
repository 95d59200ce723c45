"""Guides a person through a calibration in the terminal, one instruction at a time.

Without a terminal (a file of answers, a log) each instruction and each result is a plain line, and a refusal ends the
calibration.
"""

import asyncio
import os
import sys
from types import TracebackType
from typing import Self

from monitor.calibrate.answers import Answers, WeightError, complaint_of, weight_kg
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
        self.say("Three questions first; after them you need the keyboard only at the end. Ctrl-C quits at any time.")
        weights = self._ask_weights()
        block_mm = drum_mm = counts = None
        if kind != "static":
            self.say("The travel is measured with a block under the stack, as high as fits, or by the encoder's drum.")
            block_mm = self._ask_number("Height of the block in mm (Enter: use the drum)", optional=True)
            if block_mm is None:
                drum_mm = self._ask_number("Circumference of the drum in mm, under the cord")
                counts = self._ask_number("Counts of one turn (lines of the encoder times four)")
        tap = kind == "stack" and self._ask("Can somebody knock on the stack while it is held? (y/n)").startswith("y")
        answers = Answers(
            weights=weights,
            block_mm=block_mm,
            drum_mm=drum_mm,
            counts_per_turn=None if counts is None else round(counts),
            tap=tap,
        )
        if complaint := complaint_of(answers, kind):
            self.say(f"[red]{_plain(complaint[1])}[/]")
            return self.ask_answers(kind)
        return answers

    def confirm(self, question: str) -> bool:
        return self._ask(f"{question} (y/n)").startswith("y")

    def show(self, lines: list[str]) -> None:
        """Prints the lines of a diff, in the usual colours."""
        for line in lines:
            style = "green" if line.startswith("+") else "red" if line.startswith("-") else "dim"
            self._console.print(line, style=style, markup=False)

    def _ask_weights(self) -> tuple[str, ...]:
        while True:
            text = self._ask("Two or more known weights at the cell, light to heavy (20 60 100, or 45lb 135lb)")
            weights = tuple(text.replace(",", " ").replace(" kg", "kg").replace(" lb", "lb").split())
            try:
                if len({weight_kg(weight) for weight in weights}) >= 2:
                    return weights
                self.say("[red]Enter at least two different weights.[/]")
            except WeightError as error:
                self.say(f"[red]{_plain(str(error))}[/]")

    def _ask_number(self, question: str, *, optional: bool = False) -> float | None:
        while True:
            text = self._ask(question)
            if optional and not text:
                return None
            try:
                if (number := float(text.replace(",", "."))) > 0:
                    return number
            except ValueError:
                pass
            self.say("[red]Enter a number above 0.[/]")

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
