// What the encoder reads: a drawing, a file's picture, a test image, or a row of a table.
const PAD_SIDE = 280;
const NEIGHBOURS = 15;
// From which on a pixel of 0 to 255 belongs to what is drawn, as where the data were measured.
const INK = 51;

function encode(x) {
  const { inputs, outputs } = state.model.functions.encode;
  const given = { [inputs[0].name]: x };
  if (inputs[1]) given[inputs[1].name] = state.y;
  return state.model.run("encode", given)[outputs[0].name].data;
}

function startEncode() {
  const { encode: known } = state.model.functions;
  if (!known || !decoder.made) return;
  if (known.inputs[0].kind === "image") encodePictures(known.inputs[0].shape);
  else encodeRows(known.inputs[0]);
}

// Which class the nearest codes have, as most of them say.
function neighbours(z) {
  if (!SCENE.labels || decoder.given) return null;
  const codes = neighbours.codes || (neighbours.codes = unpacked(SCENE.codes).rows);
  const gaps = codes.map((c, i) => [c.reduce((s, v, j) => s + (v - z[j]) ** 2, 0), SCENE.labels[i]]);
  const votes = {};
  gaps.sort((a, b) => a[0] - b[0]).slice(0, NEIGHBOURS).forEach(([, c]) => { votes[c] = (votes[c] || 0) + 1; });
  const most = Object.keys(votes).sort((a, b) => votes[b] - votes[a])[0];
  return SCENE.classes[most];
}
// What was last said of what was read: sentences by key, said anew in the other language.
let heard = [["hint"]];
function hear(...sentences) {
  heard = sentences;
  $("heard").textContent = heard.map(([key, values]) => say(key, values)).join(" ");
}
function found(z) {
  const name = neighbours(z);
  return name === null ? ["encoded"] : ["nearcodes", { name }];
}
function read(x) {
  const z = encode(x).slice();
  state.z.set(z);
  state.input = x;
  changed("encode");
  state.input = x;
  hear(found(z));
  return z;
}

