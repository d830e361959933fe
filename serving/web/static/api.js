/** Calls to the API of this site: JSON in, JSON out, refusals as Refused. */

export class Refused extends Error {
  /** @param {{status: number, code: string, detail: string}} problem */
  constructor(problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

const csrf = document.querySelector('meta[name="csrf-token"]')?.content ?? "";

/**
 * @param {string} method
 * @param {string} path
 * @param {object} [options] body: any JSON; headers: added to ours
 * @returns {Promise<{body: any, etag: string | null}>}
 */
export async function call(method, path, { body, headers = {} } = {}) {
  const response = await fetch(path, {
    method,
    credentials: "same-origin",
    headers: {
      Accept: "application/json",
      "X-CSRF-Token": csrf,
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      ...headers,
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (response.status === 401) {
    location.assign(`/login?next=${location.pathname}`);
  }
  const content = response.status === 204 ? null : await response.json();
  if (!response.ok) {
    throw new Refused(content);
  }
  return { body: content, etag: response.headers.get("ETag") };
}

/** A key that makes a repeated submission harmless. */
export function freshKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
