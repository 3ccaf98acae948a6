// The page: what is asked of the worker, what comes back, and the doctor's words.
const latest = { seen: null, measured: null, shown: null, p: null, floor: 0, lines: [] };
let send;

// What lies compressed in the page, as text.
async function unpacked(id) {
  const bytes = Uint8Array.from(atob($(id).textContent), (c) => c.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"))).text();
}
async function startWorker() {
  const worker = new Worker(URL.createObjectURL(new Blob([await unpacked("played")], { type: "text/javascript" })));
  worker.onmessage = (event) => got(event.data);
  worker.onerror = (event) => { event.preventDefault(); fail(event.message); };
  send = (message) => worker.postMessage(message);
}
function fail(why) {
  $("doctor").className = "note bad";
  $("word").textContent = WORDS ? say("failed", { why }) : why;
}

function change(given, sliding = false) {
  const before = state.set;
  state.set = settled({ ...before, ...given });
  const anew = STRUCTURE.some((name) => String(before[name]) !== String(state.set[name]));
  if (anew) startOver();
  send({ set: state.set });
  remember();
  if (!sliding) buildControls();
  settle();
}
function startOver() {
  forget();
  Object.assign(latest, { measured: null, seen: null });
  verdict.shown = "";
  verdict.since = 0;
}
function begin(given, run = true) {
  state.set = settled({ seed: state.set.seed, ...given });
  startOver();
  send({ set: state.set, again: true });
  setMode(run ? "run" : "stop");
  remember();
  buildControls();
  settle();
}
function look(given) {
  Object.assign(state.shows, given);
  remember();
  buildShows();
  if (latest.seen) drawPlane(latest.seen);
}
// All that follows the setting but not the moment.
function settle() {
  buildShows();
  nameCurves();
  drawLatent();
  $("formula").innerHTML = say(`formula/${modelOf(state.set)}`);
  $("plane").setAttribute("aria-label", say(`alt/${state.set.data === "line" ? "line" : "plane"}`));
  $("plane").classList.toggle("draws", state.set.data === "drawn");
}
function setMode(mode) {
  state.mode = mode;
  $("run").textContent = say(mode === "run" ? "pause" : "run");
  $("slow").textContent = say(mode === "slow" ? "pause" : "slow");
  $("slow").setAttribute("aria-pressed", mode === "slow");
  send({ mode });
}

// One picture a frame of the screen, of the last moment that came.
let asked = false;
function got(seen) {
  latest.seen = seen;
  for (const name of ["measured", "shown", "floor", "p"]) if (seen[name] !== undefined) latest[name] = seen[name];
  window.seen = seen;
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    if (latest.seen) draw(latest.seen);
    send({ drawn: true });
  });
}
function draw(seen) {
  drawPlane(seen);
  noteMoment(seen);
  drawCharts(seen);
  const fast = seen.mode === "run" && seen.rate && !isLinear(state.set);
  $("steps").textContent = say("stepno", { n: seen.step.toLocaleString("en") }) + (fast ? ` · ${say("speed", { n: Math.round(seen.rate).toLocaleString("en") })}` : "");
  const moving = seen.mode === "slow" && seen.moved;
  $("mover").hidden = !moving;
  if (moving) $("mover").textContent = say(`moved/${seen.moved}`);
  examine(seen);
}

