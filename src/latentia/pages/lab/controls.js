// The settings beside the plane, from one table; what has no effect is off, and says why.
const POWER = { to: (v) => Math.log10(v), from: (v) => 10 ** v, text: (v) => significant(v) };
const PLAIN = { to: (v) => v, from: (v) => v, text: (v) => significant(v) };
const MODELS = { ns: { game: "gan", saturating: 0 }, mm: { game: "gan", saturating: 1 } };
const modelOf = (set) => (set.game === "gan" ? (set.saturating ? "mm" : "ns") : set.game);
const AT_MODEL = {
  ns: { rate: 1e-3, critic: 1, moves: 1, beta1: 0 }, mm: { rate: 1e-3, critic: 1, moves: 1, beta1: 0 }, wgan: { rate: 1e-3, critic: 3, moves: 1, beta1: 0 },
  wgangp: { rate: 2e-3, critic: 5, moves: 1, beta1: 0, penalty: 1 }, vae: { rate: 1e-3 }, ae: { rate: 1e-3 }, pca: {}, fa: {},
};
const SLIDERS = [
  { name: "rate", min: -4, max: -1.5, step: 0.1, scale: POWER, when: (s) => !isLinear(s) },
  { name: "balance", min: -7, max: 7, step: 1, scale: PLAIN, when: (s) => JUDGED[s.game], value: (s) => (s.critic > 1 ? s.critic - 1 : 1 - s.moves), put: (v) => ({ critic: Math.max(0, v) + 1, moves: Math.max(0, -v) + 1 }), text: (s) => `${s.critic} : ${s.moves}` },
  { name: "beta1", min: 0, max: 0.9, step: 0.1, scale: PLAIN, when: (s) => s.game === "gan" || s.game === "wgangp" },
  { name: "k", min: 1, max: 2, step: 1, scale: PLAIN, when: (s) => s.data !== "line" && !isLinear(s) && s.game !== "ae" },
  { name: "clip", min: -2.3, max: 0, step: 0.1, scale: POWER, when: (s) => s.game === "wgan" && !s.spectral },
  { name: "penalty", min: 0, max: 20, step: 0.5, scale: PLAIN, when: (s) => s.game === "wgangp" },
  { name: "noise", min: -3, max: 0, step: 0.1, scale: POWER, when: (s) => s.game === "vae" },
  { name: "beta", min: 0, max: 20, step: 0.5, scale: PLAIN, when: (s) => s.game === "vae" },
];
const REMEDIES = { r1: 0.1, ema: 1, matching: 1, minibatch: 1, pack: 2, unroll: 5, spectral: 1, smooth: 0.9, history: 0.1 };
const PRESETS = {
  works: { r1: 0.1, ema: 1, beta1: 0.5 },
  collapse: { moves: 6, beta1: 0.9 },
  vanish: { saturating: 1, hold: 1, rate: 3e-3 },
  distance: { game: "wgangp", critic: 5, penalty: 1, rate: 2e-3 },
  line: { data: "line", critic: 3, beta1: 0.5 },
  coder: { data: "spiral", game: "ae", k: 1 },
};

