// @ts-check
/** The chain: its steps, the same as text, and the bar of chips that shows both. The server checks every change. */

import * as api from "./api.js";
import { EDIT } from "./strokes.js";
import { iconButton, make, moveWithin, need, openMenu, replace, tell } from "./dom.js";

/** @typedef {import("./api.js").Method} Method */
/** @typedef {import("./api.js").Model} Model */
/** @typedef {import("./api.js").Step} Step */

/** Fires "change" when there is another chain, "select" when another step is looked at, "error" ({detail: string}). */
export class ChainState extends EventTarget {
  /** @type {import("./api.js").Chain | null} */
  info = null;
  selected = 0;
  #turn = 0;
  /** @type {Step[] | null} Steps that the server has not answered to yet: the next change builds on them. */
  #asked = null;

  /** @param {Method[]} methods @param {Model[]} models */
  constructor(methods, models) {
    super();
    this.methods = new Map(methods.map((method) => [method.name, method]));
    this.models = models;
  }

  get steps() {
    return this.#asked ?? this.info?.steps ?? [];
  }

  get text() {
    return this.info?.text ?? "";
  }

  /** @param {Step} step */
  modelOf(step) {
    const name = step.model ?? this.methods.get(step.method)?.default_model;
    return this.models.find((model) => model.method === step.method && model.name === name) ?? null;
  }

  /** Take another chain, if it is right. @param {{text: string} | {steps: Step[]}} chain */
  async set(chain) {
    const turn = ++this.#turn;
    this.#asked = "steps" in chain ? chain.steps : null;
    try {
      const info = await api.chain(chain);
      if (turn !== this.#turn) return false;
      this.#asked = null;
      this.info = info;
      this.selected = Math.max(0, Math.min(this.selected, info.steps.length - 1));
      this.dispatchEvent(new Event("change"));
      return true;
    } catch (problem) {
      if (turn !== this.#turn) return false;
      this.#asked = null;
      this.dispatchEvent(new CustomEvent("error", { detail: /** @type {Error} */ (problem).message }));
      return false;
    }
  }

  /** Change one step. @param {number} index @param {Partial<Step>} change */
  edit(index, change) {
    return this.set({ steps: this.steps.map((step, i) => (i === index ? { ...step, ...change } : step)) });
  }

  /** Set an option, or leave it to the method with null. @param {number} index @param {string} name @param {unknown} value */
  option(index, name, value) {
    const { [name]: _, ...options } = this.steps[index].options;
    return this.edit(index, { options: value === null ? options : { ...options, [name]: value } });
  }

  /** Add a step at the end. @param {string} method */
  add(method) {
    return this.set({ steps: [...this.steps, { method, options: {}, model: null }] });
  }

  /** @param {number} index */
  remove(index) {
    return this.set({ steps: this.steps.filter((_, i) => i !== index) });
  }

  /** @param {number} index @param {number} by */
  async move(index, by) {
    const steps = [...this.steps];
    const [step] = steps.splice(index, 1);
    steps.splice(index + by, 0, step);
    this.selected = index + by;
    await this.set({ steps });
  }

  /** @param {number} index */
  select(index) {
    this.selected = index;
    this.dispatchEvent(new Event("select"));
  }
}

/** The bar: a chip for each step, a menu of steps that fit, and the text. */
export class ChainBar {
  /** @param {ChainState} chain */
  constructor(chain) {
    this.chain = chain;
    this.list = need("steps", HTMLElement);
    this.form = need("chain-form", HTMLFormElement);
    this.field = need("chain-text", HTMLInputElement);
    this.problem = need("chain-problem", HTMLElement);
    chain.addEventListener("change", () => this.show());
    chain.addEventListener("select", () => this.show());
    chain.addEventListener("error", (event) => this.#refuse(/** @type {CustomEvent} */ (event).detail));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      chain.set({ text: this.field.value });
    });
    need("chain-toggle", HTMLButtonElement).addEventListener("click", () => this.toggle());
    this.list.addEventListener("keydown", (event) => moveWithin(this.list, event));
  }

  /** Show the text or hide it. */
  toggle() {
    this.form.hidden = !this.form.hidden;
    need("chain-toggle", HTMLButtonElement).setAttribute("aria-expanded", String(!this.form.hidden));
    if (!this.form.hidden) this.field.focus();
  }

  show() {
    const { chain } = this;
    const chips = chain.steps.map((step, index) => this.#chip(step, index));
    const add = iconButton("plus", "Add a step", () => this.#offer(add), { "aria-haspopup": "menu", id: "add-step" });
    replace(this.list, [...chips.map((chip) => make("li", {}, chip)), make("li", {}, add)]);
    this.field.value = chain.text;
    this.problem.textContent = "";
    this.field.removeAttribute("aria-invalid");
  }

  /** @param {Step} step @param {number} index */
  #chip(step, index) {
    const { chain } = this;
    const model = chain.modelOf(step);
    const changed = Object.keys(step.options).length;
    return make(
      "button",
      {
        type: "button",
        class: "chip",
        "aria-haspopup": "dialog",
        title: chain.methods.get(step.method)?.summary ?? "",
        onclick: () => chain.select(index),
        onkeydown: (/** @type {KeyboardEvent} */ event) => (event.key === "Delete" || event.key === "Backspace") && chain.steps.length > 1 && chain.remove(index),
      },
      make("b", {}, step.method),
      model ? make("span", {}, model.name) : null,
      changed ? make("i", { "aria-label": `${changed} options set` }, String(changed)) : null,
    );
  }

  /** @param {HTMLElement} button */
  #offer(button) {
    const { chain } = this;
    /** @type {import("./dom.js").MenuItem[]} */
    const items = [];
    let group = "";
    const fits = (chain.info?.fits ?? []).flatMap((name) => chain.methods.get(name) ?? []);
    for (const method of fits.sort((a, b) => a.group.localeCompare(b.group) || a.name.localeCompare(b.name))) {
      if (method.group !== group) items.push({ heading: (group = method.group) });
      items.push({ label: method.name, detail: method.summary, run: () => chain.add(method.name) });
    }
    if (items.length) openMenu(button, items);
    else tell("Nothing fits after this chain.");
  }

  /** @param {string} line */
  #refuse(line) {
    this.problem.textContent = line;
    this.field.setAttribute("aria-invalid", "true");
    if (this.form.hidden) tell(line, "error");
  }
}

