"""Reads a table's file as UTF-8 text with one kind of line end, whatever its encoding."""

import codecs
from pathlib import Path

from monitor.record.table.errors import TableError

MOST_BYTES = 256 * 2**20  # seven hours at 500 rows a second
LOOKED_AT = 1000  # bytes that are examined for an encoding without a mark
ENCODINGS = (  # in this order: a mark of UTF-32 begins with one of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
OTHER_FILES = {
    b"PK\x03\x04": "a spreadsheet (xlsx, ods) or a zip archive: open it and save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet (xls): open it and save the sheet as CSV",
    b"\x1f\x8b": "compressed with gzip: unpack it first",
    b"\x28\xb5\x2f\xfd": "compressed with zstd: unpack it first",
    b"PAR1": "a Parquet file: convert it to CSV",
}


def read_text(path: Path) -> bytes:
    """UTF-8 without a byte order mark, all lines ended by LF. Raises TableError if the file is not text."""
    return as_text(_read(path), str(path))


def as_text(data: bytes, name: str) -> bytes:
    """As `read_text`, from the bytes of a file; its name is for the message."""
    for magic, what in OTHER_FILES.items():
        if data.startswith(magic):
            raise TableError(f"{name} is {what}")
    data = data.removeprefix(codecs.BOM_UTF8)
    encoding = _encoding(data)
    if encoding is not None:
        data = data.decode(encoding, "replace").encode()
    if b"\0" in data:
        raise TableError(f"{name} is not text: save the table as CSV, encoded in UTF-8")
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return data


def _read(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise TableError(f"{path} is not a regular file: save the table to a file first")
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise TableError(f"{path} cannot be read: {error.strerror}") from error
    if len(data) > MOST_BYTES:
        raise TableError(f"{path} is larger than {MOST_BYTES >> 20} MiB: split it by sessions")
    return data


def _encoding(data: bytes) -> str | None:
    """The encoding; None if the text can stay as it is: UTF-8, or another encoding with ASCII digits."""
    for mark, encoding in ENCODINGS:
        if data.startswith(mark):
            return encoding
    head = data[:LOOKED_AT]
    for encoding, zeros, others in (("utf-16-le", head[1::2], head[::2]), ("utf-16-be", head[::2], head[1::2])):
        if zeros and not any(zeros) and all(others):
            return encoding
    return None
