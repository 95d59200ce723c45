"""Nothing from outside reaches the terminal as a control character."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.__main__ import main
from monitor.exit_codes import ExitCode
from monitor.record.records import wire_record
from monitor.record.session_file import SessionEncoder
from monitor.safe_output import plain, safe_output
from tests.record.sessions import HEADER, wire_chunks

TITLE = "s\x1b]0;owned\x07\x1b[2J\x9b31m\u202eevil"


def forged(path: Path) -> Path:
    """A recording whose texts hold escapes; the profile is one that can be replayed."""
    from monitor.profile.reading import profile_to_builtins
    from tests.daemon.stage import PROFILE

    encoder = SessionEncoder(
        msgspec.structs.replace(
            HEADER,
            session=TITLE,
            machine=TITLE,
            created_utc=TITLE,
            daemon_version=TITLE,
            firmware_version=TITLE,
            provenance={TITLE: TITLE},
            profile=profile_to_builtins(PROFILE),
            learned=None,
            boot_id=None,
        )
    )
    for chunk in wire_chunks(1.0):
        encoder.add(wire_record(chunk))
    path.write_bytes(encoder.flush() + encoder.finish())
    return path


@pytest.mark.parametrize("command", ["replay", "report"])
def test_a_recording_cannot_write_escapes(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = forged(tmp_path / "r.mcap")
    assert main([command, str(path)]) in (
        ExitCode.DONE,
        ExitCode.DONE_WITH_LOSS,
    )
    said = "".join(capsys.readouterr())
    assert all(letter.isprintable() or letter in "\n\t" for letter in said)
    assert command == "report" or "owned" in said, "it is shown, as text"


def test_on_a_terminal_only_drawing_passes(tmp_path: Path) -> None:
    path = forged(tmp_path / "r.mcap")
    parent, child = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "monitor", "replay", str(path)], stdout=child, stderr=child
    ) as running:
        os.close(child)
        said = b""
        while part := read(parent):
            said += part
        assert running.wait() == ExitCode.DONE
    os.close(parent)
    assert b"owned" in said
    assert b"\x1b]" not in said
    assert b"\x1b[2J" not in said
    assert "\x9b" not in said.decode()


def read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # the last writer has closed it
        return b""


@given(st.text())
def test_what_is_plain_has_no_control_characters_and_stays_so(text: str) -> None:
    once = plain(text)
    assert plain(once) == once
    assert not any((ord(c) < 32 and c not in "\n\t") or 127 <= ord(c) < 160 for c in once)


def test_an_error_message_is_plain_too(capsys: pytest.CaptureFixture[str]) -> None:
    main(["replay", f"/none/{TITLE}.mcap"])
    with safe_output():
        print(TITLE, file=sys.stderr)
    said = capsys.readouterr().err
    assert "\x1b" not in said
    assert "owned" in said
