// @ts-check
/** Label maps and strokes as PNGs: exact, and not through a canvas, which some browsers blur for privacy. */

/** @typedef {import("./labels.js").LabelMap} LabelMap */
/** @typedef {import("./labels.js").Colour} Colour */

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
const CRC = Uint32Array.from({ length: 256 }, (_, start) => {
  let value = start;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

/** A map of class indices as a PNG with a palette. @param {LabelMap} map @param {Colour[]} colours  At most 256. */
export function encodeMap(map, colours) {
  return encode(map, 3, [chunk("PLTE", new Uint8Array(colours.flat()))]);
}

/** A map of colours as a PNG with alpha. @param {LabelMap} map */
export function encodeColours(map) {
  return encode(map, 6, []);
}

/** @param {LabelMap} map @param {number} kind  PNG's colour type. @param {Uint8Array<ArrayBuffer>[]} more  Chunks. */
async function encode({ width, height, data }, kind, more) {
  const bytes = new Uint8Array(data.buffer);
  const row = bytes.length / height;
  const rows = new Uint8Array(height * (row + 1)); // each row is led by its filter: 0, none
  for (let y = 0; y < height; y++) rows.set(bytes.subarray(y * row, (y + 1) * row), y * (row + 1) + 1);
  const header = new Uint8Array(13);
  const numbers = new DataView(header.buffer);
  numbers.setUint32(0, width);
  numbers.setUint32(4, height);
  header.set([8, kind], 8); // 8 bits a number
  const parts = [new Uint8Array(SIGNATURE), chunk("IHDR", header), ...more, chunk("IDAT", await deflate(rows)), chunk("IEND", new Uint8Array())];
  return new Blob(parts, { type: "image/png" });
}

/** @param {Uint8Array<ArrayBuffer>} bytes */
async function deflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** @param {string} name @param {Uint8Array<ArrayBuffer>} content */
function chunk(name, content) {
  const bytes = new Uint8Array(content.length + 12);
  const numbers = new DataView(bytes.buffer);
  numbers.setUint32(0, content.length);
  bytes.set([...name].map((letter) => letter.charCodeAt(0)), 4);
  bytes.set(content, 8);
  let crc = 0xffffffff;
  for (let i = 4; i < content.length + 8; i++) crc = CRC[(crc ^ bytes[i]) & 255] ^ (crc >>> 8);
  numbers.setUint32(content.length + 8, ~crc >>> 0);
  return bytes;
}
