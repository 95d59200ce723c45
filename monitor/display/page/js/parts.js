// Makes the elements that both pages are built of.

export function element(tag, name = "", text = "", children = []) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text) made.textContent = text;
  made.append(...children);
  return made;
}
