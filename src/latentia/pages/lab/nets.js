// The players' nets, as the library has them: linear layers with LeakyReLU 0.2 between, torch's initial weights; and
// the rules by which weights move. A net keeps its numbers in plain arrays, so that a game can be made anew around it.
const KERNEL = 5;

// Weights drawn uniformly from ±1/√n, n inputs, as torch's linear layers start.
function freshNet(sizes, uniform, kernels = 0) {
  const draw = (n, of) => Float32Array.from({ length: n }, () => (2 * uniform() - 1) / Math.sqrt(of));
  const layers = [];
  for (let i = 0; i + 1 < sizes.length; i++) {
    const last = i === sizes.length - 2;
    const n = sizes[i] + (last ? kernels : 0), o = sizes[i + 1];
    layers.push({ n, o, W: draw(n * o, n), b: draw(o, n), u: null, v: null });
  }
  const f = sizes.at(-2);
  return { layers, T: kernels ? draw(f * kernels * KERNEL, f) : null, kernels };
}
// The net's weights as nodes.
function nodesOf(net) {
  const layers = net.layers.map(({ n, o, W, b }) => ({ W: leaf(n, o, W), b: leaf(1, o, b) }));
  const T = net.kernels ? leaf(net.layers.at(-1).n - net.kernels, net.kernels * KERNEL, net.T) : null;
  const params = layers.flatMap(({ W, b }) => [W, b]);
  if (T) params.splice(-2, 0, T);
  return { net, layers, T, params };
}
// Writes the nodes' numbers back to the net.
function keep({ net, layers, T }) {
  layers.forEach(({ W, b }, i) => { net.layers[i].W.set(W.v); net.layers[i].b.set(b.v); });
  if (T) net.T.set(T.v);
}
const withParams = (nodes, params) => {
  const rest = [...params];
  const layers = nodes.layers.map((_, i) => {
    if (nodes.T && i === nodes.layers.length - 1) rest.shift();
    return { W: rest.shift(), b: rest.shift() };
  });
  return { ...nodes, layers, T: nodes.T && params[params.length - 3], params };
};

const dense = (x, layers) => layers.reduce((h, { W, b }, i) => (i < layers.length - 1 ? leaky(affine(h, W, b)) : affine(h, W, b)), x);
// The judge's features, then its verdicts (Salimans et al. 2016, section 3.2 for the kernels, if any).
function features(x, layers) {
  return layers.slice(0, -1).reduce((h, { W, b }) => leaky(affine(h, W, b)), x);
}
function verdicts(f, nodes, closenessOf = closeness) {
  const { W, b } = nodes.layers.at(-1);
  if (!nodes.T) return affine(f, W, b);
  const o = closenessOf(affine(f, nodes.T), nodes.net.kernels);
  return plus(affine(f, rowsOf(W, 0, f.cols), b), affine(o, rowsOf(W, f.cols, o.cols)));
}
function rowsOf(x, from, rows) {
  const run = (y) => y.v.set(x.v.subarray(from * x.cols, (from + rows) * x.cols));
  const back = (d) => { const whole = new Node(x.rows, x.cols, [d], (y) => y.v.set(d.v, from * x.cols), null); return [whole]; };
  return new Node(rows, x.cols, [x], run, back);
}
// o(xᵢ)_b = Σ_{j≠i} exp(−‖M_{i,b} − M_{j,b}‖₁).
function closeness(M, kernels) {
  const n = M.rows, width = kernels * KERNEL, near = new Float32Array(n * n * kernels);
  const run = (y) => {
    const m = M.v, o = y.v;
    o.fill(0);
    for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) for (let k = 0; k < kernels; k++) {
      let s = 0;
      for (let c = k * KERNEL; c < (k + 1) * KERNEL; c++) s += Math.abs(m[i * width + c] - m[j * width + c]);
      const e = Math.exp(-s);
      near[(i * n + j) * kernels + k] = e;
      o[i * kernels + k] += e;
      o[j * kernels + k] += e;
    }
  };
  const back = (d) => {
    const step = (y) => {
      const m = M.v, g = y.v, e = d.v;
      g.fill(0);
      for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) for (let k = 0; k < kernels; k++) {
        const w = near[(i * n + j) * kernels + k] * (e[i * kernels + k] + e[j * kernels + k]);
        for (let c = k * KERNEL; c < (k + 1) * KERNEL; c++) {
          const s = -w * Math.sign(m[i * width + c] - m[j * width + c]);
          g[i * width + c] += s;
          g[j * width + c] -= s;
        }
      }
    };
    return [new Node(n, width, [d, node], step, null)];
  };
  const node = new Node(n, kernels, [M], run, back);
  return node;
}

