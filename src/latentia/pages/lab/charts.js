// The curves beside the plane: they remember some hundreds of moments of the game, ever more apart.
const MOST = 320;
let past, every, count;
function forget() {
  past = { t: [], a: [], b: [], best: [], jsd: [], own: [], w: [] };
  every = 1;
  count = 0;
}
forget();
function noteMoment(seen) {
  if (!seen.step || count++ % every) return;
  const { told } = seen, { set } = state, m = latest.measured || {}, duel = JUDGED[set.game];
  past.t.push(seen.step);
  past.a.push(duel ? told.judge : told.loss);
  past.b.push(duel && !set.hold ? told.generator : null);
  past.best.push(set.game === "gan" && m.jsd !== undefined ? Math.log(4) - 2 * m.jsd : null);
  past.jsd.push(m.jsd ?? null);
  past.own.push(set.game === "gan" ? Math.max(0, Math.log(2) - smoothed(told.judge) / 2) : null);
  const before = past.w.at(-1);
  past.w.push(m.distance === undefined ? null : before ? 0.6 * before + 0.4 * m.distance : m.distance);
  if (past.t.length > MOST) {
    for (const name in past) past[name] = past[name].filter((_, i) => i % 2 === 0);
    every *= 2;
  }
}
let running = null;
function smoothed(v) {
  running = running === null || !past.t.length ? v : 0.8 * running + 0.2 * v;
  return running;
}
function nice(v) {
  const power = 10 ** Math.floor(Math.log10(v)), m = v / power;
  return (m <= 1 ? 1 : m <= 2 ? 2 : m <= 5 ? 5 : 10) * power;
}
function chart(svg, series, low, high, reference) {
  const [w, h, l, r, t, b] = [340, 168, 40, 8, 8, 22], last = Math.max(past.t.at(-1) || 0, 100);
  const x = (v) => l + (v / last) * (w - l - r), y = (v) => h - b - ((Math.min(high, Math.max(low, v)) - low) / (high - low)) * (h - t - b);
  const tick = (v) => String(+v.toPrecision(3)).replace("-", "−");
  let out = "";
  for (const v of [low, (low + high) / 2, high]) out += `<path class="grid" d="M${l} ${y(v)}H${w - r}"/><text x="${l - 6}" y="${y(v) + 4}" text-anchor="end">${tick(v)}</text>`;
  if (reference !== null) out += `<path d="M${l} ${y(reference)}H${w - r}" stroke="var(--edge)" stroke-dasharray="5 3"/>`;
  for (const [name, values, dashed] of series) {
    let d = "";
    values.forEach((v, i) => { if (v !== null && Number.isFinite(v)) d += (d ? "L" : "M") + x(past.t[i]).toFixed(1) + " " + y(v).toFixed(1); });
    out += `<path class="l${dashed ? " v" : ""}" stroke="var(${name})" d="${d}"/>`;
  }
  svg.innerHTML = `${out}<text x="${l}" y="${h - 4}">0</text><text x="${w - r}" y="${h - 4}" text-anchor="end">${say("nsteps", { n: last.toLocaleString("en") })}</text>`;
}
function legend(list, entries) {
  list.replaceChildren(...entries.map(([name, text, dashed]) => make("li", { style: `color:var(${name})` }, make("i", { class: dashed ? "v" : "" }), make("span", { class: "soft", text }))));
}
function heading(id, key, values) {
  $(id).replaceChildren(document.createTextNode(say(key)), make("b", { text: values }));
}
function bounds(values, from, least) {
  const finite = values.filter((v) => v !== null && Number.isFinite(v)).sort((a, b) => a - b);
  if (!finite.length) return [from ?? 0, least];
  // What a few moments reach at the start is left outside.
  const cut = (share) => finite[Math.min(finite.length - 1, Math.floor(share * finite.length))];
  const high = Math.max(least, cut(0.98)), low = from ?? Math.min(0, cut(0.02));
  return [low < 0 ? -nice(-low) : low, nice(high)];
}
function drawCharts(seen) {
  const { set } = state, { told } = seen, duel = JUDGED[set.game], m = latest.measured;
  const series = [["--fig1", past.a]];
  if (duel) series.push(["--fig2", past.b]);
  if (set.game === "gan") series.push(["--fig3", past.best, true]);
  const [low, high] = bounds([...past.a, ...(duel ? past.b : [])], set.game === "gan" && !set.saturating ? 0 : null, set.game === "gan" ? 2 : 0.1);
  chart($("c-loss"), series, low, high, set.game === "gan" ? Math.log(4) : duel ? 0 : null);
  const now = !seen.step ? "" : duel ? `D ${number(told.judge)}${set.hold ? "" : ` · G ${number(told.generator)}`}` : number(told.loss, 3);
  heading("h-loss", duel || set.game === "vae" || set.game === "fa" ? "losses" : "errors", now);
  $("c-loss").setAttribute("aria-label", `${say("losses")}: ${now}`);
  const wasserstein = duel && set.game !== "gan";
  // What has no prior has no samples to compare.
  const none = set.game === "ae" || set.game === "pca";
  $("apart").hidden = $("modes").hidden = none;
  if (m && !none) {
    const named = wasserstein || state.set.data === "line" ? [["--fig4", past.w]] : [];
    const apart = wasserstein ? named : [["--fig4", past.jsd], ...(duel ? [["--fig1", past.own, true]] : [])];
    const [, top] = bounds(wasserstein ? past.w : [], 0, wasserstein ? Math.max(0.5, 2 * latest.floor) : 0.7);
    chart($("c-apart"), apart, 0, wasserstein ? top : 0.7, wasserstein ? latest.floor || null : null);
    const both = `JSD ${number(m.jsd)} · W₁ ${number(m.distance)}`;
    heading("h-apart", wasserstein ? "wasserstein" : "jensen", both);
    $("c-apart").setAttribute("aria-label", both);
    $("f-apart").textContent = say(wasserstein ? (latest.floor ? "cap/wasserstein" : "cap/line") : "cap/jensen", { floor: number(latest.floor) });
    heading("h-modes", set.data === "moons" || set.data === "spiral" || set.data === "drawn" ? "parts" : "modes", say("reached", { n: m.covered, m: m.shares.length, on: percent(m.on) }));
    const highest = Math.max(...m.shares, 1 / m.shares.length);
    $("meter").replaceChildren(...m.shares.map((v) => make("i", { class: v > 0.2 / m.shares.length ? "" : "no", style: `height:${Math.max(3, (100 * v) / highest)}%` })));
    $("meter").setAttribute("aria-label", say("reached", { n: m.covered, m: m.shares.length, on: percent(m.on) }));
  }
}
function nameCurves() {
  const { set } = state, duel = JUDGED[set.game], wasserstein = duel && set.game !== "gan";
  const judge = say(wasserstein ? "critic" : "discriminator");
  legend($("k-loss"), duel
    ? [["--fig1", judge], ["--fig2", say("generator")], ...(wasserstein ? [] : [["--fig3", say("bestloss"), true], ["--edge", "log 4", true]])]
    : [["--fig1", say(`loss/${set.game}`)]]);
  legend($("k-apart"), wasserstein ? [["--fig4", say("paired")], ...(latest.floor ? [["--edge", say("floor"), true]] : [])] : [["--fig4", say("counted")], ...(duel ? [["--fig1", say("ownjsd"), true]] : [])]);
  $("f-loss").textContent = say(duel ? (wasserstein ? "cap/critic" : "cap/gan") : `cap/${set.game}`);
  $("f-modes").textContent = say("cap/modes");
  $("f-latent").textContent = say("cap/latent");
}
