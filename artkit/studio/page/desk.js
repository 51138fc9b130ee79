// @ts-check
/** The desk: what is worked on (a map, a photo, or nothing at all), with which chain and seed, and what becomes of it. */

import * as api from "./api.js";
import { need, tell } from "./dom.js";
import { Drafts } from "./drafts.js";
import { Easel } from "./easel.js";
import { Gallery } from "./gallery.js";
import { exampleMap, readMap } from "./intake.js";
import { LabelMap } from "./labels.js";
import { announce, askForPhoto } from "./left.js";
import { Live } from "./live.js";
import { orderNow } from "./orders.js";
import { Painter } from "./painter.js";
import { named, Recall } from "./recall.js";
import { ResultPanel } from "./result.js";
import { SentencePanel } from "./sentence.js";
import { Sheet } from "./sheet.js";
import { boundSize, chooseSize } from "./sizes.js";
import { EDIT, Strokes, takesStrokes } from "./strokes.js";
import { StylePanel } from "./style.js";
import { Toolbox } from "./toolbox.js";
import { View } from "./view.js";
import { WordsPanel } from "./words.js";

/** @typedef {import("./gallery.js").Card} Card */
/** @typedef {"map" | "photo" | "strokes" | "dream"} Mode */

export class Desk {
  /** @type {Mode} */
  mode = "map";
  /** @type {File | null} */
  photo = null;
  seed = 0;
  sheet = new Sheet();
  view = new View();
  painter = new Painter(this.sheet);
  easel = new Easel(need("map", HTMLCanvasElement), this.painter, this.view);
  toolbox = new Toolbox(this.painter, this.easel);
  gallery = new Gallery();
  drafts = new Drafts();
  live = new Live(() => orderNow(this));
  /** @type {Omit<Card, "id"> | null} The picture that is shown, with all that made it. */
  made = null;
  recall = new Recall();
  #classes = "";
  /** What lies on the desk fits the chain, once this is done. */
  #settled = Promise.resolve();
  #quiet = false;

  /** @param {import("./chain.js").ChainState} chain @param {api.Example[]} examples */
  constructor(chain, examples) {
    this.chain = chain;
    this.examples = examples;
    this.style = new StylePanel(chain, this.recall);
    this.sentence = new SentencePanel(chain);
    this.words = new WordsPanel(chain);
    this.strokes = new Strokes(this.painter);
    this.result = new ResultPanel(this.view, () => (this.mode === "map" ? this.sheet.screen : this.easel.photo));
    chain.addEventListener("change", () => (this.#settled = this.#rechain()));
    this.style.addEventListener("change", () => this.touch());
    for (const sheet of [this.sheet, this.strokes.layer]) for (const done of ["change", "swap"]) sheet.addEventListener(done, () => sheet === this.painter.sheet && this.touch());
    this.#followStrokes();
    this.live.addEventListener("status", (event) => this.result.status(/** @type {CustomEvent} */ (event).detail));
    this.live.addEventListener("sketch", (event) => this.result.show(/** @type {CustomEvent} */ (event).detail));
    this.live.addEventListener("made", (event) => this.#finish(/** @type {CustomEvent} */ (event).detail));
    this.gallery.addEventListener("open", (event) => {
      this.recall.wanted = {};
      this.reopen(/** @type {CustomEvent<Card>} */ (event).detail);
    });
    this.gallery.addEventListener("compare", (event) => {
      const { picture, name } = /** @type {CustomEvent<Card>} */ (event).detail;
      this.result.compare(picture, name);
    });
  }

  /** The picture follows strokes while they are painted. */
  #followStrokes() {
    const { layer } = this.strokes;
    this.easel.follow(layer);
    layer.addEventListener("paint", () => this.painter.busy && this.live.stir());
    layer.addEventListener("change", () => this.recall.settle(EDIT));
    this.strokes.addEventListener("ground", () => {
      this.easel.photo = this.strokes.ground;
      this.easel.surface.refresh();
    });
  }

  /** Begin with the chain that was asked for, what was in work, or an example. @param {string | null} asked @param {string} usual */
  async begin(asked, usual) {
    const draft = await this.drafts.last();
    if (draft) this.setSeed(draft.seed, false);
    this.photo = draft?.photo ?? null;
    this.style.pictures = draft?.ports ?? {};
    const texts = [asked, draft?.chain, usual];
    for (const text of texts) if (text && (await this.rechain(text))) break;
    if (draft?.map && this.mode === "map" && draft.map.data.every((label) => label < this.sheet.colours.length)) this.sheet.begin(draft.map, draft.base);
    if (draft?.strokes?.sameSize(this.strokes.layer.map) && this.mode === "strokes") this.strokes.layer.revive(draft.strokes);
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
    const strokes = this.mode === "strokes" ? this.strokes.layer.map : null;
    this.drafts.keep({ chain: this.chain.text, seed: this.seed, map: this.mode === "map" ? map : null, base, strokes, photo: this.photo, ports: this.style.pictures });
    if (strokes && !this.photo) void this.strokes.dream(this.chain.steps[0], this.seed);
    if (!this.#quiet) this.live.touch();
  }

  /** Change what lies on the desk, and make no picture of it: the one that is shown is of it. @template T @param {() => Promise<T>} act */
  async quietly(act) {
    this.#quiet = true;
    try {
      return await act();
    } finally {
      this.#quiet = false;
      this.live.rest(this.made?.name ?? "");
    }
  }

  /** @param {number} seed @param {boolean} [touch] */
  setSeed(seed, touch = true) {
    this.seed = Math.min(999_999_999, Math.max(0, Math.floor(seed) || 0));
    need("seed", HTMLInputElement).value = String(this.seed);
    if (touch) this.touch();
  }

  /** Another chain: what it takes decides what lies on the desk. */
  async #rechain() {
    const info = this.chain.info;
    if (!info) return;
    await this.#setMode(takesStrokes(this.chain) ? "strokes" : info.input === null ? "dream" : info.classes ? "map" : info.needs_input || (info.input && (this.photo || this.recall.wanted.input)) ? "photo" : "dream");
    if (this.mode === "map" && info.classes) await this.#reclass(info.classes);
    this.touch();
  }

  /** @param {Mode} mode */
  async #setMode(mode) {
    const before = this.mode;
    this.mode = mode;
    announce(mode, this.sentence.asked);
    askForPhoto(mode === "photo" && this.photo === null, this.recall.name("input"));
    this.easel.surface.refresh();
    if (mode === before) return;
    this.easel.painting = mode === "map" || mode === "strokes";
    this.easel.photo = null;
    this.easel.what = mode === "strokes" ? "Strokes" : "Map";
    this.strokes.use(mode === "strokes", this.sheet);
    this.result.clear();
    if (mode === "strokes" || (mode === "photo" && this.photo)) await this.#usePicture();
    else this.view.show(this.sheet.map);
    if (this.easel.painting) this.easel.fit();
  }

  /** Show the photo that there is; a dream lies below strokes where there is none. */
  async #usePicture() {
    if (this.photo) await this.usePhoto(this.photo, false);
    else if (this.mode === "strokes") this.useDream();
  }

