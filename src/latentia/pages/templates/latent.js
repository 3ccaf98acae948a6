// z: sliders in the order of what they change, what is given beside z, and what the decoder makes.
const FIRST = 10;
const MOST_SHOWN = 16;
const decoder = { name: "", made: null, shape: null, given: null };

function decode(zs, n = 1, ys = null) {
  const inputs = { z: zs };
  if (decoder.given) inputs[decoder.given.name] = ys || repeated(state.y, n);
  return state.model.run(decoder.name, inputs)[decoder.made.name].data;
}
function repeated(row, n) {
  if (n === 1) return row;
  const rows = new Float32Array(n * row.length);
  for (let i = 0; i < n; i++) rows.set(row, i * row.length);
  return rows;
}

function startLatent() {
  const found = Object.entries(state.model.functions).find(([, f]) => f.inputs[0].kind === "code");
  if (!found) return;
  const [name, { inputs, outputs }] = found;
  Object.assign(decoder, { name, made: outputs[0], shape: outputs[0].shape, given: inputs[1] || null });
  const k = inputs[0].shape[0];
  state.z = new Float32Array(k);
  state.pins = SCENE.pins.map((pin) => Float32Array.from(pin));
  state.z.set(state.pins[0]);
  if (decoder.given) startGiven(decoder.given);
  sliders(k);
  attributes();
  if (decoder.made.kind === "image") picture();
  else row();
}

function slider(label, low, high, value, onInput, note = "") {
  const input = make("input", { type: "range", min: low, max: high, step: "any", value });
  // In even steps by key, and as finely as the hand is otherwise.
  input.onkeydown = (event) => {
    const way = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 }[event.key];
    if (!way) return;
    event.preventDefault();
    input.value = +input.value + (way * (high - low)) / 100;
    onInput(+input.value);
  };
  const output = make("output");
  // A label would name the output, which comes first.
  const head = make("span", { id: `label-${++slider.made}` }, ...label);
  input.setAttribute("aria-labelledby", head.id);
  if (note) head.append(make("span", { class: "share", text: note }));
  input.oninput = () => onInput(+input.value);
  return { input, output, field: make("div", { class: "field" }, head, output, input) };
}
slider.made = 0;
const subscript = (letter, i) => [letter, make("sub", { text: i + 1 })];

// A coordinate of z, or z along a direction of length 1.
function grip({ index, axis }) {
  if (index !== undefined) return { get: () => state.z[index], set: (v) => { state.z[index] = v; } };
  const get = () => axis.reduce((s, a, j) => s + a * state.z[j], 0);
  return {
    get,
    set(v) {
      const move = v - get();
      axis.forEach((a, j) => { state.z[j] += a * move; });
    },
  };
}

function sliders(k) {
  const all = SCENE.sliders.map((found, i) => {
    const { low, high, share } = found;
    const held = grip(found);
    const note = share >= 0.005 ? `${Math.round(100 * share)} %` : "< 1 %";
    const label = found.axis ? subscript("d", i) : subscript("z", found.index);
    const made = slider(label, low, high, 0, (v) => { held.set(v); changed(made.input); }, note);
    $("sliders").append(made.field);
    return { held, digits: digitsFor(high - low), ...made };
  });
  let open = false;
  const show = () => all.forEach(({ field }, i) => { field.hidden = !open && i >= FIRST; });
  show();
  const more = $("more");
  more.hidden = all.length <= FIRST;
  const name = () => { more.textContent = open ? say("less", { k: FIRST }) : say("more", { k }); };
  more.onclick = () => { open = !open; show(); name(); };
  $("zero").onclick = () => moveTo(SCENE.centre);
  part({
    update(by) {
      for (const { held, digits, input, output, field } of all) {
        if (field.hidden) continue;
        const v = held.get();
        if (input !== by) input.value = v;
        output.textContent = number(v, digits);
      }
    },
    words() {
      name();
      const kind = SCENE.sliders[0].axis ? "directions" : SCENE.codes ? "codes" : "prior";
      $("z-caption").textContent = say(`zcap/${kind}`);
    },
  });
  more.addEventListener("click", () => changed("more", true));
}

// The class, or a condition's values, that the model is given beside z.
function startGiven(given) {
  const n = given.shape[0];
  state.y = new Float32Array(n);
  const box = $("given");
  const heading = make("h3");
  box.append(heading);
  if (given.kind === "class") {
    state.y[0] = 1;
    const names = given.names.length === n ? given.names : Array.from(state.y, (_, i) => String(i));
    const buttons = names.map((name, i) => {
      const button = make("button", { type: "button", class: "btn", text: name });
      button.onclick = () => { state.y.fill(0); state.y[i] = 1; changed("given"); };
      return button;
    });
    // Each class carries what the same z makes in it.
    const shown = decoder.made.kind === "image" && n <= MOST_SHOWN;
    const pictures = shown ? buttons.map((b, i) => { const canvas = make("canvas", { id: `class-${i}` }); b.prepend(canvas); return canvas; }) : [];
    const eye = Float32Array.from({ length: n * n }, (_, i) => Number(i % (n + 1) === 0));
    box.append(make("div", { class: shown ? "choices seen" : "choices", role: "group" }, ...buttons));
    const caption = make("p", { class: "small soft" });
    box.append(caption);
    part({
      update() { buttons.forEach((b, i) => b.setAttribute("aria-pressed", state.y[i] === 1)); },
      rest() {
        if (!shown) return;
        const data = decode(repeated(state.z, n), n, eye);
        pictures.forEach((canvas, i) => new Painter(canvas, decoder.shape).paint(data, (i * data.length) / n));
      },
      words() {
        heading.textContent = say("class");
        box.querySelector("div").setAttribute("aria-label", say("class"));
        caption.textContent = say("classcap");
      },
    });
    return;
  }
  const low = (j) => [].concat(given.low)[j % [].concat(given.low).length];
  const high = (j) => [].concat(given.high)[j % [].concat(given.high).length];
  const all = Array.from(state.y, (_, j) => {
    state.y[j] = (low(j) + high(j)) / 2;
    const made = slider([given.names[j] || `y${j + 1}`], low(j), high(j), state.y[j], (v) => { state.y[j] = v; changed(made.input); });
    box.append(made.field);
    return made;
  });
  part({
    update(by) {
      all.forEach(({ input, output }, j) => {
        if (input !== by) input.value = state.y[j];
        output.textContent = number(state.y[j], digitsFor(high(j) - low(j)));
      });
    },
    words() { heading.textContent = say("condition"); },
  });
}

