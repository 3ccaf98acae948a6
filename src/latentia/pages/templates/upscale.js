// Super-resolution: a small picture whole, in overlapping tiles as the library does, beside bicubic.
const MOST_SIDE = 384;
// Keys's kernel with a = −1/2, as Pillow has it; where it leaves the picture it is weighed anew.
const cubic = (t) => (t < 1 ? 1.5 * t ** 3 - 2.5 * t ** 2 + 1 : t < 2 ? -0.5 * t ** 3 + 2.5 * t ** 2 - 4 * t + 2 : 0);

// Enlarges along one axis: `n` places `step` apart of each of the lines that begin at `starts`.
function stretched(x, lines, n, step, scale, out, place) {
  for (let i = 0; i < n * scale; i++) {
    const centre = (i + 0.5) / scale - 0.5;
    const taps = [];
    let sum = 0;
    for (let j = Math.max(0, Math.floor(centre) - 1); j <= Math.min(n - 1, Math.floor(centre) + 2); j++) {
      taps.push([j, cubic(Math.abs(centre - j))]);
      sum += taps.at(-1)[1];
    }
    for (let l = 0; l < lines.length; l++) {
      let v = 0;
      for (const [j, w] of taps) v += w * x[lines[l] + j * step];
      out[place(l, i)] = v / sum;
    }
  }
}
// (C, H, W) numbers in [0, 1] enlarged by bicubic interpolation.
function bicubic(x, C, H, W, scale) {
  const wide = new Float32Array(C * H * W * scale);
  stretched(x, Array.from({ length: C * H }, (_, r) => r * W), W, 1, scale, wide, (r, i) => r * W * scale + i);
  const V = W * scale;
  const out = new Float32Array(C * H * scale * V);
  const columns = Array.from({ length: C * V }, (_, q) => Math.floor(q / V) * H * V + (q % V));
  stretched(wide, columns, H, V, scale, out, (q, i) => (Math.floor(q / V) * H * scale + i) * V + (q % V));
  for (let i = 0; i < out.length; i++) out[i] = Math.min(1, Math.max(0, out[i]));
  return out;
}

// Where tiles begin along a side, and their weights there, which sum to 1: those of the library.
function tiling(length, { tile, overlap, reach, scale }) {
  const side = Math.min(tile, length);
  const starts = [];
  for (let s = 0; s < length - side; s += tile - overlap) starts.push(s);
  starts.push(length - side);
  const rise = (place, shared) => {
    const left = reach * scale;
    const out = shared >= 2 * left ? left : Math.floor(shared / 4);
    return Math.min(1, Math.max(0, (place - out) / Math.max(1, shared - 2 * out)));
  };
  const total = new Float64Array(length * scale);
  const ramps = starts.map((start, row) => {
    const ramp = new Float64Array(side * scale).fill(1);
    for (let i = 0; i < ramp.length; i++) {
      if (row > 0) ramp[i] *= rise(i + 0.5, (starts[row - 1] + side - start) * scale);
      if (row < starts.length - 1) ramp[i] *= rise(ramp.length - i - 0.5, (start + side - starts[row + 1]) * scale);
      total[start * scale + i] += ramp[i];
    }
    return ramp;
  });
  ramps.forEach((ramp, row) => ramp.forEach((_, i) => { ramp[i] /= total[starts[row] * scale + i]; }));
  return { side, starts, ramps };
}

// A picture in any layout as (C, H, W).
function inPlanes(x, shape) {
  const { C, H, W, c, p } = layoutOf(shape);
  const out = new Float32Array(C * H * W);
  for (let k = 0; k < C; k++) for (let i = 0; i < H * W; i++) out[k * H * W + i] = x[k * c + i * p];
  return out;
}

