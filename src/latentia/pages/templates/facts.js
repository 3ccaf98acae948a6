// The table of facts, with what this browser finds: how far it is from the model, and how fast.
// How many times the difference that is allowed tells of a fault.
const FAR = 20;
const CHECKED = 3;
const RATIO = 0.6180339887498949;

function checkInput(quantity) {
  const n = CHECKED * quantity.shape.reduce((a, b) => a * b, 1);
  const out = new Float32Array(n);
  if (quantity.kind === "state") return out;
  if (quantity.kind === "symbol") return out.map((_, i) => i % quantity.names.length);
  if (quantity.kind === "class") {
    const k = quantity.shape.at(-1);
    for (let row = 0; row < n / k; row++) out[row * k + (row % k)] = 1;
    return out;
  }
  const of = (bound, i, none) => (bound === null ? none : Array.isArray(bound) ? bound[i % bound.length] : bound);
  for (let i = 0; i < n; i++) {
    const [low, high] = [of(quantity.low, i, -1), of(quantity.high, i, 1)];
    out[i] = low + (high - low) * (((i + 1) * RATIO) % 1);
  }
  return out;
}

// The largest difference from what the model gave: of values in [0, 1] itself, of others its share.
async function checked(model, run) {
  let worst = 0;
  for (const [name, kept] of Object.entries(PAGE.checks)) {
    const { inputs, outputs } = model.functions[name];
    const given = Object.fromEntries(inputs.map((q) => [q.name, checkInput(q)]));
    const found = await run(name, given);
    outputs.forEach((quantity, i) => {
      const bytes = Uint8Array.from(atob(kept[i].values), (c) => c.charCodeAt(0));
      const wanted = new Float32Array(bytes.buffer);
      const unit = quantity.low === 0 && quantity.high === 1;
      // One code may be near 0: it is held against how far codes usually reach.
      const least = quantity.kind === "code" ? (quantity.high - quantity.low) / 6 : 0;
      const scale = unit ? 1 : wanted.reduce((a, v) => Math.max(a, Math.abs(v)), least) || 1;
      wanted.forEach((v, j) => {
        const gap = Math.abs(found[quantity.name].data[j * kept[i].every] - v) / scale;
        worst = gap <= worst ? worst : gap;
      });
    });
  }
  return worst;
}

function startFacts(model) {
  const made = Math.max(...Object.values(model.facts.differences));
  const measured = { here: null, made, ms: null };
  // What may take long is checked beside the page, which meanwhile stands.
  const long = ["translate", "translate_back", "upscale"].some((name) => name in model.functions);
  const run = long ? async (name, given) => (await runAside(name, given)).outputs : (name, given) => model.run(name, given);
  const row = (label, text, more) => {
    const value = make("dd", { text });
    if (more) value.append(make("small", { text: more }));
    return [make("dt", { text: label }), value];
  };
  const show = () => {
    const rows = PAGE.facts.flatMap(({ label, text, more }, i) => {
      const [head, value] = row(pick(label), pick(text), more && pick(more));
      // Several figures stand under one heading.
      return i && pick(PAGE.facts[i - 1].label) === pick(label) ? [value] : [head, value];
    });
    rows.push(...row(say("thisfile"), say("kilobytes", { kb: PAGE.kilobytes.toLocaleString("en"), bits: PAGE.bits })));
    const { here } = measured;
    if (here !== null) rows.push(...row(say("agreement"), say("agreed", { made: short(made), here: short(here) })));
    if (measured.ms !== null) {
      const what = say(decoder.made.kind === "row" ? "what/row" : "what/image");
      rows.push(...row(say("speed"), say("ms", { ms: measured.ms.toPrecision(2), what })));
    }
    $("facts").replaceChildren(...rows);
    if (here !== null && !(here <= FAR * Math.max(made, ...Object.values(model.facts.allowed)))) {
      $("status").className = "note bad";
      $("status").textContent = say("differs", { here: short(here) });
    }
  };
  $("commands").textContent = PAGE.commands.join("\n");
  part({ words: show });
  checked(model, run).then((here) => {
    measured.here = here;
    show();
  }, fail);
  if (decoder.made) setTimeout(() => {
    const z = state.z.slice();
    decode(z);
    const began = performance.now();
    let n = 0;
    while (n < 50 && performance.now() - began < 120) { decode(z); n++; }
    measured.ms = (performance.now() - began) / n;
    show();
    changed(null, true);
  }, 300);
  return measured;
}
function short(v) {
  if (v === 0) return "0";
  const power = Math.floor(Math.log10(v));
  return power < -3 ? `${(v / 10 ** power).toFixed(1)} × 10${[...String(power)].map((c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]).join("")}` : v.toPrecision(2);
}
