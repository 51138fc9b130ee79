// @ts-check
/** Where the sheet lies on the screen, and how it is drawn there: one view moves the map and its picture together. */

/** @typedef {{width: number, height: number}} Size */
/** @typedef {CanvasImageSource & {width: number, height: number}} Bitmap */

const LARGEST = 40;

/** Zoom and position: a sheet's point (x, y) lies at (left + x·scale, top + y·scale) in CSS pixels. */
export class View extends EventTarget {
  /** @type {Size} */
  sheet = { width: 1, height: 1 };
  /** @type {Size} */
  frame = { width: 1, height: 1 };
  scale = 1;
  left = 0;
  top = 0;
  #fitted = true;

  /** A sheet of another size, shown whole. @param {Size} sheet */
  show(sheet) {
    this.sheet = { width: sheet.width, height: sheet.height };
    this.fit();
  }

  /** The frame on the screen has another size. @param {Size} frame */
  resize(frame) {
    this.frame = frame;
    if (this.#fitted) this.fit();
    else this.#changed();
  }

  /** Show all of the sheet. */
  fit() {
    const { sheet, frame } = this;
    this.scale = Math.max(0.01, Math.min(frame.width / sheet.width, frame.height / sheet.height));
    this.left = (frame.width - sheet.width * this.scale) / 2;
    this.top = (frame.height - sheet.height * this.scale) / 2;
    this.#changed();
    this.#fitted = true;
  }

  /** Zoom, and keep the point at (x, y) of the frame where it is. @param {number} factor @param {number} [x] @param {number} [y] */
  zoom(factor, x = this.frame.width / 2, y = this.frame.height / 2) {
    const smallest = Math.min(this.frame.width / this.sheet.width, this.frame.height / this.sheet.height) / 4;
    const scale = Math.min(LARGEST, Math.max(smallest, this.scale * factor));
    this.left = x - ((x - this.left) * scale) / this.scale;
    this.top = y - ((y - this.top) * scale) / this.scale;
    this.scale = scale;
    this.#changed();
  }

  /** @param {number} dx @param {number} dy */
  pan(dx, dy) {
    this.left += dx;
    this.top += dy;
    this.#changed();
  }

  /** The pixel of the sheet under a point of the frame. @param {number} x @param {number} y */
  toSheet(x, y) {
    return { x: Math.floor((x - this.left) / this.scale), y: Math.floor((y - this.top) / this.scale) };
  }

  /** The middle of a pixel of the sheet, in the frame. @param {number} x @param {number} y */
  toFrame(x, y) {
    return { x: this.left + (x + 0.5) * this.scale, y: this.top + (y + 0.5) * this.scale };
  }

  #changed() {
    this.#fitted = false;
    this.dispatchEvent(new Event("change"));
  }
}

/** A canvas that fills its element, sharp on every screen, and draws when there is something new. */
export class Surface {
  #waiting = false;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {(surface: Surface) => void} draw
   */
  constructor(canvas, draw) {
    this.canvas = canvas;
    this.draw = draw;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    new ResizeObserver(() => this.refresh()).observe(canvas);
  }

  /** Draw before the next frame; calls in between cost nothing. */
  refresh() {
    if (this.#waiting) return;
    this.#waiting = true;
    requestAnimationFrame(() => {
      this.#waiting = false;
      this.#clear();
      this.draw(this);
    });
  }

  #clear() {
    const density = window.devicePixelRatio || 1;
    const width = Math.max(1, Math.round(this.canvas.clientWidth * density));
    const height = Math.max(1, Math.round(this.canvas.clientHeight * density));
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
    this.context.setTransform(density, 0, 0, density, 0, 0);
    this.context.clearRect(0, 0, width, height);
  }

  /**
   * Draw a picture where the view has its sheet; hard edges for label maps, smooth ones for pictures.
   * @param {Bitmap} bitmap
   * @param {View} view
   * @param {{smooth: boolean, alpha?: number}} how
   */
  put(bitmap, view, { smooth, alpha = 1 }) {
    this.context.imageSmoothingEnabled = smooth;
    this.context.imageSmoothingQuality = "high";
    this.context.globalAlpha = alpha;
    const { left, top, width, height } = place(bitmap, view);
    this.context.drawImage(bitmap, left, top, width, height);
    this.context.globalAlpha = 1;
  }
}

/** Where a picture goes: over the whole sheet, or as much of it as its own shape leaves. @param {Bitmap} bitmap @param {View} view */
function place(bitmap, view) {
  const [wide, high] = [view.sheet.width * view.scale, view.sheet.height * view.scale];
  const shape = (bitmap.width / bitmap.height) * (high / wide);
  const [width, height] = Math.abs(shape - 1) < 0.03 ? [wide, high] : [Math.min(wide, wide * shape), Math.min(high, high / shape)];
  return { left: view.left + (wide - width) / 2, top: view.top + (high - height) / 2, width, height };
}
