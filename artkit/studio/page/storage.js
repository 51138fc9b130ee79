// @ts-check
/** What this browser keeps: style swatches, cards and the map in work. Without IndexedDB the page works and forgets. */

/** @typedef {"swatches" | "cards" | "drafts"} Shelf */

const SHELVES = ["swatches", "cards", "drafts"];

/** @type {Promise<IDBDatabase> | null} */
let opened = null;

function open() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open("artkit-studio", 1);
    request.onupgradeneeded = () => SHELVES.forEach((shelf) => request.result.createObjectStore(shelf));
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opened;
}

/**
 * @template T
 * @param {Shelf} shelf
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest<T>} act
 * @returns {Promise<T | null>}
 */
async function ask(shelf, mode, act) {
  try {
    const request = act((await open()).transaction(shelf, mode).objectStore(shelf));
    return await new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  } catch {
    return null; // a private window, or a full disk: nothing is kept
  }
}

/** All that is on a shelf, in the order of the keys. @param {Shelf} shelf @returns {Promise<any[]>} */
export async function all(shelf) {
  return (await ask(shelf, "readonly", (store) => store.getAll())) ?? [];
}

/** @param {Shelf} shelf @param {string} key @returns {Promise<any>} */
export async function get(shelf, key) {
  return (await ask(shelf, "readonly", (store) => store.get(key))) ?? null;
}

/** @param {Shelf} shelf @param {string} key @param {unknown} value */
export async function put(shelf, key, value) {
  await ask(shelf, "readwrite", (store) => store.put(value, key));
}

/** @param {Shelf} shelf @param {string} key */
export async function remove(shelf, key) {
  await ask(shelf, "readwrite", (store) => store.delete(key));
}
