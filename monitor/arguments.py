"""What several subcommands take on the command line, checked before anything is done with it."""

import argparse


def tcp_port(text: str) -> int:
    return _whole_number(text, 1, 65_535)


def baud(text: str) -> int:
    return _whole_number(text, 1200, 4_000_000)


def _whole_number(text: str, least: int, most: int) -> int:
    if not text.isdecimal() or not least <= int(text) <= most:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} to {most}")
    return int(text)
