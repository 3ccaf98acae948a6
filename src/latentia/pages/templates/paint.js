// Images as the model has them, (H, W), (C, H, W) or (H, W, C) in [0, 1], on canvases and back.
function layoutOf(shape) {
  if (shape.length === 2) return { C: 1, H: shape[0], W: shape[1], c: 0, p: 1 };
  const [a, b, c] = shape;
  const last = (c === 1 || c === 3 || c === 4) && a !== 1 && a !== 3;
  return last ? { C: c, H: a, W: b, c: 1, p: c } : { C: a, H: b, W: c, c: b * c, p: 1 };
}

class Painter {
  constructor(canvas, shape) {
    this.layout = layoutOf(shape);
    const { H, W } = this.layout;
    canvas.width = W;
    canvas.height = H;
    canvas.classList.toggle("crisp", Math.max(H, W) <= 32);
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.image = new ImageData(W, H);
    this.image.data.fill(255);
  }
  paint(data, offset = 0) {
    const { C, H, W, c, p } = this.layout;
    const out = this.image.data;
    const step = C >= 3 ? c : 0;
    for (let i = 0, q = offset, t = 0; i < H * W; i++, q += p, t += 4) {
      out[t] = 255 * data[q];
      out[t + 1] = 255 * data[q + step];
      out[t + 2] = 255 * data[q + 2 * step];
    }
    this.context.putImageData(this.image, 0, 0);
  }
}

// Pixels of a canvas of the image's size, as the model has them.
function pixelsOf(context, shape) {
  const { C, H, W, c, p } = layoutOf(shape);
  const from = context.getImageData(0, 0, W, H).data;
  const out = new Float32Array(C * H * W);
  for (let i = 0; i < H * W; i++) {
    const [r, g, b] = [from[4 * i], from[4 * i + 1], from[4 * i + 2]];
    if (C === 1) out[i] = (0.299 * r + 0.587 * g + 0.114 * b) / 255;
    else for (let k = 0; k < C; k++) out[i * p + k * c] = (k < 3 ? from[4 * i + k] : 255) / 255;
  }
  return out;
}

// The images of a sheet, each as the model has it.
async function sheetOf(sheet, shape) {
  if (!sheet) return [];
  const { H, W } = layoutOf(shape);
  const picture = new Image();
  picture.src = sheet.png;
  await picture.decode();
  const canvas = make("canvas", { width: W, height: H });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  return Array.from({ length: sheet.n }, (_, i) => {
    const x = (i % sheet.columns) * W;
    const y = Math.floor(i / sheet.columns) * H;
    context.drawImage(picture, x, y, W, H, 0, 0, W, H);
    return pixelsOf(context, shape);
  });
}

function tileOf(shape, data, offset, label, load) {
  const button = make("button", { type: "button", class: "tile", "aria-label": label });
  const canvas = make("canvas");
  new Painter(canvas, shape).paint(data, offset);
  button.append(canvas);
  button.onclick = load;
  return button;
}