  /** Other classes: another palette, and a map of them to begin with. @param {api.Class[]} classes */
  async #reclass(classes) {
    const key = JSON.stringify(classes);
    if (key === this.#classes) return;
    this.#classes = key;
    this.toolbox.setClasses(classes);
    const colours = classes.map(({ colour }) => /** @type {import("./labels.js").Colour} */ ([1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16))));
    this.sheet.colours = colours;
    this.sheet.begin((await exampleMap(this.examples, colours)) ?? new LabelMap(512, 384));
  }

  /** @param {File} photo @param {boolean} [touch] */
  async usePhoto(photo, touch = true) {
    const bitmap = await createImageBitmap(photo);
    this.photo = photo;
    this.easel.photo = bitmap;
    this.recall.settle("input");
    askForPhoto(false, null);
    if (this.mode === "strokes") this.strokes.begin(photo, bitmap, bitmap);
    this.view.show(this.mode === "strokes" ? this.strokes.layer.map : bitmap);
    boundSize(bitmap);
    if (touch) this.touch();
  }

  /** Strokes over a dream, in place of a photo. */
  useDream() {
    this.photo = null;
    this.strokes.begin(null, null, this.sheet.map);
    this.touch();
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

  /** Open what was made before, a card or a picture from outside; false if its chain is wrong. @param {Omit<Card, "id">} made */
  reopen(made) {
    const { input } = made;
    return this.quietly(async () => {
      this.setSeed(made.seed, false);
      this.style.pictures = { ...made.ports };
      if (made.mode === "photo" || made.mode === "strokes") this.photo = input && named(input, "photo");
      if (!(await this.rechain(made.chain))) return false;
      if (this.mode === "photo" || this.mode === "strokes") await this.#usePicture();
      if (this.mode === "strokes") await this.strokes.open(made.ports[EDIT] ?? null);
      if (this.mode === "map" && input) await this.lay(input);
      chooseSize(made.recipe.size);
      await this.result.show(made.picture);
      this.made = made;
      return true;
    });
  }

  /** @param {import("./live.js").Made} made */
  async #finish({ job, order, picture, full }) {
    const { chain, seed, input, ports } = order;
    const card = { picture, chain, seed, mode: this.mode, input, ports, recipe: job.recipe };
    this.made = { ...card, name: "Preview" };
    this.sentence.heard(job);
    await this.result.show(picture);
    if (full) this.made = await this.gallery.add(card);
  }
}
