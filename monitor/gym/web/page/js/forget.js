// Forgets a client after a clear question, and says what each machine answered.

import { clientPath, get, remove } from "./api.js";
import { ask } from "./dialog.js";
import { keyOf, nameOf } from "./floor_state.js";
import { make, redraw } from "./make.js";

const PERIOD_MS = 1000;

export function forgetDialog(client, machines) {
  const sure = make("input", { type: "checkbox", name: "sure", required: true });
  const body = [
    make(
      "p",
      {},
      "The name, the card, the settings and every note on this person are removed here, and the id on each machine. ",
      "Sets stay without a person. Backups and exported files must be removed by hand.",
    ),
    make("p", {}, make("b", {}, "Nobody can undo this.")),
    make("label.tick", {}, sure, make("span", {}, `Yes, forget ${client.name}`)),
  ];
  const send = async () => answers(await remove(clientPath(client.client_id)), client.name, machines);
  ask({ title: `Forget ${client.name}?`, body, action: "Forget for good", danger: true, send });
}

/** What each machine answered; those that are away are asked when they are back. */
function answers({ request_id }, name, machines) {
  const names = new Map(machines.map((machine) => [keyOf(machine), nameOf(machine)]));
  const list = make("ul.answers", { role: "status" }, make("li", {}, "Asking the machines…"));
  let timer = 0;
  const follow = async () => {
    try {
      const { done_unix_s, answers } = await get(`/api/forget/${encodeURIComponent(request_id)}`);
      redraw(
        list,
        make("li", { "data-ok": "true" }, make("b", {}, "✓ Here"), " removed"),
        answers.map((one) => line(one, names)),
      );
      if (done_unix_s === null && list.isConnected) timer = setTimeout(follow, PERIOD_MS);
    } catch (error) {
      redraw(list, make("li", {}, error.message));
    }
  };
  const closed = () => {
    clearTimeout(timer);
    location.hash = "#/clients";
  };
  const about = make("p.quiet", {}, "Machines that are away are asked as soon as they are back; you need not wait.");
  ask({ title: `${name} is forgotten`, body: [list, about], close: "Close", closed });
  follow();
}

function line({ site, machine, ok, detail }, names) {
  const name = names.get(keyOf({ site, machine })) ?? machine;
  const [sign, words] =
    ok === null ? ["…", detail || "not asked yet"] : ok ? ["✓", detail || "removed"] : ["✗", detail || "refused"];
  return make("li", { "data-ok": String(ok) }, make("b", {}, `${sign} ${name}`), ` ${words}`);
}
