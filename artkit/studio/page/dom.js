// @ts-check
/** Elements by name, elements made, and the menus and messages that every part of the page uses. */

import { icon } from "./icons.js";

/** @typedef {Record<string, string | number | boolean | null | undefined | ((event: any) => void)>} Attributes */

/**
 * The element of an id. @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export function need(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`no ${type.name} #${id}`);
  return found;
}

/**
 * Make an element; functions are listeners (`onclick`), true is an empty attribute, false and null none.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Attributes} [attributes]
 * @param {...(Node | string | null)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/**
 * A button with an icon; `label` is what it says to a screen reader and on hovering.
 * @param {string} name
 * @param {string} label
 * @param {(event: MouseEvent) => void} onclick
 * @param {Attributes} [attributes]
 */
export function iconButton(name, label, onclick, attributes = {}) {
  return make("button", { type: "button", class: "icon", "aria-label": label, title: label, onclick, ...attributes }, icon(name));
}

/** @typedef {{label: string, detail?: string, icon?: string, run: () => void} | {heading: string}} MenuItem */

/**
 * Open a menu below a button. Escape, a click elsewhere or a choice closes it; arrows move.
 * @param {HTMLElement} button
 * @param {MenuItem[]} items
 */
export function openMenu(button, items) {
  const menu = make("div", { class: "menu", role: "menu", popover: "auto", "aria-label": button.getAttribute("aria-label") ?? button.textContent });
  for (const item of items) menu.append("heading" in item ? make("div", { class: "heading", role: "presentation" }, item.heading) : menuItem(item, menu));
  menu.addEventListener("toggle", (event) => {
    if (/** @type {ToggleEvent} */ (event).newState !== "closed") return;
    button.setAttribute("aria-expanded", "false");
    menu.remove();
  });
  menu.addEventListener("keydown", (event) => moveWithin(menu, event));
  (button.closest(".top, main") ?? document.body).append(menu); // within a landmark
  menu.showPopover();
  const at = button.getBoundingClientRect();
  menu.style.left = `${Math.max(8, Math.min(at.left, innerWidth - menu.offsetWidth - 8))}px`;
  const below = at.bottom + 4 + menu.offsetHeight < innerHeight || at.top < innerHeight / 2;
  menu.style.top = below ? `${at.bottom + 4}px` : `${Math.max(8, at.top - menu.offsetHeight - 4)}px`;
  button.setAttribute("aria-expanded", "true");
  menu.querySelector("button")?.focus();
}

/** @param {Exclude<MenuItem, {heading: string}>} item @param {HTMLElement} menu */
function menuItem(item, menu) {
  const onclick = () => {
    menu.hidePopover();
    item.run();
  };
  const detail = item.detail ? make("small", {}, item.detail) : null;
  return make("button", { type: "button", role: "menuitem", onclick }, item.icon ? icon(item.icon) : null, make("span", {}, item.label, detail));
}

/** Move the focus among the buttons of an element with the arrow keys. @param {HTMLElement} element @param {KeyboardEvent} event */
export function moveWithin(element, event) {
  const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  if (!step) return null;
  event.preventDefault();
  event.stopPropagation();
  const buttons = [...element.querySelectorAll("button")];
  const next = buttons[(buttons.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement)) + step + buttons.length) % buttons.length];
  next?.focus();
  return next ?? null;
}

/**
 * A row of buttons of which one is chosen: one stop for the Tab key, arrows choose.
 * @param {HTMLElement} group  Has role radiogroup.
 * @param {HTMLButtonElement[]} buttons
 * @param {(index: number) => void} choose
 * @returns {(index: number) => void}  Shows which one is chosen.
 */
export function radios(group, buttons, choose) {
  const show = (/** @type {number} */ index) =>
    buttons.forEach((button, i) => {
      button.setAttribute("aria-checked", String(i === index));
      button.tabIndex = i === index || (index < 0 && i === 0) ? 0 : -1;
    });
  buttons.forEach((button, index) => {
    button.setAttribute("role", "radio");
    button.addEventListener("click", () => {
      show(index);
      choose(index);
    });
  });
  group.replaceChildren(...buttons);
  group.onkeydown = (event) => moveWithin(group, event)?.click();
  return show;
}

/**
 * Put new children into an element; the focus stays at the same place among them.
 * @param {HTMLElement} element
 * @param {Node[]} children
 */
export function replace(element, children) {
  const places = () => /** @type {HTMLElement[]} */ ([...element.querySelectorAll("button, input, select, summary")]);
  const place = places().indexOf(/** @type {HTMLElement} */ (document.activeElement));
  element.replaceChildren(...children);
  if (place < 0) return;
  const now = places();
  now[Math.min(place, now.length - 1)]?.focus();
}

/** Tell something in passing, seen and read aloud. @param {string} text @param {"note" | "error"} [kind] */
export function tell(text, kind = "note") {
  const toast = need("toast", HTMLElement);
  toast.textContent = text;
  toast.className = `${kind} shown`;
  clearTimeout(Number(toast.dataset.timer));
  toast.dataset.timer = String(setTimeout(() => toast.classList.remove("shown"), kind === "error" ? 9000 : 4000));
}

/** Let the person choose a file. @param {string} accept @returns {Promise<File | null>} */
export function chooseFile(accept) {
  return new Promise((resolve) => {
    const input = make("input", { type: "file", accept, onchange: () => resolve(input.files?.[0] ?? null), oncancel: () => resolve(null) });
    input.click();
  });
}

/** Save bytes under a name. @param {Blob} blob @param {string} name */
export function save(blob, name) {
  const url = URL.createObjectURL(blob);
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
