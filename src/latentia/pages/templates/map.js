// A plane of z that is dragged: codes of held-out data by class, where the prior lies, or pictures.
const SIDE = 720;
const MARGIN = 18;
const GRID = 15;

function startMap() {
  if (!decoder.made) return;
  const plane = SCENE.plane;
  if (!plane) {
    if ($("map-pane")) $("map-pane").remove();
    document.querySelector(".bench").classList.add("flat");
    return;
  }
  const canvas = $("map");
  const context = canvas.getContext("2d");
  const base = make("canvas", { width: SIDE, height: SIDE });
  const ground = base.getContext("2d");
  const { project, move, reach } = plane;
  const k = state.z.length;
  const half = SIDE / 2 - MARGIN;
  const centre = SCENE.centre;
  const codes = unpacked(SCENE.codes).rows;
  const along = (z) => project.map((axis) => axis.reduce((s, a, j) => s + a * (z[j] - centre[j]), 0));
  const across = ([u, v]) => [SIDE / 2 + (u / reach[0]) * half, SIDE / 2 - (v / reach[1]) * half];
  const places = codes.map((z) => across(along(z)));
  const spot = new Float32Array(2);
  let mode = "dots";
  let lit = false;

  function spotOf() {
    for (let a = 0; a < 2; a++) {
      spot[a] = 0;
      for (let j = 0; j < k; j++) spot[a] += project[a][j] * (state.z[j] - centre[j]);
    }
    return spot;
  }
  function go(u, v) {
    const [a, b] = spotOf();
    for (let j = 0; j < k; j++) state.z[j] += move[0][j] * (u - a) + move[1][j] * (v - b);
    lit = false;
    changed("map");
  }

  function rings() {
    ground.strokeStyle = colour("--line");
    ground.lineWidth = 2;
    const origin = across(along(new Float32Array(k)));
    const [w, h] = plane.deviations.map((d, i) => (d / reach[i]) * half);
    for (let r = 1; r <= 3; r++) {
      ground.beginPath();
      ground.ellipse(...origin, r * w, r * h, 0, 0, 7);
      ground.stroke();
    }
  }
  function dots() {
    ground.fillStyle = colour("--sunk");
    ground.fillRect(0, 0, SIDE, SIDE);
    if (!codes.length) rings();
    const sums = SCENE.classes.map(() => []);
    places.forEach(([x, y], i) => {
      const c = SCENE.labels ? SCENE.labels[i] : -1;
      ground.fillStyle = colour(c < 0 ? "--c0" : `--c${c % 10}`);
      ground.globalAlpha = 0.75;
      ground.beginPath();
      ground.arc(x, y, 5, 0, 7);
      ground.fill();
      if (c >= 0) sums[c].push([x, y]);
    });
    ground.globalAlpha = 1;
    const middle = (values) => values.sort((p, q) => p - q)[Math.floor(values.length / 2)];
    if (plane.classes) sums.forEach((at, c) => { if (at.length) tag(SCENE.classes[c], middle(at.map((p) => p[0])), middle(at.map((p) => p[1]))); });
  }
  function tag(name, x, y) {
    const text = name.length > 14 ? name.slice(0, 13) + "…" : name;
    ground.font = `bold ${text.length > 2 ? 24 : 34}px system-ui, sans-serif`;
    ground.textAlign = "center";
    ground.textBaseline = "middle";
    const room = ground.measureText(text).width / 2 + 6;
    const [at, down] = [Math.min(SIDE - room, Math.max(room, x)), Math.min(SIDE - 20, Math.max(20, y))];
    ground.lineWidth = 8;
    ground.lineJoin = "round";
    ground.strokeStyle = colour("--card");
    ground.strokeText(text, at, down);
    ground.fillStyle = colour("--ink");
    ground.fillText(text, at, down);
  }

  // Pictures over the plane through z, a row of them a frame.
  let turn = 0;
  let through = null;
  function pictures() {
    const mine = ++turn;
    const size = SIDE / GRID;
    const [a, b] = spotOf();
    const z = state.z.slice();
    through = z.map((v, j) => v - move[0][j] * a - move[1][j] * b);
    const tile = make("canvas");
    const painter = new Painter(tile, decoder.shape);
    const values = decoder.shape.reduce((p, q) => p * q, 1);
    const { H, W } = painter.layout;
    const [w, h] = [size * Math.min(1, W / H), size * Math.min(1, H / W)];
    ground.fillStyle = colour("--sunk");
    ground.fillRect(0, 0, SIDE, SIDE);
    const rows = (r) => {
      if (mine !== turn || mode !== "pictures") return;
      const zs = new Float32Array(GRID * k);
      for (let c = 0; c < GRID; c++) {
        const u = (((c + 0.5) * size - SIDE / 2) / half) * reach[0];
        const v = -(((r + 0.5) * size - SIDE / 2) / half) * reach[1];
        for (let j = 0; j < k; j++) zs[c * k + j] = through[j] + move[0][j] * u + move[1][j] * v;
      }
      const made = decode(zs, GRID);
      for (let c = 0; c < GRID; c++) {
        painter.paint(made, c * values);
        ground.drawImage(tile, c * size + (size - w) / 2, r * size + (size - h) / 2, w, h);
      }
      cursor();
      if (r + 1 < GRID) requestAnimationFrame(() => rows(r + 1));
    };
    rows(0);
  }
  function moved() {
    const [a, b] = spotOf();
    return !through || through.some((t, j) => Math.abs(state.z[j] - move[0][j] * a - move[1][j] * b - t) > 1e-2);
  }

  function ring(x, y, radius, width, style) {
    context.beginPath();
    context.arc(x, y, radius, 0, 7);
    context.lineWidth = width;
    context.strokeStyle = style;
    context.stroke();
  }
  function cursor() {
    context.drawImage(base, 0, 0);
    state.pins.forEach((pin, i) => {
      const [x, y] = across(along(pin));
      context.font = "bold 22px system-ui, sans-serif";
      context.textAlign = "center";
      context.textBaseline = "middle";
      ring(x, y, 15, 2, colour("--ink"));
      context.fillStyle = colour("--card");
      context.fill();
      context.fillStyle = colour("--ink");
      context.fillText("AB"[i], x, y + 1);
    });
    const [x, y] = across(spotOf()).map((p) => Math.min(SIDE - 8, Math.max(8, p)));
    if (lit) { ring(x, y, 34, 6, colour("--warn")); }
    ring(x, y, 17, 8, "#000");
    ring(x, y, 17, 5, "#fff");
    context.fillStyle = colour("--accent");
    context.beginPath();
    context.arc(x, y, 9, 0, 7);
    context.fill();
  }
  function rebuild() {
    if (mode === "dots") dots();
    else pictures();
    cursor();
  }

  function caption() {
    const unit = say(decoder.made.kind === "row" ? "unit/row" : "unit/image");
    const [a, b] = SCENE.sliders.map(({ axis, index }, i) => (axis ? `d${i + 1}` : `z${index + 1}`));
    const lain = plane.classes ? "classes" : codes.length ? "codes" : "prior";
    const kind = mode === "pictures" ? "pictures" : lain;
    $("map-caption").textContent = say(`mapcap/${kind}`, { n: codes.length, unit, a, b });
  }

  let held = false;
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [
      ((((event.clientX - box.left) / box.width) * SIDE - SIDE / 2) / half) * reach[0],
      -((((event.clientY - box.top) / box.height) * SIDE - SIDE / 2) / half) * reach[1],
    ];
  };
  canvas.onpointerdown = (event) => { held = true; canvas.setPointerCapture(event.pointerId); go(...at(event)); };
  canvas.onpointermove = (event) => { if (held) go(...at(event)); };
  canvas.onpointerup = canvas.onpointercancel = () => { held = false; };
  canvas.onkeydown = (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!step) return;
    event.preventDefault();
    const [u, v] = spotOf();
    const size = event.shiftKey ? 0.1 : 0.025;
    go(u + step[0] * size * reach[0], v + step[1] * size * reach[1]);
  };
  const show = (which) => {
    mode = which;
    caption();
    press(...(which === "dots" ? [$("dots"), $("pictures")] : [$("pictures"), $("dots")]));
    rebuild();
  };
  if ($("dots")) {
    $("dots").onclick = () => show("dots");
    $("pictures").onclick = () => show("pictures");
    press($("dots"), $("pictures"));
  }
  if (SCENE.labels && !plane.classes) SCENE.classes.forEach((name, c) => {
    const dot = make("i", { class: "dot", style: `color: var(--c${c % 10})` });
    $("legend").append(make("li", {}, dot, name));
  });
  dots();
  part({
    update(by) {
      lit = by === "encode" || (lit && by === null);
      cursor();
    },
    rest() { if (mode === "pictures" && moved()) pictures(); },
    theme: rebuild,
    words() {
      caption();
      if ($("dots")) $("dots").textContent = say(codes.length ? "codes" : "prior");
    },
  });
}
begin(startMap);
