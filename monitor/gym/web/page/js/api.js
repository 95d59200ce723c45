// Asks the gym's server over its REST interface, and says in one sentence what went wrong.

const PATIENCE_MS = 15_000;

/** `status` is 0 where no answer came; the message is a sentence for a person. */
export class Refused extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

export const get = (path, query = {}) => ask("GET", path + asQuery(query));
export const post = (path, body) => ask("POST", path, body);
export const put = (path, body) => ask("PUT", path, body);
export const patch = (path, body) => ask("PATCH", path, body);
export const remove = (path) => ask("DELETE", path);

/** Sends a file as it is, byte by byte: the server finds out how its text is encoded. */
export const postFile = (path, file, type) => ask("POST", path, file, type);

/** The path of one client. */
export const clientPath = (client_id) => `/api/clients/${encodeURIComponent(client_id)}`;

export function asQuery(query) {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined);
  return given.length ? `?${new URLSearchParams(given)}` : "";
}

async function ask(method, path, body, type = "application/json") {
  const options = { method, cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) };
  if (body !== undefined) {
    options.headers = { "Content-Type": type };
    options.body = type === "application/json" ? JSON.stringify(body) : body;
  }
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Refused(
      0,
      "The gym's computer does not answer. Check that it runs, and that this screen is in its network.",
    );
  }
  const said = await content(answer);
  if (answer.ok) return said;
  if (answer.status === 401) dispatchEvent(new Event("unknown-screen"));
  throw new Refused(answer.status, said?.error ?? `The gym's computer refused this (${answer.status}).`);
}

async function content(answer) {
  const text = await answer.text();
  if (text === "") return null;
  if (!(answer.headers.get("Content-Type") ?? "").startsWith("application/json")) return text;
  try {
    return JSON.parse(text);
  } catch {
    throw new Refused(answer.status, "The answer of the gym's computer was cut off. Try again.");
  }
}
