// What a machine does, in one word, from what the server knows of it. Pure.

export const STALE_S = 5; // the machine publishes its state once a second
export const ENDED_S = 180; // how long a set that has ended is shown

/**
 * `machine` is one of /api/floor. `last` is the newest set that this screen has seen there, {ended_s, client_id, ...},
 * or null. `now_s` is the server's time. Returns {state, word, since_s}.
 */
export function floorState(machine, last, now_s) {
  const { online, state, state_age_s: age_s } = machine;
  if (!online) return { state: "offline", word: "offline", since_s: state ? now_s - age_s : null };
  if (!state) return { state: "silent", word: "no data", since_s: null };
  if (state.stale || age_s > STALE_S) return { state: "silent", word: "no data", since_s: now_s - age_s };
  if (state.fault) return { state: "fault", word: "fault", since_s: null };
  if (state.set !== null) {
    const rests = state.resting !== null || state.phase === "rest";
    return rests
      ? { state: "resting", word: "resting", since_s: null }
      : { state: "lifting", word: "lifting", since_s: null };
  }
  if (isOver(machine, last, now_s)) return { state: "ended", word: "ended", since_s: last.ended_s };
  return machine.client_id || machine.client_name
    ? { state: "ready", word: "ready", since_s: null }
    : { state: "free", word: "free", since_s: null };
}

function isOver(machine, last, now_s) {
  return (
    last !== null && last.ended_s !== null && now_s - last.ended_s < ENDED_S && last.client_id === machine.client_id
  );
}

/** The figures of a set in progress, or of the one that this screen saw end. */
export function figures(machine, last, { state }) {
  if (["lifting", "resting", "fault"].includes(state)) return machine.state;
  return state === "ended" ? last : null;
}

/** What this screen knows of the machine's newest set, after the next answer of the server. */
export function follow(last, machine, now_s) {
  const { state } = machine;
  if (!state) return last;
  if (state.set !== null) {
    const { set, rep, under_load_s, load_n } = state;
    return { set, rep, under_load_s, load_n, client_id: machine.client_id, ended_s: null };
  }
  return last !== null && last.ended_s === null ? { ...last, ended_s: now_s - (machine.state_age_s ?? 0) } : last;
}

/** In the order of the floor. */
export function inOrder(machines) {
  const name = ({ label, machine }) => label ?? machine;
  return [...machines].sort(
    (one, other) => one.position - other.position || name(one).localeCompare(name(other), [], { numeric: true }),
  );
}

export const keyOf = ({ site, machine }) => `${site}/${machine}`;
export const nameOf = ({ label, machine }) => label || machine;
