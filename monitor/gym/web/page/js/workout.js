// The client's workout of today: one tap on a machine sends lifter, load and protocol there, and shows the seat.

import { asQuery, clientPath, get, post } from "./api.js";
import { floorState, inOrder, keyOf, nameOf } from "./floor_state.js";
import { dayBegan, load, seconds } from "./format.js";
import { make, redraw } from "./make.js";
import { drawNext } from "./next.js";
import { inOrderOfQuestions } from "./poll.js";
import { visitCard } from "./visits.js";

const PERIOD_MS = 2000;

export async function showWorkout(box, { client, signal, me }) {
  const next = make("section.next", { role: "status", hidden: true, "aria-label": "The next machine", tabindex: "-1" });
  const tiles = make("ul.machines", { "aria-label": "Machines" });
  const visits = make("div.visits", {});
  const path = clientPath(client.client_id);
  let sending = false;
  let shown = null;
  const newQuestion = inOrderOfQuestions();
  box.append(next, make("h2", {}, "On to the next machine"), tiles, visits);

  async function refresh() {
    const isLate = newQuestion();
    const query = asQuery({ client_id: client.client_id, since_unix_s: dayBegan() });
    const [floor, settings, today] = await Promise.all([
      get("/api/floor"),
      get(`${path}/settings`),
      get(`/api/visits${query}`),
    ]);
    const machines = inOrder(floor.machines).map((machine) => {
      const { state } = floorState(machine, null, floor.now_unix_s);
      return { ...machine, state: null, state_age_s: null, now: state };
    });
    const text = JSON.stringify([machines, settings, today]);
    if (signal.aborted || isLate() || text === shown || sending) return;
    shown = text;
    draw(machines, new Map(settings.map((one) => [keyOf(one), one])), today);
  }

  function draw(machines, settings, today) {
    const done = new Map(today.flatMap(({ sets }) => sets).map((set) => [keyOf(set), set]));
    const proposed = proposal(machines, done, today.at(-1)?.sets.at(-1));
    const drawn = machines.map((machine) => {
      const key = keyOf(machine);
      return tile(machine, settings.get(key), done.get(key), key === proposed, client, send);
    });
    redraw(tiles, drawn.length ? drawn : make("li.notice", {}, "No machine has been seen yet."));
    const again = () => {
      shown = null;
      return refresh();
    };
    redraw(
      visits,
      [...today].reverse().map((visit) => visitCard(visit, { mayChange: me.role === "trainer", again, linked: false })),
    );
  }

  async function send(machine) {
    if (sending) return;
    sending = true;
    next.hidden = false;
    drawNext(next, machine, null, null);
    next.scrollIntoView({ block: "nearest" });
    const { site, machine: id } = machine;
    try {
      drawNext(next, machine, await post("/api/next", { client_id: client.client_id, site, machine: id }), null);
    } catch (error) {
      drawNext(next, machine, null, error.message);
    }
    next.focus();
    sending = false;
    await refresh().catch(() => {}); // the next poll says it
  }
  return { refresh, period_ms: PERIOD_MS };
}

/** The first machine after the last one, in the order of the floor, that is not done today; a free one if there is. */
function proposal(machines, done, last) {
  const from = last ? machines.findIndex((machine) => keyOf(machine) === keyOf(last)) + 1 : 0;
  const open = [...machines.slice(from), ...machines.slice(0, from)].filter((machine) => !done.has(keyOf(machine)));
  const best = open.find(({ now }) => now === "free" || now === "ready") ?? open[0];
  return best ? keyOf(best) : null;
}

function tile(machine, setting, done, proposed, client, send) {
  const facts = [
    setting?.seat && `seat ${setting.seat}`,
    machine.kind !== "static" && (setting?.next_load_n ? load(setting.next_load_n) : "load learned"),
    setting?.protocol,
  ];
  const went = done && `done: ${load(done.load_n)}, ${seconds(done.under_load_s)}${done.failure ? ", to failure" : ""}`;
  const button = make(
    `button.go${proposed ? ".strong" : ""}`,
    { id: `go-${keyOf(machine)}`, "data-done": Boolean(done), onclick: () => send(machine) },
    make("b", {}, nameOf(machine)),
    make("span", {}, facts.filter(Boolean).join(" · ")),
    make("small", {}, [went, busy(machine, client)].filter(Boolean).join(" · ") || (proposed ? "next" : "")),
  );
  return make("li", {}, button);
}

/** Why the machine is perhaps not free; empty if it is. */
function busy({ now, client_id, client_name }, client) {
  const who = client_id === client.client_id ? client.name : (client_name ?? "somebody");
  if (now === "lifting" || now === "resting") return `${who} is lifting`;
  if (now === "ready") return client_id === client.client_id ? "expects this client" : `expects ${who}`;
  return { offline: "offline", silent: "no data", fault: "fault" }[now] ?? "";
}
