// Everything that the page has received from one machine.
//
// Times in _ms are on the page's clock (performance.now()), times in _s on the session's. Repetitions, open intervals
// and recent events are bounded, so that nothing grows.

export const RECENT = 200;
const OPEN = 50;
const REPS = 200;

export class Model {
  up = false; // connected to the broker
  attempts = 0;
  next_ms = 0;
  connected_ms = 0;
  status = null;
  info = null;
  feedback = null;
  feedback_ms = -Infinity; // when a feedback last brought a new t_s
  on_rest_s = null; // since when the stack has been on its rest within the set
  open = new Map(); // id -> interval that has not ended
  recent = []; // newest first, one entry for each id
  reps = new Map(); // number -> rep of the current set
  set = null; // number of the current or last set
  whole = false; // whether it has all events of that set: it saw the set begin, or asked for them
  session = null;
  ended = null; // the last set_end
  ended_ms = -Infinity; // when the page saw it end; -Infinity if it had ended before
  #follows = false; // whether feedback has come on this connection

  link({ up, attempts, next_ms }, now_ms) {
    if (up) this.connected_ms = now_ms;
    if (!up) {
      this.open.clear(); // the page may miss their closing records
      this.whole = this.#follows = false;
    }
    Object.assign(this, { up, attempts, next_ms });
  }

  heard(topic, record, retained, now_ms) {
    if (record === null) return this.#cleared(topic);
    if (topic === "live/feedback") return retained ? undefined : this.#live(record, now_ms);
    if (topic === "status") return this.#status(record);
    if (topic === "info") this.info = record;
    else if (topic === "set") this.#setEnd(record, retained || record.historical, now_ms);
    else if (record.mark === "end") this.whole = true;
    else if (topic.startsWith("event/") || (topic.startsWith("resume/") && record.kind)) this.#event(record, now_ms);
  }

  #cleared(topic) {
    if (topic === "set") this.ended = null;
    else if (topic === "status" || topic === "info") this[topic] = null;
  }

  #live(record, now_ms) {
    if (record.session !== this.session) this.#begin(record.session);
    if (this.feedback?.t_s !== record.t_s) this.feedback_ms = now_ms; // a repeated time stamp is not new data
    this.on_rest_s = record.resting === "bottom" ? (this.on_rest_s ?? record.t_s) : null;
    this.feedback = record;
    if (record.set !== null && record.set !== this.set) this.#newSet(record.set);
    this.#follows = true;
  }

  #status(record) {
    const ghost = record.state === "offline" && this.status !== null && record.conn < this.status.conn;
    if (!ghost) this.status = record;
  }

  #begin(session) {
    this.session = session;
    this.ended_ms = -Infinity;
    this.on_rest_s = null;
    this.open.clear();
    this.recent = [];
    this.#newSet(null);
  }

  #newSet(number) {
    this.set = number;
    this.whole = this.#follows;
    this.reps.clear();
  }

  /** `historical` records were requested by this page: they fill tables, but give no cues. */
  #event(record, now_ms) {
    const past = record.historical;
    if (record.kind === "set_end") this.#setEnd(record, past, now_ms);
    if (record.session !== this.session) {
      if (past && this.session !== null) return;
      this.#begin(record.session);
    }
    if (record.set !== null && record.set > (this.set ?? 0)) this.#newSet(record.set);
    if (record.kind === "rep" && record.set === this.set && this.reps.size < REPS) this.reps.set(record.rep, record);
    if (record.duration_s === null && !past) this.open.set(record.id, record);
    else this.open.delete(record.id);
    if (this.open.size > OPEN) this.open.delete(this.open.keys().next().value);
    const at = this.recent.findIndex((entry) => entry.record.id === record.id);
    if (past && at >= 0 && record.seq <= this.recent[at].record.seq) return; // both records of an interval come
    const seen_ms = at >= 0 ? this.recent.splice(at, 1)[0].seen_ms : past ? -Infinity : now_ms;
    const later = this.recent.findIndex((entry) => entry.record.id < record.id);
    this.recent.splice(later < 0 ? this.recent.length : later, 0, { record, seen_ms });
    this.recent.length = Math.min(this.recent.length, RECENT);
  }

  #setEnd(record, past, now_ms) {
    const same = this.ended?.session === record.session && this.ended.id === record.id;
    if (same || (past && this.ended)) return;
    this.ended = record;
    this.ended_ms = past ? -Infinity : now_ms;
    if (!past) this.open.clear();
  }
}
