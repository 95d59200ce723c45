// The screens that are let in, with a button that withdraws the access of each.

import { get, remove } from "./api.js";
import { date } from "./format.js";
import { make, redraw } from "./make.js";

const ROLES = { trainer: "trainer", display: "only watches" };

/** What this screen is called in the list: its system and size. */
export function screenName() {
  const system = navigator.userAgentData?.platform || navigator.platform || "screen";
  return `${system}, ${screen.width} x ${screen.height}`.slice(0, 80);
}

/** Closed at first; the list is asked for when it is opened. */
export function screens() {
  const list = make("ul.screens", { "aria-label": "Screens with access" });
  const load = async () => redraw(list, (await get("/api/logins")).map(line));
  const attempt = (task) => task().catch((error) => list.replaceChildren(make("li.notice.bad", {}, error.message)));
  const withdraw = (login_id) => async () => {
    await remove(`/api/logins/${encodeURIComponent(login_id)}`);
    await load();
  };

  function line({ login_id, role, name, used_unix_s, is_this }) {
    const about = `${ROLES[role] ?? role}, used ${date(used_unix_s)}`;
    const button = make(
      "button",
      { type: "button", id: `withdraw-${login_id}`, onclick: () => attempt(withdraw(login_id)) },
      "Withdraw",
      make("span.unseen", {}, ` the access of ${name}`),
    );
    const who = make("span", {}, make("b", {}, name), make("small.quiet", {}, about));
    return make("li", {}, who, is_this ? make("span.quiet", {}, "this screen") : button);
  }
  const open = ({ currentTarget }) => currentTarget.open && attempt(load);
  return make("details", { ontoggle: open }, make("summary", {}, "Screens with access"), list);
}
