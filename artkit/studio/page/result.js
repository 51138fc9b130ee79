// @ts-check
/** The picture beside the map: what was made, a sketch of what is being made, and a slider between two of them. */

import { make, need } from "./dom.js";
import { Surface } from "./view.js";

/** @typedef {import("./view.js").Bitmap} Bitmap */

const THUMB = 28; // CSS pixels, as in style.css

export class ResultPanel {
  /** @type {ImageBitmap | null} */
  #picture = null;
  /** @type {{bitmap: Bitmap, name: string} | null} What the picture is compared with, in place of the input. */
  #other = null;
  #turn = 0;

  /**
   * @param {import("./view.js").View} view
   * @param {() => Bitmap | null} input  The map or photo that the picture was made from.
   */
  constructor(view, input) {
    this.view = view;
    this.input = input;
    this.canvas = need("picture", HTMLCanvasElement);
    this.slider = need("split", HTMLInputElement);
    this.toggle = need("split-toggle", HTMLButtonElement);
    this.surface = new Surface(this.canvas, () => this.#draw());
    view.addEventListener("change", () => this.surface.refresh());
    this.slider.addEventListener("input", () => this.surface.refresh());
    this.toggle.addEventListener("click", () => this.split(!this.comparing));
    this.#listen();
  }

  get comparing() {
    return !this.slider.hidden;
  }

  /** Show a picture. @param {Blob} blob */
  async show(blob) {
    const turn = ++this.#turn;
    const bitmap = await createImageBitmap(blob);
    if (turn !== this.#turn) return;
    this.#picture?.close();
    this.#picture = bitmap;
    need("picture-empty", HTMLElement).hidden = true;
    this.canvas.setAttribute("aria-label", `Picture, ${bitmap.width} by ${bitmap.height} pixels`);
    this.canvas.dataset.size = `${bitmap.width}x${bitmap.height}`;
    this.surface.refresh();
  }

  /** Show nothing. */
  clear() {
    this.#turn++;
    this.#picture = null;
    delete this.canvas.dataset.size;
    need("picture-empty", HTMLElement).hidden = false;
    this.surface.refresh();
  }

  /** Show the slider between the picture and what it was made from, or hide it. @param {boolean} on */
  split(on) {
    this.slider.hidden = !on;
    this.toggle.setAttribute("aria-pressed", String(on));
    if (!on) this.#other = null;
    this.#name();
    this.surface.refresh();
  }

  /** Compare with another picture. @param {Blob} blob @param {string} name */
  async compare(blob, name) {
    this.#other = { bitmap: await createImageBitmap(blob), name };
    this.split(true);
    this.slider.focus();
  }

  /** @param {import("./live.js").Status} status */
  status({ text, share, busy, error }) {
    const line = need("status", HTMLElement);
    line.textContent = share !== null && share > 0 ? `${text} ${Math.round(share * 100)} %` : text;
    line.classList.toggle("error", Boolean(error));
    line.dataset.busy = String(busy);
    const bar = need("progress", HTMLProgressElement);
    bar.hidden = !busy;
    if (share) bar.value = share;
    else bar.removeAttribute("value");
    need("cancel", HTMLButtonElement).hidden = !busy;
  }

  #name() {
    const tags = need("split-names", HTMLElement);
    tags.hidden = this.slider.hidden;
    tags.replaceChildren(make("span", {}, this.#other?.name ?? "before"), make("span", {}, this.#other ? "now" : "after"));
    this.slider.setAttribute("aria-label", `Slide between ${this.#other?.name ?? "before"} and the picture`);
  }

  #listen() {
    /** @type {{x: number, y: number} | null} */
    let last = null;
    this.canvas.addEventListener("pointerdown", (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      last = { x: event.offsetX, y: event.offsetY };
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (!last) return;
      this.view.pan(event.offsetX - last.x, event.offsetY - last.y);
      last = { x: event.offsetX, y: event.offsetY };
    });
    this.canvas.addEventListener("pointerup", () => (last = null));
    this.canvas.addEventListener("pointercancel", () => (last = null));
    const wheel = (/** @type {WheelEvent} */ event) => {
      event.preventDefault();
      this.view.zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015)), event.offsetX, event.offsetY);
    };
    this.canvas.addEventListener("wheel", wheel, { passive: false });
    this.slider.addEventListener("wheel", wheel, { passive: false });
  }

  #draw() {
    if (!this.#picture) return;
    this.surface.put(this.#picture, this.view, { smooth: true });
    const left = this.#other?.bitmap ?? this.input();
    if (this.slider.hidden || !left) return;
    const { context, canvas } = this.surface;
    const width = canvas.clientWidth;
    const at = THUMB / 2 + (Number(this.slider.value) / 100) * (width - THUMB);
    context.save();
    context.beginPath();
    context.rect(0, 0, at, canvas.clientHeight);
    context.clip();
    context.clearRect(0, 0, at, canvas.clientHeight);
    this.surface.put(left, this.view, { smooth: this.#other !== null });
    context.restore();
  }
}
