// @ts-check
/** Strokes over a photo or a dream: the colours to paint with, the picture below, and the port that they go to. */

import * as api from "./api.js";
import { make, need, radios, tell } from "./dom.js";
import { Layer, pack, unpack } from "./layer.js";

/** @typedef {import("./labels.js").Colour} Colour */

/** The port of strokes: any method whose first step has it is told them here. */
export const EDIT = "edit";
/** @type {[string, string][]} */
const PAINTS = [
  ["sky", "#6ea6d8"], ["dusk", "#f0a860"], ["snow", "#f4f5f7"], ["mist", "#b9c0c6"], ["water", "#2f5f8a"],
  ["grass", "#86a94a"], ["forest", "#2c4a2a"], ["sand", "#dcc48e"], ["rock", "#7d746b"], ["night", "#1c2340"],
];
/** Strokes that take their colour from where they begin. @type {[string, number][]} */
const SHIFTS = [["lighter", 0.3], ["darker", -0.3]];

/** Whether a chain begins with a step that is told strokes. @param {import("./chain.js").ChainState} chain */
export function takesStrokes({ info, methods }) {
  const first = info && methods.get(info.steps[0].method);
  return Boolean(first?.inputs.some(({ name }) => name === EDIT) && info?.ports.includes(EDIT));
}

/** Fires "ground" when another picture lies below. */
export class Strokes extends EventTarget {
  layer = new Layer();
  /** @type {ImageBitmap | null} What lies below the strokes. */
  ground = null;
  #chosen = 1;
  /** What the map was painted with. */
  #label = 0;
  #dreamt = "";
  /** @type {File | null | undefined} The photo below; null is a dream. */
  #photo;

  /** @param {import("./painter.js").Painter} painter */
  constructor(painter) {
    super();
    this.painter = painter;
    this.field = need("colour", HTMLInputElement);
    const dot = (/** @type {string} */ colour) => {
      const element = make("span", { class: "dot" });
      element.style.background = colour;
      return element;
    };
    const paints = PAINTS.map(([name, colour]) => make("button", { type: "button", title: `Paint in ${name}` }, dot(colour), name));
    const shifts = SHIFTS.map(([name]) => make("button", { type: "button", title: `Paint ${name} than what lies where the stroke begins` }, dot(name === "lighter" ? "linear-gradient(90deg, #777, #fff)" : "linear-gradient(90deg, #888, #111)"), name));
    this.show = radios(need("paints", HTMLElement), [...paints, ...shifts], (index) => this.choose(index));
    this.field.addEventListener("input", () => this.#mix(this.field.value));
    need("clear-strokes", HTMLButtonElement).addEventListener("click", () => this.layer.empty || this.layer.clear());
    painter.addEventListener("pick", () => painter.sheet === this.layer && this.#mix(hex(painter.label)));
  }

  /** Paint strokes from now on, or a map again. @param {boolean} on @param {import("./sheet.js").Sheet} sheet  The map's. */
  use(on, sheet) {
    const { painter } = this;
    if (on === (painter.sheet === this.layer)) return;
    painter.take(on ? this.layer : sheet);
    if (on) this.#label = painter.label;
    else painter.label = this.#label;
    if (on) this.choose(this.#chosen);
  }

  /** Choose a paint, or to paint lighter or darker. @param {number} index */
  choose(index) {
    if (index < 0 || index >= PAINTS.length + SHIFTS.length) return;
    if (index < PAINTS.length) this.#mix(PAINTS[index][1]);
    else this.layer.shift = SHIFTS[index - PAINTS.length][1];
    this.#chosen = index;
    this.show(index);
  }

  /** @param {number} by */
  step(by) {
    this.choose(this.#chosen + by);
  }

  /** Paint in a colour. @param {string} colour  #rrggbb */
  #mix(colour) {
    this.field.value = colour;
    this.layer.shift = 0;
    this.painter.label = pack(/** @type {Colour} */ ([1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16))));
    this.show(-1);
  }

  /** What the layer has at a pixel, in words. @param {number} x @param {number} y */
  name(x, y) {
    const label = this.layer.map.at(x, y);
    return label ? hex(label) : "clear";
  }

  /** Paint over a photo, or a dream of a size that is yet to come; over another one than before there are no strokes. @param {File | null} photo @param {ImageBitmap | null} picture @param {import("./view.js").Size} size */
  begin(photo, picture, size) {
    this.#dreamt = "";
    if (photo !== this.#photo) this.layer.fit(size);
    this.#photo = photo;
    this.#lay(picture);
  }

  /** Go on with strokes that were sent before, or with none. @param {Blob | null} picture */
  async open(picture) {
    if (picture) this.layer.open(await createImageBitmap(picture, { colorSpaceConversion: "none" }));
    else this.layer.fit(this.layer.map);
  }

  /** Lay a dream below: what the first step makes of a seed, without any strokes. @param {api.Step} step @param {number} seed */
  async dream(step, seed) {
    const { width, height } = this.layer.map;
    const key = JSON.stringify([step, seed, width, height]);
    if (key === this.#dreamt) return;
    this.#dreamt = key;
    try {
      const { text } = await api.chain({ steps: [step] });
      const { picture } = await api.follow(await api.run({ chain: text, seed, size: `${width}x${height}`, input: null, ports: {} }));
      const bitmap = picture && (await createImageBitmap(picture));
      if (bitmap && key === this.#dreamt) this.#lay(bitmap);
    } catch (problem) {
      if (key === this.#dreamt) this.#dreamt = "";
      tell(/** @type {Error} */ (problem).message, "error");
    }
  }

  /** @param {ImageBitmap | null} picture */
  #lay(picture) {
    this.ground = picture;
    this.layer.lay(picture);
    this.dispatchEvent(new Event("ground"));
  }
}

/** @param {number} label */
function hex(label) {
  return `#${unpack(label).map((level) => level.toString(16).padStart(2, "0")).join("")}`;
}
