"""The version of the installed rep-monitor, read once: reading opens a file, which a daemon may not be able to do."""

from importlib.metadata import version

VERSION = version("rep-monitor")
