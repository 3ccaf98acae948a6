// A small autograd. A node is a matrix that is computed from others, and gradients are nodes too: a penalty on a
// gradient, or steps that are only imagined, are differentiated like anything else. A graph is made once; its plan
// then computes it again and again in the same memory.
const SLOPE = 0.2;
const heap = { f: null, top: 0, base: 0, kernels: null, zeros: 0, slope: 0 };
const MEGABYTES = 96;
const WIDEST = 4096;

function openHeap(module) {
  const memory = new WebAssembly.Memory({ initial: MEGABYTES * 16 });
  heap.f = new Float32Array(memory.buffer);
  heap.kernels = new WebAssembly.Instance(module, { e: { m: memory } }).exports;
  heap.slope = 16;
  heap.f[4] = SLOPE;
  heap.zeros = 32;
  heap.base = heap.top = 32 + 4 * WIDEST;
}
function openKernels() {
  openHeap(new WebAssembly.Module(Uint8Array.from(atob(KERNELS), (c) => c.charCodeAt(0))));
}
const clearHeap = () => { heap.top = heap.base; };

class Node {
  constructor(rows, cols, inputs, run, back) {
    this.rows = rows;
    this.cols = cols;
    this.n = rows * cols;
    this.inputs = inputs;
    this.run = run;
    this.back = back;
    this.v = null;
    this.at = 0;
    this.turned = null;
  }
}
function place(node) {
  if (node.v) return node;
  if (node.shares) {
    node.v = node.inputs[0].v;
    node.at = node.inputs[0].at;
    return node;
  }
  if (heap.top + 4 * node.n + 64 > MEGABYTES * 2 ** 20) throw new Error("the laboratory has no room for such nets");
  node.at = heap.top;
  node.v = heap.f.subarray(node.at / 4, node.at / 4 + node.n);
  node.v.fill(0);
  heap.top += (4 * node.n + 31) & ~31;
  return node;
}
// What is given: weights, data, noise.
function leaf(rows, cols, values) {
  const node = place(new Node(rows, cols, [], null, null));
  if (typeof values === "number") node.v.fill(values);
  else if (values) node.v.set(values);
  return node;
}

// x W + b, with b of one row, or without.
function affine(x, W, b) {
  const bias = b ? [x, W, b] : [x, W];
  const run = (y) => heap.kernels.product(x.at, 4 * x.cols, 4, W.at, y.at, x.rows, W.cols, x.cols, b ? b.at : heap.zeros);
  const back = (d) => [affine(d, turned(W)), inner(x, d), ...(b ? [columnSums(d)] : [])];
  return new Node(x.rows, W.cols, bias, run, back);
}
// aᵀ b, the sum over rows.
function inner(a, b) {
  const run = (y) => heap.kernels.product(a.at, 4, 4 * a.cols, b.at, y.at, a.cols, b.cols, a.rows, heap.zeros);
  return new Node(a.cols, b.cols, [a, b], run, (d) => [affine(b, turned(d)), affine(a, d)]);
}
function turned(x) {
  if (x.turned) return x.turned;
  const { rows, cols } = x;
  const run = (y) => {
    const from = x.v, to = y.v;
    for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) to[j * rows + i] = from[i * cols + j];
  };
  x.turned = new Node(cols, rows, [x], run, (d) => [turned(d)]);
  return x.turned;
}
function leaky(x) {
  const run = (y) => heap.kernels.leaky(heap.slope, x.at, y.at, x.n);
  return new Node(x.rows, x.cols, [x], run, (d) => [gate(x, d)]);
}
function gate(x, d) {
  const run = (y) => heap.kernels.gate(heap.slope, x.at, d.at, y.at, x.n);
  return new Node(x.rows, x.cols, [x, d], run, (e) => [null, gate(x, e)]);
}
// The same numbers with other rows and columns.
function reshaped(x, rows, cols) {
  const node = new Node(rows, cols, [x], () => {}, (d) => [reshaped(d, x.rows, x.cols)]);
  node.shares = true;
  return node;
}

function plus(a, b) {
  const run = (y) => { const u = a.v, w = b.v, v = y.v, n = y.n; for (let i = 0; i < n; i++) v[i] = u[i] + w[i]; };
  return new Node(a.rows, a.cols, [a, b], run, (d) => [d, d]);
}
function times(a, b) {
  const run = (y) => { const u = a.v, w = b.v, v = y.v, n = y.n; for (let i = 0; i < n; i++) v[i] = u[i] * w[i]; };
  return new Node(a.rows, a.cols, [a, b], run, (d) => [times(d, b), times(d, a)]);
}
function scaled(a, c) {
  const run = (y) => { const u = a.v, v = y.v, n = y.n; for (let i = 0; i < n; i++) v[i] = c * u[i]; };
  return new Node(a.rows, a.cols, [a], run, (d) => [scaled(d, c)]);
}
function shifted(a, c) {
  const run = (y) => { const u = a.v, v = y.v, n = y.n; for (let i = 0; i < n; i++) v[i] = u[i] + c; };
  return new Node(a.rows, a.cols, [a], run, (d) => [d]);
}
const minus = (a, b) => plus(a, scaled(b, -1));
const square = (a) => times(a, a);

