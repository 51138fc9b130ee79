// @ts-check
/** The map on the screen: mouse, pen, fingers and keys become strokes; two fingers, wheel and space move the view. */

import { Surface } from "./view.js";

/** @typedef {import("./painter.js").Painter} Painter */
/** @typedef {import("./tools.js").Point} Point */

const STEPS = /** @type {Record<string, [number, number]>} */ ({ ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] });

export class Easel {
  /** @type {import("./view.js").Bitmap | null} */
  tracing = null;
  tracingAlpha = 0.4;
  /** Dragging moves the view, as with the hand. */
  hand = false;
  /** Whether a sheet is painted on, over the photo if there is one; else a photo lies here, or nothing. */
  painting = true;
  /** What is painted, to those who do not see it. */
  what = "Map";
  /** @type {import("./view.js").Bitmap | null} */
  photo = null;
  /** @type {Map<number, {x: number, y: number}>} Fingers and pens that are down, by pointer. */
  #down = new Map();
  /** @type {{x: number, y: number} | null} Where the pointer hovers, in the frame. */
  #hover = null;
  /** @type {Point | null} The keyboard's cursor, in the map. */
  #cursor = null;
  #pressed = false;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Painter} painter
   * @param {import("./view.js").View} view
   */
  constructor(canvas, painter, view) {
    this.canvas = canvas;
    this.painter = painter;
    this.view = view;
    this.surface = new Surface(canvas, () => this.#draw());
    new ResizeObserver(() => view.resize({ width: canvas.clientWidth, height: canvas.clientHeight })).observe(canvas);
    view.addEventListener("change", () => this.surface.refresh());
    this.follow(painter.sheet);
    this.#listen();
  }

  /** Show what is painted on a sheet, whenever it is the painter's. @param {import("./sheet.js").Sheet} sheet */
  follow(sheet) {
    sheet.addEventListener("paint", () => this.surface.refresh());
    sheet.addEventListener("swap", () => this.painter.sheet === sheet && this.fit());
  }

  /** Another map: shown whole if it has another size. */
  fit() {
    this.#cursor = null;
    const { width, height } = this.painter.sheet.map;
    if (this.view.sheet.width !== width || this.view.sheet.height !== height) this.view.show({ width, height });
    this.canvas.setAttribute("aria-label", `${this.what}, ${width} by ${height} pixels. Arrows move the cursor, Space paints.`);
  }

  #listen() {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => this.#press(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerup", (event) => this.#lift(event));
    canvas.addEventListener("pointercancel", (event) => this.#lift(event));
    canvas.addEventListener("pointerleave", () => this.#point(null));
    canvas.addEventListener("dblclick", () => this.painter.finish());
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    canvas.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("blur", () => this.#moveCursor(null));
  }

  /** @param {{offsetX: number, offsetY: number}} event */
  #pixel(event) {
    return this.view.toSheet(event.offsetX, event.offsetY);
  }

  /** @param {PointerEvent} event */
  #press(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.#moveCursor(null);
    this.#down.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
    if (this.#down.size > 1) {
      this.#pressed = false;
      if (!this.painter.unfinished) this.painter.cancel(); // the second finger of a pinch
    } else if (event.button === 0 && !this.hand && this.painting) {
      this.#pressed = true;
      this.painter.press(this.#pixel(event));
    }
  }

  /** @param {PointerEvent} event */
  #move(event) {
    this.#point({ x: event.offsetX, y: event.offsetY });
    const last = this.#down.get(event.pointerId);
    if (this.#pressed || (!last && this.painter.unfinished)) {
      for (const part of event.getCoalescedEvents?.() ?? [event]) this.painter.move(this.#pixel(part));
      if (!event.getCoalescedEvents?.().length) this.painter.move(this.#pixel(event));
    } else if (last) {
      this.#drag(event, last);
    }
    if (last) this.#down.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
  }

  /** One pointer pans; two pan and zoom about their middle. @param {PointerEvent} event @param {{x: number, y: number}} last */
  #drag(event, last) {
    const other = [...this.#down].find(([id]) => id !== event.pointerId)?.[1];
    const share = other ? 0.5 : 1;
    this.view.pan((event.offsetX - last.x) * share, (event.offsetY - last.y) * share);
    if (!other) return;
    const apart = Math.hypot(last.x - other.x, last.y - other.y);
    const now = Math.hypot(event.offsetX - other.x, event.offsetY - other.y);
    this.view.zoom(now / Math.max(1, apart), (event.offsetX + other.x) / 2, (event.offsetY + other.y) / 2);
  }

  /** @param {PointerEvent} event */
  #lift(event) {
    this.#down.delete(event.pointerId);
    if (!this.#pressed) return;
    this.#pressed = false;
    if (event.type === "pointercancel") this.painter.cancel();
    else this.painter.release(this.#pixel(event));
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    if (event.shiftKey) this.view.pan(-event.deltaY - event.deltaX, 0);
    else this.view.zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015)), event.offsetX, event.offsetY);
  }

  /** Arrows move a cursor, Space presses or lets go, Enter closes a polygon, Escape forgets. @param {KeyboardEvent} event */
  #key(event) {
    if (!this.painting) return;
    const { map } = this.painter.sheet;
    const step = STEPS[event.key];
    const at = this.#cursor ?? { x: map.width >> 1, y: map.height >> 1 };
    if (step && !event.ctrlKey && !event.metaKey) {
      const far = event.shiftKey ? 16 : 1;
      const [x, y] = [at.x + step[0] * far, at.y + step[1] * far];
      this.#moveCursor({ x: Math.min(map.width - 1, Math.max(0, x)), y: Math.min(map.height - 1, Math.max(0, y)) });
    } else if (event.key === " ") {
      this.#moveCursor(at);
      this.#space(at);
    } else if (event.key === "Enter" && this.painter.unfinished) {
      this.painter.finish();
    } else if (event.key === "Escape" && this.painter.busy) {
      this.painter.cancel();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  /** A dragged shape takes two presses of Space, a brush paints a dab at once. @param {Point} at */
  #space(at) {
    const { painter } = this;
    const dragged = ["line", "rectangle", "ellipse"].includes(painter.tool);
    if (dragged && painter.busy) return painter.release(at);
    painter.press(at);
    if (!dragged) painter.release(at);
  }

  /** @param {Point | null} cursor */
  #moveCursor(cursor) {
    this.#cursor = cursor;
    if (cursor) {
      this.painter.move(cursor);
      this.canvas.dispatchEvent(new CustomEvent("cursor", { detail: cursor }));
    }
    this.surface.refresh();
  }

