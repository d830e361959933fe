/** Calls to this site's own API. A lost session is mended in place, so that nothing typed is lost. */

import { signInAgain } from "./session.js";

/** A refusal of the server: problem+json with a stable `code` and a Chinese `detail`. */
export class Refused extends Error {
  constructor(problem) {
    super(problem.detail);
    this.problem = problem;
    this.code = problem.code;
  }
}

/** No answer at all. */
export class Unreachable extends Error {
  constructor() {
    super("连不上服务器。页面上的内容还在，请检查网络后再试。");
    this.code = "unreachable";
  }
}

const token = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";

async function send(method, path, { body, headers = {} }) {
  try {
    return await fetch(path, {
      method,
      credentials: "same-origin",
      headers: {
        Accept: "application/json",
        "X-CSRF-Token": token(),
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Unreachable();
  }
}

async function request(method, path, options = {}) {
  let response = await send(method, path, options);
  if (response.status === 401 && (await signInAgain())) {
    response = await send(method, path, options);
  }
  if (response.ok) return response;
  const isProblem = response.headers.get("Content-Type")?.includes("problem+json");
  throw new Refused(isProblem ? await response.json() : { code: "failed", detail: `服务器答复异常（${response.status}）。` });
}

/** JSON in, JSON out: `{ body, etag }`. */
export async function call(method, path, options) {
  const response = await request(method, path, options);
  const body = response.status === 204 ? null : await response.json();
  return { body, etag: response.headers.get("ETag") };
}

/** A file, as its bytes. */
export async function file(method, path, options) {
  return (await request(method, path, options)).blob();
}

/** A piece of a page, rendered by the server, as nodes. */
export async function part(method, path, options) {
  const response = await request(method, path, options);
  const template = document.createElement("template");
  template.innerHTML = await response.text();
  return template.content;
}

/** A key that makes a repeated submission harmless. */
export function freshKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

let known = null;

/** Every label of every head with the ways to type it; fetched once. */
export function labels() {
  known ??= call("GET", "/desk/labels").then(({ body }) => body.heads);
  known.catch(() => { known = null; });
  return known;
}