/** The chains to begin with: every model, and every method that needs none. @param {ChainState} chain */
export function starts(chain) {
  /** @type {import("./dom.js").MenuItem[]} */
  const items = SENTENCE.match(/\w+(?=\(|,|$)/g)?.every((step) => chain.methods.get(step)?.default_model)
    ? [{ heading: "say" }, { label: "A sentence", detail: SENTENCE, run: () => void chain.set({ text: SENTENCE }) }]
    : [];
  const painter = [...chain.methods.values()].find((method) => method.models.length && method.inputs.some(({ name }) => name === EDIT));
  if (painter) {
    const text = painter.default_model ? painter.name : `${painter.name}(model=${painter.models[0]})`;
    items.push({ heading: "paint over" }, { label: "Strokes", detail: "colour over a photo or a dream becomes real", run: () => void chain.set({ text }) });
  }
  let group = "";
  for (const method of [...chain.methods.values()].sort((a, b) => order(a) - order(b))) {
    const alone = method.models.length === 0 && method.default_model === null;
    const names = alone ? [null] : method.models;
    if (method.group !== group && names.length) items.push({ heading: (group = method.group) });
    for (const name of names) {
      const text = name === null || name === method.default_model ? method.name : `${method.name}(model=${name})`;
      const model = chain.models.find((one) => one.method === method.name && one.name === name);
      items.push({ label: text, detail: model?.summary || method.summary, run: () => void chain.set({ text }) });
    }
  }
  return items;
}

/** The chain that paints sentences best. */
const SENTENCE = "stackgan(stage=0),pix2pix,touchup";
const GROUPS = ["translate", "dream", "enlarge", "restore and touch up", "filter"];

/** @param {Method} method */
function order(method) {
  const place = GROUPS.indexOf(method.group);
  return place < 0 ? GROUPS.length : place;
}