  /** @param {{x: number, y: number} | null} hover */
  #point(hover) {
    this.#hover = hover;
    this.surface.refresh();
  }

  #draw() {
    if (this.photo) this.surface.put(this.photo, this.view, { smooth: true });
    if (!this.painting) return;
    this.surface.put(this.painter.sheet.screen, this.view, { smooth: false });
    if (this.tracing && !this.photo) this.surface.put(this.tracing, this.view, { smooth: true, alpha: this.tracingAlpha });
    if (this.#cursor) this.#outline(this.view.toFrame(this.#cursor.x, this.#cursor.y), true);
    else if (this.#hover && !this.hand) this.#outline(this.#hover, false);
  }

  /** Show how large the brush is, and where the keyboard's cursor stands. @param {{x: number, y: number}} at @param {boolean} cross */
  #outline(at, cross) {
    const { context } = this.surface;
    const sized = ["brush", "eraser", "line"].includes(this.painter.tool);
    const reach = sized ? Math.max(3, (this.painter.size * this.view.scale) / 2) : 4;
    const path = new Path2D();
    if (this.painter.square && sized) path.rect(at.x - reach, at.y - reach, reach * 2, reach * 2);
    else path.arc(at.x, at.y, reach, 0, Math.PI * 2);
    if (cross) for (const [dx, dy] of Object.values(STEPS)) {
      path.moveTo(at.x + dx * (reach + 3), at.y + dy * (reach + 3));
      path.lineTo(at.x + dx * (reach + 11), at.y + dy * (reach + 11));
    }
    for (const [colour, width] of /** @type {[string, number][]} */ ([["#000a", 3], ["#fff", 1.4]])) {
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.stroke(path);
    }
  }
}
