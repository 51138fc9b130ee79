// @ts-check
/** The map in work: its labels, what the eraser brings back, its steps back and forth, and its colours for the screen. */

import { History } from "./history.js";
import { LabelMap, paintColours } from "./labels.js";

/** @typedef {import("./labels.js").Colour} Colour */
/** @typedef {import("./labels.js").Box} Box */
/** @typedef {import("./tools.js").Point} Point */

/** Fires "paint" while labels change, "change" when a step is done, "swap" when the map became another one. */
export class Sheet extends EventTarget {
  map = new LabelMap(512, 384);
  base = this.map.clone();
  history = new History();
  /** @type {Colour[]} */
  colours = [[255, 255, 255]];
  screen = new OffscreenCanvas(1, 1);
  #picture = new ImageData(1, 1);

  /** Show another class set's colours. @param {Colour[]} colours */
  recolour(colours) {
    this.colours = colours;
    this.repaint();
  }

  /** Put another map in the place of this one, as one step. @param {LabelMap} map */
  load(map) {
    const before = { map: this.map, base: this.base };
    this.map = map.clone();
    this.base = map.clone();
    this.history.swap(before, this);
    this.#swapped();
  }

  /** Begin with a map: there is nothing before it. @param {LabelMap} map @param {LabelMap} [base] */
  begin(map, base = map) {
    this.map = map.clone();
    this.base = base.clone();
    this.history = new History();
    this.#swapped();
  }

  /** The labels as they were before a step are known: remember the step. @param {LabelMap} before */
  commit(before) {
    if (this.history.stroke(before, this.map)) this.dispatchEvent(new Event("change"));
  }

  undo() {
    return this.#travel(this.history.undo(this));
  }

  redo() {
    return this.#travel(this.history.redo(this));
  }

  /** Bring the screen up to date with the labels. @param {Box} [box] */
  repaint(box = this.map.box) {
    const { width, height } = this.map;
    if (this.screen.width !== width || this.screen.height !== height) {
      this.screen = new OffscreenCanvas(width, height);
      this.#picture = new ImageData(width, height);
    }
    this.paint(this.#picture, box);
    const context = /** @type {OffscreenCanvasRenderingContext2D} */ (this.screen.getContext("2d"));
    context.putImageData(this.#picture, 0, 0, box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0);
    this.dispatchEvent(new Event("paint"));
  }

  /** Bring a box of a picture up to date with the labels. @param {ImageData} picture @param {Box} box */
  paint(picture, box) {
    paintColours(this.map, this.colours, picture, box);
  }

  /** The label that the eyedropper sees at a pixel. @param {Point} at */
  seen({ x, y }) {
    return this.map.at(x, y);
  }

  /** The label of a stroke that begins at a pixel, where this one is chosen. @param {number} label @param {Point} _ */
  mixed(label, _) {
    return label;
  }

  /** @param {import("./history.js").Sheet | null} to */
  #travel(to) {
    if (!to) return false;
    const same = to.map.sameSize(this.map);
    this.map = to.map;
    this.base = to.base;
    this.repaint();
    this.dispatchEvent(new Event(same ? "change" : "swap"));
    return true;
  }

  #swapped() {
    this.repaint();
    this.dispatchEvent(new Event("swap"));
  }
}
