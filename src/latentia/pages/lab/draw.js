// The plane, and on the line the game as figure 1 of Goodfellow et al. 2014 has it.
const small = document.createElement("canvas");
let palette = {};
const hex = (text) => [1, 3, 5].map((i) => parseInt(text.slice(i, i + 2), 16));
function readPalette() {
  palette = { cold: hex(colour("--hf")), mid: hex(colour("--hm")), warm: hex(colour("--hr")) };
  for (const name of ["dat", "gen", "ink", "soft", "line", "edge", "card", "fig1", "fig2", "fig3", "fig4", "sunk"]) palette[name] = colour(`--${name}`);
}
// A canvas of the size at which it stands, in the pixels of the screen.
function opened(canvas) {
  const ratio = Math.min(2, devicePixelRatio || 1), size = Math.max(1, Math.round(canvas.clientWidth * ratio));
  if (canvas.width !== size) canvas.width = canvas.height = size;
  const context = canvas.getContext("2d");
  context.setTransform(size / 1000, 0, 0, size / 1000, 0, 0);
  return context;
}
const X = (x) => ((x + VIEW) / (2 * VIEW)) * 1000;
const Y = (y) => 1000 - X(y);

// The field's values in [0, 1], and whether it has two sides.
function shades(seen) {
  const { set, shows } = state;
  if (shows.field === "none") return null;
  if (JUDGED[set.game] && shows.field === "best") return latest.measured?.best ? { v: latest.measured.best, two: true } : null;
  const v = seen.field;
  if (set.game === "gan") return { v: Float32Array.from(v, logistic), two: true };
  if (JUDGED[set.game]) {
    let a = 0, b = 0;
    for (const q of v) a += q / v.length;
    for (const q of v) b += (q - a) ** 2 / v.length;
    const scale = 1.5 / Math.sqrt(b + 1e-12);
    return { v: Float32Array.from(v, (q) => logistic((q - a) * scale)), two: true };
  }
  if (isLinear(set)) return { v, two: false };
  return { v: Float32Array.from(v, (q) => Math.exp(-q / 0.08)), two: false };
}
function heat(context, seen) {
  context.fillStyle = `rgb(${palette.mid})`;
  context.fillRect(0, 0, 1000, 1000);
  const shade = shades(seen);
  if (!shade) return;
  small.width = small.height = GRID;
  const picture = new ImageData(GRID, GRID), { cold, mid, warm } = palette;
  for (let i = 0; i < GRID * GRID; i++) {
    const v = shade.v[i], p = v < 0 ? 0.5 : shade.two ? Math.min(1, Math.max(0, (v - 0.5) / 0.6 + 0.5)) : 0.5 + v / 2;
    const [from, to, t] = p < 0.5 ? [cold, mid, 2 * p] : [mid, warm, 2 * p - 1], at = 4 * ((GRID - 1 - Math.floor(i / GRID)) * GRID + (i % GRID));
    for (let c = 0; c < 3; c++) picture.data[at + c] = from[c] + (to[c] - from[c]) * t;
    picture.data[at + 3] = 255;
  }
  small.getContext("2d").putImageData(picture, 0, 0);
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = "high";
  context.drawImage(small, 0, 0, 1000, 1000);
}
function dots(context, v, fill, radius, alpha) {
  context.globalAlpha = alpha;
  context.fillStyle = fill;
  context.beginPath();
  for (let i = 0; i < v.length; i += 2) {
    const x = X(v[i]), y = Y(v[i + 1]);
    context.moveTo(x + radius, y);
    context.arc(x, y, radius, 0, 7);
  }
  context.fill();
  context.globalAlpha = 1;
}
function arrow(context, x, y, u, w) {
  const r = Math.hypot(u - x, w - y);
  if (r < 4) return;
  const c = (u - x) / r, s = (w - y) / r, head = Math.min(8, r / 2);
  context.moveTo(x, y);
  context.lineTo(u, w);
  context.moveTo(u - head * (c + s * 0.6), w - head * (s - c * 0.6));
  context.lineTo(u, w);
  context.lineTo(u - head * (c - s * 0.6), w - head * (s + c * 0.6));
}
// The mean gradient of a sample under which arrows shorten, rather than fill the plane: what vanishes is seen to.
const FAINT = 0.03 / 128;
// Where each sample is pulled: against the gradient of the generator's loss, the longest as long as a tenth of the plane.
function pulls(context, seen) {
  const { from, pull } = seen, n = Math.min(56, from.length / 2);
  let longest = FAINT;
  for (let i = 0; i < n; i++) longest = Math.max(longest, Math.hypot(pull[2 * i], pull[2 * i + 1]));
  context.strokeStyle = palette.ink;
  context.lineWidth = 2;
  context.lineCap = "round";
  context.beginPath();
  for (let i = 0; i < n; i++) {
    const g = Math.hypot(pull[2 * i], pull[2 * i + 1]), k = g > 0 ? (95 * Math.sqrt(g / longest)) / g : 0;
    arrow(context, X(from[2 * i]), Y(from[2 * i + 1]), X(from[2 * i]) - k * pull[2 * i], Y(from[2 * i + 1]) + k * pull[2 * i + 1]);
  }
  context.stroke();
}
// The lines of the latent grid, coloured by the coordinate that stays: in z straight, in x as the generator bends them.
function gridLines(context, map, at, width) {
  context.lineWidth = width;
  for (let way = 0, p = 0; way < 2; way++) for (let i = 0; i < LINES; i++) {
    context.strokeStyle = way ? palette.fig4 : palette.fig3;
    context.globalAlpha = i === (LINES - 1) / 2 ? 1 : 0.35 + 0.5 * (1 - Math.abs((2 * i) / (LINES - 1) - 1));
    context.beginPath();
    for (let j = 0; j < ALONG; j++, p += 2) context[j ? "lineTo" : "moveTo"](...at(map[p], map[p + 1]));
    context.stroke();
  }
  context.globalAlpha = 1;
}
function curve(context, map, d) {
  context.lineWidth = 5;
  context.strokeStyle = palette.fig3;
  context.lineJoin = "round";
  context.beginPath();
  for (let i = 0; i < map.length; i += d) context[i ? "lineTo" : "moveTo"](X(map[i]), Y(map[i + 1]));
  context.stroke();
}
function drawPlane(seen) {
  const context = opened($("plane"));
  if (state.set.data === "line") return drawLine(context, seen);
  const { set, shows } = state;
  heat(context, seen);
  dots(context, latest.shown, palette.dat, 4, 0.6);
  const rebuilds = seen.again && set.game !== "vae";
  if (rebuilds) {
    context.strokeStyle = palette.gen;
    context.globalAlpha = 0.5;
    context.lineWidth = 2;
    context.beginPath();
    for (let i = 0; i < seen.again.length; i += 2) { context.moveTo(X(seen.from[i]), Y(seen.from[i + 1])); context.lineTo(X(seen.again[i]), Y(seen.again[i + 1])); }
    context.stroke();
    context.globalAlpha = 1;
    dots(context, seen.again, palette.gen, 5, 0.85);
  } else dots(context, seen.samples, palette.gen, 5, 0.75);
  if (seen.line) {
    const { m, W } = seen.line, r = Math.hypot(...W), k = set.game === "pca" ? 6 / r : 2;
    context.strokeStyle = palette.fig3;
    context.lineWidth = 5;
    context.beginPath();
    context.moveTo(X(m[0] - k * W[0]), Y(m[1] - k * W[1]));
    context.lineTo(X(m[0] + k * W[0]), Y(m[1] + k * W[1]));
    context.stroke();
  } else if (set.k === 1 && (shows.map || !JUDGED[set.game])) curve(context, seen.map, 2);
  else if (shows.map) gridLines(context, seen.map, (x, y) => [X(x), Y(y)], 2.2);
  if (shows.arrows && seen.pull) pulls(context, seen);
  if (set.data === "drawn" && cursor.shown) cross(context);
}
// The line: densities above, D between 0 and 1 over them, and below where the generator sends z.
function drawLine(context, seen) {
  const { shows } = state, measured = latest.measured, floor = 640, high = 560, top = floor - high;
  context.fillStyle = `rgb(${palette.mid})`;
  context.fillRect(0, 0, 1000, 1000);
  const n = BINS, bin = (2 * VIEW) / n, tall = 0.85 * high;
  const peak = Math.max(...Array.from(latest.p).slice(0, n)) / bin;
  const path = (values, scale) => {
    context.beginPath();
    for (let i = 0; i < n; i++) context[i ? "lineTo" : "moveTo"](((i + 0.5) * 1000) / n, floor - Math.min(high, values[i] * scale));
  };
  const area = (values, scale, fill, stroke) => {
    path(values, scale);
    context.strokeStyle = stroke;
    context.lineWidth = 4;
    context.stroke();
    context.lineTo(1000, floor);
    context.lineTo(0, floor);
    context.globalAlpha = 0.16;
    context.fillStyle = fill;
    context.fill();
    context.globalAlpha = 1;
  };
  context.strokeStyle = palette.line;
  context.lineWidth = 2;
  context.beginPath();
  for (const v of [0.5, 1]) { context.moveTo(0, floor - v * high); context.lineTo(1000, floor - v * high); }
  context.stroke();
  area(latest.p, tall / (peak * bin), palette.dat, palette.dat);
  if (measured) area(measured.q, tall / (peak * bin), palette.gen, palette.gen);
  if (JUDGED[state.set.game]) {
    const shade = shades(seen) || { v: [] };
    if (shows.field !== "none") {
      if (measured?.best) {
        context.strokeStyle = palette.fig3;
        context.setLineDash([12, 9]);
        context.lineWidth = 4;
        let open = false;
        context.beginPath();
        measured.best.forEach((v, i) => {
          if (v < 0) { open = false; return; }
          context[open ? "lineTo" : "moveTo"](((i + 0.5) * 1000) / n, floor - v * high);
          open = true;
        });
        context.stroke();
        context.setLineDash([]);
      }
      if (shows.field === "judge") {
        context.strokeStyle = palette.fig1;
        context.lineWidth = 5;
        context.beginPath();
        shade.v.forEach((v, i) => context[i ? "lineTo" : "moveTo"](((i + 0.5) * 1000) / shade.v.length, floor - v * high));
        context.stroke();
      }
    }
  }
  context.strokeStyle = palette.edge;
  context.lineWidth = 2.5;
  context.beginPath();
  for (const y of [floor, 930]) { context.moveTo(0, y); context.lineTo(1000, y); }
  context.stroke();
  // z of equal probability, and the x where each is sent.
  context.strokeStyle = palette.gen;
  context.lineWidth = 2;
  context.globalAlpha = 0.8;
  context.beginPath();
  const z = zLine(241);
  if (seen.map) for (const i of latest.lines) { context.moveTo(500 + z[i] * 200, 930); context.lineTo(X(seen.map[i]), floor + 8); }
  context.stroke();
  context.globalAlpha = 1;
  context.fillStyle = palette.ink;
  context.font = `30px ${colour("--font")}`;
  context.fillText("x", 968, floor + 36);
  context.fillText("z", 968, 966);
  if (!JUDGED[state.set.game] || shows.field === "none") return;
  context.fillStyle = palette.soft;
  context.font = `26px ${colour("--font")}`;
  context.fillText("1", 8, top + 28);
  context.fillText("½", 8, floor - high / 2 - 8);
}
function drawLatent() {
  const { set } = state, canvas = $("z"), hidden = isLinear(set) || set.k === 1;
  $("latent").hidden = hidden;
  if (hidden) return;
  const context = opened(canvas), at = (x, y) => [500 + x * 190, 500 - y * 190], map = [];
  for (let way = 0; way < 2; way++) for (let i = 0; i < LINES; i++) for (let j = 0; j < ALONG; j++) {
    const across = -2.4 + (4.8 * i) / (LINES - 1), along = -2.4 + (4.8 * j) / (ALONG - 1);
    map.push(...(way ? [across, along] : [along, across]));
  }
  context.clearRect(0, 0, 1000, 1000);
  gridLines(context, map, at, 5);
}

