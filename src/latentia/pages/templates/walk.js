// Draws from the prior, and the way between two pinned points.
const DRAWN = 16;
const ROWS_DRAWN = 100;
const STEPS = 12;
const PLAYED = 3000;

function drawer() {
  const { kind, mean, factor, widths, draws } = SCENE.prior;
  const k = state.z.length;
  if (kind === "uniform") return () => Float32Array.from({ length: k }, () => 2 * Math.random() - 1);
  if (kind === "drawn") {
    const pool = unpacked(draws).rows;
    return () => pool[Math.floor(Math.random() * pool.length)];
  }
  return () => {
    const e = Float32Array.from({ length: k }, gaussian);
    if (factor) for (let i = k - 1; i >= 0; i--) { let s = 0; for (let j = 0; j <= i; j++) s += factor[i][j] * e[j]; e[i] = s; }
    if (widths) for (let i = 0; i < k; i++) e[i] *= widths[i];
    if (mean) for (let i = 0; i < k; i++) e[i] += mean[i];
    return e;
  };
}

function gathered(rows) {
  const zs = new Float32Array(rows.length * state.z.length);
  rows.forEach((z, i) => zs.set(z, i * state.z.length));
  return zs;
}
function fill(box, rows) {
  const data = decode(gathered(rows), rows.length);
  const values = data.length / rows.length;
  box.replaceChildren(...rows.map((z, i) => tileOf(decoder.shape, data, i * values, say("tile", { i: i + 1 }), () => moveTo(z))));
}

function startWalk() {
  if (!decoder.made) return;
  const images = decoder.made.kind === "image";
  const draw = drawer();
  const n = images ? DRAWN : ROWS_DRAWN;
  let drawn = [];
  const samples = (anew) => {
    if (anew || !drawn.length) drawn = Array.from({ length: n }, draw);
    if (images) fill($("samples"), drawn);
    else tell("samples", decode(gathered(drawn), n), n);
  };
  $("again").onclick = () => samples(true);

  const sphere = decoder.name === "generate" && SCENE.prior.kind === "normal";
  const between = (t) => {
    const [a, b] = state.pins;
    let [p, q] = [1 - t, t];
    if (sphere) {
      const dot = a.reduce((s, v, j) => s + v * b[j], 0) / (Math.hypot(...a) * Math.hypot(...b) || 1);
      const angle = Math.acos(Math.min(1, Math.max(-1, dot)));
      if (Math.sin(angle) > 1e-3) { p = Math.sin((1 - t) * angle) / Math.sin(angle); q = Math.sin(t * angle) / Math.sin(angle); }
    }
    return a.map((v, j) => p * v + q * b[j]);
  };
  const way = $("way");
  const steps = () => { if (images) fill($("steps"), Array.from({ length: STEPS }, (_, i) => between(i / (STEPS - 1)))); };
  const at = (t) => {
    way.value = t;
    $("way-value").textContent = number(t);
    moveTo(between(t), "walk");
  };
  way.oninput = () => at(+way.value);
  const pin = (i) => () => { state.pins[i] = state.z.slice(); steps(); changed("pin", true); };
  $("set-a").onclick = pin(0);
  $("set-b").onclick = pin(1);

  let playing = 0;
  const named = () => {
    $("play").textContent = say(playing ? "stop" : "play");
    $("play").setAttribute("aria-pressed", Boolean(playing));
  };
  const stop = () => { playing = 0; named(); };
  $("play").onclick = () => {
    if (playing) { stop(); return; }
    const mine = ++playing;
    const began = performance.now();
    named();
    const step = (now) => {
      if (mine !== playing) return;
      const share = Math.min(1, Math.max(0, (now - began) / PLAYED));
      // Where motion is not wanted, it goes in few steps.
      const t = still() ? Math.round(share * 6) / 6 : (1 - Math.cos(Math.PI * share)) / 2;
      at(t);
      if (share < 1) requestAnimationFrame(step);
      else stop();
    };
    requestAnimationFrame(step);
  };
  part({
    update(by) {
      if (by !== "walk" && playing) stop();
      if (by === "given" || (by instanceof Element && decoder.given)) this.stale = true;
    },
    rest() {
      if (!this.stale) return;
      this.stale = false;
      samples(false);
      steps();
    },
    theme() { if (!images) samples(false); },
    recalled() { samples(false); steps(); },
    words() {
      $("again").textContent = say("again", { n });
      named();
      const { kind, draws } = SCENE.prior;
      const source = say(`samplecap/${kind}`, { n: draws ? draws.n : 0 });
      $("sample-caption").textContent = `${source} ${say(images ? "press" : "marks")}`;
      $("walk-caption").textContent = say(sphere ? "intercap/sphere" : "intercap/line");
    },
  });
  $("way-value").textContent = number(0);
}
begin(startWalk);
