// @ts-check
/** What comes in from outside: files dropped, pasted or opened, and what each may be. */

import * as api from "./api.js";
import { make, need, tell } from "./dom.js";
import { readColours } from "./labels.js";

/** @typedef {import("./labels.js").Colour} Colour */

const LONGEST = 2048; // of a map on the canvas

/** The pixels of a picture, as they are in the file. @param {Blob} blob */
export async function pixels(blob) {
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d"));
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, bitmap.width, bitmap.height);
}

/** A map from a picture in exactly the classes' colours; null where it is not. @param {Blob} blob @param {Colour[]} colours */
export async function readMap(blob, colours) {
  const { map, share } = readColours(await pixels(blob), colours);
  if (share < 1) return null;
  const shrink = LONGEST / Math.max(map.width, map.height);
  return shrink < 1 ? map.resized(Math.round(map.width * shrink), Math.round(map.height * shrink)) : map;
}

/** The first of the examples that is a map in these colours; null where none is. @param {api.Example[]} examples @param {Colour[]} colours */
export async function exampleMap(examples, colours) {
  for (const example of examples.filter((one) => one.kind === "labels")) {
    const map = await readMap(await api.picture(example.url), colours);
    if (map) return map;
  }
  return null;
}

/** Bytes from a data URL. @param {string} url */
export function fromDataUrl(url) {
  const [head, body] = url.split(",", 2);
  return new Blob([Uint8Array.from(atob(body), (letter) => letter.charCodeAt(0))], { type: head.slice(5).split(";")[0] });
}

/** What a picture remembers, if artkit made it: then a PNG has a text chunk of that name. @param {Blob} blob */
export async function remembered(blob) {
  const text = new TextDecoder("latin1").decode(await blob.arrayBuffer());
  if (!/(tEXt|zTXt|iTXt)artkit\0/.test(text)) return null;
  return api.restore(blob).catch(() => null);
}

/**
 * Ask what a picture is for.
 * @param {{label: string, detail: string, run: () => void}[]} choices
 */
export function askWhatFor(choices) {
  const dialog = need("what-for", HTMLDialogElement);
  const buttons = choices.map(({ label, detail, run }) => {
    const onclick = () => {
      dialog.close();
      run();
    };
    return make("button", { type: "button", class: "choice", onclick }, make("b", {}, label), make("small", {}, detail));
  });
  need("what-for-list", HTMLElement).replaceChildren(...buttons);
  dialog.showModal();
}

/** Listen for files that are dropped on the page or pasted; one is taken when those before it are in. @param {(file: File) => Promise<void>} take */
export function listen(take) {
  const shown = document.documentElement.classList;
  let before = Promise.resolve();
  const safely = (/** @type {File | undefined | null} */ file) => {
    if (!file) return;
    if (!file.type.startsWith("image/")) return tell(`${file.name} is no picture.`, "error");
    before = before.then(() => take(file)).catch((problem) => tell(problem.name === "InvalidStateError" ? `${file.name} cannot be read as a picture.` : problem.message, "error"));
  };
  addEventListener("dragover", (event) => {
    event.preventDefault();
    shown.add("dropping");
  });
  addEventListener("dragleave", (event) => !event.relatedTarget && shown.remove("dropping"));
  addEventListener("drop", () => shown.remove("dropping"), true);
  addEventListener("drop", (event) => {
    event.preventDefault();
    safely(event.dataTransfer?.files[0]);
  });
  addEventListener("paste", (event) => safely(event.clipboardData?.files[0]));
  return safely;
}
