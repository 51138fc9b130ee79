// @ts-check
/** The page's icons: strokes on a grid of 24, in the colour of the text around them. */

/** @type {Record<string, string>} */
const PATHS = {
  brush: "M20 4 10.5 13.5M14.5 13.5l-4-4M9 12.5c-3 0-3.6 2-3.8 4.2C5 18.6 4 19.5 3 20c4.5.8 9 .2 9-4.2",
  bucket: "M5 11.5 11.5 5l7.5 7.5-6 6a1.5 1.5 0 0 1-2.2 0L5 12.5a.7.7 0 0 1 0-1zM8 3l4 4M6 12.5h12.5M21 17c.8 1.2 1.2 1.9 1.2 2.6a1.3 1.3 0 0 1-2.5 0c0-.7.5-1.4 1.3-2.6z",
  line: "M5 19 19 5M5 19h.01M19 5h.01",
  rectangle: "M4 6h16v12H4z",
  ellipse: "M12 6c5 0 9 2.7 9 6s-4 6-9 6-9-2.7-9-6 4-6 9-6z",
  polygon: "M12 3.5 20.5 10 17 20H7L3.5 10z",
  eraser: "M9 19 3.7 13.7a1 1 0 0 1 0-1.4l8.6-8.6a1 1 0 0 1 1.4 0l6.6 6.6a1 1 0 0 1 0 1.4L13 19zM8 8l8 8M9 19h11",
  eyedropper: "M13 7l4 4M11 9l-6.5 6.5L4 20l4.5-.5L15 13M14 6l1.5-1.5a2.5 2.5 0 0 1 4 4L18 10",
  hand: "M8 12V6.5a1.5 1.5 0 0 1 3 0V11V5a1.5 1.5 0 0 1 3 0v6V6.5a1.5 1.5 0 0 1 3 0V14c0 4-2 6.5-5.5 6.5S7 18.5 4.8 14.5c-.7-1.4 1-2.6 2.2-1.5l1 1",
  mirror: "M12 3v18M9 7 3.5 17H9zM15 7l5.5 10H15z",
  undo: "M9 14 4 9l5-5M4 9h10a6 6 0 0 1 0 12h-3",
  redo: "M15 14l5-5-5-5M20 9H10a6 6 0 0 0 0 12h3",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  fit: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  round: "M12 5a7 7 0 1 1 0 14 7 7 0 0 1 0-14z",
  square: "M6 6h12v12H6z",
  dice: "M5 4h14a1 1 0 0 1 1 1v14a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1zM8.5 8.5h.01M15.5 15.5h.01M15.5 8.5h.01M8.5 15.5h.01M12 12h.01",
  sheet: "M4 4h4.5v4.5H4zM9.750 4h4.5v4.5h-4.5zM15.5 4H20v4.5h-4.5zM4 9.750h4.5v4.5H4zM9.750 9.750h4.5v4.5h-4.5zM15.5 9.750H20v4.5h-4.5zM4 15.5h4.5V20H4zM9.750 15.5h4.5V20h-4.5zM15.5 15.5H20V20h-4.5z",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  open: "M4 19V6a1 1 0 0 1 1-1h4l2 2h8a1 1 0 0 1 1 1v11a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1z",
  photo: "M4 5h16v14H4zM4 16l4.5-4.5 4 4 3-3L20 17M15.5 9h.01",
  trace: "M4 4h12v12H4zM8 20h12V8",
  spark: "M12 3l1.8 5.2L19 10l-5.2 1.8L12 17l-1.8-5.2L5 10l5.2-1.8zM19 16v4M17 18h4",
  close: "M6 6l12 12M18 6 6 18",
  check: "M5 12.5 10 17.5 19 7",
  text: "M8 7 3 12l5 5M16 7l5 5-5 5M13.5 5l-3 14",
  sun: "M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6 19 19M5 19l1.4-1.4M17.6 6.4 19 5",
  moon: "M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.5z",
  help: "M9.2 9a2.9 2.9 0 1 1 4.3 2.6c-.9.5-1.5 1.1-1.5 2.4M12 17.5h.01M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18z",
  down: "M7 10l5 5 5-5",
  compare: "M12 3v18M8.5 9 5.5 12l3 3M15.5 9l3 3-3 3",
  trash: "M5 7h14M10 4h4M7 7l1 13h8l1-13",
  more: "M6 12h.01M12 12h.01M18 12h.01",
  left: "M19 12H6M11 7l-5 5 5 5",
  arrow: "M5 12h13M13 7l5 5-5 5",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
};

/** @param {string} name */
export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("glyph");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", PATHS[name] ?? "");
  svg.append(path);
  return svg;
}
