// The leak of the current set in seconds by cause, from its events, until the set's summary replaces it.

import { rowOf } from "./kinds.js";
import { LEAKS, ROWS } from "./vocabulary.js";

const THROW_S = 4; // EVENTS.md 15: a jerk or a drop spoils no more than this
const TURN_S = 0.5; // a rough turnaround spoils this time before and after its dwell
const STANDS_WITH = { unload: "slack", bottom_rest: "stack_touch" }; // in the order of causes
const RANKS = new Map(ROWS.filter((row) => row.rank).map((row) => [row.kind, row.rank]));

/** Seconds by cause, each second once, by the order of primaries; open intervals count up to `now_s`. */
export function leakSoFar(recent, set, now_s) {
  const records = recent.map(({ record }) => record).filter((record) => record.set === set);
  const spoiled = records.filter((record) => rowOf(record).leak).map((record) => span(record, records, now_s));
  spoiled.sort((one, other) => one.rank - other.rank);
  const leak = Object.fromEntries(Object.keys(LEAKS).map((cause) => [cause, 0]));
  const taken = [];
  for (const { cause, from_s, to_s } of spoiled) {
    for (const [begin_s, end_s] of without([from_s, Math.min(to_s, now_s)], taken)) {
      leak[cause] += end_s - begin_s;
      taken.push([begin_s, end_s]);
    }
  }
  return leak;
}

function span(record, records, now_s) {
  const row = rowOf(record);
  const rank = row.rank ?? RANKS.get(STANDS_WITH[record.kind]);
  const from_s = record.t_s;
  const made = (begin_s, to_s) => ({ rank, cause: row.leak, from_s: begin_s, to_s });
  if (record.kind === "jerk") return made(from_s, Math.min(from_s + THROW_S, turnAfter(from_s, "upper", records)));
  if (record.kind === "drop") return made(from_s, Math.min(from_s + THROW_S, turnAfter(from_s, "lower", records)));
  if (record.kind === "turnaround") {
    const half_s = record.dwell_s / 2 + TURN_S;
    return made(from_s - half_s, from_s + half_s);
  }
  return made(from_s, from_s + (record.duration_s ?? Math.max(0, now_s - from_s)));
}

/** When the dwell of the next turn began, Infinity before that is known. */
function turnAfter(from_s, at, records) {
  const turns = records.filter((record) => record.kind === "turnaround" && record.at === at);
  return Math.min(...turns.map((turn) => turn.t_s - turn.dwell_s / 2).filter((turn_s) => turn_s > from_s));
}

/** What is left of a span outside of disjoint others. */
function without(span, others) {
  const isSpan = ([begin_s, end_s]) => end_s > begin_s;
  let left = [span].filter(isSpan);
  for (const [from_s, to_s] of others)
    left = left
      .flatMap(([begin_s, end_s]) => [
        [begin_s, Math.min(end_s, from_s)],
        [Math.max(begin_s, to_s), end_s],
      ])
      .filter(isSpan);
  return left;
}
