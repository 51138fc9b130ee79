// @ts-check
/** The desk: what is worked on (a map, a photo, or nothing at all), with which chain and seed, and what becomes of it. */

import * as api from "./api.js";
import { need, tell } from "./dom.js";
import { Drafts } from "./drafts.js";
import { Easel } from "./easel.js";
import { Gallery } from "./gallery.js";
import { readMap } from "./intake.js";
import { LabelMap } from "./labels.js";
import { Live } from "./live.js";
import { Painter } from "./painter.js";
import { encodeMap } from "./png.js";
import { ResultPanel } from "./result.js";
import { Sheet } from "./sheet.js";
import { StylePanel } from "./style.js";
import { Toolbox } from "./toolbox.js";
import { View } from "./view.js";

/** @typedef {import("./gallery.js").Card} Card */
/** @typedef {"map" | "photo" | "dream"} Mode */

const HINTS = {
  map: "Pick a colour below and paint: the picture follows.",
  photo: "Drop a photo; pick a chain or a style; compare; download.",
  dream: "This chain needs no input. Throw the dice for another dream.",
};

export class Desk {
  /** @type {Mode} */
  mode = "map";
  /** @type {Blob | null} */
  photo = null;
  seed = 0;
  sheet = new Sheet();
  view = new View();
  painter = new Painter(this.sheet);
  easel = new Easel(need("map", HTMLCanvasElement), this.painter, this.view);
  toolbox = new Toolbox(this.painter, this.easel);
  gallery = new Gallery();
  drafts = new Drafts();
  live = new Live(() => this.order());
  /** @type {import("./live.js").Made | null} */
  made = null;
  #classes = "";
  /** What lies on the desk fits the chain, once this is done. */
  #settled = Promise.resolve();

