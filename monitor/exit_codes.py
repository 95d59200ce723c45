"""The exit statuses of the command, and the status of each error.

KNOWN lists the errors that a person can act on; the command prints their message without a traceback. It names the
classes instead of importing them, so that --help starts fast.
"""

import os
from enum import IntEnum


class ExitCode(IntEnum):
    DONE = 0
    FAILED = 1
    BAD_INPUT = 2
    DONE_WITH_LOSS = 3
    DO_NOT_RESTART = 78
    INTERRUPTED = 130


TABLE = {
    ExitCode.DONE: "done",
    ExitCode.FAILED: "failed; another attempt may succeed",
    ExitCode.BAD_INPUT: "the command line, an input file or a profile is wrong",
    ExitCode.DONE_WITH_LOSS: "done, but part of the input was damaged and is lost",
    ExitCode.DO_NOT_RESTART: "`run` needs a person to correct the profile, the firmware or the broker account",
    ExitCode.INTERRUPTED: "interrupted by Ctrl-C before it was done",
}

KNOWN = {
    "monitor.profile.toml_document.ConfigError": ExitCode.BAD_INPUT,
    "monitor.playback.playback.PlaybackError": ExitCode.BAD_INPUT,
    "monitor.study.errors.StudyError": ExitCode.BAD_INPUT,
    "monitor.record.table.errors.TableError": ExitCode.BAD_INPUT,
    "monitor.record.session_reader.SessionFileError": ExitCode.BAD_INPUT,
    "monitor.access.authority.AccessError": ExitCode.BAD_INPUT,
    "monitor.custody.archive.BackupError": ExitCode.BAD_INPUT,
    "monitor.custody.forgetting.NotAnswered": ExitCode.FAILED,
    "monitor.calibrate.refused.Refused": ExitCode.FAILED,
    "monitor.calibrate.procedure.SourceEnded": ExitCode.FAILED,
    "monitor.state.folders.StateError": ExitCode.FAILED,
    "monitor.display.server.PageServerError": ExitCode.FAILED,
    "monitor.gym.database.errors.DatabaseError": ExitCode.FAILED,
    "monitor.gym.export.selection.ExportRefused": ExitCode.BAD_INPUT,
    "monitor.gym.people.errors.PeopleError": ExitCode.BAD_INPUT,
    "monitor.gym.workout.errors.WorkoutError": ExitCode.BAD_INPUT,
    "monitor.store.database.StoreError": ExitCode.FAILED,
    "monitor.store.database.StoreVersionError": ExitCode.DO_NOT_RESTART,
    "monitor.mqtt.client.channel.BrokerError": ExitCode.FAILED,
    "monitor.mqtt.client.channel.BrokerRefuses": ExitCode.DO_NOT_RESTART,
    "firmware_bridge.errors.ProtocolVersionError": ExitCode.DO_NOT_RESTART,
    "firmware_bridge.errors.WrongDeviceError": ExitCode.DO_NOT_RESTART,
    "firmware_bridge.errors.BridgeError": ExitCode.FAILED,
    "builtins.FileNotFoundError": ExitCode.BAD_INPUT,
    "builtins.IsADirectoryError": ExitCode.BAD_INPUT,
    "builtins.NotADirectoryError": ExitCode.BAD_INPUT,
    "builtins.PermissionError": ExitCode.BAD_INPUT,
    "builtins.FileExistsError": ExitCode.BAD_INPUT,
    "builtins.OSError": ExitCode.FAILED,  # of a named file: the disk is full, for example
}


def exit_code(error: BaseException, command: str) -> ExitCode | None:
    """The status of an error that a person can act on; None for a bug."""
    for kind in type(error).__mro__:
        if (code := KNOWN.get(f"{kind.__module__}.{kind.__qualname__}")) is not None:
            if isinstance(error, OSError) and error.filename is None:
                return None
            if command == "run":  # a restart does not correct its input
                return ExitCode.DO_NOT_RESTART if code is ExitCode.BAD_INPUT else code
            return ExitCode.FAILED if code is ExitCode.DO_NOT_RESTART else code
    return None


def sentence(error: BaseException) -> str:
    """The error in one line."""
    if isinstance(error, OSError) and error.filename is not None:
        folder = os.path.dirname(os.path.abspath(os.fsdecode(error.filename)))
        if isinstance(error, FileNotFoundError) and not os.path.isdir(folder):
            return f"{error.filename}: there is no folder {folder}"
        return f"{error.filename}: {(error.strerror or 'cannot be opened').lower()}"
    return " ".join(str(error).split())