// Drawing data by hand: with a pointer, or with the arrow keys and the space bar.
const cursor = { x: 0, y: 0, shown: false };
function cross(context) {
  context.strokeStyle = palette.ink;
  context.lineWidth = 3;
  context.beginPath();
  context.moveTo(X(cursor.x) - 22, Y(cursor.y));
  context.lineTo(X(cursor.x) + 22, Y(cursor.y));
  context.moveTo(X(cursor.x), Y(cursor.y) - 22);
  context.lineTo(X(cursor.x), Y(cursor.y) + 22);
  context.stroke();
}
function putPoint(x, y) {
  const { points } = state.set, near = ([a, b]) => Math.hypot(a - x, b - y) < 0.1;
  if (points.length >= MOST_POINTS || points.some(near)) return;
  const exact = (v) => (place64(v) / 63) * 2 * VIEW - VIEW;
  change({ points: [...points, [exact(x), exact(y)]] });
}
function startHand() {
  const canvas = $("plane");
  let down = false;
  const put = (event) => {
    const box = canvas.getBoundingClientRect();
    putPoint((((event.clientX - box.left) / box.width) * 2 - 1) * VIEW, (1 - ((event.clientY - box.top) / box.height) * 2) * VIEW);
  };
  canvas.onpointerdown = (event) => { if (state.set.data !== "drawn") return; down = true; canvas.setPointerCapture(event.pointerId); put(event); };
  canvas.onpointermove = (event) => { if (down) put(event); };
  canvas.onpointerup = canvas.onpointercancel = () => { down = false; };
  canvas.onkeydown = (event) => {
    if (state.set.data !== "drawn") return;
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (step) {
      cursor.x = Math.max(-VIEW, Math.min(VIEW, cursor.x + 0.1 * step[0]));
      cursor.y = Math.max(-VIEW, Math.min(VIEW, cursor.y + 0.1 * step[1]));
    } else if (event.key === " ") putPoint(cursor.x, cursor.y);
    else return;
    event.preventDefault();
    cursor.shown = true;
    if (latest.seen) drawPlane(latest.seen);
  };
  canvas.onblur = () => { cursor.shown = false; if (latest.seen) drawPlane(latest.seen); };
}
