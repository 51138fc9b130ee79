// @ts-check
/** The studio's REST API, as the page uses it. Every failure is an Error with the server's own line. */

import { Away, Lost, presence } from "./presence.js";

/** @typedef {{name: string, kind: string, summary: string, required: boolean}} Port */
/** @typedef {{name: string, type: "integer" | "number" | "boolean" | "choice" | "text" | "list", default: any, minimum: number | null, maximum: number | null, choices: (string | number)[] | null, nullable: boolean, words: string, summary: string, condition: string | null}} Option */
/** @typedef {{name: string, group: string, summary: string, source: boolean, inputs: Port[], output: string, options: Option[], needs_model: boolean, default_model: string | null, models: string[]}} Method */
/** @typedef {{index: number, name: string, colour: string}} Class */
/** @typedef {{method: string, name: string, summary: string, licence: string, classes: Class[] | null, inputs: Record<string, string>, output: string, conditions: Record<string, string[]>, default: boolean}} Model */
/** @typedef {{method: string, options: Record<string, any>, model: string | null}} Step */
/** @typedef {{text: string, steps: Step[], input: string | null, needs_input: boolean, output: string, classes: Class[] | null, conditions: Record<string, string[]>, ports: string[], wants: string[], fits: string[]}} Chain */
/** @typedef {{chain: string, seed: number, size: string | null, command: string, toml: string}} Recipe */
/** @typedef {{state: "queued" | "running" | "done" | "failed" | "cancelled", share: number, step: string | null, position: number, error: string | null, picture: string | null, sketch: string | null, seconds: number | null, steps: Record<string, unknown>[], recipe: Recipe}} Job */
/** @typedef {{name: string, kind: "image" | "labels", classes: string | null, summary: string, url: string}} Example */
/** @typedef {{sha256: string | null, name: string | null}} Origin  A picture that another was made of. */
/** @typedef {{chain: string, seed: number, size: string | null, stopped_at: number | null, inputs: Record<string, Origin & {map: string | null}>, recipe: Recipe}} Restored */
/** @typedef {{chain: string, seed: number, size?: string, longest?: number, supersedes?: string, input: Blob | null, labels?: boolean, ports: Record<string, Blob>}} Order  What is to be made; `labels`: the input's levels are classes. */
/** @typedef {{id: string, job: Job, picture: Blob | null}} Outcome */

export const CLIENT = crypto.randomUUID?.() ?? String(Math.random());

/**
 * @param {string} path
 * @param {RequestInit} [request]
 */
async function ask(path, request) {
  let answer;
  try {
    answer = await fetch(path, request);
  } catch (problem) {
    if (/** @type {Error} */ (problem).name === "AbortError") throw problem;
    presence.lost();
    throw new Away();
  }
  if (answer.ok) return answer;
  const said = await answer.json().catch(() => ({}));
  throw new Error(said.error ?? `The studio answered ${answer.status}.`);
}

/** @param {string} path @param {unknown} body */
function post(path, body) {
  return ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
}

/** @returns {Promise<Method[]>} */
export const methods = async () => (await ask("/api/methods")).json();

/** @returns {Promise<Model[]>} */
export const models = async () => (await ask("/api/models")).json();

/** @returns {Promise<Example[]>} */
export const examples = async () => (await ask("/api/examples")).json();

/** A chain from text or steps, checked. @param {{text: string} | {steps: Step[]}} chain @returns {Promise<Chain>} */
export const chain = async (chain) => (await post("/api/chain", chain)).json();

/** A label map, dreamt or made. @param {{chain?: string, from?: string, seed: number, size?: string}} wanted */
export const dream = async (wanted) => (await post("/api/dream", wanted)).blob();

/** @param {string} url */
export const picture = async (url) => (await ask(url)).blob();

/** What a picture made by artkit remembers. @param {Blob} blob @returns {Promise<Restored>} */
export async function restore(blob) {
  const form = new FormData();
  form.set("picture", blob, "picture.png");
  return (await ask("/api/restore", { method: "POST", body: form })).json();
}

/** Begin to make a picture. @param {Order} order @param {AbortSignal} [signal] @returns {Promise<string>} The job's id. */
export async function run(order, signal) {
  const form = new FormData();
  form.set("client", CLIENT);
  form.set("chain", order.chain);
  form.set("seed", String(order.seed));
  if (order.size) form.set("size", order.size);
  if (order.longest) form.set("longest", String(order.longest));
  if (order.supersedes) form.set("supersedes", order.supersedes);
  if (order.input) form.set("input", order.input, fileName(order.input, "input.png"));
  if (order.labels) form.set("labels", "index");
  for (const [port, blob] of Object.entries(order.ports)) form.set(port, blob, fileName(blob, `${port}.png`));
  const answer = await ask("/api/run", { method: "POST", body: form, signal });
  return (await answer.json()).job;
}

/** What a picture's record calls it. @param {Blob} blob @param {string} usual */
function fileName(blob, usual) {
  return (blob instanceof File && blob.name) || usual;
}

/** @param {string} id @returns {Promise<Job>} */
export const job = async (id) => (await ask(`/api/jobs/${id}`)).json();

/** End a job; it keeps what there is. @param {string} id */
export async function cancel(id) {
  await ask(`/api/jobs/${id}`, { method: "DELETE" });
}

/**
 * Follow a job to its end. Fails with Away or Lost where the studio goes away.
 * @param {string} id
 * @param {{progress?: (event: {share: number, step: string | null}) => void, sketch?: (picture: Blob) => void}} [tell]
 * @returns {Promise<Outcome>}
 */
export async function follow(id, tell = {}) {
  const source = new EventSource(`/api/jobs/${id}/events`);
  source.addEventListener("progress", (event) => tell.progress?.(JSON.parse(event.data)));
  source.addEventListener("sketch", async () => tell.sketch?.(await picture(`/api/jobs/${id}/sketch`)));
  try {
    await new Promise((resolve, reject) => {
      for (const end of ["done", "failed", "cancelled"]) source.addEventListener(end, resolve);
      source.addEventListener("error", () => {
        if (source.readyState === EventSource.CLOSED) reject(new Lost());
        else ask("/page/mark.svg", { cache: "no-store" }).catch(reject); // the source tries again by itself, and never tells
      });
    });
  } finally {
    source.close();
  }
  const ended = await job(id);
  if (ended.state === "failed") throw new Error(ended.error ?? "The picture could not be made.");
  return { id, job: ended, picture: ended.picture ? await picture(ended.picture) : null };
}
