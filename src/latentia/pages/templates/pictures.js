// Pictures from files, brought to a model's size; and a pen for mouse, finger and keys.
function sized(shape, H, W) {
  const { C, c } = layoutOf(shape);
  if (shape.length === 2) return [H, W];
  return c === 1 ? [H, W, C] : [C, H, W];
}

// The middle of a picture at a size: halved step by step, so that no pixel is passed over.
function fitted(bitmap, W, H) {
  const ratio = Math.min(bitmap.width / W, bitmap.height / H);
  let canvas = make("canvas", { width: Math.max(1, Math.round(W * ratio)), height: Math.max(1, Math.round(H * ratio)) });
  canvas.getContext("2d").drawImage(bitmap, (canvas.width - bitmap.width) / 2, (canvas.height - bitmap.height) / 2);
  while (canvas.width > 2 * W && canvas.height > 2 * H) {
    const half = make("canvas", { width: Math.ceil(canvas.width / 2), height: Math.ceil(canvas.height / 2) });
    half.getContext("2d").drawImage(canvas, 0, 0, half.width, half.height);
    canvas = half;
  }
  const made = make("canvas", { width: W, height: H });
  const context = made.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, W, H);
  context.imageSmoothingQuality = "high";
  context.drawImage(canvas, 0, 0, W, H);
  return context;
}

// Calls `use(bitmap, name)` with each picture that is chosen or dropped, and `tell` where it is none.
function takesFiles(pane, input, use, tell) {
  const open = async (file) => {
    try {
      await use(await createImageBitmap(file), file.name);
    } catch (error) {
      tell(error.name === "InvalidStateError" ? say("nopicture", { name: file.name }) : error.message);
    }
  };
  input.onchange = () => {
    if (input.files.length) open(input.files[0]);
    input.value = "";
  };
  pane.ondragover = (event) => { event.preventDefault(); pane.classList.add("over"); };
  pane.ondragleave = () => pane.classList.remove("over");
  pane.ondrop = (event) => {
    event.preventDefault();
    pane.classList.remove("over");
    if (event.dataTransfer.files.length) open(event.dataTransfer.files[0]);
  };
}

// A pen on a canvas: `begin(at)`, `line(from, to)` and `end()` in the canvas's own pixels. By key the
// arrows move it, by `step()` pixels, and the space bar lowers and raises it.
function penOn(canvas, { begin, line, end, step, tell }) {
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * canvas.width, ((event.clientY - box.top) / box.height) * canvas.height];
  };
  let pen = null;
  let cursor = null;
  let down = false;
  canvas.onpointerdown = (event) => {
    canvas.setPointerCapture(event.pointerId);
    pen = at(event);
    begin(pen);
  };
  canvas.onpointermove = (event) => {
    if (!pen) return;
    for (const each of event.getCoalescedEvents ? event.getCoalescedEvents() : [event]) {
      const to = at(each);
      line(pen, to);
      pen = to;
    }
  };
  canvas.onpointerup = canvas.onpointercancel = () => {
    if (pen) end();
    pen = null;
  };
  canvas.onkeydown = (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    cursor = cursor || [canvas.width / 2, canvas.height / 2];
    if (event.key === " ") {
      event.preventDefault();
      down = !down;
      tell(down ? "pendown" : "penup");
      if (down) begin(cursor);
      else end();
    } else if (way) {
      event.preventDefault();
      const sides = [canvas.width, canvas.height];
      const to = cursor.map((v, i) => Math.min(sides[i], Math.max(0, v + way[i] * step())));
      if (down) line(cursor, to);
      cursor = to;
    }
  };
}
