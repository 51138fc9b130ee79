// @ts-check
/** The tools beside the map and the classes below it. */

import { icon } from "./icons.js";
import { make, need, radios } from "./dom.js";

/** @typedef {import("./painter.js").Painter} Painter */
/** @typedef {import("./painter.js").Tool} Tool */
/** @typedef {import("./api.js").Class} Class */

/** @type {[Tool | "hand", string, string][]} */
export const TOOLS = [
  ["brush", "Brush", "B"],
  ["bucket", "Paint bucket", "G"],
  ["line", "Line", "L"],
  ["rectangle", "Rectangle", "R"],
  ["ellipse", "Ellipse", "O"],
  ["polygon", "Polygon: click its corners, double-click to close", "P"],
  ["eraser", "Eraser: back to what was there before", "E"],
  ["eyedropper", "Eyedropper: pick a class from the map", "I"],
  ["hand", "Hand: move the view", "H"],
];

export class Toolbox {
  /** @type {Class[]} */
  classes = [];
  #showTool;
  #showClass = (/** @type {number} */ _) => {};
  /** @type {Tool} */
  #last = "brush";

  /**
   * @param {Painter} painter
   * @param {import("./easel.js").Easel} easel
   */
  constructor(painter, easel) {
    this.painter = painter;
    this.easel = easel;
    const buttons = TOOLS.map(([name, label, key]) => make("button", { type: "button", class: "icon", "aria-label": label, title: `${label} (${key})`, "data-tool": name }, icon(name)));
    this.#showTool = radios(need("tool-list", HTMLElement), buttons, (index) => this.use(TOOLS[index][0]));
    this.slider = need("size", HTMLInputElement);
    this.slider.addEventListener("input", () => this.resize(this.#fromSlider()));
    need("shape", HTMLButtonElement).addEventListener("click", () => this.turnShape());
    need("mirror", HTMLButtonElement).addEventListener("click", () => this.turnMirror());
    painter.addEventListener("pick", () => {
      this.choose(painter.label);
      this.use(this.#last);
    });
    this.use("brush");
    this.resize(painter.size);
    this.#showShape();
  }

  /** @param {Tool | "hand"} name */
  use(name) {
    this.easel.hand = name === "hand";
    this.#showTool(TOOLS.findIndex(([tool]) => tool === name));
    if (name === "hand") return this.painter.cancel();
    this.painter.use(name);
    if (name !== "eyedropper") this.#last = name;
  }

  /** @param {number} size */
  resize(size) {
    this.painter.size = Math.min(200, Math.max(1, Math.round(size)));
    this.slider.value = String(Math.round(Math.sqrt(this.painter.size / 200) * 100));
    this.slider.setAttribute("aria-valuetext", `${this.painter.size} pixels`);
    need("size-value", HTMLElement).textContent = String(this.painter.size);
    this.easel.surface.refresh();
  }

  /** Fine steps for fine brushes. */
  #fromSlider() {
    return Math.max(1, (Number(this.slider.value) / 100) ** 2 * 200);
  }

  turnShape() {
    this.painter.square = !this.painter.square;
    this.#showShape();
  }

  #showShape() {
    const button = need("shape", HTMLButtonElement);
    const name = this.painter.square ? "square" : "round";
    button.replaceChildren(icon(name));
    button.setAttribute("aria-label", `Brush shape: ${name}`);
    button.title = `Brush shape: ${name} (Q)`;
  }

  turnMirror() {
    this.painter.mirror = !this.painter.mirror;
    need("mirror", HTMLButtonElement).setAttribute("aria-pressed", String(this.painter.mirror));
  }

  /** Show the classes of a class set. @param {Class[]} classes */
  setClasses(classes) {
    this.classes = classes;
    const palette = need("palette", HTMLElement);
    const buttons = classes.map(({ name, colour, index }) => {
      const key = index < 10 ? ` (${(index + 1) % 10})` : "";
      const dot = make("span", { class: "dot" });
      dot.style.backgroundColor = colour;
      return make("button", { type: "button", title: `Paint ${name}${key}` }, dot, name);
    });
    this.#showClass = radios(palette, buttons, (index) => (this.painter.label = index));
    this.choose(Math.min(this.painter.label, classes.length - 1));
  }

  /** @param {number} by */
  step(by) {
    this.choose(this.painter.label + by);
  }

  /** @param {number} label */
  choose(label) {
    if (label < 0 || label >= this.classes.length) return;
    this.painter.label = label;
    this.#showClass(label);
  }
}

