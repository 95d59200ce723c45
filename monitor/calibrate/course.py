"""One calibration from its answers to the profile: taken up again, led, shown, written, kept."""

import asyncio
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from monitor.calibrate import kept
from monitor.calibrate.answers import Answers
from monitor.calibrate.findings import State
from monitor.calibrate.port_chunks import Line
from monitor.calibrate.procedure import Procedure
from monitor.calibrate.result import Changes, changes_of
from monitor.calibrate.terminal import Terminal
from monitor.profile.profile import Profile
from monitor.profile.reading import load_profile
from monitor.profile.toml_edit import difference, edited, replace_file
from monitor.state.folders import state_directory


def lead(
    path: Path, port: str, answers: Answers | None, terminal: Terminal, now_utc: Callable[[], str], *, fresh: bool
) -> None:
    """`answers` None: the terminal asks. Raises Refused, SourceEnded or LinkError; what was done by then is kept."""
    profile = load_profile(path)
    directory = state_directory(profile.machine.id)
    state = None if fresh else _taken_up(directory, answers, terminal)
    if state is None:
        given = answers or terminal.ask_answers(profile.machine.kind)
        state = State(started_utc=now_utc(), answers=given)
    _measure(profile, port, state, terminal, directory)
    changes = changes_of(state, profile.machine.kind)
    before = {name: {key: getattr(getattr(profile, name), key, None) for key in keys} for name, keys in changes.items()}
    written = _write(path, changes, terminal, None if answers is None else answers.write)
    record = kept.Kept(
        finished_utc=now_utc(),
        version=version("rep-monitor"),
        state=state,
        after=changes,
        before=before,
        written=written,
    )
    log = kept.add(directory, record)
    kept.forget_partial(directory)
    terminal.say(f"This calibration is kept in {log}")


def _taken_up(directory: Path, answers: Answers | None, terminal: Terminal) -> State | None:
    """One that was left, where it is to go on."""
    state = kept.load_partial(directory)
    if state is None or (answers is not None and state.answers != answers):
        return None
    if answers is not None or terminal.confirm(f"A calibration begun {state.started_utc} was left: go on with it?"):
        return state
    return None


def _measure(profile: Profile, port: str, state: State, terminal: Terminal, directory: Path) -> None:
    line = Line(profile, port)
    procedure = Procedure(profile, state, terminal, lambda: kept.save_partial(directory, state))
    procedure.hello_of = lambda: None if line.state is None else line.state.hello
    asyncio.run(line.while_it_speaks(procedure.run))


def _write(path: Path, changes: Changes, terminal: Terminal, allowed: bool | None) -> bool:
    """The difference is shown; the profile is changed where somebody allows it."""
    text = path.read_text(encoding="utf-8-sig")
    after = edited(text, changes, str(path))
    terminal.show(difference(text, after, path.name))
    if not (allowed if allowed is not None else terminal.confirm(f"Write this into {path}?")):
        terminal.say(f"{path} stays as it was")
        return False
    replace_file(path, after)
    load_profile(path)
    terminal.say(f"{path} is calibrated")
    return True
