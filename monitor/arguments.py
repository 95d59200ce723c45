"""Arguments that several subcommands share, and checks of their values."""

import argparse


def tcp_port(text: str) -> int:
    return _whole_number(text, 1, 65_535)


def baud(text: str) -> int:
    return _whole_number(text, 1200, 4_000_000)


def add_table_arguments(parser: argparse.ArgumentParser) -> None:
    """For commands that read a table of samples; monitor/record/table/reading.py reads the values."""
    columns = "the headers of a table's time, position and force columns (default: t_s,displacement_m,force_n)"
    parser.add_argument("--columns", metavar="t=T,x=X,f=F", help=columns)
    units = (
        "the units of a table, in any order (default: s,m,N): s ms us, m cm mm in, N kN kg lb, and others;"
        " a number in front says what one count is (--units=10ms,-0.1mm)"
    )
    parser.add_argument("--units", metavar="U,U,U", help=units)


def add_weights_argument(parser: argparse.ArgumentParser) -> None:
    """For commands that print weights; without it the profile's [display] units count."""
    parser.add_argument("--weights", choices=("kg", "lb"), help="the unit of weights (default: [display] units, or kg)")


def _whole_number(text: str, least: int, most: int) -> int:
    if not text.isdecimal() or not least <= int(text) <= most:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} to {most}")
    return int(text)
