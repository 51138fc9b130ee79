// @ts-check
/** The hand: what a press, a move and a release do with each tool, whether they come from a mouse, a pen or the keys. */

import { LabelMap } from "./labels.js";
import { ellipse, paint, polygon, pour, rectangle, stroke } from "./tools.js";

/** @typedef {import("./tools.js").Point} Point */
/** @typedef {import("./sheet.js").Sheet} Sheet */
/** @typedef {"brush" | "bucket" | "line" | "rectangle" | "ellipse" | "polygon" | "eraser" | "eyedropper"} Tool */

/** Fires "pick" when the eyedropper chose a label, "progress" when an unfinished shape changed, "sheet" on another sheet. */
export class Painter extends EventTarget {
  /** @type {Tool} */
  tool = "brush";
  label = 0;
  /** The label of the stroke in the making. */
  #mixed = 0;
  size = 24;
  square = false;
  mirror = false;
  /** @type {LabelMap | null} */
  #before = null;
  /** @type {Point[]} */
  #points = [];

  /** @param {Sheet} sheet */
  constructor(sheet) {
    super();
    this.sheet = sheet;
  }

  /** Whether a polygon waits for its next corner. */
  get unfinished() {
    return this.tool === "polygon" && this.#points.length > 0;
  }

  /** Whether a stroke or shape is in the making. */
  get busy() {
    return this.#before !== null;
  }

  /** Paint on another sheet. @param {Sheet} sheet */
  take(sheet) {
    this.cancel();
    this.sheet = sheet;
    this.dispatchEvent(new Event("sheet"));
  }

  /** @param {Tool} tool */
  use(tool) {
    this.cancel();
    this.tool = tool;
  }

  /** Press at a pixel, which may lie outside of the map. @param {Point} at */
  press(at) {
    if (this.tool === "eyedropper") return this.#pick(at);
    if (this.tool === "bucket") return this.#pour(at);
    if (!this.#before) this.#mixed = this.sheet.mixed(this.label, at);
    this.#before ??= this.sheet.map.clone();
    this.#points.push(at);
    this.#draw(at);
  }

  /** Move to a pixel: with the tool down, or with a polygon's next corner. @param {Point} at */
  move(at) {
    if (this.#before) this.#draw(at);
    else if (this.tool === "eyedropper") this.dispatchEvent(new Event("progress"));
  }

  /** Let go at a pixel. A polygon goes on until `finish`. @param {Point} at */
  release(at) {
    if (!this.#before || this.tool === "polygon") return;
    this.#draw(at);
    this.#commit();
  }

  /** Close a polygon. */
  finish() {
    if (!this.unfinished || !this.#before) return;
    this.#restore();
    paint(this.sheet.map, polygon(this.#points), this.#ink(), this.mirror);
    this.#commit();
  }

  /** Forget what is not finished. */
  cancel() {
    if (!this.#before) return;
    this.#restore();
    this.#before = null;
    this.#points = [];
    this.sheet.repaint();
  }

  /** @param {Point} at */
  #draw(at) {
    const last = this.#points[this.#points.length - 1];
    if (this.tool === "brush" || this.tool === "eraser") {
      paint(this.sheet.map, stroke(last, at, this.size, this.square), this.#ink(), this.mirror);
      this.#points = [at];
    } else {
      this.#restore();
      paint(this.sheet.map, this.#shape(this.#points[0], at), this.#ink(), this.mirror);
    }
    this.sheet.repaint();
  }

  /** @param {Point} from @param {Point} to */
  #shape(from, to) {
    if (this.tool === "line") return stroke(from, to, this.size, this.square);
    if (this.tool === "rectangle") return rectangle(from, to);
    if (this.tool === "ellipse") return ellipse(from, to);
    return polygon([...this.#points, to]);
  }

  /** @param {Point} at */
  #pour(at) {
    if (!this.sheet.map.contains(at.x, at.y)) return;
    const before = this.sheet.map.clone();
    this.#mixed = this.sheet.mixed(this.label, at);
    pour(this.sheet.map, at, this.#ink());
    const twin = { x: this.sheet.map.width - 1 - at.x, y: at.y };
    if (this.mirror && this.sheet.map.at(twin.x, twin.y) === before.at(twin.x, twin.y)) pour(this.sheet.map, twin, this.#ink());
    this.sheet.repaint();
    this.sheet.commit(before);
  }

  /** @param {Point} at */
  #pick(at) {
    if (!this.sheet.map.contains(at.x, at.y)) return;
    this.label = this.sheet.seen(at);
    this.dispatchEvent(new Event("pick"));
  }

  #ink() {
    const label = this.#mixed;
    const base = this.sheet.base.data;
    return this.tool === "eraser" ? (/** @type {number} */ index) => base[index] : () => label;
  }

  #restore() {
    if (this.#before) this.sheet.map.data.set(this.#before.data);
  }

  #commit() {
    const before = this.#before;
    this.#before = null;
    this.#points = [];
    this.sheet.repaint();
    if (before) this.sheet.commit(before);
  }

}
