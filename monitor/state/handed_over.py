"""Secrets that systemd passes to the service, so that the service need not read their folder."""

import os
from pathlib import Path


def handed_over(path: Path) -> Path:
    """The credential that systemd made from the file (LoadCredential=secrets:/etc/rep-monitor/secrets), or the file."""
    if folder := os.environ.get("CREDENTIALS_DIRECTORY"):
        for name in (f"{path.parent.name}_{path.name}", path.name):
            if (credential := Path(folder) / name).is_file():
                return credential
    return path
