// The dialog in which a trainer lets another screen in: a QR code, and the same code to type.

import { post } from "./api.js";
import { ask, field } from "./dialog.js";
import { time } from "./format.js";
import { make } from "./make.js";
import { screens } from "./screens.js";

const LOOPBACK = /^(127\.|localhost$|\[::1\]$)/;
const CLOSED =
  'Only this computer can reach the page. For other screens, give [display] bind = "0.0.0.0" and start the gym again.';
const SVG = "http://www.w3.org/2000/svg";

export function invite() {
  const role = make(
    "select",
    { name: "role" },
    make("option", { value: "trainer" }, "a trainer's tablet"),
    make("option", { value: "display" }, "a display on the wall, which only watches"),
  );
  const made = make("div.invitation", {});
  let asked = 0;
  /** Shows no code until the new one has come; of several answers only the last, because the role may have changed. */
  const renew = async () => {
    asked += 1;
    const question = asked;
    made.querySelector("#invite-code")?.replaceChildren();
    made.querySelector("#invite-qr path")?.removeAttribute("d");
    const code = await post("/api/codes", { role: role.value });
    if (question === asked) draw(made, code);
  };
  const renewed = () => renew().catch((error) => made.replaceChildren(make("p.notice.bad", {}, error.message)));
  role.addEventListener("change", renewed);
  const send = async () => {
    await renew();
    return false;
  };
  ask({ title: "Add a screen", body: [field("For", role), made, screens()], action: "New code", send, close: "Close" });
  renewed();
}

function draw(box, { code, url, qr, expires_unix_s }) {
  const { host, hostname } = new URL(url);
  box.replaceChildren(
    ...(LOOPBACK.test(hostname) ? [make("p.notice", { id: "invite-closed" }, CLOSED)] : []),
    make("p", {}, "Scan this with the other screen,"),
    drawing(qr),
    make("p", {}, `or open ${host} there and type`),
    make("output", { id: "invite-code" }, `${code.slice(0, 3)} ${code.slice(3)}`),
    make("p.quiet", { id: "invite-valid", role: "status" }, `Lets one screen in, until ${time(expires_unix_s)}.`),
  );
}

function drawing({ size, path }) {
  const svg = document.createElementNS(SVG, "svg");
  const modules = document.createElementNS(SVG, "path");
  modules.setAttribute("d", path);
  for (const [name, value] of [
    ["id", "invite-qr"],
    ["role", "img"],
    ["aria-label", "QR code"],
    ["viewBox", `0 0 ${size} ${size}`],
  ])
    svg.setAttribute(name, value);
  svg.append(modules);
  return svg;
}
