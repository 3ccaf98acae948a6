// Language models: a text that is typed and written on, what comes next, and how surprising it was.
const EVERY = 16;
const TOP = 8;
const MARKED = 400;
const LONGEST = 20000;

// The number of a symbol drawn from p^(1/temperature): the library's own rule.
function drawn(p, temperature, uniform) {
  let best = 0;
  p.forEach((v, i) => { if (v > p[best]) best = i; });
  if (temperature === 0) return best;
  const sums = new Float64Array(p.length);
  let sum = 0;
  p.forEach((v, i) => { sum += Math.exp((Math.log(v) - Math.log(p[best])) / temperature); sums[i] = sum; });
  const threshold = uniform * sum;
  let n = 0;
  while (n < p.length - 1 && sums[n] <= threshold) n++;
  return n;
}

function startLanguage() {
  const step = state.model.functions.step;
  if (!step) return;
  const { symbols, first } = state.model.facts;
  const numbersOf = new Map(symbols.map((s, i) => [s, i]));
  const characters = symbols.every((s) => [...s].length === 1);
  const split = (text) => (characters ? [...text] : text.split(/\s+/).filter(Boolean));
  const joined = (ids) => ids.map((i) => symbols[i]).join(characters ? "" : " ");
  const view = { ids: [], unknown: [], temperature: 0.7, seed: 0, writing: false, prompt: [], ms: null };
  const box = $("text");
  let uniform = uniforms(0);

  // What was read is not read again: the state is kept now and then, with what follows there.
  const zero = () => new Float32Array(step.inputs[1].shape.reduce((a, b) => a * b, 1));
  const start = { state: zero(), next: Float32Array.from(first) };
  let read = { ids: [], logs: [], kept: [start], ...start };
  function advance(i) {
    const found = state.model.run("step", { symbol: [i], state: read.state });
    read.logs.push(Math.log(read.next[i]));
    read.ids.push(i);
    read.next = found.next.data.slice();
    read.state = found.state.data.slice();
    if (read.ids.length % EVERY === 0) read.kept[read.ids.length / EVERY] = { state: read.state, next: read.next };
  }
  function follow(ids) {
    let same = 0;
    while (same < read.ids.length && same < ids.length && read.ids[same] === ids[same]) same++;
    if (same < read.ids.length) {
      const place = Math.floor(same / EVERY);
      same = place * EVERY;
      const kept = read.kept.slice(0, place + 1);
      read = { ids: read.ids.slice(0, same), logs: read.logs.slice(0, same), kept, ...kept[place] };
    }
    const began = performance.now();
    for (let i = same; i < ids.length; i++) advance(ids[i]);
    if (ids.length > same) view.ms = (performance.now() - began) / (ids.length - same);
  }

  const shown = (s) => ({ " ": "␣", "\n": "↵", "\t": "⇥", "\r": "␍" })[s] || s;
  const rows = Array.from({ length: Math.min(TOP, symbols.length) }, () => {
    const made = bar("");
    const button = make("button", { type: "button", class: "btn quiet key" });
    made.label.replaceWith(button);
    $("next").append(made.row);
    button.onclick = () => { write(made.symbol); settle(); };
    return Object.assign(made, { button });
  });
  function next() {
    const p = read.next;
    const order = [...p.keys()].sort((a, b) => p[b] - p[a] || a - b).slice(0, rows.length);
    rows.forEach((row, k) => {
      const i = order[k];
      row.symbol = i;
      row.button.textContent = shown(symbols[i]);
      row.button.setAttribute("aria-label", say("addsymbol", { symbol: shown(symbols[i]) }));
      row.set(p[i], `${number(100 * p[i], p[i] < 0.0995 ? 1 : 0)} %`, k === 0);
    });
  }
  function tell() {
    const n = read.logs.length;
    const nats = -read.logs.reduce((a, b) => a + b, 0) / n;
    $("told").textContent = n ? say(characters ? "natscharacter" : "natssymbol", { nats: number(nats, 3), n, perplexity: Math.exp(nats).toPrecision(3) }) : say("firstof", { n: symbols.length });
  }
  function surprises() {
    const from = Math.max(0, read.ids.length - MARKED);
    const marks = read.ids.slice(from).map((i, k) => {
      const bits = -read.logs[from + k];
      const deep = Math.min(70, Math.round(12 * bits));
      const text = symbols[i] === "\n" ? "↵\n" : symbols[i] + (characters ? "" : " ");
      return make("span", { text, title: say("oddsof", { symbol: shown(symbols[i]), nats: number(bits), p: Math.exp(-bits).toPrecision(2) }), style: `background:color-mix(in srgb, var(--fig2) ${deep}%, transparent)` });
    });
    $("surprises").replaceChildren(...marks);
  }
  function settle() {
    next();
    tell();
    changed("language");
  }

  function write(i) {
    view.ids.push(i);
    advance(i);
    box.value = joined(view.ids);
    box.scrollTop = box.scrollHeight;
  }
  function typed() {
    stop();
    const pieces = split(box.value);
    const known = pieces.filter((s) => numbersOf.has(s));
    view.unknown = [...new Set(pieces.filter((s) => !numbersOf.has(s)))];
    view.ids = known.map((s) => numbersOf.get(s)).slice(0, LONGEST);
    view.prompt = view.ids.slice();
    uniform = uniforms(view.seed);
    follow(view.ids);
    hear();
    settle();
  }
  const hear = () => {
    const speed = view.ms === null ? "" : say("charspeed", { n: Math.max(1, Math.round(1000 / view.ms)).toLocaleString("en") });
    $("language-heard").textContent = view.unknown.length ? say("unknown", { symbols: view.unknown.slice(0, 5).map(shown).join(" "), n: symbols.length }) : speed;
  };
  const draw = () => write(drawn(read.next, view.temperature, view.temperature === 0 ? 0 : uniform()));
  function run() {
    if (!view.writing) return;
    // As much as a frame has time for, so that reading along stays possible: thirty symbols a second.
    const began = performance.now();
    draw();
    view.ms = performance.now() - began;
    settle();
    if (view.ids.length >= LONGEST) stop();
    else setTimeout(run, Math.max(0, 33 - view.ms));
  }
  function stop() {
    view.writing = false;
    $("write").textContent = say("writeon");
    $("write").setAttribute("aria-pressed", false);
  }
  $("write").onclick = () => {
    if (view.writing) { stop(); hear(); return; }
    view.writing = true;
    $("write").textContent = say("stop");
    $("write").setAttribute("aria-pressed", true);
    run();
  };
  $("one").onclick = () => { stop(); draw(); settle(); };
  $("wipe").onclick = () => { box.value = ""; typed(); };
  // The same prompt and the same seed again.
  $("again").onclick = () => { box.value = joined(view.prompt); typed(); };
  box.oninput = typed;
  $("seed").onchange = () => {
    view.seed = Math.min(2 ** 32 - 1, Math.max(0, Math.trunc(+$("seed").value) || 0));
    $("seed").value = view.seed;
    uniform = uniforms(view.seed);
    changed("language");
  };
  const warm = () => { $("temperature-value").textContent = number(view.temperature); };
  $("temperature").oninput = () => { view.temperature = +$("temperature").value; warm(); changed("language"); };

  part({
    rest: surprises,
    words() {
      box.placeholder = say("textplaceholder");
      $("one").textContent = say(characters ? "onecharacter" : "onesymbol");
      $("write").textContent = say(view.writing ? "stop" : "writeon");
      warm();
      hear();
      settle();
      surprises();
    },
    remember(params) {
      params.set("text", joined(view.prompt).slice(0, 500));
      params.set("temperature", view.temperature);
      params.set("seed", view.seed);
    },
    recall(params) {
      const [t, s] = ["temperature", "seed"].map((name) => Number(params.get(name)));
      if (params.has("temperature") && t >= 0 && t <= 2) view.temperature = t;
      if (params.has("seed") && Number.isInteger(s) && s >= 0 && s < 2 ** 32) view.seed = s;
      $("temperature").value = view.temperature;
      $("seed").value = view.seed;
      if (params.has("text") && params.get("text") !== joined(view.prompt)) { box.value = params.get("text"); typed(); }
      uniform = uniforms(view.seed);
    },
  });
  state.language = { view, read: () => read };
}
begin(startLanguage);
