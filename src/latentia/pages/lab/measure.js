// How far apart data and samples are, what the best judge would say, and the doctor.
//
//   JSD = ½ KL(p ‖ m) + ½ KL(q ‖ m), m = (p + q)/2          nats, at most log 2
//   D* = p/(p + q), whose loss is log 4 − 2 JSD              (Goodfellow et al. 2014, proposition 1, theorem 1)
//   W₁ = min over pairings of the mean distance              of so many samples of each
const CELLS = 26;
const PAIRS = 100;

function divergence(p, q) {
  let s = 0;
  for (let i = 0; i < p.length; i++) {
    const m = (p[i] + q[i]) / 2;
    if (p[i] > 0) s += p[i] * Math.log(p[i] / m) / 2;
    if (q[i] > 0) s += q[i] * Math.log(q[i] / m) / 2;
  }
  return Math.max(0, s);
}
// The share of samples in each cell, and outside.
function counted(v, q, into) {
  into.fill(0);
  const n = v.length / 2, h = q / (2 * VIEW);
  for (let i = 0; i < n; i++) {
    const a = Math.floor((v[2 * i] + VIEW) * h), b = Math.floor((v[2 * i + 1] + VIEW) * h);
    into[a >= 0 && b >= 0 && a < q && b < q ? b * q + a : q * q] += 1 / n;
  }
  return into;
}
// The share in each bin of G(z) on the line, G a fine polygon: each piece spreads its probability evenly.
function spreadShares(images, weights, q, into) {
  into.fill(0);
  const h = (2 * VIEW) / q;
  for (let i = 0; i < weights.length; i++) {
    const low = Math.min(images[i], images[i + 1]), high = Math.max(images[i], images[i + 1], low + 1e-12);
    const from = Math.max(0, Math.floor((low + VIEW) / h)), to = Math.min(q - 1, Math.floor((high + VIEW) / h));
    let inside = 0;
    for (let b = from; b <= to; b++) {
      const part = Math.max(0, Math.min(high, -VIEW + (b + 1) * h) - Math.max(low, -VIEW + b * h)) / (high - low);
      into[b] += part * weights[i];
      inside += part;
    }
    into[q] += Math.max(0, 1 - inside) * weights[i];
  }
  return into;
}
// D* of cells, from −1 where neither has anything.
function bestJudge(p, q, into) {
  for (let i = 0; i < into.length; i++) into[i] = p[i] + q[i] > 1e-6 ? p[i] / (p[i] + q[i]) : -1;
  return into;
}
// Each cell shared with its neighbours, 1 : 2 : 1, so that few counts make no speckles.
function blurred(p, q, into, spare) {
  for (let i = 0; i < q; i++) for (let j = 0; j < q; j++) spare[i * q + j] = (2 * p[i * q + j] + p[i * q + Math.max(0, j - 1)] + p[i * q + Math.min(q - 1, j + 1)]) / 4;
  for (let i = 0; i < q; i++) for (let j = 0; j < q; j++) into[i * q + j] = (2 * spare[i * q + j] + spare[Math.max(0, i - 1) * q + j] + spare[Math.min(q - 1, i + 1) * q + j]) / 4;
  return into;
}
// ∫ |F − F′| of bins.
function lineDistance(p, q, width) {
  let F = 0, s = 0;
  for (let i = 0; i + 1 < p.length; i++) { F += p[i] - q[i]; s += Math.abs(F) * width; }
  return s;
}
// The mean distance of the best pairing of n points with n others, by shortest augmenting paths (Jonker, Volgenant 1987).
function pairing(a, b, n) {
  for (let i = 0; i < 2 * n; i++) if (!(Math.abs(a[i] - b[i]) < 1e4)) return NaN;
  const cost = (i, j) => Math.hypot(a[2 * i] - b[2 * j], a[2 * i + 1] - b[2 * j + 1]);
  const u = new Float64Array(n + 1), v = new Float64Array(n + 1), p = new Int32Array(n + 1), way = new Int32Array(n + 1);
  const least = new Float64Array(n + 1), used = new Uint8Array(n + 1);
  for (let i = 1; i <= n; i++) {
    p[0] = i;
    let j0 = 0;
    least.fill(Infinity);
    used.fill(0);
    do {
      used[j0] = 1;
      const i0 = p[j0];
      let delta = Infinity, j1 = 0;
      for (let j = 1; j <= n; j++) if (!used[j]) {
        const c = cost(i0 - 1, j - 1) - u[i0] - v[j];
        if (c < least[j]) { least[j] = c; way[j] = j0; }
        if (least[j] < delta) { delta = least[j]; j1 = j; }
      }
      for (let j = 0; j <= n; j++) if (used[j]) { u[p[j]] += delta; v[j] -= delta; } else least[j] -= delta;
      j0 = j1;
    } while (p[j0]);
    do { const j1 = way[j0]; p[j0] = p[j1]; j0 = j1; } while (j0);
  }
  let s = 0;
  for (let j = 1; j <= n; j++) s += cost(p[j] - 1, j - 1);
  return s / n;
}
// The share of samples on each part, and how many parts have a fifth of what is theirs.
function coverage(data, v) {
  const shares = new Array(data.parts).fill(0), n = v.length / data.d;
  for (let i = 0; i < n; i++) {
    const at = data.d === 2 ? data.part(v[2 * i], v[2 * i + 1]) : data.part(v[i]);
    if (at >= 0) shares[at] += 1 / n;
  }
  const covered = shares.filter((s) => s > 0.2 / data.parts).length;
  return { shares, covered, on: shares.reduce((a, b) => a + b, 0) };
}