function buildControls() {
  const { set } = state, side = $("side"), off = refusals(set);
  const focused = document.activeElement && side.contains(document.activeElement) ? document.activeElement.id : null;
  const choose = (name, options, chosen, put) => make("label", { class: "named" }, make("span", { text: say(name) }), make("select", { class: "input", id: `s-${name}`, onchange: (e) => put(e.target.value) },
    ...options.map((o) => make("option", { value: o, text: say(`${name}/${o}`), ...(o === chosen ? { selected: "" } : {}) }))));
  const switchOf = (name, value) => {
    const why = off[name], box = make("input", { type: "checkbox", id: `s-${name}`, role: "switch", ...(set[name] !== DEFAULTS[name] ? { checked: "" } : {}), ...(why ? { disabled: "" } : {}) });
    box.onchange = () => change({ [name]: box.checked ? value : DEFAULTS[name] });
    return make("label", { class: "switch", ...(why ? { "data-off": "" } : {}) }, box, make("span", { text: say(`r/${name}`) }, make("small", { text: why ? say(why) : say(`about/${name}`) })));
  };
  const models = ["ns", "mm", "wgan", "wgangp", "vae", ...(set.data === "line" ? [] : ["ae", "pca", "fa"])];
  const parts = [make("h2", { text: say("game") }),
    choose("data", DATA, set.data, (v) => change({ data: v })),
    choose("model", models, modelOf(set), (v) => change({ ...AT_MODEL[v], ...(MODELS[v] || { game: v, saturating: 0 }) }))];
  if (set.data === "drawn") parts.push(make("p", { class: "small soft", text: say("drawhelp", { n: set.points.length, m: MOST_POINTS }) }), make("button", { type: "button", class: "btn", id: "wipe", text: say("wipe"), onclick: () => change({ points: [] }) }));
  for (const slider of SLIDERS) {
    if (!slider.when(set)) continue;
    const shown = make("output", { text: slider.text ? slider.text(set) : slider.scale.text(set[slider.name]) });
    const input = make("input", { type: "range", id: `s-${slider.name}`, min: slider.min, max: slider.max, step: slider.step, value: slider.value ? slider.value(set) : slider.scale.to(set[slider.name]) });
    input.oninput = () => {
      const v = slider.scale.from(+input.value);
      change(slider.put ? slider.put(v) : { [slider.name]: v }, true);
      shown.textContent = slider.text ? slider.text(state.set) : slider.scale.text(state.set[slider.name]);
    };
    parts.push(make("label", { class: "field", title: say(`about/${slider.name}`) }, make("span", { text: say(slider.name) }), shown, input));
  }
  if (JUDGED[set.game]) parts.push(switchOf("hold", 1));
  parts.push(make("label", { class: "field" }, make("span", { text: say("seed") }), make("input", { type: "number", class: "input", id: "s-seed", min: 0, max: 2 ** 32 - 1, value: set.seed, style: "width:6rem", onchange: (e) => change({ seed: +e.target.value }) })));
  if (JUDGED[set.game]) {
    parts.push(make("hr"), make("h2", { text: say("remedies") }));
    for (const [name, value] of Object.entries(REMEDIES)) parts.push(switchOf(name, value));
  }
  $("cases").replaceChildren(make("span", { class: "soft", text: say("cases") }), ...Object.entries(PRESETS).map(([name, given]) => make("button", { type: "button", class: "btn quiet", text: say(`case/${name}`), onclick: () => begin(given) })));
  parts.push(make("button", { type: "button", class: "btn", id: "link", text: say("link"), onclick: copyLink }));
  side.replaceChildren(...parts);
  if (focused) $(focused)?.focus();
}
async function copyLink() {
  remember();
  try { await navigator.clipboard.writeText(location.href); $("link").textContent = say("copied"); } catch { $("link").textContent = say("copyabove"); }
  setTimeout(() => { if ($("link")) $("link").textContent = say("link"); }, 1800);
}
// What is shown on the plane.
function buildShows() {
  const { set, shows } = state, duel = JUDGED[set.game], parts = [];
  if (duel) {
    const kinds = ["judge", "best", "none"];
    parts.push(make("div", { class: "seg", role: "group", "aria-label": say("ground") }, ...kinds.map((kind) => make("button", { type: "button", "aria-pressed": shows.field === kind, text: say(`ground/${kind}${kind === "judge" && set.game !== "gan" ? "/critic" : ""}`), onclick: () => look({ field: kind }) }))));
  }
  const toggle = (name) => make("label", { class: "switch" }, make("input", { type: "checkbox", role: "switch", ...(shows[name] ? { checked: "" } : {}), onchange: (e) => look({ [name]: +e.target.checked }) }), make("span", { text: say(`show/${name}`) }));
  if (set.data !== "line" && duel) parts.push(toggle("arrows"));
  if (set.data !== "line" && !isLinear(set) && (duel || set.k === 2)) parts.push(toggle("map"));
  $("shown").replaceChildren(...parts);
  const dot = (name, text) => make("li", { style: `color:var(${name})` }, make("i", { class: "dot" }), make("span", { class: "soft", text }));
  const line = (name, text, dashed) => make("li", { style: `color:var(${name})` }, make("i", { class: dashed ? "v" : "" }), make("span", { class: "soft", text }));
  const key = [];
  if (set.data === "line") {
    key.push(line("--dat", say("pdata")), line("--gen", say("pg")));
    if (duel && shows.field !== "none") key.push(...(shows.field === "judge" ? [line("--fig1", say(set.game === "gan" ? "ground/judge" : "critic"))] : []), line("--fig3", "D* = p/(p + q)", true));
  } else {
    key.push(dot("--dat", say("data")), dot("--gen", say(duel || set.game === "fa" || (set.game === "vae") ? "generated" : "rebuilt")));
    const ends = !duel ? ["", say(isLinear(set) ? "dense" : "smallerror")] : shows.field === "none" ? null : set.game === "gan" || shows.field === "best" ? ["D ≤ 0.2", "D ≥ 0.8"] : [say("low"), say("high")];
    if (ends) key.push(make("li", { class: duel ? "heat" : "heat one" }, ends[0], make("u"), ends[1]));
    if (shows.arrows && duel) key.push(make("li", {}, make("span", { text: `↗ ${say("pulled")}` })));
  }
  $("key").replaceChildren(...key);
}