function startUpscale() {
  const known = state.model.functions.upscale;
  if (!known) return;
  const [input] = known.inputs;
  const [output] = known.outputs;
  const { C } = layoutOf(input.shape);
  const habits = PAGE.enlarging;
  const { scale, tile, reach } = habits;
  const cut = { tile, reach, scale, overlap: Math.min(2 * reach, Math.floor(tile / 2)) };
  const planes = (H, W) => [C, H, W];
  const view = { at: 0.5, before: "bicubic", stop: false, running: 0, name: "", size: null, ms: null, example: null };
  const shown = { small: null, bicubic: null, sharp: null, made: null };
  const learnt = PAGE.family !== "Bicubic";
  if (!learnt) view.before = "small";

  function paint(id, data, H, W) {
    new Painter($(id), planes(H, W)).paint(data);
    $(id).classList.remove("crisp");
  }
  function paintBefore() {
    if (!view.size) return;
    const { H, W } = view.size;
    if (view.before === "small") paint("before", shown.small, H, W);
    else paint("before", shown[view.before] || shown.bicubic, H * scale, W * scale);
    $("before").classList.toggle("crisp", view.before === "small");
  }
  function befores() {
    const kinds = ["small", ...(learnt ? ["bicubic"] : []), ...(shown.sharp ? ["sharp"] : [])];
    if (!kinds.includes(view.before)) view.before = learnt ? "bicubic" : "small";
    $("befores").replaceChildren(...kinds.map((kind) => {
      const button = make("button", { type: "button", text: say(`before/${kind}`), "aria-pressed": kind === view.before });
      button.onclick = () => { view.before = kind; befores(); paintBefore(); changed("upscale"); };
      return button;
    }));
    $("before-name").textContent = say(`before/${view.before}`);
    $("before").setAttribute("aria-label", say(`before/${view.before}`));
  }

  // A net of the user's own may take one size only: then pictures are cut to it.
  async function enlarge(x, H, W) {
    const mine = ++view.running;
    const [rows, columns] = [tiling(H, cut), tiling(W, cut)];
    const [V, U] = [W * scale, H * scale];
    const sum = shown.bicubic.slice();
    const weight = new Float32Array(U * V);
    const total = new Float32Array(C * U * V);
    const n = rows.starts.length * columns.starts.length;
    let done = 0;
    const began = performance.now();
    for (const [i, top] of rows.starts.entries()) for (const [j, left] of columns.starts.entries()) {
      const [h, w] = [rows.side, columns.side];
      const piece = new Float32Array(C * h * w);
      for (let k = 0; k < C; k++) for (let y = 0; y < h; y++) {
        const from = (k * H + top + y) * W + left;
        piece.set(x.subarray(from, from + w), (k * h + y) * w);
      }
      const given = fromPlanes(piece, input.shape, h, w);
      const { outputs } = await runAside("upscale", { [input.name]: given });
      if (mine !== view.running) return;
      const found = outputs[output.name];
      const large = inPlanes(found.data, found.shape.slice(1));
      for (let k = 0; k < C; k++) for (let y = 0; y < h * scale; y++) for (let z = 0; z < w * scale; z++) {
        const share = rows.ramps[i][y] * columns.ramps[j][z];
        const to = (top * scale + y) * V + left * scale + z;
        total[k * U * V + to] += share * large[(k * h * scale + y) * w * scale + z];
        if (k === 0) weight[to] += share;
      }
      done++;
      for (let k = 0; k < C; k++) for (let y = top * scale; y < (top + h) * scale; y++) for (let to = y * V + left * scale; to < y * V + (left + w) * scale; to++) {
        const q = k * U * V + to;
        sum[q] = total[q] + (1 - weight[to]) * shown.bicubic[q];
      }
      paint("after", sum, U, V);
      $("progress").value = done / n;
      if (n > 1) $("upscale-heard").textContent = say("tiles", { done, n });
    }
    finish(sum, performance.now() - began);
  }
  function fromPlanes(x, shape, h, w) {
    const wanted = sized(shape, h, w);
    const { c, p } = layoutOf(wanted);
    if (p === 1) return { data: x, shape: [1, ...wanted] };
    const data = new Float32Array(x.length);
    for (let k = 0; k < C; k++) for (let i = 0; i < h * w; i++) data[k * c + i * p] = x[k * h * w + i];
    return { data, shape: [1, ...wanted] };
  }
  function finish(made, ms) {
    shown.made = made;
    view.ms = ms;
    working(false);
    hear();
    changed("upscale");
  }
  function working(on) {
    for (const id of ["stop", "progress"]) $(id).hidden = !on;
    $("progress").value = 0;
    $("save").disabled = on;
  }
  function fits() {
    const { H, W } = layoutOf(input.shape);
    if (!input.free) return say("onlysize", { size: `${W} × ${H}` });
    return say(C === 1 ? "greyonly" : "whole", { most: MOST_SIDE });
  }
  function hear() {
    if (view.ms === null || !view.size) return;
    const { H, W, from } = view.size;
    const sizes = { from: `${W} × ${H}`, to: `${W * scale} × ${H * scale}`, time: lasting(view.ms) };
    const shrunk = from ? `${say("shrunk", { name: view.name, from, to: sizes.from })} ` : "";
    $("upscale-heard").textContent = shrunk + say("enlarged", sizes);
  }

  async function show(x, H, W, sharp = null, from = null) {
    Object.assign(shown, { small: x, sharp, bicubic: bicubic(x, C, H, W, scale), made: null });
    Object.assign(view, { size: { H, W, from }, ms: null });
    // No more than eight times as large as it is, and never higher than the window.
    const wide = `min(60rem, ${8 * W * scale}px, calc(70vh * ${W / H}))`;
    for (const id of ["stage", "sides"]) $(id).style.maxWidth = wide;
    befores();
    paintBefore();
    paint("after", shown.bicubic, H * scale, W * scale);
    working(true);
    try {
      await enlarge(x, H, W);
    } catch (error) {
      working(false);
      $("upscale-heard").textContent = say("tookwrong", { why: error.message });
    }
  }
  $("stop").onclick = () => {
    view.running++;
    working(false);
    $("upscale-heard").textContent = say("cancelled");
  };

  async function open(bitmap, name) {
    const { H, W } = layoutOf(input.shape);
    let [h, w] = [bitmap.height, bitmap.width];
    const most = Math.max(h, w);
    if (!input.free) [h, w] = [H, W];
    else if (most > MOST_SIDE) [h, w] = [h, w].map((v) => Math.max(1, Math.round((v * MOST_SIDE) / most)));
    view.name = name;
    view.example = null;
    const context = fitted(bitmap, w, h);
    const smaller = h * w < bitmap.height * bitmap.width ? `${bitmap.width} × ${bitmap.height}` : null;
    await show(inPlanes(pixelsOf(context, planes(h, w)), planes(h, w)), h, w, null, smaller);
  }
  takesFiles($("upscale-pane"), $("small"), open, (text) => { $("upscale-heard").textContent = text; });

  function move(at) {
    view.at = Math.min(1, Math.max(0, at));
    $("stage").style.setProperty("--at", `${100 * view.at}%`);
    const divider = $("divider");
    divider.setAttribute("aria-valuenow", Math.round(100 * view.at));
    divider.setAttribute("aria-valuetext", say("dividerat", { share: Math.round(100 * view.at) }));
  }
  const stage = $("stage");
  const follow = (event) => {
    const box = stage.getBoundingClientRect();
    move((event.clientX - box.left) / box.width);
    changed("upscale");
  };
  stage.onpointerdown = (event) => { stage.setPointerCapture(event.pointerId); view.held = true; follow(event); };
  stage.onpointermove = (event) => { if (view.held) follow(event); };
  stage.onpointerup = stage.onpointercancel = () => { view.held = false; };
  $("divider").onkeydown = (event) => {
    const way = { ArrowLeft: -0.02, ArrowDown: -0.02, ArrowRight: 0.02, ArrowUp: 0.02, PageDown: -0.1, PageUp: 0.1, Home: -1, End: 1 }[event.key];
    if (!way) return;
    event.preventDefault();
    move(view.at + way);
    changed("upscale");
  };

  $("save").onclick = () => {
    const name = (view.name || "picture").replace(/\.[^.]*$/, "");
    $("after").toBlob((blob) => {
      const link = make("a", { href: URL.createObjectURL(blob), download: `${name}-${scale}x.png` });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    }, "image/png");
  };

  let smalls = [];
  let sharps = [];
  const sides = habits.examples ? habits.examples.sides : [1, 1];
  const large = sides.map((v) => v * scale);
  const take = (i) => {
    view.example = i;
    view.name = `example-${i + 1}`;
    show(smalls[i], ...sides, sharps[i] || null);
  };
  const tiles = () => {
    $("small-block").hidden = !smalls.length;
    $("smalls-name").textContent = say(habits.lent ? "lentsmalls" : "smalls");
    $("smalls").replaceChildren(...smalls.map((x, i) => tileOf(planes(...sides), x, 0, say("exampleupscale", { i: i + 1 }), () => take(i))));
  };
  const examples = habits.examples || {};
  Promise.all([sheetOf(examples.small, planes(...sides)), sheetOf(examples.sharp, planes(...large))]).then(([a, b]) => {
    [smalls, sharps] = [a, b];
    tiles();
    if (smalls.length && !view.size) take(0);
  });
  working(false);
  $("save").disabled = true;
  part({
    words() {
      befores();
      tiles();
      move(view.at);
      hear();
      if (!view.size) $("upscale-heard").textContent = say("nosmall");
      $("after-name").textContent = say("after");
      $("upscale-text").textContent = [say("upscalecap", { scale }), fits()].join(" ");
    },
    remember(params) {
      if (view.at !== 0.5) params.set("divider", view.at.toFixed(2));
      if (view.before !== "bicubic") params.set("before", view.before);
    },
    recall(params) {
      const at = Number(params.get("divider") ?? 0.5);
      if (Number.isFinite(at)) move(at);
      const before = params.get("before");
      if (["small", "bicubic", "sharp"].includes(before)) view.before = before;
    },
  });
  state.enlarging = { view, shown };
}
begin(startUpscale);