function encodePictures(shape) {
  const { C, H, W } = layoutOf(shape);
  const habit = PAGE.habit || { ground: 0, size: 0, centre: "none", pen: Math.max(H, W) / 12 };
  const drawable = C === 1 && Math.max(H, W) <= 64;
  const ground = habit.ground ? "#fff" : "#000";
  const ink = habit.ground ? "#000" : "#fff";
  const pad = $("pad");
  pad.height = Math.round((PAD_SIDE * H) / W);
  const on = pad.getContext("2d", { willReadFrequently: true });
  const small = make("canvas", { width: W, height: H }).getContext("2d", { willReadFrequently: true });
  const seen = new Painter($("read"), shape);
  const back = new Painter($("rebuilt"), shape);
  const scale = PAD_SIDE / W;
  // A pen a little wider than the data's lines, as drawings are made smaller.
  const width = habit.pen * scale;
  let empty = true;
  $("drawn").classList.toggle("bright", Boolean(habit.ground));
  if (!drawable) { pad.tabIndex = -1; pad.style.cursor = "default"; }

  function wipe() {
    on.fillStyle = ground;
    on.fillRect(0, 0, pad.width, pad.height);
    empty = true;
    $("placeholder").hidden = false;
  }
  // The noise that the model learnt to take away; a picture keeps its draw while the level moves.
  const { noise } = SCENE;
  const hiss = noise && new Float32Array(C * H * W);
  const redraw = () => { if (noise) hiss.forEach((_, i) => { hiss[i] = noise.kind === "gaussian" ? gaussian() : Math.random(); }); };
  const noisy = {
    gaussian: (v, e, s) => Math.min(1, Math.max(0, v + s * e)),
    masking: (v, u, s) => (u < s ? 0 : v),
    salt_and_pepper: (v, u, s) => (u < s / 2 ? 1 : u < s ? 0 : v),
  };
  let clean = null;
  function show(x) {
    clean = x;
    const given = noise ? x.map((v, i) => noisy[noise.kind](v, hiss[i], +$("noise").value)) : x;
    seen.paint(given);
    const z = read(given);
    back.paint(decode(z));
  }
  if (noise) {
    redraw();
    $("noise").max = Math.max(1, noise.level);
    $("noise").value = noise.level;
    $("noise").oninput = () => {
      $("noise-value").textContent = (+$("noise").value).toFixed(2);
      if (clean) show(clean);
    };
    $("noise").oninput();
  }
  // As in the training data: its size, and its place.
  function drawing() {
    const image = on.getImageData(0, 0, pad.width, pad.height).data;
    const [low, high] = [[pad.width, pad.height], [0, 0]];
    let [mass, mx, my] = [0, 0, 0];
    for (let y = 0; y < pad.height; y += 2) for (let x = 0; x < pad.width; x += 2) {
      const v = Math.abs(image[4 * (y * pad.width + x)] - 255 * habit.ground);
      if (v < INK) continue;
      low[0] = Math.min(low[0], x); high[0] = Math.max(high[0], x + 2);
      low[1] = Math.min(low[1], y); high[1] = Math.max(high[1], y + 2);
      mass += v; mx += v * (x + 1); my += v * (y + 1);
    }
    if (!mass) return null;
    const size = habit.size ? habit.size / Math.max(high[0] - low[0], high[1] - low[1], 1.5 * width) : 1 / scale;
    const middle = habit.centre === "mass" ? [mx / mass, my / mass] : [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2];
    small.setTransform(1, 0, 0, 1, 0, 0);
    small.fillStyle = ground;
    small.fillRect(0, 0, W, H);
    small.imageSmoothingEnabled = true;
    small.imageSmoothingQuality = "high";
    if (habit.size) small.setTransform(size, 0, 0, size, W / 2 - size * middle[0], H / 2 - size * middle[1]);
    else small.setTransform(size, 0, 0, size, 0, 0);
    small.drawImage(pad, 0, 0);
    return pixelsOf(small, shape);
  }
  let waiting = false;
  function follow() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      const x = drawing();
      if (x) show(x);
    });
  }

  function line(from, to) {
    on.strokeStyle = ink;
    on.lineWidth = width;
    on.lineCap = on.lineJoin = "round";
    on.beginPath();
    on.moveTo(...from);
    on.lineTo(...to);
    on.stroke();
    empty = false;
    $("placeholder").hidden = true;
    follow();
  }
  if (drawable) {
    penOn(pad, {
      begin(place) {
        if (fresh) wipe();
        fresh = false;
        line(place, place);
      },
      line,
      end() {},
      step: () => width / 2,
      tell: (key) => hear([key]),
    });
  }
  // Whether the pad shows a picture that was not drawn on it.
  let fresh = false;
  $("clear").onclick = () => {
    wipe();
    clean = null;
    redraw();
    hear(["hint"]);
  };

  function take(x, y = null) {
    if (y) state.y.set(y);
    redraw();
    const canvas = make("canvas");
    new Painter(canvas, shape).paint(x);
    on.imageSmoothingEnabled = Math.max(H, W) > 32;
    on.drawImage(canvas, 0, 0, pad.width, pad.height);
    empty = false;
    fresh = true;
    $("placeholder").hidden = true;
    show(x);
  }
  // The middle of a picture, brought to the model's size; where its ground is the other way, inverted.
  async function open(file) {
    const name = file.name;
    let bitmap;
    try {
      bitmap = await createImageBitmap(file);
    } catch {
      hear(["nopicture", { name }]);
      return;
    }
    const ratio = Math.min(bitmap.width / W, bitmap.height / H);
    // Halved step by step, so that no pixel is passed over.
    let canvas = make("canvas", { width: Math.round(W * ratio), height: Math.round(H * ratio) });
    canvas.getContext("2d").drawImage(bitmap, (W * ratio - bitmap.width) / 2, (H * ratio - bitmap.height) / 2);
    const traced = drawable && habit.size;
    while (canvas.width > 2 * (traced ? pad.width : W)) {
      const half = make("canvas", { width: Math.ceil(canvas.width / 2), height: Math.ceil(canvas.height / 2) });
      half.getContext("2d").drawImage(canvas, 0, 0, half.width, half.height);
      canvas = half;
    }
    if (traced) { trace(canvas); return; }
    small.setTransform(1, 0, 0, 1, 0, 0);
    small.imageSmoothingQuality = "high";
    small.drawImage(canvas, 0, 0, W, H);
    take(pixelsOf(small, shape));
  }
  // Of data that have a size and a place, a file's picture is taken for a drawing.
  function trace(canvas) {
    on.imageSmoothingEnabled = true;
    on.drawImage(canvas, 0, 0, pad.width, pad.height);
    const image = on.getImageData(0, 0, pad.width, pad.height);
    const grey = pixelsOf(on, [pad.height, pad.width]);
    const inverted = Math.abs(edge(grey, pad.height, pad.width) - habit.ground) > 0.5;
    grey.forEach((v, i) => image.data.fill(255 * (inverted ? 1 - v : v), 4 * i, 4 * i + 3));
    on.putImageData(image, 0, 0);
    empty = false;
    fresh = true;
    $("placeholder").hidden = true;
    const x = drawing();
    if (x) show(x);
    if (inverted) hear(...heard, ["inverted"]);
  }
  function edge(x, height, width) {
    let [sum, n] = [0, 0];
    for (let i = 0; i < height; i++) for (let j = 0; j < width; j++) if (i % (height - 1) === 0 || j % (width - 1) === 0) { sum += x[i * width + j]; n++; }
    return sum / n;
  }
  $("file").onchange = () => { if ($("file").files.length) open($("file").files[0]); $("file").value = ""; };
  const pane = $("encode-pane");
  pane.ondragover = (event) => { event.preventDefault(); pane.classList.add("over"); };
  pane.ondragleave = () => pane.classList.remove("over");
  pane.ondrop = (event) => {
    event.preventDefault();
    pane.classList.remove("over");
    if (event.dataTransfer.files.length) open(event.dataTransfer.files[0]);
  };

  let tests = [];
  let next = 0;
  sheetOf(PAGE.images.tested, shape).then((images) => {
    tests = images;
    $("examples").hidden = !tests.length;
    $("example").hidden = !tests.length;
    labels();
  });
  $("example").hidden = true;
  $("example").onclick = () => { take(tests[next % tests.length], knownClass(next % tests.length)); next++; };
  function labels() {
    $("examples").replaceChildren(...tests.map((x, i) => tileOf(shape, x, 0, say("exampletile", { i: i + 1 }), () => take(x, knownClass(i)))));
  }
  wipe();
  new Painter($("rebuilt"), shape).paint(new Float32Array(C * H * W).fill(habit.ground));
  seen.paint(new Float32Array(C * H * W).fill(habit.ground));
  part({
    words() {
      const k = state.z.length;
      const kept = noise ? say("denoised") : k === 1 ? say("rebuilt/one") : say("rebuilt", { k });
      $("rebuilt-caption").textContent = kept;
      $("rebuilt").setAttribute("aria-label", kept);
      $("placeholder").textContent = say(drawable ? "here" : "drop");
      $("h-encode").textContent = say(drawable ? "draw" : "open");
      const size = habit.size ? say(`habit/${habit.centre === "mass" ? "mass" : "box"}`, { size: Math.round(habit.size) }) : say("habit/none");
      $("encode-caption").textContent = [say("drawcap"), ...(drawable ? [size] : []), say("cropped", { size: `${W} × ${H}` })].join(" ");
      hear(...heard);
      labels();
    },
  });
}

function encodeRows({ shape, names }) {
  const inputs = Array.from({ length: shape[0] }, (_, j) => {
    const name = names[j] || `x${j + 1}`;
    const input = make("input", { class: "input", inputmode: "decimal", autocomplete: "off" });
    $("values").append(make("label", {}, name, input));
    return { name, input };
  });
  const fill = () => inputs.forEach(({ input }, j) => { input.value = +state.made[j].toPrecision(4); input.removeAttribute("aria-invalid"); });
  $("take").onclick = fill;
  $("values").onsubmit = (event) => {
    event.preventDefault();
    const x = Float32Array.from(inputs, ({ input }) => (input.value.trim() === "" ? NaN : Number(input.value.replace("−", "-"))));
    const wrong = inputs.findIndex((_, j) => !Number.isFinite(x[j]));
    inputs.forEach(({ input }, j) => input.setAttribute("aria-invalid", j === wrong));
    if (wrong >= 0) {
      hear(["badnumber", { name: inputs[wrong].name }]);
      inputs[wrong].input.focus();
      return;
    }
    read(x);
  };
  part({
    update() { if (!this.filled) { this.filled = true; fill(); } },
    words() { hear(...heard); },
  });
}
begin(startEncode);