// The doctor: a word must hold for a while before it stands there.
const verdict = { shown: "", asked: "", since: 0 };
const HOLDS = 1600;
const CURES = {
  collapse: (s) => (s.moves > 1 ? { moves: 1 } : !s.r1 ? { r1: 0.1 } : { pack: 2 }),
  missing: (s) => (s.moves > 1 ? { moves: 1 } : !s.r1 ? { r1: 0.1 } : !s.ema ? { ema: 1 } : null),
  vanishing: (s) => (s.saturating ? { saturating: 0 } : s.game === "wgan" ? { game: "wgangp", critic: 3 } : { critic: 1 }),
  saturated: (s) => (s.hold ? { hold: 0 } : s.critic > 1 ? { critic: 1 } : !s.r1 ? { r1: 0.1 } : { smooth: 0.9 }),
  exploding: (s) => (s.game === "wgan" ? { game: "wgangp", critic: 3 } : { penalty: 10 }),
  constant: (s) => ({ rate: Math.max(1e-4, s.rate / 10) }),
  between: (s) => (!s.ema ? { ema: 1 } : s.beta1 < 0.5 ? { beta1: 0.5 } : null),
};
const KIND = { collapse: "bad", vanishing: "bad", exploding: "bad", constant: "bad", lost: "bad", missing: "warn", saturated: "warn", undertrained: "warn", between: "warn", healthy: "good" };
function diagnosisOf(seen) {
  const { set } = state, m = latest.measured, found = seen.diagnosis, duel = JUDGED[set.game];
  if (seen.lost) return ["lost", {}];
  if (!seen.step) return ["ready", {}];
  if (isLinear(set)) return [set.game === "pca" ? "pca" : seen.step < 30 ? "em" : "fa", { n: seen.step, l: number(seen.told.loss, 3), e: number(seen.told.error, 3) }];
  if (!found || !m) return ["early", {}];
  const values = { n: m.covered, m: m.shares.length, on: percent(m.on), off: percent(1 - m.on), jsd: number(m.jsd), spread: percent(found.spread || 0), apart: number(found.apart || 0), stray: number(found.stray || 0, 1), real: number(found.real || 0), fake: number(found.fake || 0), gradient: (found.gradient || 0).toExponential(1).replace("-", "−"), distance: number(found.distance || 0), reach: number(found.reach || 0), cause: say(`cause/${set.game !== "gan" ? "wasserstein" : set.saturating ? "minimax" : "other"}`), left: percent(found.left || 0), active: found.active, components: found.components, fell: percent(found.fell || 0) };
  if (!duel) return [`coder/${found.name || "healthy"}`, values];
  if (found.name) return [found.name, values];
  // What only the laboratory knows: where the modes are.
  if (m.covered < m.shares.length) return ["missing", values];
  if (m.on < 0.6) return ["between", values];
  return ["healthy", values];
}
function examine(seen) {
  const [name, values] = diagnosisOf(seen), now = performance.now(), key = name + state.language;
  if (name !== verdict.asked) { verdict.asked = name; verdict.since = now; }
  const calm = ["", "ready", "early"].includes(verdict.shown.slice(0, -2)), held = now - verdict.since > HOLDS;
  if (key !== verdict.shown && !calm && !held && seen.mode !== "stop") return;
  if (key === verdict.shown && now - (verdict.told || 0) < HOLDS && seen.mode !== "stop") return;
  verdict.told = now;
  const changed = verdict.shown !== key;
  verdict.shown = key;
  const plain = name.split("/").pop();
  $("doctor").className = `note ${KIND[plain] || ""}`;
  $("doctor").dataset.name = name;
  $("word").replaceChildren(make("b", { text: say(`name/${name}`) }), document.createTextNode(` ${say(`say/${name}`, values)}`));
  if (!changed) return;
  const cure = CURES[name] && CURES[name](state.set), button = $("cure");
  button.hidden = !cure;
  if (!cure) return;
  button.textContent = say("cure", { what: Object.entries(cure).map(([key, v]) => say(`cure/${key}`, { v: significant(typeof v === "number" ? v : 0) })).slice(0, 1).join() });
  button.onclick = () => change(cure);
}

function speak(language) {
  state.language = language;
  document.documentElement.lang = language;
  document.title = say("title");
  document.querySelectorAll("[data-t]").forEach((e) => { e.textContent = say(e.dataset.t); });
  document.querySelectorAll("[data-a]").forEach((e) => e.setAttribute("aria-label", say(e.dataset.a)));
  document.querySelectorAll("[data-language]").forEach((e) => e.setAttribute("aria-pressed", e.dataset.language === language));
  buildControls();
  settle();
  showLesson();
  $("run").textContent = say(state.mode === "run" ? "pause" : "run");
  $("slow").textContent = say(state.mode === "slow" ? "pause" : "slow");
  if (latest.seen) draw(latest.seen);
}
function open() {
  const run = recall(location.hash || document.documentElement.dataset.start || "");
  startOver();
  send({ set: state.set, again: true });
  speak(state.language);
  setMode(run ? "run" : "stop");
}

async function start() {
  readPalette();
  // z of equal probability, to be led to where the generator sends them.
  const F = [0];
  pieces(241).forEach((w, i) => F.push(F[i] + w));
  latest.lines = row(25, (_, t) => F.findIndex((f) => f >= t));
  if (/^ko/.test(navigator.language)) state.language = "ko";
  ({ words: WORDS, lessons: LESSONS } = JSON.parse(await unpacked("texts")));
  await startWorker();
  $("run").onclick = () => setMode(state.mode === "run" ? "stop" : "run");
  $("slow").onclick = () => setMode(state.mode === "slow" ? "stop" : "slow");
  $("one").onclick = () => { setMode("stop"); send({ mode: "step" }); };
  $("again").onclick = () => { startOver(); send({ set: state.set, again: true }); };
  document.querySelectorAll("[data-language]").forEach((button) => { button.onclick = () => { speak(button.dataset.language); remember(); }; });
  matchMedia("(prefers-color-scheme: dark)").onchange = () => { readPalette(); if (latest.seen) drawPlane(latest.seen); drawLatent(); };
  onresize = () => { if (latest.seen) drawPlane(latest.seen); drawLatent(); };
  onhashchange = open;
  // Keys, wherever no field or button has a use for them.
  document.onkeydown = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
    const press = { r: "run", s: "one", w: "slow", n: "again" }[event.key];
    if (press) { $(press).click(); event.preventDefault(); }
  };
  startHand();
  startLessons();
  open();
}
start().catch((error) => fail(error.message));
