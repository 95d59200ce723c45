// The sets that this page knows: seen live, resumed from the daemon's store, or loaded from history.json.
//
// history.json is {"v": 1, "sets": [set_end records, oldest first, each with "ended_utc" where known]}.

import { length, unjudged } from "./summary.js";

const KEPT = 200;
const SAME_LOAD = 0.02;

export class History {
  #sets = new Map(); // session and set -> record, in time order
  fromStore = false;

  /** Returns whether the set was new. */
  add(record) {
    const key = `${record.session} ${record.set}`;
    const known = this.#sets.has(key);
    this.#sets.set(key, { ...this.#sets.get(key), ...record });
    if (this.#sets.size > KEPT) this.#sets.delete(this.#sets.keys().next().value);
    return !known;
  }

  /** Puts the stored sets before those that were seen live. */
  async load() {
    const answer = await fetch("history.json", { cache: "no-cache" });
    if (!answer.ok) return; // this server has no store
    const { sets } = await answer.json();
    const seen = [...this.#sets.values()];
    this.#sets.clear();
    for (const record of [...sets, ...seen]) this.add(record);
    this.fromStore = true;
  }

  get sets() {
    return [...this.#sets.values()];
  }

  /**
   * One entry for each day of training, oldest first: [{day, skill, strength_n}]. Skill is the share of the judged time
   * that did not leak, strength the largest load. Where the date is not known, a session counts as a day.
   */
  get days() {
    const days = new Map();
    for (const set of this.sets) {
      if (set.skill === null || set.strength_n === null) continue;
      const day = set.ended_utc ? localDay(set.ended_utc) : set.session;
      const sum = days.get(day) ?? { day, at: set.ended_utc ?? null, judged_s: 0, kept_s: 0, strength_n: 0 };
      const judged_s = length(set) - unjudged(set);
      sum.judged_s += judged_s;
      sum.kept_s += set.skill * judged_s;
      sum.strength_n = Math.max(sum.strength_n, set.strength_n);
      days.set(day, sum);
    }
    const judged = [...days.values()].filter(({ judged_s }) => judged_s > 0);
    return judged.map(({ judged_s, kept_s, ...rest }) => ({ ...rest, skill: kept_s / judged_s }));
  }

  /** The set before `record` at the same load, or null. */
  before(record) {
    if (record?.working_load_n == null) return null;
    const sets = this.sets;
    const at = sets.findIndex((set) => set.session === record.session && set.set === record.set);
    const near = (set) =>
      set.working_load_n !== null && Math.abs(set.working_load_n / record.working_load_n - 1) <= SAME_LOAD;
    return sets.slice(0, Math.max(at, 0)).reverse().find(near) ?? null;
  }
}

/** The date in this screen's time zone: 2026-11-23 */
export function localDay(utc) {
  const at = new Date(utc);
  return [at.getFullYear(), at.getMonth() + 1, at.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
}
