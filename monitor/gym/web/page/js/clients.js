// The clients: search, add, and everybody as CSV.

import { get, post, postFile } from "./api.js";
import { clientFields, clientOf } from "./client_fields.js";
import { ask } from "./dialog.js";
import { isoDay } from "./format.js";
import { make, redraw } from "./make.js";

const PERIOD_MS = 15_000;
const MOST_CSV_BYTES = 1 << 20;

export async function showClients(box, { signal }) {
  let everybody = [];
  let shown = null;
  const search = make("input", {
    type: "search",
    id: "search",
    placeholder: "Search",
    "aria-label": "Search clients",
    autocomplete: "off",
    oninput: draw,
  });
  const found = make("p.unseen", { role: "status" });
  const list = make("ul.people", { "aria-label": "Clients" });
  const file = make("input.unseen", {
    type: "file",
    id: "csv",
    accept: ".csv,text/csv",
    tabindex: "-1",
    "aria-label": "CSV file",
    onchange: importFile,
  });
  box.append(
    make(
      "div.head",
      {},
      make("h1", {}, "Clients"),
      make("button.strong", { id: "add", "aria-haspopup": "dialog", onclick: add }, "Add a client"),
    ),
    make("div.find", {}, search, found),
    list,
    make(
      "div.more",
      {},
      make("a.button", { href: "/api/people.csv", download: "people.csv" }, "Export as CSV"),
      make("button", { onclick: () => file.click() }, "Import CSV"),
      file,
    ),
  );

  async function refresh() {
    const clients = await get("/api/clients");
    const text = JSON.stringify(clients);
    if (signal.aborted || text === shown) return;
    shown = text;
    everybody = clients;
    draw();
  }

  function draw() {
    const wanted = plain(search.value);
    const some = everybody.filter(({ name, note }) => plain(`${name} ${note}`).includes(wanted));
    found.textContent = wanted ? `${some.length} of ${everybody.length}` : "";
    const nobody = everybody.length ? "Nobody has this name." : "No clients yet. Add one, or import a CSV file.";
    redraw(list, some.length ? some.map(line) : make("li.notice", {}, nobody));
  }

  function add() {
    const send = async ({ elements }) => {
      const { client_id } = await post("/api/clients", clientOf(elements));
      location.hash = `#/clients/${encodeURIComponent(client_id)}/details`;
    };
    ask({ title: "Add a client", body: clientFields({ name: "", consent_on: null, note: "" }), action: "Add", send });
  }

  async function importFile() {
    const [chosen] = file.files;
    file.value = "";
    if (!chosen) return;
    let [title, sentence] = ["The file was imported", ""];
    try {
      if (chosen.size > MOST_CSV_BYTES)
        throw new Error("The file is larger than 1 MB: export it from a gym, and add lines to that.");
      const report = await postFile("/api/people.csv", chosen, "text/csv");
      const { added, changed, settings, unseen_machines } = report;
      sentence = `${added} added, ${changed} changed; ${settings} machine settings added or changed.`;
      const unseen = unseen_machines.join(", ");
      if (unseen) sentence += ` Never seen here: ${unseen}. Check these names, or let the machines come online.`;
    } catch (error) {
      [title, sentence] = ["Nothing was imported", error.message];
    }
    ask({ title, body: make("p.lines", {}, sentence), close: "Close" });
    refresh();
  }
  return { refresh, period_ms: PERIOD_MS };
}

function line({ client_id, name, consent_on, note }) {
  const consent =
    consent_on === null
      ? make("span.missing", {}, "no consent")
      : make("span.quiet", {}, `consent ${isoDay(consent_on)}`);
  const href = `#/clients/${encodeURIComponent(client_id)}`;
  return make(
    "li",
    {},
    make("a", { id: client_id, href }, make("b", {}, name), note && make("span.quiet.cut", {}, note), consent),
  );
}

/** For a search that is not particular about case and accents. */
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().trim();
