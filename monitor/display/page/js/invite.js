// The dialog in which a coach lets a new screen in: a QR code, and the same code to type.

import { mayInvite } from "./permissions.js";

const FORM = `
  <form method="dialog">
    <h2 id="invite-title" tabindex="-1" autofocus data-text="invite"></h2>
    <label><span data-text="invite.for"></span><select name="role">
      <option value="display" data-text="invite.display"></option>
      <option value="coach" data-text="invite.coach"></option>
    </select></label>
    <p data-text="invite.scan"></p>
    <svg id="invite-qr" role="img" data-label="invite.qr"><path/></svg>
    <p id="invite-type"></p>
    <output id="invite-code"></output>
    <p id="invite-valid" class="quiet" role="status"></p>
    <div class="pair">
      <button value="close" data-text="close"></button>
      <button value="new" class="strong" data-text="invite.new"></button>
    </div>
  </form>
`;

/** Shows `opener` where this page may let screens in. A click on it opens the dialog with a new code. */
export async function setUpInvite({ opener, words }) {
  if (!(await mayInvite())) return;
  const dialog = inviteDialog(words);
  const form = dialog.querySelector("form");
  opener.hidden = false;
  opener.addEventListener("click", () => {
    dialog.showModal();
    make();
  });
  form.elements.role.addEventListener("change", make);
  form.addEventListener("submit", (event) => {
    if (event.submitter.value === "close") return; // the form closes its dialog
    event.preventDefault();
    make();
  });

  let asked = 0;

  /** Shows no code until the new one has come; of several answers only the last, because the role may have changed. */
  async function make() {
    asked += 1;
    const question = asked;
    clear(dialog);
    const made = await newCode(form.elements.role.value);
    if (question === asked) draw(dialog, made, words);
  }
}

async function newCode(role) {
  try {
    const answer = await fetch(`code?role=${role}`, { method: "POST" });
    return answer.ok ? await answer.json() : null;
  } catch (error) {
    console.info(`no code: ${error.message}`);
    return null;
  }
}

function clear(dialog) {
  dialog.querySelector("#invite-code").textContent = "";
  dialog.querySelector("#invite-qr path").setAttribute("d", "");
}

function draw(dialog, made, words) {
  const find = (id) => dialog.querySelector(`#invite-${id}`);
  const qr = find("qr");
  qr.toggleAttribute("hidden", !made);
  find("code").textContent = made ? `${made.code.slice(0, 3)} ${made.code.slice(3)}` : "";
  find("type").textContent = made ? words.text("invite.type", made.link.split("/")[2]) : "";
  find("valid").textContent = made ? words.text("invite.valid", until(made.valid_s, words)) : words.text("pair.silent");
  if (!made) return;
  qr.setAttribute("viewBox", `0 0 ${made.qr.size} ${made.qr.size}`);
  qr.firstElementChild.setAttribute("d", made.qr.path);
}

function until(valid_s, words) {
  const end = new Date(Date.now() + 1000 * valid_s);
  return end.toLocaleTimeString(words.pack.language, { hour: "2-digit", minute: "2-digit" });
}

function inviteDialog(words) {
  const dialog = document.createElement("dialog");
  dialog.id = "invite-dialog";
  dialog.setAttribute("aria-labelledby", "invite-title");
  dialog.innerHTML = FORM;
  words.fill(dialog);
  document.body.append(dialog);
  return dialog;
}
