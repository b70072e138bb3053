// What the page knows and what the browser keeps for it.

let config = {};
let state = State.CONNECTING;
let agent = null; // {id, data, workerId, dueAt, shown, answer}
let isPreview = false;
let isPaused = false; // the service said goodbye and will be back
let saving = null; // the promise of the submission under way

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const query = new URLSearchParams(location.search);
const link = query.get("link") || "";
const uuid = () => (crypto.randomUUID ? crypto.randomUUID() : `${Date.now()}-${Math.random()}`);
const now_s = () => Date.now() / 1000;
const ticks = () => performance.now(); // milliseconds, whatever is done to the clock meanwhile

/** localStorage, or null where the browser forbids it. */
const shelf = (() => {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
})();
const memory = new Map(); // what the browser does not take: it is forbidden, or full

const store = {
  get(key) {
    try {
      return JSON.parse(memory.get(key) ?? shelf.getItem(key));
    } catch { // written by something else
      return null;
    }
  },
  /** True if it survives a reload; else it is remembered until then. */
  set(key, value) {
    const written = JSON.stringify(value);
    try {
      shelf.setItem(key, written);
      memory.delete(key);
      return true;
    } catch {
      memory.set(key, written);
      return false;
    }
  },
  drop(key) {
    memory.delete(key);
    shelf?.removeItem(key);
  },
  keys: () => Object.keys(shelf ?? {}),
};

/** A short name for a text. Links are secrets: what is kept in the browser names them by this only. */
function shortHash(text) {
  let a = 0xdeadbeef, b = 0x41c6ce57;
  for (const char of text) {
    a = Math.imul(a ^ char.codePointAt(0), 2654435761);
    b = Math.imul(b ^ char.codePointAt(0), 1597334677);
  }
  return (a >>> 0).toString(36) + (b >>> 0).toString(36);
}

/** What is remembered per link: `after` (the agent finished before this one), open post-task part, consent. */
const linkKey = () => `crowdd:link:${address("").pathname}:${shortHash(link || location.search)}`;
const remembered = () => store.get(linkKey()) || {};
const remember = (facts) => store.set(linkKey(), { ...remembered(), ...facts });