// A function of each number; `slope` is its derivative, of the argument and of what it gave.
function each(x, f, slope) {
  const run = (y) => { const u = x.v, v = y.v, n = y.n; for (let i = 0; i < n; i++) v[i] = f(u[i]); };
  const node = new Node(x.rows, x.cols, [x], run, (d) => [times(d, slope(x, node))]);
  return node;
}
const sigmoid = (x) => each(x, logistic, (_, y) => times(y, shifted(scaled(y, -1), 1)));
// log(1 + exp x), without overflow.
const softplus = (x) => each(x, (v) => Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v))), sigmoid);
const exponential = (x) => each(x, Math.exp, (_, y) => y);
const inverse = (x) => each(x, (v) => 1 / Math.max(v, 1e-12), (_, y) => scaled(square(y), -1));
const root = (x) => each(x, (v) => Math.sqrt(Math.max(v, 0)), (_, y) => scaled(inverse(y), 0.5));
const clamped = (x, low, high) => each(x, (v) => Math.min(high, Math.max(low, v)), (q) => each(q, (v) => (v > low && v < high ? 1 : 0), null));

// Sums, each with the spreading that is its gradient.
function columnSums(x) {
  const run = (y) => {
    const u = x.v, v = y.v, c = x.cols;
    v.fill(0);
    for (let i = 0, p = 0; i < x.rows; i++) for (let j = 0; j < c; j++, p++) v[j] += u[p];
  };
  return new Node(1, x.cols, [x], run, (d) => [downwards(d, x.rows)]);
}
function downwards(x, rows) {
  const run = (y) => { for (let i = 0; i < rows; i++) y.v.set(x.v, i * x.cols); };
  return new Node(rows, x.cols, [x], run, (d) => [columnSums(d)]);
}
function rowSums(x) {
  const run = (y) => {
    const u = x.v, v = y.v, c = x.cols;
    for (let i = 0, p = 0; i < x.rows; i++) { let s = 0; for (let j = 0; j < c; j++, p++) s += u[p]; v[i] = s; }
  };
  return new Node(x.rows, 1, [x], run, (d) => [sidewards(d, x.cols)]);
}
function sidewards(x, cols) {
  const run = (y) => { const u = x.v, v = y.v; for (let i = 0, p = 0; i < x.rows; i++) for (let j = 0; j < cols; j++, p++) v[p] = u[i]; };
  return new Node(x.rows, cols, [x], run, (d) => [rowSums(d)]);
}
function total(x) {
  const run = (y) => { const u = x.v, n = x.n; let s = 0; for (let i = 0; i < n; i++) s += u[i]; y.v[0] = s; };
  return new Node(1, 1, [x], run, (d) => [filled(d, x.rows, x.cols)]);
}
function filled(x, rows, cols) {
  return new Node(rows, cols, [x], (y) => y.v.fill(x.v[0]), (d) => [total(d)]);
}
const mean = (x) => scaled(total(x), 1 / x.n);
// Some columns, and its gradient: the same with zeros around.
function columns(x, from, cols) {
  const run = (y) => { const u = x.v, v = y.v, c = x.cols; for (let i = 0, p = 0; i < x.rows; i++) for (let j = 0; j < cols; j++, p++) v[p] = u[i * c + from + j]; };
  return new Node(x.rows, cols, [x], run, (d) => [within(d, from, x.cols)]);
}
function within(x, from, cols) {
  const run = (y) => { const u = x.v, v = y.v, c = x.cols; for (let i = 0, p = 0; i < x.rows; i++) for (let j = 0; j < c; j++, p++) v[i * cols + from + j] = u[p]; };
  return new Node(x.rows, cols, [x], run, (d) => [columns(d, from, x.cols)]);
}

// Returns what some nodes are computed from, each after what it needs.
function ordered(outputs) {
  const order = [], seen = new Set();
  const visit = (node) => {
    if (seen.has(node)) return;
    seen.add(node);
    node.inputs.forEach(visit);
    order.push(node);
  };
  outputs.forEach(visit);
  return order;
}
// Returns a function that computes some nodes.
function plan(outputs) {
  const steps = ordered(outputs).filter((node) => node.run);
  steps.forEach(place);
  const n = steps.length;
  return () => { for (let i = 0; i < n; i++) steps[i].run(steps[i]); };
}
// Returns the gradients of a sum y in each of xs, as nodes.
function gradients(y, xs) {
  const order = ordered([y]), moved = new Set(xs), parts = new Map([[y, leaf(1, 1, 1)]]);
  for (const node of order) if (node.inputs.some((q) => moved.has(q))) moved.add(node);
  for (const node of order.reverse()) {
    const d = parts.get(node);
    if (!d || !node.back || !node.inputs.some((q) => moved.has(q))) continue;
    node.back(d).forEach((part, i) => {
      const q = node.inputs[i];
      if (part && moved.has(q)) parts.set(q, parts.has(q) ? plus(parts.get(q), part) : part);
    });
  }
  return xs.map((x) => parts.get(x) || leaf(x.rows, x.cols, 0));
}
