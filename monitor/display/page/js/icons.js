// The icons of both pages, in the script itself so that they are there even when the server is gone.

const LINE = `fill="none" stroke="currentColor" stroke-linecap="round"`;
const ICONS = {
  in: `<circle cx="12" cy="12" r="9"/>`,
  low: `<path d="M2 4h20L12 22z"/>`,
  high: `<path d="M2 20h20L12 2z"/>`,
  rest: `<path d="M4 3h6v18H4zM14 3h6v18h-6z"/>`,
  heave: `<path d="M15 1 3 14h7l-3 9L20 9h-8z"/>`,
  turn: `<path d="M12 3a8 8 0 0 0-8 8v7H1l5 5 5-5H8v-7a4 4 0 0 1 8 0v10h4V11a8 8 0 0 0-8-8z"/>`,
  down: `<path d="M9 2h6v9h6l-9 9-9-9h6zM2 21h20v2H2z"/>`,
  fast: `<path d="M2 3v18l10-9zM12 3v18l10-9z"/>`,
  alarm: `<path fill-rule="evenodd" d="M7 1h10l6 6v10l-6 6H7l-6-6V7zM10.4 5v9h3.2V5zm0 11v3h3.2v-3z"/>`,
  fault: `<path fill-rule="evenodd" d="M12 1 0 23h24zM10.7 9v7h2.6V9zm0 8.6V20h2.6v-2.4z"/>`,
  stale: `<path d="M4 1h16v3l-6.5 8L20 20v3H4v-3l6.5-8L4 4z"/>`,
  offline: `<path fill-rule="evenodd" d="M12 1a11 11 0 1 0 0 22 11 11 0 0 0 0-22z
    M6.2 8.3l9.5 9.5A7 7 0 0 1 6.2 8.3zm2.1-2.1a7 7 0 0 1 9.5 9.5z"/>`,
  learning: `<circle cx="4" cy="12" r="3"/><circle cx="12" cy="12" r="3"/><circle cx="20" cy="12" r="3"/>`,
  ready: `<path fill-rule="evenodd" d="M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20z
    m0 3.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13z"/>`,
  positive: `<path d="M12 2 3 12h6v10h6V12h6z"/>`,
  negative: `<path d="M12 22 3 12h6V2h6v10h6z"/>`,
  "sound-on": `<path d="M2 8h5l6-5v18l-6-5H2z"/>
    <path d="M16.5 8a6 6 0 0 1 0 8M19.5 5a10 10 0 0 1 0 14" ${LINE} stroke-width="2.2"/>`,
  "sound-off": `<path d="M2 8h5l6-5v18l-6-5H2z"/><path d="m17 9 5 6m0-6-5 6" ${LINE} stroke-width="2.2"/>`,
  settings: `<path d="M3 5h18v2.6H3zM3 10.7h18v2.6H3zM3 16.4h18V19H3z"/>`,
  choose: `<path fill-rule="evenodd" d="M2 6h10.2a3.5 3.5 0 0 1 6.6 0H22v2.6h-3.2a3.5 3.5 0 0 1-6.6 0H2z
    m0 9.4h3.2a3.5 3.5 0 0 1 6.6 0H22V18H11.8a3.5 3.5 0 0 1-6.6 0H2z"/>`,
  bar: `<path fill-rule="evenodd" d="M3 2h11v20H3zM5.4 4.4v7h6.2v-7zM18 2h3v20h-3z"/>`,
  fullscreen: `<path d="M3 9V3h6M15 3h6v6M21 15v6h-6M9 21H3v-6" ${LINE} stroke-width="2.4" stroke-linejoin="round"/>`,
  invite: `<path fill-rule="evenodd" d="M1 3h22v14H1zm2.4 2.4v9.2h17.2V5.4zM7 19h10v2.4H7z"/>
    <path d="M12 6.8v6.4M8.8 10h6.4" ${LINE} stroke-width="2"/>`,
  trace: `<path d="M2 13h4l3-9 5 16 3-9h5" ${LINE} stroke-width="2.4" stroke-linejoin="round"/>`,
};
const SVG = "http://www.w3.org/2000/svg";

export function addIcons() {
  const sprite = document.createElementNS(SVG, "svg");
  sprite.setAttribute("class", "sprite");
  sprite.setAttribute("aria-hidden", "true");
  sprite.innerHTML = Object.entries(ICONS)
    .map(([name, shape]) => `<symbol id="i-${name}" viewBox="0 0 24 24">${shape}</symbol>`)
    .join("");
  document.body.prepend(sprite);
}

export function symbol(name) {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}
