// @ts-check
/** The form of a step: a slider for a range, a list for choices, a box for yes or no, made from what a method declares. */

import { iconButton, make, need } from "./dom.js";

/** @typedef {import("./api.js").Option} Option */
/** @typedef {import("./chain.js").ChainState} ChainState */

const FEW = 5; // options that are shown at once; the rest waits behind "More"

/** The panel of the step that is looked at. */
export class OptionsPanel {
  #shown = "";
  /** @type {number | null} The step whose options are open. */
  #open = null;

  /** @param {ChainState} chain */
  constructor(chain) {
    this.chain = chain;
    this.panel = need("options", HTMLElement);
    chain.addEventListener("change", () => this.show());
    chain.addEventListener("select", () => this.open());
    document.addEventListener("pointerdown", (event) => !/** @type {HTMLElement} */ (event.target).closest("#options, .chip, .menu") && this.close());
    this.panel.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
  }

  /** Open below the chip of the step, or close where it is open for that step. */
  open() {
    const chip = this.#chip();
    if (!chip || this.#open === this.chain.selected) return this.close();
    this.#open = this.chain.selected;
    this.show();
    this.panel.showPopover();
    const at = chip.getBoundingClientRect();
    this.panel.style.left = `${Math.max(8, Math.min(at.left, innerWidth - this.panel.offsetWidth - 8))}px`;
    this.panel.style.top = `${at.bottom + 6}px`;
    /** @type {HTMLElement | null} */ (this.panel.querySelector("select, input"))?.focus();
  }

  /** @returns {HTMLElement | undefined} */
  #chip() {
    return /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".chip"))[this.chain.selected];
  }

  close() {
    if (this.#open === null) return;
    this.#open = null;
    this.panel.hidePopover();
    this.#chip()?.focus();
  }

  show() {
    const { chain } = this;
    const step = chain.steps[chain.selected];
    const method = step && chain.methods.get(step.method);
    if (!step || !method || this.#open === null) return;
    const focus = document.activeElement?.id;
    const more = this.panel.querySelector("details")?.open && this.#shown === step.method;
    const fields = method.options.map((option) => this.#field(option, step.options[option.name]));
    this.panel.replaceChildren(
      this.#head(method.name),
      make("p", { class: "about" }, method.summary),
      ...(method.models.length ? [this.#models(method.models, step.model ?? method.default_model)] : []),
      ...fields.slice(0, FEW),
      ...(fields.length > FEW ? [make("details", { open: more }, make("summary", {}, `${fields.length - FEW} more`), ...fields.slice(FEW))] : []),
    );
    this.#shown = step.method;
    if (focus && this.panel.querySelector(`#${CSS.escape(focus)}`)) document.getElementById(focus)?.focus();
  }

  /** @param {string} name */
  #head(name) {
    const { chain } = this;
    const index = chain.selected;
    const last = chain.steps.length - 1;
    return make(
      "header",
      {},
      make("h2", {}, name),
      iconButton("left", "Earlier in the chain", () => chain.move(index, -1), { disabled: index === 0 }),
      iconButton("arrow", "Later in the chain", () => chain.move(index, 1), { disabled: index === last }),
      iconButton("trash", "Take this step out", () => chain.remove(index), { disabled: last === 0 }),
    );
  }

  /** @param {string[]} names @param {string | null} chosen */
  #models(names, chosen) {
    const { chain } = this;
    const onchange = (/** @type {Event} */ event) => {
      const name = /** @type {HTMLSelectElement} */ (event.target).value;
      const usual = chain.methods.get(chain.steps[chain.selected].method)?.default_model;
      chain.edit(chain.selected, { model: name === usual ? null : name });
    };
    const select = make("select", { id: "option-model", onchange }, ...names.map((name) => make("option", { value: name, selected: name === chosen }, name)));
    const model = chain.modelOf(chain.steps[chain.selected]);
    return row("model", select, model ? `${model.summary} ${model.licence}` : "");
  }

  /** @param {Option} option @param {any} value */
  #field(option, value) {
    const set = (/** @type {unknown} */ next) => {
      const same = JSON.stringify(next) === JSON.stringify(option.default);
      this.chain.option(this.chain.selected, option.name, same || next === "" ? null : next);
    };
    const now = value ?? option.default;
    const id = `option-${option.name}`;
    if (typeof value === "object" && value && "chain" in value) {
      return row(option.name, make("input", { id, value: `[${value.chain}]`, readonly: true }), "A chain inside this step: change it as text.");
    }
    return row(option.name, control(id, option, now, set), option.summary, value !== undefined ? () => set(null) : null);
  }
}

/**
 * @param {string} id
 * @param {Option} option
 * @param {any} now
 * @param {(value: unknown) => void} set
 * @returns {HTMLElement}
 */
function control(id, option, now, set) {
  const read = (/** @type {Event} */ event) => /** @type {HTMLInputElement} */ (event.target);
  if (option.type === "boolean") {
    return make("input", { id, type: "checkbox", class: "switch", checked: now === true, onchange: (event) => set(read(event).checked) });
  }
  if (option.type === "choice") {
    const words = [...(option.nullable ? [null] : []), ...(option.choices ?? [])];
    const onchange = (/** @type {Event} */ event) => set(words[/** @type {HTMLSelectElement} */ (event.target).selectedIndex]);
    return make("select", { id, onchange }, ...words.map((word) => make("option", { selected: word === now }, word === null ? "auto" : String(word))));
  }
  if (option.type === "number" || option.type === "integer") return number(id, option, now, set);
  const text = now === null ? "" : Array.isArray(now) ? now.join(", ") : String(now);
  const onchange = (/** @type {Event} */ event) => set(option.type === "list" ? list(read(event).value) : read(event).value);
  return make("input", { id, value: text, placeholder: option.nullable ? "auto" : "", title: option.words, autocomplete: "off", spellcheck: "false", onchange });
}

/**
 * A slider where the range is small enough to slide through, else a box for the number.
 * @param {string} id
 * @param {Option} option
 * @param {number | null} now
 * @param {(value: unknown) => void} set
 */
function number(id, option, now, set) {
  const { minimum, maximum } = option;
  const whole = option.type === "integer";
  const slides = minimum !== null && maximum !== null && maximum - minimum <= (whole ? 256 : 100) && now !== null;
  const step = whole ? 1 : slides ? 0.01 * 10 ** Math.max(0, Math.ceil(Math.log10((maximum - minimum) / 4))) : "any";
  const box = make("input", { id: slides ? `${id}-number` : id, type: "number", min: minimum, max: maximum, step: whole ? 1 : "any", value: now, placeholder: "auto", "aria-label": option.name, onchange: (event) => set(event.target.value === "" ? null : Number(event.target.value)) });
  if (!slides) return box;
  const slider = make("input", {
    id,
    type: "range",
    min: minimum,
    max: maximum,
    step,
    value: now,
    oninput: () => (box.value = slider.value),
    onchange: () => set(Number(slider.value)),
  });
  return make("span", { class: "slide" }, slider, box);
}

/** @param {string} text */
function list(text) {
  const words = text.split(",").map((word) => word.trim()).filter(Boolean);
  return words.map((word) => (Number.isNaN(Number(word)) ? word : Number(word)));
}

/**
 * @param {string} name
 * @param {HTMLElement} field
 * @param {string} help
 * @param {(() => void) | null} [reset]
 */
function row(name, field, help, reset = null) {
  const id = field.id || field.querySelector("input")?.id || "";
  const label = make("label", { for: id }, name.replaceAll("_", " "));
  const back = reset ? make("button", { type: "button", class: "reset", "aria-label": `Reset ${name}`, title: "Back to the usual", onclick: reset }, "reset") : null;
  return make("div", { class: field.matches(".switch") ? "row check" : "row" }, label, back, field, help ? make("small", {}, help) : null);
}
