// What the worker and the page both know: settings, sizes, and the normal distribution.
const DEFAULTS = {
  data: "ring", game: "gan", saturating: 0, rate: 1e-3, critic: 1, moves: 1, hold: 0, beta1: 0, k: 2, seed: 1,
  r1: 0, penalty: 10, clip: 0.05, smooth: 1, pack: 1, unroll: 0, unrollRate: 0.3, minibatch: 0, history: 0,
  spectral: 0, matching: 0, ema: 0, noise: 0.01, beta: 1, points: [],
};
// What makes other nets, so that the game begins anew.
const STRUCTURE = ["data", "points", "game", "k", "pack", "minibatch", "seed"];
const isLinear = (set) => set.game === "pca" || set.game === "fa";
const JUDGED = { gan: true, wgan: true, wgangp: true };
const DATA = ["ring", "grid", "moons", "spiral", "line", "drawn"];
// Half the width of the plane, its cells, the bins of the line, and the lines of the latent grid.
const VIEW = 2.6, GRID = 48, BINS = 192, LINES = 13, ALONG = 33;
const row = (n, f) => Array.from({ length: n }, (_, i) => f(i, (i + 0.5) / n));
const logistic = (v) => 1 / (1 + Math.exp(-v));
// The normal distribution function: its series, and in the tail its continued fraction.
function phi(t) {
  const x = Math.abs(t) / Math.SQRT2;
  if (x > 6) return t > 0 ? 1 : 0;
  let tail;
  if (x < 2) {
    let term = x, sum = x;
    for (let k = 1; k < 60 && Math.abs(term) > 1e-17; k++) { term *= (-x * x) / k; sum += term / (2 * k + 1); }
    tail = 0.5 - sum / Math.sqrt(Math.PI);
  } else {
    let f = 0;
    for (let k = 40; k > 0; k--) f = k / 2 / (x + f);
    tail = Math.exp(-x * x) / (2 * Math.sqrt(Math.PI) * (x + f));
  }
  return t > 0 ? 1 - tail : tail;
}
// Values of z on the line, evenly apart, and of which probability each piece between two of them is.
const REACH = 4.5;
const zLine = (n) => Float32Array.from({ length: n }, (_, i) => REACH * ((2 * i) / (n - 1) - 1));
function pieces(n) {
  const z = zLine(n), F = Array.from(z, phi);
  F[0] = 0;
  F[n - 1] = 1;
  return Float64Array.from({ length: n - 1 }, (_, i) => F[i + 1] - F[i]);
}
