// Closed forms beside the games: principal components, and factor analysis by EM (Rubin, Thayer 1982).
function moments(v) {
  const n = v.length / 2, m = [0, 0], S = [0, 0, 0];
  for (let i = 0; i < n; i++) { m[0] += v[2 * i] / n; m[1] += v[2 * i + 1] / n; }
  for (let i = 0; i < n; i++) {
    const a = v[2 * i] - m[0], b = v[2 * i + 1] - m[1];
    S[0] += a * a / n;
    S[1] += a * b / n;
    S[2] += b * b / n;
  }
  return { m, S };
}
// The eigenvalues of a symmetric 2 × 2 matrix, the larger first, and its eigenvector.
function eigen([a, b, c]) {
  const half = Math.hypot((a - c) / 2, b), l = (a + c) / 2 + half;
  const w = Math.abs(b) > 1e-12 ? [l - c, b] : a >= c ? [1, 0] : [0, 1], r = Math.hypot(...w);
  return { values: [l, (a + c) / 2 - half], w: w.map((q) => q / r) };
}
// −E log N(x; m, C) over data of covariance S, in nats.
function negativeLogLikelihood([p, q, r], [a, b, c]) {
  const det = p * r - q * q;
  return Math.log(2 * Math.PI) + Math.log(det) / 2 + (r * a - 2 * q * b + p * c) / det / 2;
}
function startLinear(set, v) {
  const { m, S } = moments(v), { values, w } = eigen(S);
  const factor = set.game === "fa", told = { loss: 0, error: 0, likelihood: 0 };
  // Before the first step W is short and points aside.
  let W = factor ? [0.3 * Math.sqrt(S[0]), 0.1 * Math.sqrt(S[2])] : [1, 0], psi = factor ? [S[0], S[2]] : [values[1], values[1]], t = 0;
  const covariance = () => (factor ? [W[0] * W[0] + psi[0], W[0] * W[1], W[1] * W[1] + psi[1]] : t ? S : [S[0], 0, S[2]]);
  const tell = () => {
    told.likelihood = negativeLogLikelihood(covariance(), S);
    told.error = S[0] + S[2] - (factor ? 0 : W[0] * W[0] * S[0] + 2 * W[0] * W[1] * S[1] + W[1] * W[1] * S[2]);
    told.loss = factor ? told.likelihood : told.error;
  };
  const move = () => {
    if (factor) {
      const [p, q, r] = covariance(), det = p * r - q * q;
      const b = [(r * W[0] - q * W[1]) / det, (p * W[1] - q * W[0]) / det];
      const Sb = [S[0] * b[0] + S[1] * b[1], S[1] * b[0] + S[2] * b[1]];
      const zz = 1 - b[0] * W[0] - b[1] * W[1] + b[0] * Sb[0] + b[1] * Sb[1];
      W = Sb.map((s) => s / zz);
      psi = [Math.max(1e-9, S[0] - W[0] * Sb[0]), Math.max(1e-9, S[2] - W[1] * Sb[1])];
    } else W = w;
    t++;
    tell();
  };
  tell();
  return { told, move, state: () => ({ m, W: [...W], psi: [...psi], values, C: covariance() }) };
}
