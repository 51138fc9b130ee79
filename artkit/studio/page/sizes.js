// @ts-check
/** How large pictures are made: what is chosen beside the picture. */

import { need } from "./dom.js";

/** @typedef {import("./view.js").Size} Size */

const field = () => need("full-size", HTMLSelectElement);

/** What an order says of the size: a photo is shrunk at most, a map is enlarged too, a dream is as large as the map. @param {import("./desk.js").Mode} mode @param {Size} map @returns {{size?: string, longest?: number}} */
export function chosenSize(mode, { width, height }) {
  const wanted = Number(field().value);
  if (mode === "photo") return wanted ? { longest: wanted } : {};
  if (!wanted) return mode === "dream" ? { size: `${width}x${height}` } : {};
  const scale = wanted / Math.max(width, height);
  return { size: `${Math.round(width * scale)}x${Math.round(height * scale)}` };
}

/** Choose the size that a picture was made in, or its own where that is none to choose. @param {string | null} size */
export function chooseSize(size) {
  const longest = String(Math.max(...(size ?? "0").split("x").map(Number)));
  field().value = [...field().options].some(({ value }) => value === longest) ? longest : "";
}

/** A camera's own size takes minutes: choose a smaller one, unless one is chosen. @param {Size} photo */
export function boundSize(photo) {
  if (Math.max(photo.width, photo.height) > 1024) field().value ||= "1024";
}
