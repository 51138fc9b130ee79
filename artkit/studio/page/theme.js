// @ts-check
/** Light, dark, or as the system has it. */

import { need } from "./dom.js";
import { icon } from "./icons.js";

const NAME = "artkit-studio-theme";
const dark = matchMedia("(prefers-color-scheme: dark)");

/** What is shown: the person's choice, or else the system's. */
function current() {
  return document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light");
}

/** Apply the choice that this browser kept, and let the button turn it over. */
export function startTheme() {
  const button = need("theme", HTMLButtonElement);
  const kept = localStorage.getItem(NAME);
  if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
  const show = () => {
    const other = current() === "dark" ? "light" : "dark";
    button.replaceChildren(icon(other === "dark" ? "moon" : "sun"));
    button.setAttribute("aria-label", `Change to ${other}`);
    button.title = `Change to ${other}`;
  };
  button.addEventListener("click", () => {
    const other = current() === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = other;
    localStorage.setItem(NAME, other);
    show();
  });
  dark.addEventListener("change", show);
  show();
}
