// Data in one and two dimensions. Each set is a mixture of equally likely Gaussians with one σ, so that its density
// is known; curves are rows of many.
// Standard normal draws, by Box and Muller.
function normals(uniform) {
  let spare = null;
  return () => {
    if (spare !== null) { const v = spare; spare = null; return v; }
    const r = Math.sqrt(-2 * Math.log(1 - uniform())), a = 2 * Math.PI * uniform();
    spare = r * Math.sin(a);
    return r * Math.cos(a);
  };
}
function draws(seed) {
  const uniform = uniforms(seed), normal = normals(uniform);
  const fill = (draw) => (v) => { for (let i = 0; i < v.length; i++) v[i] = draw(); };
  return { uniform, normal, uniforms: fill(uniform), normals: fill(normal) };
}

const SETS = {
  ring: () => ({ d: 2, sigma: 0.08, centres: row(8, (i) => [1.6 * Math.cos((i * Math.PI) / 4), 1.6 * Math.sin((i * Math.PI) / 4)]) }),
  grid: () => ({ d: 2, sigma: 0.07, centres: row(25, (i) => [((i % 5) - 2) * 0.85, (Math.floor(i / 5) - 2) * 0.85]) }),
  moons: () => {
    const half = (sign) => row(32, (_, t) => [sign * (1.25 * Math.cos(Math.PI * t) - 0.6), sign * (1.25 * Math.sin(Math.PI * t) - 0.3)]);
    return { d: 2, sigma: 0.08, centres: [...half(1), ...half(-1)], parts: 16 };
  },
  spiral: () => ({ d: 2, sigma: 0.06, centres: row(96, (_, t) => { const a = 4 * Math.PI * Math.sqrt(t); return [0.15 * a * Math.cos(a), 0.15 * a * Math.sin(a)]; }), parts: 16 }),
  line: () => ({ d: 1, sigma: 0.22, centres: [[-1.5], [-0.1], [1.4]] }),
  drawn: (points) => ({ d: 2, sigma: 0.08, centres: points.length ? points : [[0, 0]] }),
};

// A set with what is known of it: `draw` fills rows, `density` is exact, `part` counts where samples fall.
function openData(name, points = []) {
  const set = SETS[name](points), { d, sigma, centres } = set, n = centres.length;
  const parts = Math.min(set.parts || n, n), flat = Float64Array.from(centres.flat());
  const scale = 1 / (n * (2 * Math.PI * sigma * sigma) ** (d / 2));
  const draw = (v, { uniform, normal }) => {
    for (let i = 0; i < v.length; i += d) {
      const c = Math.floor(uniform() * n) * d;
      for (let j = 0; j < d; j++) v[i + j] = flat[c + j] + sigma * normal();
    }
  };
  const density = (x, y = 0) => {
    let s = 0;
    for (let c = 0; c < n; c++) {
      const u = x - flat[c * d], w = d === 2 ? y - flat[c * d + 1] : 0;
      s += Math.exp(-(u * u + w * w) / (2 * sigma * sigma));
    }
    return s * scale;
  };
  // The nearest part, or −1 where it is beyond 3.5 σ, on the line beyond 2.
  const reach = (d === 1 ? 2 : 3.5) * sigma;
  const part = (x, y = 0) => {
    let best = Infinity, at = -1;
    for (let c = 0; c < n; c++) {
      const u = x - flat[c * d], w = d === 2 ? y - flat[c * d + 1] : 0, r = u * u + w * w;
      if (r < best) { best = r; at = c; }
    }
    return best < reach * reach ? Math.floor((at * parts) / n) : -1;
  };
  return { name, d, n, sigma, centres, parts, draw, density, part };
}
// The probability of each of q cells of [−VIEW, VIEW] along each axis, and of what lies outside.
function cellsOf(data, q) {
  const { d, sigma, centres } = data, h = (2 * VIEW) / q, p = new Float64Array((d === 1 ? q : q * q) + 1);
  const along = (c) => row(q, (i) => phi((-VIEW + (i + 1) * h - c) / sigma) - phi((-VIEW + i * h - c) / sigma));
  for (const centre of centres) {
    const [a, b] = centre.map(along);
    for (let i = 0; i < q; i++) {
      if (d === 1) p[i] += a[i] / data.n;
      else for (let j = 0; j < q; j++) p[j * q + i] += (a[i] * b[j]) / data.n;
    }
  }
  p[p.length - 1] = Math.max(0, 1 - p.reduce((s, v) => s + v, 0));
  return p;
}
