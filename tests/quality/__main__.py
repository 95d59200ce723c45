"""`python -m tests.quality`: the detector's quality as tables; `show` draws one set.

python -m tests.quality                                  the held-back corpus, every table
python -m tests.quality --seeds tuning --sets 64 --clean 16 --kinds jerk,drop --wrong
python -m tests.quality show faulty-17 faulty-17.svg     one set as a picture: truth, samples, reported and labelled
python -m tests.quality lead --seeds tuning --sets 400   jerks with the force of the cell, and without
python -m tests.quality --corpus life --seeds tuning     the life of a gym, by the whole contract
python -m tests.quality --corpus life --of drop_set,hook --each 8 --wrong
python -m tests.quality show life-drop_set-4 drop.svg
"""

import argparse
import json
import multiprocessing
import sys
import time
from pathlib import Path

from tests.quality import lead, summary, tables
from tests.quality.circumstances import KEYS
from tests.quality.corpus import GROUPS, HELD_BACK, TUNING
from tests.quality.life import command as life
from tests.quality.life.corpus import LIFE_KINDS
from tests.quality.runner import run, seeds
from tests.quality.show import draw

CLEAN_SETS = 64
LIFE_SIZES = {TUNING: (4, 8), HELD_BACK: (12, 64)}  # sessions of each kind, and clean ones


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["show"]:
        return _show(arguments[1:])
    if arguments[:1] == ["lead"]:
        return _lead(arguments[1:])
    parser = argparse.ArgumentParser(prog="python -m tests.quality", description="How good is the detector?")
    parser.add_argument("--corpus", choices=("sets", "life"), default="sets")
    parser.add_argument("--seeds", choices=(TUNING, HELD_BACK), default=HELD_BACK)
    parser.add_argument("--sets", type=int, default=192, help="sets with faults")
    parser.add_argument("--clean", type=int, help="clean sets, about a minute each; of life, for each of eight kits")
    parser.add_argument("--broken", type=int, default=32, help="clean sets with sensors at fault")
    parser.add_argument("--static", type=int, default=32, help="static contractions, force alone")
    parser.add_argument("--unknown", type=int, default=32, help="sets on a machine of which nothing is known")
    parser.add_argument("--motor", type=int, default=32, help="sets on a motor that sets the speed")
    parser.add_argument("--squat", type=int, default=32, help="sets in which the lowering comes first")
    parser.add_argument("--kinds", default=",".join(KEYS), help=f"out of {', '.join(KEYS)}")
    parser.add_argument("--of", default=",".join(LIFE_KINDS), help=f"of life, out of {', '.join(LIFE_KINDS)}")
    parser.add_argument("--each", type=int, help="of life, sessions of each kind")
    parser.add_argument("--wrong", action="store_true", help="list every miss and every invention")
    parser.add_argument("--json", action="store_true", help="numbers for a machine")
    parser.add_argument("--processes", type=int, default=multiprocessing.cpu_count())
    options = parser.parse_args(arguments)
    keys = options.kinds.split(",")
    if unknown := sorted(set(keys) - set(KEYS)):
        parser.error(f"--kinds: {', '.join(unknown)} is not known: known kinds are {', '.join(KEYS)}")
    if options.corpus == "life":
        return _life(parser, options)
    options.clean = CLEAN_SETS if options.clean is None else options.clean
    begun_s = time.monotonic()
    numbers_of = {group: options.sets if group == "faulty" else getattr(options, group) for group in GROUPS}
    wanted = seeds(options.seeds, **numbers_of)
    results = run(wanted, options.processes)
    if options.json:
        lifted = summary.lifted(results)
        numbers = {"kinds": {key: summary.of_kind(lifted, key) for key in keys}, "overall": summary.overall(lifted)}
        print(json.dumps(numbers, indent=2))
        return 0
    minutes = {group: sum(r.minutes for r in results if r.group == group) for group in GROUPS}
    sizes = ", ".join(f"{numbers_of[group]} {group} ({minutes[group]:.0f} min)" for group in GROUPS)
    print(f"{options.seeds} seeds: {sizes}; {time.monotonic() - begun_s:.0f} s on {options.processes} processes\n")
    print(tables.everything(results, keys))
    if options.wrong:
        print(tables.wrong(results, keys))
    return 0


def _life(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    kinds = options.of.split(",")
    if unknown := sorted(set(kinds) - set(LIFE_KINDS)):
        parser.error(f"--of: {', '.join(unknown)} is not known: known kinds of life are {', '.join(LIFE_KINDS)}")
    each, clean = LIFE_SIZES[options.seeds]
    each = each if options.each is None else options.each
    clean = clean if options.clean is None else options.clean
    print(life.printed(options.seeds, each, clean, kinds, options.processes, options.wrong))
    return 0


def _lead(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.quality lead", description="How much sooner is a jerk found?"
    )
    parser.add_argument("--seeds", choices=(TUNING, HELD_BACK), default=HELD_BACK)
    parser.add_argument("--sets", type=int, default=192, help="sets with faults, of which a quarter has a fast cell")
    options = parser.parse_args(arguments)
    print(lead.printed(options.seeds, options.sets))
    return 0


def _show(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.quality show", description="Draw one set.")
    parser.add_argument("case", help="group and seed, such as faulty-17, or of life such as life-drop_set-4")
    parser.add_argument("svg", type=Path)
    options = parser.parse_args(arguments)
    if options.case.startswith("life-"):
        try:
            options.svg.write_text(life.draw(options.case), encoding="utf-8")
        except ValueError as error:
            parser.error(f"case: {error}")
        return 0
    group, _, seed = options.case.partition("-")
    if group not in GROUPS or not seed.isdigit():
        parser.error(f"case: {options.case} is not known: <group>-<seed> is, of the groups {', '.join(GROUPS)}")
    options.svg.write_text(draw(group, int(seed)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
