// @ts-check
/** The contact sheet: nine pictures at once, of nine dreams, nine lights or nine seeds; one of them to go on with. */

import * as api from "./api.js";
import { make, need, radios } from "./dom.js";

/** @typedef {{label: string, order: () => Promise<api.Order>, choose: () => void}} Variant */
/** @typedef {{name: string, about: string, variants: () => Variant[]}} Choice */

const SIDE = 256;

export class ContactSheet {
  #turn = 0;
  /** @type {Set<string>} */
  #jobs = new Set();

  constructor() {
    this.dialog = need("nine", HTMLDialogElement);
    this.grid = need("nine-grid", HTMLElement);
    this.dialog.addEventListener("close", () => this.#stop());
  }

  /** @param {Choice[]} choices  What may vary; the first is shown. */
  open(choices) {
    const buttons = choices.map((choice) => make("button", { type: "button", title: choice.about }, choice.name));
    radios(need("nine-kinds", HTMLElement), buttons, (index) => this.#fill(choices[index].variants()))(0);
    this.dialog.showModal();
    this.#fill(choices[0].variants());
  }

  #stop() {
    this.#turn++;
    for (const job of this.#jobs) api.cancel(job).catch(() => {});
    this.#jobs.clear();
  }

  /** @param {Variant[]} variants */
  #fill(variants) {
    this.#stop();
    const turn = this.#turn;
    const slots = variants.map((variant) => {
      const slot = make("button", { type: "button", class: "slot", disabled: true, "aria-label": variant.label });
      slot.addEventListener("click", () => {
        this.dialog.close();
        variant.choose();
      });
      return slot;
    });
    this.grid.replaceChildren(...slots.map((slot, i) => make("figure", {}, slot, make("figcaption", {}, variants[i].label))));
    this.#make(variants, slots, turn);
  }

  /** One after the other, so that closing the sheet leaves little behind. @param {Variant[]} variants @param {HTMLButtonElement[]} slots @param {number} turn */
  async #make(variants, slots, turn) {
    for (const [i, variant] of variants.entries()) {
      try {
        const order = await variant.order();
        if (turn !== this.#turn) return;
        const small = order.input ? { ...order, size: undefined, longest: SIDE } : { ...order, size: `${SIDE}x${SIDE * 0.75}` };
        const job = await api.run(small);
        this.#jobs.add(job);
        const { picture } = await api.follow(job);
        this.#jobs.delete(job);
        if (turn !== this.#turn || !picture) return;
        const url = URL.createObjectURL(picture);
        slots[i].append(make("img", { src: url, alt: "", onload: () => URL.revokeObjectURL(url) }));
        slots[i].disabled = false;
      } catch (problem) {
        if (turn !== this.#turn) return;
        slots[i].textContent = /** @type {Error} */ (problem).message;
      }
    }
  }
}

/** Nine of all the ways to combine the words of conditions, spread evenly. @param {Record<string, string[]>} conditions */
export function combinations(conditions) {
  /** @type {Record<string, string>[]} */
  let all = [{}];
  for (const [name, words] of Object.entries(conditions)) all = all.flatMap((one) => words.map((word) => ({ ...one, [name]: word })));
  if (all.length <= 9) return all;
  return Array.from({ length: 9 }, (_, i) => all[Math.floor((i * all.length) / 9)]);
}
