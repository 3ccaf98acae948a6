// What every part stands on: elements, words in two languages, the state, and when it is drawn.
// Names and labels come from data: they are written as text, never as HTML.
const $ = (id) => document.getElementById(id);
const PAGE = JSON.parse($("page").textContent);
const SCENE = PAGE.scene;
const DRAW_AFTER = 140;

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") element.textContent = value;
    else if (name === "style") element.style.cssText = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

let language = "en";
const pick = (both) => both[language];
function say(key, values = {}) {
  return PAGE.words[key][language].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}
const number = (v, digits = 2) => {
  const text = v.toFixed(digits).replace("-", "−");
  return /^−0\.?0*$/.test(text) ? text.slice(1) : text;
};
function digitsFor(width) {
  return Math.max(0, Math.min(6, 2 - Math.floor(Math.log10(Math.max(width, 1e-6)))));
}

// A part of the page: `update` follows z, `words` the language, `theme` light and dark.
const parts = [];
const part = (methods) => parts.push(methods);
const tell = (method, ...given) => parts.forEach((p) => p[method] && p[method](...given));

// What a part does once the model is open, in the order of the scripts.
const beginnings = [];
const begin = (f) => beginnings.push(f);

const state = {
  model: null,
  z: new Float32Array(0),
  y: null,
  pins: [],
  // What was encoded, while z is still its code.
  input: null,
  made: null,
};

let asked = false;
let idle = 0;
// Moves are gathered: one picture a frame, and what takes longer once the hand rests.
// ``still``: shown anew, with z where it was.
function changed(by = null, still = false) {
  if (by !== "encode" && !still) state.input = null;
  state.by = by;
  if (!asked) {
    asked = true;
    requestAnimationFrame(draw);
  }
}
function draw() {
  asked = false;
  tell("update", state.by);
  clearTimeout(idle);
  idle = setTimeout(rest, DRAW_AFTER);
}
function rest() {
  tell("rest");
  remember();
}
function moveTo(z, by) {
  state.z.set(z);
  changed(by);
}

// The address holds the view: z, what is given beside it, both pins and the language.
const list = (values) => Array.from(values, (v) => +v.toFixed(3)).join(",");
function remember() {
  // A frame made of text has no address of its own.
  if (location.protocol === "about:") return;
  const parts = new URLSearchParams();
  if (state.z.length) parts.set("z", list(state.z));
  if (state.y) parts.set("y", list(state.y));
  if (state.pins.length) {
    parts.set("a", list(state.pins[0]));
    parts.set("b", list(state.pins[1]));
  }
  parts.set("lang", language);
  tell("remember", parts);
  const hash = "#" + parts.toString().replace(/%2C/g, ",");
  if (hash !== location.hash) history.replaceState(null, "", hash);
}
// A page within another begins where that one says.
const address = () => new URLSearchParams(location.hash.slice(1) || document.documentElement.dataset.start);
function numbers(text, n) {
  const values = (text || "").split(",").map(Number);
  return text && values.length === n && values.every(Number.isFinite) ? values : null;
}
function recall() {
  const parts = address();
  const k = state.z.length;
  const z = numbers(parts.get("z"), k);
  const y = state.y && numbers(parts.get("y"), state.y.length);
  const pins = ["a", "b"].map((name) => numbers(parts.get(name), k));
  if (z) state.z.set(z);
  if (y) state.y.set(y);
  pins.forEach((pin, i) => { if (pin) state.pins[i] = Float32Array.from(pin); });
  tell("recall", parts);
  const asked = parts.get("lang");
  return asked === "ko" || asked === "en" ? asked : null;
}

function speak(which) {
  language = which;
  document.documentElement.lang = which;
  document.title = pick(PAGE.title);
  $("title").textContent = pick(PAGE.title);
  $("lead").textContent = pick(PAGE.lead);
  document.querySelectorAll("[data-t]").forEach((e) => { e.textContent = say(e.dataset.t); });
  document.querySelectorAll("[data-a]").forEach((e) => e.setAttribute("aria-label", say(e.dataset.a)));
  document.querySelectorAll("[data-language]").forEach((e) => e.setAttribute("aria-pressed", e.dataset.language === which));
  tell("words");
}

function press(pressed, ...others) {
  pressed.setAttribute("aria-pressed", true);
  others.forEach((other) => other.setAttribute("aria-pressed", false));
}
function unpacked(packed) {
  if (!packed) return { n: 0, rows: [] };
  const bytes = Uint8Array.from(atob(packed.values), (c) => c.charCodeAt(0));
  const whole = new Uint16Array(bytes.buffer);
  const { n, low, high } = packed;
  const k = low.length;
  const rows = Array.from({ length: n }, (_, i) => Float32Array.from(low, (l, j) => l + ((high[j] - l) * whole[i * k + j]) / 65535));
  return { n, rows };
}
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
function gaussian() {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}