  /** @param {import("./chain.js").ChainState} chain @param {api.Example[]} examples */
  constructor(chain, examples) {
    this.chain = chain;
    this.examples = examples;
    this.style = new StylePanel(chain);
    this.result = new ResultPanel(this.view, () => (this.mode === "map" ? this.sheet.screen : this.easel.photo));
    chain.addEventListener("change", () => (this.#settled = this.#rechain()));
    this.style.addEventListener("change", () => this.touch());
    this.sheet.addEventListener("change", () => this.touch());
    this.sheet.addEventListener("swap", () => this.touch());
    this.live.addEventListener("status", (event) => this.result.status(/** @type {CustomEvent} */ (event).detail));
    this.live.addEventListener("sketch", (event) => this.result.show(/** @type {CustomEvent} */ (event).detail));
    this.live.addEventListener("made", (event) => this.#finish(/** @type {CustomEvent} */ (event).detail));
    this.gallery.addEventListener("open", (event) => this.reopen(/** @type {CustomEvent<Card>} */ (event).detail));
    this.gallery.addEventListener("compare", (event) => {
      const { picture, name } = /** @type {CustomEvent<Card>} */ (event).detail;
      this.result.compare(picture, name);
    });
  }

  /** Begin with the chain that was asked for, what was in work, or an example. @param {string | null} asked @param {string} usual */
  async begin(asked, usual) {
    const draft = await this.drafts.last();
    if (draft) this.setSeed(draft.seed, false);
    const texts = [asked, draft?.chain, usual];
    for (const text of texts) if (text && (await this.rechain(text))) break;
    if (draft?.map && this.mode === "map" && draft.map.data.every((label) => label < this.sheet.colours.length)) this.sheet.begin(draft.map, draft.base);
  }

  /** Take another chain, and wait until what lies on the desk fits it; false if it is wrong. @param {string} text */
  async rechain(text) {
    const right = await this.chain.set({ text });
    await this.#settled;
    return right;
  }

  /** Something changed: keep it, and make the picture of it. */
  touch() {
    const { map, base } = this.sheet;
    this.drafts.keep({ chain: this.chain.text, seed: this.seed, map: this.mode === "map" ? map : null, base });
    this.live.touch();
  }

  /** @param {number} seed @param {boolean} [touch] */
  setSeed(seed, touch = true) {
    this.seed = Math.min(999_999_999, Math.max(0, Math.floor(seed) || 0));
    need("seed", HTMLInputElement).value = String(this.seed);
    if (touch) this.touch();
  }

  /** What is to be made now; null while something is missing. @returns {Promise<api.Order | null>} */
  async order() {
    const missing = this.style.missing;
    if (!this.chain.info || missing || (this.mode === "photo" && !this.photo)) {
      this.result.status({ text: missing ? `The chain wants a picture for ${missing}: drop one in Style` : "", share: null, busy: false });
      return null;
    }
    const { text } = this.chain.info;
    const input = this.mode === "map" ? await encodeMap(this.sheet.map, this.sheet.colours) : this.photo;
    return { chain: text, seed: this.seed, input, labels: this.mode === "map", ports: this.style.ports, ...this.#size() };
  }

  /** @returns {{size?: string, longest?: number}} */
  #size() {
    const wanted = Number(need("full-size", HTMLSelectElement).value);
    if (this.mode === "photo") return wanted ? { longest: wanted } : {};
    const { width, height } = this.sheet.map;
    if (!wanted) return this.mode === "dream" ? { size: `${width}x${height}` } : {};
    const scale = wanted / Math.max(width, height);
    return { size: `${Math.round(width * scale)}x${Math.round(height * scale)}` };
  }

  /** Another chain: what it takes decides what lies on the desk. */
  async #rechain() {
    const info = this.chain.info;
    if (!info) return;
    this.#setMode(info.classes ? "map" : info.needs_input || (info.input && this.photo) ? "photo" : "dream");
    if (info.classes) await this.#reclass(info.classes);
    this.touch();
  }

  /** @param {Mode} mode */
  #setMode(mode) {
    const before = this.mode;
    this.mode = mode;
    need("hint", HTMLElement).textContent = HINTS[mode];
    need("left-title", HTMLElement).textContent = mode === "map" ? "Map" : mode === "photo" ? "Photo" : "Dream";
    document.querySelector("main")?.setAttribute("data-mode", mode);
    this.easel.painting = mode === "map";
    this.easel.photo = mode === "photo" ? this.easel.photo : null;
    need("photo-empty", HTMLElement).hidden = mode !== "photo" || this.photo !== null;
    if (mode !== before) {
      this.result.clear();
      if (mode === "photo" && this.photo) this.usePhoto(this.photo, false);
      else this.view.show(this.sheet.map);
    }
  }

  /** Other classes: another palette, and a map of them to begin with. @param {api.Class[]} classes */
  async #reclass(classes) {
    const key = JSON.stringify(classes);
    if (key === this.#classes) return;
    this.#classes = key;
    this.toolbox.setClasses(classes);
    const colours = classes.map(({ colour }) => /** @type {import("./labels.js").Colour} */ ([1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16))));
    this.sheet.colours = colours;
    this.sheet.begin((await this.#exampleMap(colours)) ?? new LabelMap(512, 384));
  }

  /** @param {import("./labels.js").Colour[]} colours */
  async #exampleMap(colours) {
    for (const example of this.examples.filter((one) => one.kind === "labels")) {
      const map = await readMap(await api.picture(example.url), colours);
      if (map) return map;
    }
    return null;
  }

  /** @param {Blob} photo @param {boolean} [touch] */
  async usePhoto(photo, touch = true) {
    const bitmap = await createImageBitmap(photo);
    this.photo = photo;
    this.easel.photo = bitmap;
    need("photo-empty", HTMLElement).hidden = true;
    this.view.show(bitmap);
    const size = need("full-size", HTMLSelectElement);
    if (Math.max(bitmap.width, bitmap.height) > 1024) size.value ||= "1024"; // a camera's own size takes minutes
    if (touch) this.touch();
  }

  /** Lay a photo faintly over the map; null takes it away. @param {Blob | null} photo */
  async trace(photo) {
    this.easel.tracing = photo && (await createImageBitmap(photo));
    need("tracing", HTMLElement).hidden = !photo;
    this.easel.surface.refresh();
  }

  /** A label map that nobody drew. @param {{chain?: string, from?: string, seed: number}} wanted */
  async dream(wanted) {
    const { width, height } = this.sheet.map;
    try {
      await this.lay(await api.dream({ ...wanted, size: `${width}x${height}` }));
    } catch (problem) {
      tell(/** @type {Error} */ (problem).message, "error");
    }
  }

  /** Put a map on the desk that is a picture in the classes' colours. @param {Blob} picture */
  async lay(picture) {
    const map = await readMap(picture, this.sheet.colours);
    if (!map) throw new Error("That map has other classes than this chain.");
    this.sheet.load(map);
  }

  /** Open a card again. @param {Card} card */
  async reopen(card) {
    this.setSeed(card.seed, false);
    this.style.pictures = { ...card.ports };
    if (card.mode === "photo" && card.input) this.photo = card.input;
    if (!(await this.rechain(card.chain))) return;
    if (card.mode === "photo" && card.input) await this.usePhoto(card.input, false);
    if (card.mode === "map" && card.input) await this.lay(card.input);
    await this.result.show(card.picture);
  }

  /** @param {import("./live.js").Made} made */
  async #finish(made) {
    this.made = made;
    await this.result.show(made.picture);
    const { job, order, picture, full } = made;
    if (!full) return;
    const { chain, seed, input, ports } = order;
    await this.gallery.add({ picture, chain, seed, mode: this.mode, input, ports, recipe: job.recipe });
  }
}

