// Translators: what is drawn or opened on the left, what it becomes beside it, and there and back.
const LIVE = 200;
const SHOWN = 384;
const FACTORS = [1, 2, 4];

function startTranslate() {
  const { functions } = state.model;
  if (!functions.translate) return;
  const back = functions.translate_back || null;
  const { shape, free } = functions.translate.inputs[0];
  const made = functions.translate.outputs[0].shape;
  const { H, W, C } = layoutOf(shape);
  const habits = PAGE.translation;
  const drawable = C === 1 || C >= 3;
  const view = { way: 0, factor: 1, example: null, ms: null, colour: 0 };
  const names = [0, 1].map((i) => (habits.domains[i] || "AB"[i]));
  const pad = $("sketch").getContext("2d", { willReadFrequently: true });
  const kept = { base: null, exact: null, picture: null, strokes: [], now: null };
  const layer = make("canvas").getContext("2d");
  let examples = [[], []];

  // The sides that the model is given: as it was trained, or larger where it takes more.
  const size = { H, W, k: 1 };
  function resize(bitmap = null) {
    let [h, w] = [H, W];
    if (free) {
      const unit = (v) => Math.max(free, Math.round(v / free) * free);
      [h, w] = [unit(H * view.factor), unit(W * view.factor)];
      if (bitmap) {
        const ratio = bitmap.width / bitmap.height;
        // As it is, unless it is longer than twice its width.
        if (ratio > W / H) w = Math.min(2 * w, unit(h * ratio));
        else h = Math.min(2 * h, unit(w / ratio));
      }
    }
    Object.assign(size, { H: h, W: w, k: Math.max(1, Math.round(SHOWN / Math.max(h, w))) });
    for (const canvas of [pad.canvas, layer.canvas]) { canvas.width = w * size.k; canvas.height = h * size.k; }
  }
  const ground = () => habits.palettes[view.way].ground;
  const colours = () => habits.palettes[view.way].colours;

  function painted(x, given) {
    const canvas = make("canvas");
    new Painter(canvas, given).paint(x);
    return canvas;
  }
  function setBase(canvas, exact = null) {
    kept.base = canvas;
    kept.exact = exact;
    kept.strokes = [];
    show();
    follow();
  }
  function empty() {
    view.example = null;
    kept.picture = null;
    resize();
    const context = make("canvas", { width: size.W, height: size.H }).getContext("2d");
    context.fillStyle = ground();
    context.fillRect(0, 0, size.W, size.H);
    setBase(context.canvas);
  }
  function trace(context, { colour, width, points }) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.lineCap = context.lineJoin = "round";
    context.beginPath();
    context.moveTo(...points[0]);
    points.forEach((p) => context.lineTo(...p));
    context.stroke();
  }
  // A drawing's lines are as sharp as those of the drawings that were learnt from.
  function stamp(context, { colour, width, points }) {
    const side = Math.max(1, Math.round(width / size.k));
    context.fillStyle = colour;
    let [x0, y0] = points[0];
    for (const [x, y] of points) {
      const n = Math.max(1, Math.ceil(Math.max(Math.abs(x - x0), Math.abs(y - y0)) / size.k));
      for (let i = 0; i <= n; i++) {
        const place = [x0 + ((x - x0) * i) / n, y0 + ((y - y0) * i) / n].map((v) => Math.floor(v / size.k - (side - 1) / 2));
        context.fillRect(...place, side, side);
      }
      [x0, y0] = [x, y];
    }
  }
  function show() {
    layer.clearRect(0, 0, layer.canvas.width, layer.canvas.height);
    kept.strokes.forEach((s) => trace(layer, s));
    pad.imageSmoothingEnabled = Math.max(size.H, size.W) > 32;
    pad.drawImage(kept.base, 0, 0, pad.canvas.width, pad.canvas.height);
    pad.drawImage(layer.canvas, 0, 0);
    $("undo").disabled = !kept.strokes.length;
    // It keeps its place, so that nothing moves under the pen.
    if ($("target-figure")) $("target-figure").classList.toggle("gone", view.example === null || kept.strokes.length > 0);
  }
  // What the model is given: a picture as it is, and what was drawn on it at its size.
  function input() {
    const given = sized(shape, size.H, size.W);
    if (kept.exact && !kept.strokes.length) return { data: kept.exact, shape: [1, ...given] };
    const context = make("canvas", { width: size.W, height: size.H }).getContext("2d", { willReadFrequently: true });
    context.drawImage(kept.base, 0, 0);
    context.imageSmoothingQuality = "high";
    if (habits.palettes[view.way].only) kept.strokes.forEach((s) => stamp(context, s));
    else context.drawImage(layer.canvas, 0, 0, size.W, size.H);
    return { data: pixelsOf(context, given), shape: [1, ...given] };
  }

  let busy = false;
  let stale = false;
  const nameOf = (forth) => ((view.way === 0) === forth ? "translate" : "translate_back");
  async function translate(name, x) {
    const { inputs, outputs } = functions[name];
    const { outputs: found, ms } = await runAside(name, { [inputs[0].name]: x });
    return { y: found[outputs[0].name], ms };
  }
  const paint = (id, { data, shape: s }) => new Painter($(id), s.slice(1)).paint(data);
  // An empty pad is no picture: what a net makes of it would be taken for its work.
  const untouched = () => view.example === null && !kept.picture && !kept.strokes.length;
  function wait() {
    for (const id of ["translated", ...(back ? ["returned"] : [])]) Object.assign($(id), { width: size.W, height: size.H });
    if ($("judged")) $("judged").hidden = true;
    state.translated = null;
    $("translate-heard").textContent = say("nothinggiven");
    changed("translate");
  }
  async function follow() {
    if (untouched()) { wait(); return; }
    if (busy || (kept.now && view.ms > LIVE)) { stale = true; return; }
    busy = true;
    stale = false;
    const strokes = kept.strokes.length;
    const x = input();
    const name = nameOf(true);
    try {
      const { y, ms } = await translate(name, x);
      // The first run of a size also plans it.
      const again = view.timed !== size.H * size.W && ms < 10 * LIVE;
      view.timed = size.H * size.W;
      view.ms = again ? (await translate(name, x)).ms : ms;
      const n = (state.translated ? state.translated.n : 0) + 1;
      state.translated = { n, name, x: x.data, y: y.data, shape: y.shape, strokes };
      paint("translated", y);
      if (back) {
        const round = (await translate(nameOf(false), y)).y;
        state.translated.round = round.data;
        paint("returned", round);
      }
      await judge(x, y);
      hear();
    } catch (error) {
      $("translate-heard").textContent = say("tookwrong", { why: error.message });
    }
    busy = false;
    changed("translate");
    if (stale) follow();
    else if (untouched()) wait();
  }

  const opinion = $("judged") && bar("");
  if (opinion) {
    $("judged").append(opinion.row);
    $("judged").hidden = true;
  }
  async function judge(x, y) {
    const name = ["critic", "critic_a", "critic_b"].find((n) => functions[n] && (n === "critic" || n === `critic_${"ba"[view.way]}`));
    if (!opinion) return;
    const { inputs, outputs } = functions[name];
    const given = Object.fromEntries(inputs.map((q) => [q.name, q.name === "x" && name === "critic" ? x : y]));
    // A judge of images of one size has nothing to say of others.
    const fits = inputs.every((q) => given[q.name].data.length === q.shape.reduce((a, b) => a * b, 1));
    $("judged").hidden = !fits;
    if (!fits) return;
    const { data } = (await runAside(name, given)).outputs[outputs[0].name];
    const mean = data.reduce((a, b) => a + b, 0) / data.length;
    opinion.set(mean, outputs[0].kind === "probabilities" ? `${number(100 * mean, 0)} %` : number(mean));
  }

  function hear() {
    if (view.ms === null || untouched()) return;
    const slow = view.ms > LIVE ? ` ${say("afterstroke")}` : "";
    $("translate-heard").textContent = say("took", { time: lasting(view.ms), size: `${size.W} × ${size.H}` }) + slow;
  }

  if (drawable) {
    const width = () => (+$("pen").value * size.k * Math.min(H, W)) / 64;
    const line = (_, to) => {
      kept.now.points.push(to);
      show();
      follow();
    };
    penOn(pad.canvas, {
      begin(at) {
        kept.now = { colour: colours()[view.colour], width: width(), points: [at] };
        kept.strokes.push(kept.now);
        line(at, at);
      },
      line,
      end() {
        kept.now = null;
        if (stale && !busy) follow();
      },
      step: () => Math.max(2, width() / 2),
      tell: (key) => { $("translate-heard").textContent = say(key); },
    });
    $("undo").onclick = () => { kept.strokes.pop(); show(); follow(); };
    $("blank").onclick = empty;
    $("pen").oninput = () => { $("pen-value").textContent = $("pen").value; };
  } else document.querySelector(".tools").hidden = true;

  function pen() {
    $("pen").value = habits.palettes[view.way].only ? 1 : 2;
    $("pen-value").textContent = $("pen").value;
  }
  function palette() {
    view.colour = Math.min(view.colour, colours().length - 1);
    $("palette").replaceChildren(...colours().map((colour, i) => {
      const button = make("button", { type: "button", class: "swatch", style: `background:${colour}`, "aria-label": say("colourn", { i: i + 1, colour }), "aria-pressed": i === view.colour });
      button.onclick = () => { view.colour = i; press(button, ...[...$("palette").children].filter((b) => b !== button)); };
      return button;
    }));
  }

  // A picture from a file keeps its sides where the model takes any, and is cut to its middle elsewhere.
  function open(bitmap) {
    view.example = null;
    kept.picture = bitmap;
    resize(bitmap);
    const given = sized(shape, size.H, size.W);
    const x = pixelsOf(fitted(bitmap, size.W, size.H), given);
    // What is shown is what is read, grey where the model is.
    setBase(painted(x, given), x);
  }
  takesFiles($("translate-pane"), $("photo"), open, (text) => { $("translate-heard").textContent = text; });

  function take(i) {
    view.example = i;
    kept.picture = null;
    view.factor = 1;
    resize();
    const x = examples[view.way][i];
    if ($("target") && targets[i]) new Painter($("target"), made).paint(targets[i]);
    setBase(painted(x, shape), x);
    factors();
  }
  let targets = [];
  function tiles() {
    $("given-block").hidden = !examples[view.way].length;
    $("given-name").textContent = say(habits.lent ? "lentgiven" : "examples");
    $("given-examples").replaceChildren(...examples[view.way].map((x, i) => tileOf(shape, x, 0, say("exampletranslate", { i: i + 1 }), () => take(i))));
  }
  const ready = Promise.all([...habits.examples.map((sheet) => sheetOf(sheet, shape)), sheetOf(habits.targets, made)]).then(([a, b, t]) => {
    examples = [a, b];
    targets = t;
    if ($("target-figure")) $("target-figure").hidden = !targets.length;
    tiles();
    if (!kept.strokes.length && view.example === null && !kept.picture) start();
  });
  const start = () => (examples[view.way].length ? take(Math.min(view.asked || 0, examples[view.way].length - 1)) : empty());

  function turn(to) {
    view.way = to;
    view.example = null;
    if (back) press($(`way-${to}`), $(`way-${1 - to}`));
    pen();
    palette();
    tiles();
    labels();
    if (kept.picture) open(kept.picture);
    else start();
  }
  if (back) [0, 1].forEach((i) => { $(`way-${i}`).onclick = () => turn(i); });
  function factors() {
    $("factors").hidden = !free;
    $("factors").replaceChildren(...FACTORS.map((f) => {
      const button = make("button", { type: "button", text: f === 1 ? say("asfitted", { size: `${W} × ${H}` }) : `${f} ×`, "aria-pressed": f === view.factor });
      button.onclick = () => { view.factor = f; factors(); if (kept.picture) open(kept.picture); else empty(); };
      return button;
    }));
  }

  function labels() {
    const [from, to] = view.way ? [names[1], names[0]] : names;
    $("sketch-caption").textContent = say(drawable ? "sketchcap" : "inputcap") + (back ? ` (${from})` : "");
    $("translated-caption").textContent = back ? say("becomes", { name: to }) : say("output");
    $("translated").setAttribute("aria-label", $("translated-caption").textContent);
    if (back) {
      $("returned-caption").textContent = say("andback", { name: from });
      $("returned").setAttribute("aria-label", $("returned-caption").textContent);
      [0, 1].forEach((i) => { $(`way-${i}`).textContent = i ? `${names[1]} → ${names[0]}` : `${names[0]} → ${names[1]}`; });
    }
  }
  $("keep").onclick = (event) => {
    if (untouched()) event.preventDefault();
    Object.assign($("keep"), { href: $("translated").toDataURL("image/png"), download: "translated.png" });
  };
  resize();
  pen();
  part({
    words() {
      labels();
      palette();
      tiles();
      factors();
      hear();
      $("keep").textContent = say("savepng");
      if (opinion) opinion.label.textContent = say("takenforreal");
      const fit = say(free ? "freesize" : "cropped", { size: `${W} × ${H}`, k: free });
      $("translate-text").textContent = [say(back ? "cyclecap" : "translatecap"), fit, ...(opinion ? [say("judgecap")] : [])].join(" ");
    },
    remember(params) {
      if (view.way) params.set("way", view.way);
      if (view.example) params.set("example", view.example + 1);
    },
    recall(params) {
      const [to, i] = [+params.get("way") || 0, (+params.get("example") || 1) - 1];
      view.asked = Math.max(0, Math.round(i));
      if (to === view.way && (i === (view.example || 0) || params.get("example") === null)) return;
      view.way = back && to === 1 ? 1 : 0;
      ready.then(() => turn(view.way));
    },
  });
  if (back) press($("way-0"), $("way-1"));
  state.translating = { view, kept, busy: () => busy };
}
begin(startTranslate);
