// The gym's page: who this screen is, which view its address names, and the frame around the view.

import { get, post } from "./js/api.js";
import { showClient } from "./js/client.js";
import { showClients } from "./js/clients.js";
import { showFloor } from "./js/floor.js";
import { invite } from "./js/invite.js";
import { make } from "./js/make.js";
import { showPairing } from "./js/pairing.js";
import { contact, repeat } from "./js/poll.js";
import { screenName } from "./js/screens.js";
import { showToday } from "./js/today.js";
import { addIcons } from "./shared/js/icons.js";
import { loadSettings, saveSettings } from "./shared/js/settings.js";
import { useUnit } from "./shared/js/units.js";

const TRAINERS_ONLY = ["clients"];
const VIEWS = {
  floor: showFloor,
  today: showToday,
  clients: (...given) => (given[2].length ? showClient : showClients)(...given),
};
const TITLES = { floor: "Floor", today: "Today", clients: "Clients" };

const $ = (id) => document.getElementById(id);
const settings = loadSettings();
let me = null; // {role, name}; null: this screen is not known
let leaving = new AbortController(); // of the view that is shown

/** Shows the view that the address names. */
async function route() {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  const [wanted, ...parts] = location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  const name = VIEWS[wanted] && (me.role === "trainer" || !TRAINERS_ONLY.includes(wanted)) ? wanted : "floor";
  for (const link of $("pages").children) {
    link.toggleAttribute("aria-current", link.hash === `#/${name}`);
    if (link.hasAttribute("aria-current")) link.setAttribute("aria-current", "page");
  }
  document.title = `${TITLES[name]} · Gym`;
  const box = make("div", { class: `view ${name}` });
  $("main").replaceChildren(box);
  scrollTo(0, 0);
  const failed = (error) => signal.aborted || trouble(box, error);
  try {
    const { refresh, period_ms } = await VIEWS[name](box, { me, signal, route }, parts);
    if (signal.aborted) return;
    const task = async () => {
      await refresh();
      if (signal.aborted) return;
      contact($("contact"));
      delete box.dataset.waiting;
    };
    await repeat(task, period_ms, signal, failed);
  } catch (error) {
    failed(error);
  }
}

/** Out of contact, the view stays and a line says so; another error takes the place of what cannot be shown. */
function trouble(box, error) {
  console.info(`${location.hash}: ${error.message}`);
  if (error.status === 401) return;
  contact($("contact"), error);
  if (!$("contact").hidden && box.childElementCount) return;
  if (error.status === undefined) throw error; // a mistake of this page
  if (!$("contact").hidden) return setTimeout(route, 2000);
  box.replaceChildren(make("h1", {}, "This cannot be shown"), make("p.notice.bad", { role: "alert" }, error.message));
}

async function begin() {
  const code = /^#[0-9A-Za-z]{6}$/.test(location.hash) ? location.hash.slice(1) : "";
  if (code) history.replaceState(null, "", "#/floor"); // the code leaves the address and the history
  try {
    if (code) await post("/api/pair", { code, name: screenName() });
    me = await get("/api/me");
  } catch (error) {
    if (error.status === 0 || error.status >= 500) {
      contact($("contact"), error);
      return setTimeout(begin, 2000);
    }
    return unknown(code && error.status !== 401 ? error.message : "");
  }
  contact($("contact"));
  $("top").hidden = false;
  for (const id of ["invite", "leave"]) $(id).hidden = me.role !== "trainer";
  for (const link of $("pages").children) link.hidden = link.hash === "#/clients" && me.role !== "trainer";
  route();
}

/** This screen has to give a code. */
function unknown(sentence = "") {
  leaving.abort();
  me = null;
  $("top").hidden = true;
  document.title = "Gym";
  showPairing($("main"), begin, sentence);
}

addIcons();
useUnit(settings.unit);
$("unit").value = settings.unit ?? "kg";
$("unit").addEventListener("change", ({ target }) => {
  settings.unit = target.value;
  saveSettings(settings);
  useUnit(target.value);
  route();
});
$("skip").addEventListener("click", () => $("main").focus());
$("invite").addEventListener("click", invite);
$("leave").addEventListener("click", async () => {
  try {
    await post("/api/logout");
    unknown();
  } catch (error) {
    contact($("contact"), error);
  }
});
addEventListener("hashchange", () => me && route());
addEventListener(
  "unknown-screen",
  () => me && unknown("This screen is not logged in any more. Ask a trainer for a code."),
);
begin();