// Each weight divided by its largest singular value, by one power iteration a pass (Miyato et al. 2018, algorithm 1).
function normalised(nodes, uniform, still = false) {
  const layers = nodes.layers.map(({ W, b }, i) => ({ W: spectral(W, nodes.net.layers[i], uniform, still), b }));
  return { ...nodes, layers, T: nodes.T };
}
function spectral(W, own, uniform, still) {
  const { rows: n, cols: o } = W;
  const fit = (length) => Float32Array.from({ length }, () => 2 * uniform() - 1);
  if (!own.u) {
    own.u = fit(o);
    own.v = fit(n);
    for (let i = 0; i < 15; i++) turn(W.v, own, n, o);
  }
  const both = new Node(1, n + o, [W], (y) => {
    if (!still) turn(W.v, own, n, o);
    y.v.set(own.v);
    y.v.set(own.u, n);
  }, null);
  const [v, u] = [columns(both, 0, n), columns(both, n, o)];
  const sigma = affine(affine(v, W), reshaped(u, o, 1));
  return times(W, filled(inverse(sigma), n, o));
}
function turn(W, { u, v }, n, o) {
  const unit = (a) => { const s = Math.max(1e-12, Math.sqrt(a.reduce((t, w) => t + w * w, 0))); for (let i = 0; i < a.length; i++) a[i] /= s; };
  for (let j = 0; j < o; j++) { let s = 0; for (let i = 0; i < n; i++) s += W[i * o + j] * v[i]; u[j] = s; }
  unit(u);
  for (let i = 0; i < n; i++) { let s = 0; for (let j = 0; j < o; j++) s += W[i * o + j] * u[j]; v[i] = s; }
  unit(v);
}

// Adam (Kingma, Ba 2015, algorithm 1) and RMSprop (Tieleman, Hinton 2012), as torch has them.
function mover(params, rule, kept) {
  const states = kept || { t: 0, m: params.map((p) => new Float32Array(p.n)), s: params.map((p) => new Float32Array(p.n)) };
  const adam = (grads, rate) => {
    const { beta1, beta2 } = rule, t = ++states.t;
    const a = rate / (1 - beta1 ** t), c = 1 / Math.sqrt(1 - beta2 ** t);
    for (let q = 0; q < params.length; q++) {
      const p = params[q].v, g = grads[q].v, m = states.m[q], s = states.s[q], n = p.length;
      for (let i = 0; i < n; i++) {
        const d = g[i];
        m[i] += (1 - beta1) * (d - m[i]);
        s[i] = beta2 * s[i] + (1 - beta2) * d * d;
        p[i] -= (a * m[i]) / (Math.sqrt(s[i]) * c + 1e-8);
      }
    }
  };
  const rmsprop = (grads, rate) => {
    for (let q = 0; q < params.length; q++) {
      const p = params[q].v, g = grads[q].v, s = states.s[q], n = p.length;
      for (let i = 0; i < n; i++) {
        const d = g[i];
        s[i] = 0.99 * s[i] + 0.01 * d * d;
        p[i] -= (rate * d) / (Math.sqrt(s[i]) + 1e-8);
      }
    }
  };
  return { states, move: rule.name === "rmsprop" ? rmsprop : adam };
}
