// The page's state, which is its address: settings of the game, what is shown, the language, the lesson.
const $ = (id) => document.getElementById(id);
let WORDS, LESSONS;
const SHOWS = { field: "judge", arrows: 1, map: 0 };
const NUMBERS = Object.keys(DEFAULTS).filter((name) => typeof DEFAULTS[name] === "number");
const LIMITED = {
  rate: [1e-4, 0.03], critic: [1, 8], moves: [1, 8], hold: [0, 1], beta1: [0, 0.95], k: [1, 2], seed: [0, 2 ** 32 - 1], r1: [0, 10], penalty: [0, 100],
  clip: [0.005, 1], smooth: [0.5, 1], pack: [1, 2], unroll: [0, 5], minibatch: [0, 1], history: [0, 1], spectral: [0, 1], matching: [0, 1],
  ema: [0, 1], noise: [1e-4, 1], beta: [0, 100], saturating: [0, 1],
};
const WHOLE = new Set(["critic", "moves", "hold", "k", "seed", "pack", "unroll", "minibatch", "spectral", "matching", "ema", "saturating"]);
const GAMES = ["gan", "wgan", "wgangp", "vae", "ae", "pca", "fa"];
const state = { set: { ...DEFAULTS }, shows: { ...SHOWS }, lesson: null, language: "en", mode: "stop" };

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") element.textContent = value;
    else if (name === "style") element.style.cssText = value;
    else if (name.startsWith("on")) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}
const pick = (both) => both[state.language === "ko" ? 1 : 0];
function say(key, values = {}) {
  return pick(WORDS[key]).replace(/\{(\w+)\}/g, (_, name) => values[name]);
}
function number(v, digits = 2) {
  if (v === null || v === undefined || !Number.isFinite(v)) return "–";
  const text = v.toFixed(digits).replace("-", "−");
  return /^−0\.?0*$/.test(text) ? text.slice(1) : text;
}
const percent = (v) => `${Math.round(100 * v)} %`;
const significant = (v) => Number(v.toPrecision(2)).toString();
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// Points of one's own hand: two characters each, in 64ths of the view.
const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const MOST_POINTS = 64;
const place64 = (v) => Math.max(0, Math.min(63, Math.round(((v + VIEW) / (2 * VIEW)) * 63)));
const packedPoints = (points) => points.map(([x, y]) => DIGITS[place64(x)] + DIGITS[place64(y)]).join("");
const unpackedPoints = (text) => (text.match(/../g) || []).slice(0, MOST_POINTS).map((two) => [...two].map((c) => (DIGITS.indexOf(c) / 63) * 2 * VIEW - VIEW)).filter((p) => p.every((v) => v >= -VIEW));

// What the library refuses, or what would have no effect, is switched off, with the reason.
function refusals(set) {
  const judged = JUDGED[set.game], off = {};
  const refuse = (names, why) => names.forEach((name) => { off[name] = off[name] || why; });
  if (!judged) refuse(["r1", "matching", "minibatch", "history", "smooth", "pack", "unroll", "spectral", "ema"], "why/judge");
  if (set.game !== "gan") refuse(["smooth", "unroll"], "why/gan");
  if (set.minibatch && judged) refuse(["r1"], "why/minibatch");
  if (set.matching) refuse(["unroll"], "why/matching");
  if (set.game === "wgangp" || set.r1) refuse(["minibatch"], "why/penalty");
  if (set.unroll) refuse(["matching"], "why/unroll");
  return off;
}
function settled(given) {
  const set = { ...DEFAULTS, ...given };
  for (const name of NUMBERS) {
    const [low, high] = LIMITED[name] || [-Infinity, Infinity];
    if (!Number.isFinite(set[name])) set[name] = DEFAULTS[name];
    set[name] = Math.max(low, Math.min(high, WHOLE.has(name) ? Math.round(set[name]) : set[name]));
  }
  if (!DATA.includes(set.data)) set.data = "ring";
  if (!GAMES.includes(set.game)) set.game = "gan";
  if (set.data === "line" && (isLinear(set) || set.game === "ae")) set.game = "gan";
  if (isLinear(set) || set.game === "ae" || set.data === "line") set.k = 1;
  if (set.data !== "drawn") set.points = [];
  if (!JUDGED[set.game]) set.hold = 0;
  const off = refusals(set);
  for (const name in off) set[name] = DEFAULTS[name];
  return set;
}

function address() {
  const parts = new URLSearchParams();
  for (const name in DEFAULTS) {
    if (name === "points") { if (state.set.points.length) parts.set("points", packedPoints(state.set.points)); continue; }
    if (state.set[name] !== DEFAULTS[name]) parts.set(name, typeof state.set[name] === "number" ? +state.set[name].toPrecision(4) : state.set[name]);
  }
  for (const name in SHOWS) if (state.shows[name] !== SHOWS[name]) parts.set(name, state.shows[name]);
  if (state.lesson) parts.set("lesson", state.lesson.join("."));
  parts.set("lang", state.language);
  return "#" + parts;
}
function remember() {
  if (location.protocol !== "about:" && address() !== location.hash) history.replaceState(null, "", address());
}
function recall(text) {
  const parts = new URLSearchParams(text.replace(/^#/, "")), given = {};
  for (const name in DEFAULTS) if (parts.has(name)) given[name] = name === "points" ? unpackedPoints(parts.get(name)) : typeof DEFAULTS[name] === "number" ? Number(parts.get(name)) : parts.get(name);
  state.set = settled(given);
  state.shows = { ...SHOWS };
  if (["judge", "best", "none"].includes(parts.get("field"))) state.shows.field = parts.get("field");
  for (const name of ["arrows", "map"]) if (parts.has(name)) state.shows[name] = parts.get(name) === "1" ? 1 : 0;
  const [lesson, step] = (parts.get("lesson") || "").split(".").map(Number);
  state.lesson = LESSONS[lesson - 1]?.steps[step - 1] ? [lesson, step] : null;
  const asked = parts.get("lang");
  if (asked === "en" || asked === "ko") state.language = asked;
  return parts.get("run") === "1";
}
