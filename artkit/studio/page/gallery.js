// @ts-check
/** The gallery: every full-size picture is a card with all that made it, kept in this browser. */

import { iconButton, make, need, openMenu, replace, save, tell } from "./dom.js";
import { all, put, remove } from "./storage.js";

/**
 * @typedef {object} Card
 * @property {string} id
 * @property {string} name
 * @property {Blob} picture
 * @property {string} chain
 * @property {number} seed
 * @property {"map" | "photo" | "strokes" | "dream"} mode
 * @property {Blob | null} input  The label map or photo.
 * @property {Record<string, Blob>} ports
 * @property {import("./api.js").Recipe} recipe
 */

const MOST = 60;

/** Fires "open" and "compare" ({detail: Card}). */
export class Gallery extends EventTarget {
  /** @type {Card[]} Newest first. */
  cards = [];
  /** @type {Map<string, string>} */
  #urls = new Map();

  constructor() {
    super();
    this.list = need("cards", HTMLElement);
    all("cards").then((kept) => {
      this.cards = [...this.cards, ...kept.reverse().filter((card) => !this.cards.some((other) => other.id === card.id))];
      this.show();
    });
  }

  /** @param {Omit<Card, "id" | "name">} made @returns {Promise<Card>} */
  async add(made) {
    const number = Math.max(0, ...this.cards.map((card) => Number(card.name.split(" ")[1]) || 0)) + 1;
    const id = `${String(Date.now()).padStart(15, "0")}-${Math.random().toString(36).slice(2, 8)}`;
    const card = { ...made, id, name: `Picture ${number}` };
    this.cards.unshift(card);
    for (const old of this.cards.splice(MOST)) await remove("cards", old.id);
    await put("cards", id, card); // a card that is seen is kept, whatever happens to the page then
    this.show();
    return card;
  }

  /** @param {Card} card */
  async forget(card) {
    this.cards = this.cards.filter((other) => other !== card);
    this.show();
    await remove("cards", card.id);
  }

  show() {
    replace(this.list, this.cards.map((card) => this.#card(card)));
    need("gallery", HTMLElement).dataset.count = String(this.cards.length);
    need("gallery-empty", HTMLElement).hidden = this.cards.length > 0;
  }

  /** @param {Card} card */
  #card(card) {
    const url = this.#urls.get(card.id) ?? URL.createObjectURL(card.picture);
    this.#urls.set(card.id, url);
    const open = make(
      "button",
      { type: "button", class: "open", "aria-label": `${card.name}: ${card.chain}, seed ${card.seed}. Open it again`, title: `${card.chain}\nseed ${card.seed}`, onclick: () => this.#fire("open", card) },
      make("img", { src: url, alt: "", loading: "lazy" }),
    );
    const more = iconButton("more", `More for ${card.name}`, () => openMenu(more, this.#menu(card)), { "aria-haspopup": "menu", class: "icon more" });
    return make("li", { class: "card" }, open, more);
  }

  /** @param {Card} card @returns {import("./dom.js").MenuItem[]} */
  #menu(card) {
    const copy = () => navigator.clipboard.writeText(card.recipe.command).then(() => tell(`Copied: ${card.recipe.command}`), () => tell(card.recipe.command));
    return [
      { label: "Open", detail: "its map, chain, seed and style come back", icon: "open", run: () => this.#fire("open", card) },
      { label: "Compare", detail: "with the picture that is shown", icon: "compare", run: () => this.#fire("compare", card) },
      ...downloads(card),
      { label: "Copy the command line", icon: "copy", run: copy },
      { label: "Forget", icon: "trash", run: () => this.forget(card) },
    ];
  }

  /** @param {string} what @param {Card} card */
  #fire(what, card) {
    this.dispatchEvent(new CustomEvent(what, { detail: card }));
  }
}

/** What of a card can be saved as a file. @param {Omit<Card, "id">} card @returns {import("./dom.js").MenuItem[]} */
export function downloads(card) {
  const name = card.name.toLowerCase().replaceAll(" ", "-");
  const recipe = new Blob([card.recipe.toml], { type: "application/toml" });
  const { input } = card;
  const strokes = card.mode === "strokes" && card.ports.edit;
  return [
    { label: "Picture", detail: "PNG; drop it here one day to go on", icon: "download", run: () => save(card.picture, `${name}.png`) },
    ...(input && card.mode === "map" ? [{ label: "Label map", detail: "PNG in the classes' colours", icon: "download", run: () => save(input, `${name}-map.png`) }] : []),
    ...(strokes ? [{ label: "Strokes", detail: "PNG, clear elsewhere: -i edit=FILE", icon: "download", run: () => save(strokes, `${name}-strokes.png`) }] : []),
    { label: "Recipe", detail: "TOML for artkit run --recipe", icon: "download", run: () => save(recipe, `${name}.toml`) },
  ];
}
