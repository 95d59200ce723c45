"""A whole calibration: resumes or begins it, measures, shows the changes, writes the profile, stores the result."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from monitor.calibrate import history
from monitor.calibrate.answers import Answers
from monitor.calibrate.changes import Changes, changes_of
from monitor.calibrate.listening_port import ListeningPort
from monitor.calibrate.procedure import Procedure
from monitor.calibrate.step_results import Progress
from monitor.calibrate.terminal import Terminal
from monitor.profile.profile import Profile
from monitor.profile.reading import load_profile
from monitor.profile.toml_edit import difference, edited, replace_file
from monitor.state.folders import state_directory
from monitor.state.small_file import read_small
from monitor.version import VERSION


def run_calibration(
    path: Path, port: str, answers: Answers | None, terminal: Terminal, now_utc: Callable[[], str], *, fresh: bool
) -> None:
    """With `answers` None the terminal asks. Raises Refused, SourceEnded or LinkError; finished steps are stored."""
    profile = load_profile(path)
    directory = state_directory(profile.machine.id)
    state = None if fresh else _resumed(directory, answers, terminal)
    if state is None:
        given = answers or terminal.ask_answers(profile.machine.kind)
        state = Progress(started_utc=now_utc(), answers=given)
    _measure(profile, port, state, terminal, directory)
    changes = changes_of(state, profile.machine.kind)
    before = {name: {key: getattr(getattr(profile, name), key, None) for key in keys} for name, keys in changes.items()}
    written = _write(path, changes, terminal, None if answers is None else answers.write)
    record = history.StoredCalibration(
        finished_utc=now_utc(),
        version=VERSION,
        state=state,
        after=changes,
        before=before,
        written=written,
    )
    log = history.add(directory, record)
    history.delete_progress(directory)
    terminal.say(f"This calibration is stored in {log}")


def _resumed(directory: Path, answers: Answers | None, terminal: Terminal) -> Progress | None:
    """The progress of an unfinished calibration, if it is to be resumed."""
    state = history.load_progress(directory)
    if state is None or (answers is not None and state.answers != answers):
        return None
    if answers is not None or terminal.confirm(f"Resume the unfinished calibration of {state.started_utc}?"):
        return state
    return None


def _measure(profile: Profile, port: str, state: Progress, terminal: Terminal, directory: Path) -> None:
    listening = ListeningPort(profile, port)
    procedure = Procedure(profile, state, terminal, lambda: history.save_progress(directory, state))
    procedure.hello_of = lambda: None if listening.state is None else listening.state.hello
    asyncio.run(listening.run(procedure.run))


def _write(path: Path, changes: Changes, terminal: Terminal, allowed: bool | None) -> bool:
    """Shows the changes, and writes them if `allowed` or if the person agrees. Returns True if they were written."""
    text = read_small(path).decode("utf-8-sig")
    after = edited(text, changes, str(path))
    terminal.show(difference(text, after, path.name))
    if not (allowed if allowed is not None else terminal.confirm(f"Write this into {path}?")):
        terminal.say(f"{path} is unchanged")
        return False
    replace_file(path, after)
    load_profile(path)
    terminal.say(f"{path} is calibrated")
    return True
