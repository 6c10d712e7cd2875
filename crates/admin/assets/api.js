// Requests to the host, with the token in a header.

const KEY = "outrigger.token";
const LIMIT = 30_000;

/** An answer that is an error. `status` is HTTP's, `code` JSON-RPC's. */
export class ApiError extends Error {
  constructor(message, status = 0, code = 0) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

let kept = null;

export function token() {
  try {
    return sessionStorage.getItem(KEY) ?? kept;
  } catch {
    return kept; // Storage may be closed to this page.
  }
}

export function keep(value) {
  kept = value;
  try {
    if (value === null) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, value);
  } catch {
    // It holds until the page is closed.
  }
}

/** Fetches from this host; throws an `ApiError` for what is no good answer. */
export async function ask(path, options = {}) {
  const headers = { ...options.headers };
  const given = token();
  if (given !== null) headers.Authorization = `Bearer ${given}`;
  let answer;
  try {
    answer = await fetch(path, { ...options, headers, cache: "no-store", credentials: "omit" });
  } catch (error) {
    if (error.name === "TimeoutError") throw new ApiError("The host did not answer in time.");
    if (error.name === "AbortError") throw error;
    throw new ApiError("The host cannot be reached.");
  }
  if (answer.ok) return answer;
  const text = await answer.text();
  let said = text.trim();
  try {
    said = JSON.parse(text).error.message;
  } catch {
    // It is plain text.
  }
  throw new ApiError(said || `The host answered ${answer.status}.`, answer.status);
}

/** What the token allows: `full` or `read-only`, and the host's version. */
export const access = async () => (await ask("/access", { signal: AbortSignal.timeout(LIMIT) })).json();

let id = 0;

/** Calls a method of JSON-RPC. */
export async function call(method, params = {}, limit = LIMIT) {
  id += 1;
  const body = JSON.stringify({ jsonrpc: "2.0", id, method, params });
  const headers = { "Content-Type": "application/json" };
  const answer = await ask("/", { method: "POST", headers, body, signal: AbortSignal.timeout(limit) });
  const { result, error } = await answer.json();
  if (error) throw new ApiError(error.message, answer.status, error.code);
  return result;
}
