// One client: the workout of today, the card, skill and strength, and the settings, each under its own address.

import { clientPath, get } from "./api.js";
import { showCard } from "./card.js";
import { showDetails } from "./details.js";
import { make, write } from "./make.js";
import { showProgress } from "./progress.js";
import { showWorkout } from "./workout.js";

const PARTS = {
  workout: ["Workout", showWorkout],
  card: ["Card", showCard],
  progress: ["Progress", showProgress],
  details: ["Settings", showDetails],
};

/** The address is #/clients/ID/PART/MORE. */
export async function showClient(box, context, [client_id, part = "workout", ...more]) {
  const client = await get(clientPath(client_id));
  if (context.signal.aborted) return { refresh: async () => {}, period_ms: 60_000 };
  const address = `#/clients/${encodeURIComponent(client_id)}`;
  const shown = part in PARTS ? part : "workout";
  const name = make("h1", {}, client.name);
  const links = Object.entries(PARTS).map(([key, [title]]) =>
    make("a", { href: `${address}/${key}`, "aria-current": key === shown && "page" }, title),
  );
  const warning = make(
    "p.notice.bad.consent",
    { hidden: client.consent_on !== null },
    "No consent is recorded: machines are not told who lifts, and no set is shown under this name. Record it under ",
    make("a", { href: `${address}/details` }, "Settings"),
    ".",
  );
  const view = make("div.part", {});
  box.append(make("div.head.person", {}, name, make("nav.parts", { "aria-label": client.name }, links)), warning, view);
  document.title = `${client.name} · Gym`;
  const changed = (now) => {
    Object.assign(client, now);
    write(name, now.name);
    warning.hidden = now.consent_on !== null;
  };
  return PARTS[shown][1](view, { ...context, client, address, changed }, more);
}