// The doctor of latentia.models.adversarial.doctor: the same numbers, limits and order.
const PATIENCE = 5;
const LIMITS = { same: 0.01, alike: 0.3, sure: 0.97, still: 1e-6, far: 10, apart: 0.35, stray: 2 };

const spreadOf = (v, d) => {
  const n = v.length / d;
  let s = 0;
  for (let j = 0; j < d; j++) {
    let a = 0, b = 0;
    for (let i = j; i < v.length; i += d) a += v[i] / n;
    for (let i = j; i < v.length; i += d) b += (v[i] - a) ** 2 / n;
    s += Math.sqrt(b);
  }
  return s;
};
// Of as many rows of data as of samples, and of the gradients that pull at the samples.
function symptoms(real, fake, pull, d) {
  const n = real.length / d;
  const far = (a, i, b, j) => { let s = 0; for (let c = 0; c < d; c++) s += (a[i * d + c] - b[j * d + c]) ** 2; return Math.sqrt(s); };
  let within = 0, between = 0, among = 0, reach = 0, gradient = 0;
  const near = new Float64Array(n).fill(Infinity), own = new Float64Array(n).fill(Infinity);
  for (let i = 0; i < n; i++) {
    reach += far(real, i, fake, i) / n;
    let g = 0;
    for (let c = 0; c < d; c++) g += (pull[i * d + c] * n) ** 2;
    gradient += Math.sqrt(g) / n;
    for (let j = 0; j < n; j++) {
      const r = far(real, i, fake, j);
      between += r / (n * n);
      near[j] = Math.min(near[j], r);
      if (j === i) continue;
      const w = far(real, i, real, j);
      within += w / (n * (n - 1));
      own[i] = Math.min(own[i], w);
      among += far(fake, i, fake, j) / (n * (n - 1));
    }
  }
  const middle = (v) => v.sort()[Math.floor((v.length - 1) / 2)];
  const found = { spread: spreadOf(fake, d) / Math.max(spreadOf(real, d), 1e-12), gradient, reach };
  if (within > 0) {
    found.apart = (2 * between - within - among) / within;
    found.stray = middle(near) / Math.max(middle(own), 1e-3 * within);
  }
  return found;
}
function diagnose(found, game, earlier, last) {
  const L = LIMITS, sure = (found.real || 0) > L.sure && found.fake < 1 - L.sure, spread = found.spread;
  const before = earlier.map((e) => e.spread), waited = before.length >= PATIENCE;
  const stillSame = waited && (last || Math.max(...before.slice(-PATIENCE)) < L.same);
  const fell = spread < Math.max(0, ...before) / 2;
  const signs = {
    exploding: Math.abs(found.distance || 0) > L.far * found.reach,
    constant: spread < L.same && stillSame,
    vanishing: found.gradient < L.still || (sure && game === "minimax"),
    saturated: sure,
    collapse: spread < L.alike && (fell || (waited && last && spread < L.alike / 2)),
    undertrained: last && ((found.apart || 0) > L.apart || (found.stray || 0) > L.stray),
  };
  return Object.keys(signs).find((name) => signs[name]) || null;
}
// That of latentia.models.autoencoders.doctor.
function coderSymptoms(u, again, codes, logs, k, loss, earlier) {
  const d = u.length / (codes.length / k), n = u.length / d;
  let rest = 0, all = 0;
  for (let j = 0; j < d; j++) {
    let a = 0;
    for (let i = j; i < u.length; i += d) a += u[i] / n;
    for (let i = j; i < u.length; i += d) { rest += (u[i] - again[i]) ** 2; all += (u[i] - a) ** 2; }
  }
  let active = 0;
  for (let j = 0; j < k; j++) {
    let a = 0, b = 0, s = 0;
    for (let i = j; i < codes.length; i += k) a += codes[i] / n;
    for (let i = j; i < codes.length; i += k) { b += (codes[i] - a) ** 2 / n; if (logs) s += Math.exp(Math.min(20, Math.max(-30, logs[i]))) / n; }
    active += logs ? 0.5 * Math.log1p(b / Math.max(s, 1e-30)) > 0.005 : b > 1e-8;
  }
  const found = { left: rest / Math.max(all, 1e-12), active, components: k, loss };
  const before = earlier.map((e) => e.loss), worst = Math.max(...before);
  if (before.length && worst > loss) found.fell = Math.max(0, before.at(-1) - loss) / (worst - loss);
  return found;
}
function examineCoder(found, earlier, last) {
  const steep = (found.fell || 0) > 0.05, waited = earlier.length >= PATIENCE;
  const nothing = (f) => f.active < Math.max(1, 0.2 * f.components) && f.left > 0.5;
  if (waited && !steep && [...earlier, found].slice(-PATIENCE).every(nothing)) return "collapse";
  return last && (steep || found.left > 0.9) ? "undertrained" : null;
}
