// Makes the elements that the page is built of. Text is always text, never markup.

/**
 * make("button.strong", { type: "button", onclick: take }, "Take it"): functions become listeners, `true` an attribute
 * without a value; null, undefined and false are left out, among the children, too.
 */
export function make(name, attributes = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const made = document.createElement(tag);
  if (classes.length) made.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(key, String(value));
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** Writes a text only if it changed, so that a screen reader hears changes only. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Draws again, and gives the focus back to the element with the same id. */
export function redraw(box, ...children) {
  const id = box.contains(document.activeElement) ? document.activeElement.id : "";
  box.replaceChildren(...children.flat().filter(Boolean));
  if (id) document.getElementById(id)?.focus({ preventScroll: true });
}
