// @ts-check
/** The sentence: what a chain that begins with words paints. Any method with an option called text is told it here. */

import { need } from "./dom.js";

const REST = 500; // ms that the hand rests before the sentence counts

export class SentencePanel {
  #timer = 0;

  /** @param {import("./chain.js").ChainState} chain */
  constructor(chain) {
    this.chain = chain;
    this.panel = need("sentence", HTMLElement);
    this.field = need("sentence-text", HTMLTextAreaElement);
    this.unknown = need("sentence-unknown", HTMLElement);
    chain.addEventListener("change", () => this.show());
    this.field.addEventListener("input", () => this.#later(REST));
    this.field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey) return;
      event.preventDefault();
      this.#later(0);
    });
  }

  /** Whether the chain begins with a step that is told words, and takes nothing else. */
  get asked() {
    const { info, methods } = this.chain;
    if (!info || info.input !== null) return false;
    const first = methods.get(info.steps[0].method);
    return first?.options.some(({ name, type }) => name === "text" && type === "text") ?? false;
  }

  show() {
    this.panel.hidden = !this.asked;
    this.unknown.textContent = "";
    if (!this.asked || document.activeElement === this.field) return;
    this.field.value = String(this.chain.steps[0].options.text ?? "");
  }

  /** Name the words that the model has never read. @param {import("./api.js").Job} job */
  heard(job) {
    const words = job.steps[0]?.unknown;
    const named = Array.isArray(words) ? words.map(String) : [];
    this.unknown.textContent = this.asked && named.length ? `This model never read ${named.join(", ")}: left out.` : "";
  }

  /** @param {number} wait */
  #later(wait) {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => {
      const text = this.field.value.trim();
      if (this.asked && text !== (this.chain.steps[0].options.text ?? "")) void this.chain.option(0, "text", text || null);
    }, wait);
  }
}
