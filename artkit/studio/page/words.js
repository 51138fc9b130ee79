// @ts-check
/** Words for the ports that take some, a field for each. They are part of the chain, as the options of a step are. */

import { make, need } from "./dom.js";

const REST = 500; // ms that the hand rests before words count

/** @typedef {{index: number, port: import("./api.js").Port}} Place  A port of the step at `index`. */
/** @typedef {Place & {field: HTMLTextAreaElement, problem: HTMLElement, told: string, timer: number}} Field  `told`: what the chain says. */

export class WordsPanel {
  /** @type {Field[]} */
  #fields = [];

  /** @param {import("./chain.js").ChainState} chain */
  constructor(chain) {
    this.chain = chain;
    this.panel = need("words", HTMLElement);
    chain.addEventListener("change", () => this.show());
  }

  /** The first port that must be told something and is not. */
  get missing() {
    return this.#places().find(({ index, port }) => port.required && !(port.name in this.chain.steps[index].options))?.port.name ?? null;
  }

  show() {
    const places = this.#places();
    const same = places.length === this.#fields.length && places.every(({ index, port }, at) => index === this.#fields[at].index && port === this.#fields[at].port);
    if (!same) this.#build(places);
    for (const one of this.#fields) this.#follow(one);
  }

  /** The ports that take words; the main one of a step is fed by the step before it. @returns {Place[]} */
  #places() {
    const { methods, steps } = this.chain;
    return steps.flatMap(({ method }, index) => {
      const inputs = methods.get(method)?.inputs ?? [];
      return inputs.filter(({ kind }, at) => kind === "text" && (at > 0 || index === 0)).map((port) => ({ index, port }));
    });
  }

  /** @param {Place[]} places */
  #build(places) {
    for (const { timer } of this.#fields) clearTimeout(timer);
    const names = places.map(({ port }) => port.name);
    this.#fields = places.map((place) => this.#field(place));
    this.panel.replaceChildren(...this.#fields.map((one) => this.#row(one, names.filter((name) => name === one.port.name).length > 1)));
    this.panel.hidden = places.length === 0;
  }

  /** @param {Place} place @returns {Field} */
  #field({ index, port }) {
    const id = `words-${index}-${port.name}`;
    const problem = make("p", { id: `${id}-problem`, role: "alert" });
    const field = make("textarea", { id, rows: 1, "aria-describedby": problem.id, "aria-required": String(port.required) });
    const one = { index, port, field, problem, told: "", timer: 0 };
    field.addEventListener("input", () => this.#later(one, REST));
    field.addEventListener("change", () => this.#later(one, 0));
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#later(one, 0);
    });
    return one;
  }

  /** @param {Field} one @param {boolean} shared  Whether another step's port has that name, too. */
  #row({ index, port, field, problem }, shared) {
    const name = shared ? `${this.chain.steps[index].method}: ${port.name}` : port.name;
    return make("div", {}, make("label", { for: field.id }, `${name} `, make("small", {}, port.summary)), field, problem);
  }

  /** What the chain tells a port. @param {Place} place */
  #told({ index, port }) {
    const words = this.chain.steps[index].options[port.name];
    return typeof words === "string" ? words : "";
  }

  /** Show what the chain says now, unless more was typed meanwhile. @param {Field} one */
  #follow(one) {
    const told = this.#told(one);
    if (told === one.told) return;
    one.told = told;
    if (one.timer) return;
    if (one.field.value.trim() !== told) one.field.value = told;
    refuse(one, "");
  }

  /** @param {Field} one @param {number} wait */
  #later(one, wait) {
    clearTimeout(one.timer);
    one.timer = window.setTimeout(() => {
      one.timer = 0;
      void this.#tell(one);
    }, wait);
  }

  /** Make what was typed part of the chain; say why where it cannot be. @param {Field} one */
  async #tell(one) {
    const words = one.field.value.trim();
    refuse(one, "");
    if (words === this.#told(one)) return;
    const refused = (/** @type {Event} */ event) => refuse(one, /** @type {CustomEvent} */ (event).detail);
    this.chain.addEventListener("error", refused);
    await this.chain.option(one.index, one.port.name, words || null);
    this.chain.removeEventListener("error", refused);
  }
}

/** Say why words will not do; nothing where they do. @param {Field} one @param {string} line */
function refuse({ field, problem }, line) {
  problem.textContent = line;
  field.setAttribute("aria-invalid", String(line !== ""));
}