// z moves along the way from the mean code of all other classes to that of one.
function attributes() {
  if (!SCENE.directions.length) return;
  $("attributes-pane").hidden = false;
  const longest = Math.max(...SCENE.directions.map(({ class: c }) => (SCENE.classes[c] || "").length));
  $("attributes").style.setProperty("--label", longest > 3 ? "7rem" : "2rem");
  const all = SCENE.directions.map(({ class: c, from, step }) => {
    const length = step.reduce((s, d) => s + d * d, 0);
    const at = () => step.reduce((s, d, j) => s + d * (state.z[j] - from[j]), 0) / length;
    const made = slider([SCENE.classes[c] || String(c)], -1, 2, 0, (v) => {
      const move = v - at();
      step.forEach((d, j) => { state.z[j] += move * d; });
      changed(made.input);
    });
    $("attributes").append(made.field);
    return { at, ...made };
  });
  part({
    update(by) {
      for (const { at, input, output } of all) {
        if (input !== by) input.value = at();
        output.textContent = number(at());
      }
    },
  });
}

// The one-hot class of a test image, where the model is given classes and the data have the same.
function knownClass(i) {
  const labels = PAGE.images.tested && PAGE.images.tested.labels;
  if (!decoder.given || decoder.given.kind !== "class" || !labels) return null;
  const y = new Float32Array(state.y.length);
  y[labels[i]] = 1;
  return labels[i] < y.length ? y : null;
}

function picture() {
  const canvas = $("picture");
  const painter = new Painter(canvas, decoder.shape);
  const { H, W } = painter.layout;
  const look = (crisp) => {
    canvas.classList.toggle("crisp", crisp);
    press(...(crisp ? [$("pixels"), $("smooth")] : [$("smooth"), $("pixels")]));
  };
  $("smooth").onclick = () => look(false);
  $("pixels").onclick = () => look(true);
  look(Math.max(H, W) <= 16);
  part({
    update() {
      state.made = decode(state.z);
      painter.paint(state.made);
    },
    words() { $("picture-caption").textContent = say("decodedcap", { size: `${W} × ${H}` }); },
  });
  nearest(painter);
}

// The training image nearest to what is shown, by squared differences of pixels.
async function nearest() {
  const seen = await sheetOf(PAGE.images.seen, decoder.shape);
  if (!seen.length) return;
  $("near").hidden = false;
  const painter = new Painter($("near-picture"), decoder.shape);
  const words = () => {
    const text = say("nearest", { n: seen.length });
    $("near-caption").textContent = text;
    $("near-picture").setAttribute("aria-label", text);
  };
  const find = () => {
    let best = Infinity;
    let which = 0;
    seen.forEach((x, i) => {
      let gap = 0;
      for (let j = 0; j < x.length && gap < best; j++) gap += (x[j] - state.made[j]) ** 2;
      if (gap < best) { best = gap; which = i; }
    });
    painter.paint(seen[which]);
  };
  part({ rest: find, words });
  words();
  if (state.made) find();
}

// A row of a table: each column on a track over its range, in its own units.
function row() {
  document.querySelector(".bench").classList.toggle("flat", !SCENE.plane);
  const { shape, names, low, high } = decoder.made;
  const of = (bound, j) => (Array.isArray(bound) ? bound[j] : bound);
  const columns = Array.from({ length: shape[0] }, (_, j) => {
    const range = PAGE.columns ? PAGE.columns[j] : { low: of(low, j), high: of(high, j) };
    const wide = range.high > range.low ? range.high - range.low : 1;
    const name = make("span", { text: names[j] || `x${j + 1}`, title: names[j] || `x${j + 1}` });
    const mark = make("i");
    const rug = make("canvas", { width: 300, height: 12 });
    const output = make("output");
    $("row").append(make("div", { class: "column" }, name, make("div", { class: "track" }, rug, mark), output));
    return { low: range.low, wide, mark, output, rug, digits: digitsFor(wide) };
  });
  const at = (c, v) => (v - c.low) / c.wide;
  part({
    update() {
      state.made = decode(state.z);
      columns.forEach((c, j) => {
        const place = at(c, state.made[j]);
        c.mark.style.left = `${100 * Math.min(1, Math.max(0, place))}%`;
        c.mark.classList.toggle("out", place < 0 || place > 1);
        c.output.textContent = number(state.made[j], c.digits);
      });
    },
    words() { $("picture-caption").textContent = say(PAGE.columns ? "rowcap" : "usualcap"); },
    samples(data, n) {
      columns.forEach((c, j) => {
        const context = c.rug.getContext("2d");
        context.clearRect(0, 0, 300, 12);
        context.fillStyle = colour("--edge");
        context.globalAlpha = 0.5;
        for (let i = 0; i < n; i++) context.fillRect(300 * at(c, data[i * shape[0] + j]) - 1, 0, 2, 12);
      });
    },
  });
}
begin(startLatent);
