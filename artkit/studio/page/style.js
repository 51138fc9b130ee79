// @ts-check
/** Light and style: the words that a model knows, pictures to paint like, and the swatches kept in this browser. */

import * as api from "./api.js";
import { chooseFile, iconButton, make, need, openMenu, radios, replace, tell } from "./dom.js";
import { all, put, remove } from "./storage.js";
import { EDIT, takesStrokes } from "./strokes.js";

/** @typedef {import("./chain.js").ChainState} ChainState */
/** @typedef {{id: string, name: string, picture: Blob}} Swatch */

/** Fires "change" when a port got another picture. */
export class StylePanel extends EventTarget {
  /** @type {Record<string, Blob>} The pictures of the chain's ports, by name. */
  pictures = {};
  /** @type {Swatch[]} */
  #swatches = [];
  /** @type {Map<Blob, string>} */
  #urls = new Map();

  /** @param {ChainState} chain @param {import("./recall.js").Recall} recall */
  constructor(chain, recall) {
    super();
    this.chain = chain;
    this.recall = recall;
    this.panel = need("looks", HTMLElement);
    chain.addEventListener("change", () => this.show());
    all("swatches").then((kept) => {
      this.#swatches = kept;
      this.show();
    });
  }

  /** The ports that are fed here; strokes feed others. */
  get #offered() {
    const names = this.chain.info?.ports ?? [];
    return takesStrokes(this.chain) ? names.filter((name) => name !== EDIT && name !== "mask") : names;
  }

  /** The pictures that the chain has ports for. */
  get ports() {
    const names = this.chain.info?.ports.filter((name) => name !== EDIT || !takesStrokes(this.chain)) ?? [];
    return Object.fromEntries(Object.entries(this.pictures).filter(([name]) => names.includes(name)));
  }

  /** The first port that has no picture and must have one, or had one when the picture was made. */
  get missing() {
    const { wants = [], ports = [] } = this.chain.info ?? {};
    return [...wants, ...ports.filter((name) => this.recall.name(name))].find((name) => !(name in this.pictures)) ?? null;
  }

  /** All pictures that are at hand here. */
  get all() {
    return [...Object.values(this.pictures), ...this.#swatches.map(({ picture }) => picture)];
  }

  show() {
    const info = this.chain.info;
    if (!info) return;
    const [first, ...others] = this.#offered;
    const words = [...Object.entries(info.conditions).map(([name, known]) => this.#words(name, known)), ...this.#choices()];
    /** @type {HTMLElement[]} */
    const pictures = [this.#port(first ?? "style"), this.#row()];
    if (others.length) pictures.push(this.#others(others));
    replace(this.panel, [...(words.length ? [make("div", { class: "wordings" }, ...words)] : []), make("div", { class: "pictures" }, ...pictures)]);
  }

  /** The ports beyond the first, behind a button. @param {string[]} names */
  #others(names) {
    const more = iconButton("more", "More pictures that this chain takes", () => {
      openMenu(more, names.map((name) => ({ label: name, detail: name in this.pictures ? "given: choose another" : "choose a picture", icon: "photo", run: () => void this.#choosePicture(name) })));
    }, { "aria-haspopup": "menu" });
    return more;
  }

  /** @param {string} port */
  async #choosePicture(port) {
    const file = await chooseFile("image/*");
    if (file) await this.take(file, port);
  }

  /** Paint in the style of a picture; a chain that has no place for one gets a step that has. @param {Blob} picture @param {string} [port] */
  async use(picture, port) {
    const into = port ?? this.#offered[0] ?? "style";
    this.pictures[into] = picture;
    this.recall.settle(into);
    if (!this.chain.info?.ports.includes(into)) {
      const painters = [...this.chain.methods.values()].filter((method) => method.inputs.slice(1).some((one) => one.name === into));
      const painter = painters.find((method) => !method.needs_model) ?? painters[0];
      if (painter && (await this.chain.add(painter.name))) tell(`Added ${painter.name}: it paints in the style of your picture, and takes a while.`);
    }
    this.show();
    this.dispatchEvent(new Event("change"));
  }

  /** Keep a picture of the person's own as a swatch. @param {Blob} picture @param {string} name */
  async keep(picture, name) {
    const swatch = { id: `${Date.now()}-${name}`, name, picture: new File([picture], name, { type: picture.type }) };
    this.#swatches.push(swatch);
    await put("swatches", swatch.id, swatch);
    return swatch.picture;
  }

  /** @param {string} port */
  clear(port) {
    delete this.pictures[port];
    this.recall.settle(port);
    this.show();
    this.dispatchEvent(new Event("change"));
  }

  /** The words of a condition: an option of that name, or words of the option `condition`. @param {string} name @param {string[]} words @returns {HTMLElement} */
  #words(name, words) {
    const { chain } = this;
    const step = chain.steps.find((one) => name in (chain.modelOf(one)?.conditions ?? {}));
    if (!step) return make("span");
    const option = this.#option(step, name);
    const now = option ? step.options[option] : said(step).find((word) => words.includes(word));
    return this.#choose(name, words, now, (word) => chain.set({ steps: this.worded({ [name]: word }) }));
  }

  /** The chain's steps with other words for conditions; null leaves one to the model. @param {Record<string, string | null>} wanted */
  worded(wanted) {
    const { chain } = this;
    return chain.steps.map((step) => {
      const known = chain.modelOf(step)?.conditions ?? {};
      return Object.entries(wanted).reduce((changed, [name, word]) => (name in known ? this.#word(changed, name, known[name], word) : changed), step);
    });
  }

  /**
   * @param {import("./api.js").Step} step
   * @param {string} name
   * @param {string[]} words
   * @param {string | null} word
   * @returns {import("./api.js").Step}
   */
  #word(step, name, words, word) {
    const option = this.#option(step, name);
    if (option) return { ...step, options: { ...step.options, [option]: word } };
    const others = said(step).filter((other) => !words.includes(other));
    return { ...step, options: { ...step.options, condition: [...others, ...(word === null ? [] : [word])].join(" ") || null } };
  }

  /** The option that tells a condition, if one does. @param {import("./api.js").Step} step @param {string} name */
  #option(step, name) {
    return this.chain.methods.get(step.method)?.options.find((option) => (option.condition ?? option.name) === name)?.name;
  }

  /** Steps with a choice called style, such as nst's styles that need no picture. */
  #choices() {
    return this.chain.steps.flatMap((step, index) => {
      const option = this.chain.methods.get(step.method)?.options.find((one) => one.name === "style" && one.type === "choice");
      if (!option?.choices) return [];
      const now = step.options.style;
      return [this.#choose("style", option.choices.map(String), typeof now === "string" ? now : undefined, (word) => this.chain.option(index, "style", word))];
    });
  }

  /**
   * @param {string} name
   * @param {string[]} words
   * @param {string | undefined} now
   * @param {(word: string | null) => unknown} choose
   */
  #choose(name, words, now, choose) {
    const group = make("div", { class: "words", role: "radiogroup", "aria-label": name });
    const buttons = [make("button", { type: "button", title: "as the model likes it" }, "auto"), ...words.map((word) => make("button", { type: "button" }, word))];
    radios(group, buttons, (index) => choose(index === 0 ? null : words[index - 1]))(now === undefined ? 0 : words.indexOf(now) + 1);
    return make("div", { class: "wording" }, make("span", { class: "label" }, name), group);
  }

  /** @param {string} name */
  #port(name) {
    const picture = this.pictures[name];
    const wanted = this.recall.name(name);
    const tile = make("button", { type: "button", class: picture ? "tile full" : "tile", "data-port": name, onclick: () => this.#choosePicture(name), "aria-label": `Picture for ${name}: choose a file or drop one here` });
    if (picture) tile.append(make("img", { src: this.#url(picture), alt: "" }));
    else if (wanted) tile.append(make("span", {}, `Drop ${wanted} here: it was the picture for ${name}`));
    else tile.append(make("span", {}, name === "style" ? "Drop a picture to paint in its style" : `Drop a picture for ${name}`));
    tile.addEventListener("drop", (event) => {
      const file = event.dataTransfer?.files[0];
      if (!file) return;
      event.preventDefault();
      event.stopPropagation();
      this.take(file, name);
    });
    return make("div", { class: "port" }, tile, picture || wanted ? iconButton("close", `Take the picture for ${name} away`, () => this.clear(name)) : null);
  }

  /** A file of the person's own: a swatch, and used at once. @param {File} file @param {string} [port] */
  async take(file, port) {
    await this.use(await this.keep(file, file.name), port);
  }

  #row() {
    const swatches = this.#swatches.map((swatch) => {
      const forget = async () => {
        this.#swatches = this.#swatches.filter((other) => other !== swatch);
        await remove("swatches", swatch.id);
        this.show();
      };
      const chosen = Object.values(this.pictures).includes(swatch.picture);
      const image = make("img", { src: this.#url(swatch.picture), alt: "" });
      return make("button", { type: "button", class: "swatch", "aria-pressed": String(chosen), "aria-label": `Paint like ${swatch.name}`, title: `${swatch.name} (Delete forgets it)`, onclick: () => this.use(swatch.picture), onkeydown: (event) => event.key === "Delete" && forget() }, image);
    });
    const dreams = this.chain.methods.has("can") ? [iconButton("spark", "Dream a style", () => this.#dream(), { class: "icon swatch" })] : [];
    return make("div", { class: "swatches", role: "group", "aria-label": "Swatches" }, ...swatches, ...dreams);
  }

  async #dream() {
    tell("Dreaming a picture to paint like …");
    try {
      const seed = Math.floor(Math.random() * 1e6);
      const { picture } = await api.follow(await api.run({ chain: "can", seed, size: "256x256", input: null, ports: {} }));
      if (picture) await this.take(new File([picture], `dream ${seed}`, { type: "image/png" }));
    } catch (problem) {
      tell(/** @type {Error} */ (problem).message, "error");
    }
  }

  /** @param {Blob} picture */
  #url(picture) {
    const url = this.#urls.get(picture) ?? URL.createObjectURL(picture);
    this.#urls.set(picture, url);
    return url;
  }
}

/** The words of a step's option `condition`. @param {import("./api.js").Step} step */
function said(step) {
  return String(step.options.condition ?? "").split(/\s+/).filter(Boolean);
}
