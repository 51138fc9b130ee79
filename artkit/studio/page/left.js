// @ts-check
/** The words of the left panel: what lies there, what to do with it, and which photo is missing. */

import { need } from "./dom.js";

/** @typedef {import("./desk.js").Mode} Mode */

/** @type {Record<Mode | "sentence", [string, string]>} */
const WORDS = {
  map: ["Map", "Pick a colour below and paint: the picture follows."],
  photo: ["Photo", "Drop a photo; pick a chain or a style; compare; download."],
  strokes: ["Strokes", "Paint what you want to see, in its colours: it becomes real beside."],
  dream: ["Dream", "This chain needs no input. Throw the dice for another dream."],
  sentence: ["Sentence", "Type a sentence: the picture follows. Throw the dice for another one of it."],
};

/** Say what lies on the desk. @param {Mode} mode @param {boolean} sentence  Whether a dream is told in words. */
export function announce(mode, sentence) {
  const [title, hint] = WORDS[mode === "dream" && sentence ? "sentence" : mode];
  need("left-title", HTMLElement).textContent = title;
  need("hint", HTMLElement).textContent = hint;
  document.querySelector("main")?.setAttribute("data-mode", mode);
}

/** Ask for a photo, or do so no more. @param {boolean} ask @param {string | null} wanted  The one that is wanted, in words. */
export function askForPhoto(ask, wanted) {
  need("photo-wanted", HTMLElement).textContent = `Drop ${wanted ?? "a photo"} here`;
  need("photo-or", HTMLElement).textContent = wanted ? "the picture was made of it; or go on with one of these" : "or begin with one of these";
  need("photo-empty", HTMLElement).hidden = !ask;
}
