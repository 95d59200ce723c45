// The sets that this page knows: seen live, asked of the daemon's store, or from history.json where the server has it.
//
// history.json is {"v": 1, "sets": [set_end records, oldest first, each with "ended_utc" where known]}.

const KEPT = 200;
const SAME_LOAD = 0.02;

export class History {
  #sets = new Map(); // session and set -> record, in the order of time
  fromStore = false;

  /** True where it was new. */
  add(record) {
    const key = `${record.session} ${record.set}`;
    const known = this.#sets.has(key);
    this.#sets.set(key, { ...this.#sets.get(key), ...record });
    if (this.#sets.size > KEPT) this.#sets.delete(this.#sets.keys().next().value);
    return !known;
  }

  /** Before what was seen live: history is older. */
  async load() {
    const answer = await fetch("history.json", { cache: "no-cache" });
    if (!answer.ok) return; // no store behind this server
    const { sets } = await answer.json();
    const seen = [...this.#sets.values()];
    this.#sets.clear();
    for (const record of [...sets, ...seen]) this.add(record);
    this.fromStore = true;
  }

  get sets() {
    return [...this.#sets.values()];
  }

  /** The set before `record` at the same load, or null. */
  before(record) {
    if (record?.working_load_n == null) return null;
    const sets = this.sets;
    const at = sets.findIndex((set) => set.session === record.session && set.set === record.set);
    const near = (set) => set.working_load_n !== null && Math.abs(set.working_load_n / record.working_load_n - 1) <= SAME_LOAD;
    return sets.slice(0, Math.max(at, 0)).reverse().find(near) ?? null;
  }
}
