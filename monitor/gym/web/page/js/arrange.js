// The dialog in which a trainer names the machines and puts them in the order of the floor.

import { patch } from "./api.js";
import { ask } from "./dialog.js";
import { keyOf } from "./floor_state.js";
import { make } from "./make.js";

const MOST_LETTERS = 60;

export function arrange(machines) {
  const order = [...machines];
  const list = make("ol.order", { "aria-label": "Machines in the order of the floor" });
  const names = new Map(
    machines.map((one) => {
      const label = `Name of ${one.machine}`;
      return [
        keyOf(one),
        make("input", {
          "aria-label": label,
          value: one.label ?? "",
          placeholder: one.machine,
          maxlength: MOST_LETTERS,
          autocomplete: "off",
        }),
      ];
    }),
  );

  function draw() {
    const rows = order.map((one, at) => {
      const move = (by, sign, word) =>
        make(
          "button.icon",
          {
            type: "button",
            id: `${word}-${keyOf(one)}`,
            disabled: !order[at + by],
            "aria-label": `${one.machine}: ${word}`,
            onclick: () => swap(at, by),
          },
          sign,
        );
      return make("li", {}, names.get(keyOf(one)), move(-1, "↑", "earlier"), move(1, "↓", "later"));
    });
    const focused = document.activeElement?.id;
    list.replaceChildren(...rows);
    if (focused) document.getElementById(focused)?.focus();
  }

  function swap(at, by) {
    [order[at], order[at + by]] = [order[at + by], order[at]];
    draw();
  }

  async function send() {
    for (const [at, { site, machine, label, position }] of order.entries()) {
      const named = names.get(keyOf({ site, machine })).value.trim() || null;
      const place = at + 1;
      if (named !== (label || null) || place !== position)
        await patch("/api/machines", { site, machine, label: named, position: place });
    }
  }
  draw();
  ask({ title: "Names and order of the machines", body: list, action: "Save", send });
}
