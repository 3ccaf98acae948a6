// Runs the programs of latentia.pages.program: small graphs of float32 operations, without a library.
const Latentia = (() => {
  "use strict";
  const size = (s) => s.reduce((a, b) => a * b, 1);
  const f16 = (u) => {
    const e = (u >> 10) & 31, f = u & 1023, s = u >> 15 ? -1 : 1;
    return s * (e === 0 ? f * 2 ** -24 : e === 31 ? (f ? NaN : Infinity) : (1 + f / 1024) * 2 ** (e - 15));
  };

  // Memory is planned once for each shape of the inputs: what an operation no longer needs is used again.
  class Arena {
    constructor() { this.free = []; }
    take(n) {
      let best = -1;
      this.free.forEach((b, i) => { if (b.n >= n && (best < 0 || b.n < this.free[best].n)) best = i; });
      if (best >= 0) return this.free.splice(best, 1)[0];
      return { n, d: new Float32Array(n) };
    }
    give(b) { this.free.push(b); }
  }

  // C (m × n) = A (m × k) B (k × n) + bias of each row; 4 × 4 values at a time stay in registers.
  function product(A, B, C, m, k, n, bias, c0 = 0, b0 = 0) {
    const n4 = n - n % 4;
    for (let i = 0; i < m; i += 4) {
      const rows = Math.min(4, m - i);
      const p0 = i * k, p1 = rows > 1 ? p0 + k : p0, p2 = rows > 2 ? p1 + k : p1, p3 = rows > 3 ? p2 + k : p2;
      const q0 = c0 + i * n, q1 = rows > 1 ? q0 + n : q0, q2 = rows > 2 ? q1 + n : q1, q3 = rows > 3 ? q2 + n : q2;
      const e0 = bias ? bias[i] : 0, e1 = bias && rows > 1 ? bias[i + 1] : e0, e2 = bias && rows > 2 ? bias[i + 2] : e1, e3 = bias && rows > 3 ? bias[i + 3] : e2;
      let j = 0;
      for (; j < n4; j += 2) {
        let s00 = e0, s01 = e0, s10 = e1, s11 = e1, s20 = e2, s21 = e2, s30 = e3, s31 = e3;
        for (let l = 0, r = b0 + j; l < k; l++, r += n) {
          const x = B[r], y = B[r + 1], a = A[p0 + l], b = A[p1 + l], c = A[p2 + l], d = A[p3 + l];
          s00 += a * x; s01 += a * y; s10 += b * x; s11 += b * y;
          s20 += c * x; s21 += c * y; s30 += d * x; s31 += d * y;
        }
        C[q3 + j] = s30; C[q3 + j + 1] = s31; C[q2 + j] = s20; C[q2 + j + 1] = s21;
        C[q1 + j] = s10; C[q1 + j + 1] = s11; C[q0 + j] = s00; C[q0 + j + 1] = s01;
      }
      for (; j < n; j++) {
        let s0 = e0, s1 = e1, s2 = e2, s3 = e3;
        for (let l = 0, r = b0 + j; l < k; l++, r += n) {
          const x = B[r];
          s0 += A[p0 + l] * x; s1 += A[p1 + l] * x; s2 += A[p2 + l] * x; s3 += A[p3 + l] * x;
        }
        C[q3 + j] = s3; C[q2 + j] = s2; C[q1 + j] = s1; C[q0 + j] = s0;
      }
    }
  }

  // y (m × o) = x (m × k) wᵀ + b for w (o × k).
  function linear(x, w, b, y, m, k, o) {
    for (let i = 0; i < m; i++) for (let j = 0; j < o; j++) {
      let s = 0, t = 0, u = 0, v = 0, p = i * k, q = j * k, l = 0;
      for (; l + 3 < k; l += 4, p += 4, q += 4) {
        s += x[p] * w[q]; t += x[p + 1] * w[q + 1]; u += x[p + 2] * w[q + 2]; v += x[p + 3] * w[q + 3];
      }
      for (; l < k; l++) s += x[p++] * w[q++];
      y[i * o + j] = s + t + u + v + (b ? b[j] : 0);
    }
  }

  // Columns of patches: (C·kh·kw) × (OH·OW), zeros outside the image.
  function unfold(x, x0, cols, C, H, W, kh, kw, OH, OW, [sh, sw, ph, pw, dh, dw]) {
    let t = 0;
    for (let c = 0; c < C; c++) for (let u = 0; u < kh; u++) for (let v = 0; v < kw; v++) for (let i = 0; i < OH; i++) {
      const y = i * sh - ph + u * dh, row = x0 + (c * H + y) * W;
      if (y < 0 || y >= H) { cols.fill(0, t, t + OW); t += OW; continue; }
      for (let j = 0, z = v * dw - pw; j < OW; j++, z += sw) cols[t++] = z >= 0 && z < W ? x[row + z] : 0;
    }
  }

  // The adjoint: adds columns (O·kh·kw) × (H·W) into an image that holds its bias.
  function fold(cols, y, y0, O, OH, OW, kh, kw, H, W, [sh, sw, ph, pw]) {
    let t = 0;
    for (let o = 0; o < O; o++) for (let u = 0; u < kh; u++) for (let v = 0; v < kw; v++) for (let i = 0; i < H; i++) {
      const r = i * sh - ph + u, row = y0 + (o * OH + r) * OW;
      if (r < 0 || r >= OH) { t += W; continue; }
      for (let j = 0, z = v - pw; j < W; j++, t++, z += sw) if (z >= 0 && z < OW) y[row + z] += cols[t];
    }
  }

  const erf = (x) => {
    // Series and continued fraction, to 1e-9.
    const a = Math.abs(x);
    if (a > 6) return Math.sign(x);
    if (a < 2.5) { let s = a, t = a; for (let n = 1; n < 60; n++) { t *= -a * a / n; s += t / (2 * n + 1); } return Math.sign(x) * s * 2 / Math.sqrt(Math.PI); }
    let f = 0; for (let n = 60; n > 0; n--) f = n / 2 / (a + f);
    return Math.sign(x) * (1 - Math.exp(-a * a) / (a + f) / Math.sqrt(Math.PI));
  };
  const ONE = {
    sigmoid: () => (v) => 1 / (1 + Math.exp(-v)), tanh: () => Math.tanh, exp: () => Math.exp, log: () => Math.log,
    log1p: () => Math.log1p, neg: () => (v) => -v, abs: () => Math.abs, sqrt: () => Math.sqrt,
    rsqrt: () => (v) => 1 / Math.sqrt(v), silu: () => (v) => v / (1 + Math.exp(-v)),
    softplus: () => (v) => (v > 20 ? v : Math.log1p(Math.exp(v))),
    elu: ([a]) => (v) => (v > 0 ? v : a * Math.expm1(v)),
    gelu: ([how]) => (how === "tanh" ? (v) => v / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3)))
      : (v) => v / 2 * (1 + erf(v / Math.SQRT2))),
    clamp: ([lo, hi]) => (v) => (lo !== null && v < lo ? lo : hi != null && v > hi ? hi : v),
  };
  const TWO = {
    add: (a, b) => a + b, sub: (a, b) => a - b, mul: (a, b) => a * b, div: (a, b) => a / b,
    max: (a, b) => (a > b ? a : b), min: (a, b) => (a < b ? a : b), pow: (a, b) => a ** b,
  };
  const NUMBER = { ...TWO, floor: (a, b) => Math.floor(a / b), mod: (a, b) => ((a % b) + b) % b };
  const strides = (s) => { const r = []; let k = 1; for (let i = s.length - 1; i >= 0; i--) { r[i] = k; k *= s[i]; } return r; };

  // Calls f(to, from) for every element of a shape, `from` along other strides.
  function walk(s, st, start, f) {
    const n = size(s), ix = new Int32Array(s.length);
    for (let to = 0, from = start; to < n; to++) {
      f(to, from);
      for (let j = s.length - 1; j >= 0; j--) {
        from += st[j];
        if (++ix[j] < s[j]) break;
        from -= st[j] * s[j]; ix[j] = 0;
      }
    }
  }

  // Each planner gets a step's inputs, attributes, and what makes its output, and returns what is run.
  const PLAN = {
    relu: ([x], a, make) => { const y = make(x.s, x), n = size(x.s); return () => { const p = x.b.d, q = y.b.d; for (let i = 0; i < n; i++) q[i] = p[i] > 0 ? p[i] : 0; }; },
    leaky: ([x], [k], make) => { const y = make(x.s, x), n = size(x.s); return () => { const p = x.b.d, q = y.b.d; for (let i = 0; i < n; i++) q[i] = p[i] > 0 ? p[i] : k * p[i]; }; },
    linear([x, w, b], a, make) {
      const k = w.s[1], o = w.s[0], m = size(x.s) / k, y = make([...x.s.slice(0, -1), o]);
      return () => linear(x.b.d, w.b.d, b && b.b.d, y.b.d, m, k, o);
    },
    conv([x, w, b], a, make, arena) {
      const [N, C, H, W] = x.s, [O, c, kh, kw] = w.s, groups = a[6];
      const OH = Math.floor((H + 2 * a[2] - a[4] * (kh - 1) - 1) / a[0]) + 1, OW = Math.floor((W + 2 * a[3] - a[5] * (kw - 1) - 1) / a[1]) + 1;
      const y = make([N, O, OH, OW]), K = c * kh * kw, P = OH * OW, o = O / groups;
      const plain = kh * kw === 1 && a[0] * a[1] === 1 && a[2] + a[3] === 0;
      const cols = plain ? null : arena.take(K * P);
      if (cols) arena.give(cols);
      return () => {
        for (let n = 0; n < N; n++) for (let g = 0; g < groups; g++) {
          const x0 = (n * C + g * c) * H * W;
          if (cols) unfold(x.b.d, x0, cols.d, c, H, W, kh, kw, OH, OW, a);
          const A = groups > 1 ? w.b.d.subarray(g * o * K, (g + 1) * o * K) : w.b.d;
          const bias = b && (groups > 1 ? b.b.d.subarray(g * o, (g + 1) * o) : b.b.d);
          product(A, cols ? cols.d : x.b.d, y.b.d, o, K, P, bias, (n * O + g * o) * P, cols ? 0 : x0);
        }
      };
    },
    spread([x, w, b], a, make, arena) {
      const [N, C, H, W] = x.s, [, O, kh, kw] = w.s, K = O * kh * kw, P = H * W;
      const OH = (H - 1) * a[0] - 2 * a[2] + kh + a[4], OW = (W - 1) * a[1] - 2 * a[3] + kw + a[5];
      const y = make([N, O, OH, OW]), cols = arena.take(K * P);
      arena.give(cols);
      if (!w.turned) {
        w.turned = new Float32Array(K * C);
        for (let c = 0; c < C; c++) for (let q = 0; q < K; q++) w.turned[q * C + c] = w.b.d[c * K + q];
      }
      return () => {
        const q = y.b.d, p = x.b.d;
        for (let n = 0; n < N; n++) {
          if (P === 1) linear(p.subarray(n * C, n * C + C), w.turned, null, cols.d, 1, C, K);
          else product(w.turned, p, cols.d, K, C, P, null, 0, n * C * P);
          for (let o = 0, t = n * O * OH * OW; o < O; o++, t += OH * OW) q.fill(b ? b.b.d[o] : 0, t, t + OH * OW);
          fold(cols.d, q, n * O * OH * OW, O, OH, OW, kh, kw, H, W, a);
        }
      };
    },
    affine([x, u, v], a, make) {
      const [N, C] = x.s, P = size(x.s) / N / C, y = make(x.s, x);
      return () => {
        const p = x.b.d, q = y.b.d;
        for (let t = 0, r = 0; t < N * C; t++) { const f = u.b.d[t % C], g = v.b.d[t % C]; for (let i = 0; i < P; i++, r++) q[r] = p[r] * f + g; }
      };
    },
    norm([x, u, v], [groups, eps], make) {
      const [N, C] = x.s, P = size(x.s) / N / C, each = C / groups, L = each * P, y = make(x.s, x);
      return () => {
        const p = x.b.d, q = y.b.d;
        for (let g = 0; g < N * groups; g++) {
          const t = g * L;
          let mean = 0, square = 0;
          for (let i = t; i < t + L; i++) mean += p[i];
          mean /= L;
          for (let i = t; i < t + L; i++) square += (p[i] - mean) * (p[i] - mean);
          const r = 1 / Math.sqrt(square / L + eps);
          for (let k = 0, i = t; k < each; k++) {
            const c = (g % groups) * each + k, f = r * (u ? u.b.d[c] : 1), h = (v ? v.b.d[c] : 0) - mean * f;
            for (let e = i + P; i < e; i++) q[i] = p[i] * f + h;
          }
        }
      };
    },
    prelu([x, w], a, make) {
      const [N, C = 1] = x.s, P = size(x.s) / N / C, one = w.s[0] === 1, y = make(x.s, x);
      return () => {
        const p = x.b.d, q = y.b.d;
        for (let t = 0, r = 0; t < N * C; t++) { const k = w.b.d[one ? 0 : t % C]; for (let i = 0; i < P; i++, r++) q[r] = p[r] > 0 ? p[r] : k * p[r]; }
      };
    },
    softmax([x], [axis, log], make) {
      const st = strides(x.s)[axis], L = x.s[axis], n = size(x.s) / L, y = make(x.s, x);
      return () => {
        const p = x.b.d, q = y.b.d;
        for (let i = 0; i < n; i++) {
          const t = Math.floor(i / st) * st * L + i % st;
          let m = -Infinity, s = 0;
          for (let j = 0; j < L; j++) m = Math.max(m, p[t + j * st]);
          for (let j = 0; j < L; j++) s += Math.exp(p[t + j * st] - m);
          for (let j = 0; j < L; j++) { const v = p[t + j * st] - m; q[t + j * st] = log ? v - Math.log(s) : Math.exp(v) / s; }
        }
      };
    },
    unsqueeze: ([x], [axis], make, arena, alias) => alias(x, [...x.s.slice(0, axis), 1, ...x.s.slice(axis)]),
    squeeze: ([x], axes, make, arena, alias) => alias(x, x.s.filter((v, i) => !(axes.includes(i) && v === 1))),
    view([x], s, make, arena, alias) {
      const k = s.indexOf(-1);
      alias(x, k < 0 ? s : s.map((v, i) => (i === k ? size(x.s) / -size(s) : v)));
    },
    slice([x], [axis, first, end, step], make) {
      const L = x.s[axis], clip = (v) => Math.min(L, Math.max(0, v < 0 ? v + L : v));
      const from = clip(first), n = Math.max(0, Math.ceil((clip(end) - from) / step)), inner = size(x.s.slice(axis + 1)), outer = size(x.s.slice(0, axis));
      const y = make(x.s.map((v, i) => (i === axis ? n : v)));
      return () => {
        const p = x.b.d, q = y.b.d;
        for (let o = 0, t = 0; o < outer; o++) for (let i = 0; i < n; i++, t += inner) {
          const r = (o * L + from + i * step) * inner;
          for (let j = 0; j < inner; j++) q[t + j] = p[r + j];
        }
      };
    },
    cat(xs, [axis], make) {
      const s = xs[0].s.slice();
      s[axis] = xs.reduce((a, x) => a + x.s[axis], 0);
      const outer = size(s.slice(0, axis)), inner = size(s.slice(axis + 1)), y = make(s);
      return () => {
        for (let o = 0, t = 0; o < outer; o++) for (const x of xs) {
          const L = x.s[axis] * inner;
          y.b.d.set(x.b.d.subarray(o * L, o * L + L), t);
          t += L;
        }
      };
    },
    permute([x], order, make) {
      const st = strides(x.s), s = order.map((i) => x.s[i]), q = order.map((i) => st[i]), y = make(s);
      return () => { const p = x.b.d, r = y.b.d; walk(s, q, 0, (to, from) => { r[to] = p[from]; }); };
    },
    expand([x], wanted, make) {
      const lead = wanted.length - x.s.length, s = wanted.map((v, i) => (v === -1 ? x.s[i - lead] : v));
      const own = strides(x.s), st = s.map((v, i) => (i < lead || x.s[i - lead] === 1 ? 0 : own[i - lead])), y = make(s);
      return () => { const p = x.b.d, r = y.b.d; walk(s, st, 0, (to, from) => { r[to] = p[from]; }); };
    },
    pad([x], [l, r, t, b, mode, value], make) {
      const H = x.s.at(-2), W = x.s.at(-1), OH = H + t + b, OW = W + l + r, n = size(x.s) / H / W;
      const place = (i, L) => (i >= 0 && i < L ? i : mode === "constant" ? -1 : mode === "replicate" ? Math.min(L - 1, Math.max(0, i)) : i < 0 ? -i : 2 * (L - 1) - i);
      const rows = Int32Array.from({ length: OH }, (_, i) => place(i - t, H)), columns = Int32Array.from({ length: OW }, (_, j) => place(j - l, W));
      const y = make([...x.s.slice(0, -2), OH, OW]);
      return () => {
        const p = x.b.d, q = y.b.d;
        for (let c = 0, z = 0; c < n; c++) for (let i = 0; i < OH; i++) {
          const row = rows[i] < 0 ? -1 : (c * H + rows[i]) * W;
          for (let j = 0; j < OW; j++) q[z++] = row < 0 || columns[j] < 0 ? value : p[row + columns[j]];
        }
      };
    },
    shuffle([x], [k], make) {
      const [N, C, H, W] = x.s, y = make([N, C / k / k, H * k, W * k]);
      return () => {
        const p = x.b.d, q = y.b.d;
        for (let n = 0, r = 0; n < N * C; n++) {
          const c = Math.floor(n / k / k), u = Math.floor(n / k) % k, v = n % k;
          for (let i = 0; i < H; i++) for (let j = 0, t = (c * H * k + i * k + u) * W * k + v; j < W; j++, t += k) q[t] = p[r++];
        }
      };
    },
    nearest([x], [h, w, factors], make) {
      const [N, C, H, W] = x.s, OH = factors ? H * h : h, OW = factors ? W * w : w, y = make([N, C, OH, OW]);
      return () => {
        const p = x.b.d, q = y.b.d;
        for (let c = 0, t = 0; c < N * C; c++) for (let i = 0; i < OH; i++) {
          const row = (c * H + Math.floor(i * H / OH)) * W;
          for (let j = 0; j < OW; j++) q[t++] = p[row + Math.floor(j * W / OW)];
        }
      };
    },
    pool([x], [kh, kw, sh, sw, ph, pw, most], make) {
      const [N, C, H, W] = x.s, OH = Math.floor((H + 2 * ph - kh) / sh) + 1, OW = Math.floor((W + 2 * pw - kw) / sw) + 1, y = make([N, C, OH, OW]);
      return () => {
        const p = x.b.d, q = y.b.d;
        for (let c = 0, t = 0; c < N * C; c++) for (let i = 0; i < OH; i++) for (let j = 0; j < OW; j++) {
          let s = most ? -Infinity : 0;
          for (let u = Math.max(0, i * sh - ph); u < Math.min(H, i * sh - ph + kh); u++) for (let v = Math.max(0, j * sw - pw); v < Math.min(W, j * sw - pw + kw); v++) {
            const z = p[(c * H + u) * W + v];
            s = most ? Math.max(s, z) : s + z;
          }
          q[t++] = most ? s : s / kh / kw;
        }
      };
    },
    embedding([w, i], a, make) {
      const k = w.s[1], n = size(i.s), y = make([...i.s, k]);
      return () => { for (let t = 0; t < n; t++) y.b.d.set(w.b.d.subarray(i.b.d[t] * k, i.b.d[t] * k + k), t * k); };
    },
    fill([], [value, ...s], make) { const y = make(s), n = size(s); return () => y.b.d.fill(value, 0, n); },
  };
  for (const [name, of] of Object.entries(ONE)) PLAN[name] = ([x], a, make) => {
    const f = of(a), y = make(x.s, x), n = size(x.s);
    return () => { const p = x.b.d, q = y.b.d; for (let i = 0; i < n; i++) q[i] = f(p[i]); };
  };
  for (const [name, f] of Object.entries(TWO)) PLAN[name] = ([x, z], a, make) => {
    const r = Math.max(x.s.length, z.s.length), whole = (s) => [...Array(r - s.length).fill(1), ...s], A = whole(x.s), B = whole(z.s);
    const s = A.map((v, i) => (v === 1 ? B[i] : v)), n = size(s), own = (q) => strides(q).map((v, i) => (q[i] === 1 ? 0 : v));
    const same = size(A) === n && size(B) === n, y = size(A) === n ? make(s, x) : make(s);
    if (same) return () => { const p = x.b.d, q = z.b.d, o = y.b.d; for (let i = 0; i < n; i++) o[i] = f(p[i], q[i]); };
    if (size(B) === 1) return () => { const p = x.b.d, v = z.b.d[0], o = y.b.d; for (let i = 0; i < n; i++) o[i] = f(p[i], v); };
    const st = own(A), tt = own(B), ix = new Int32Array(n);
    walk(s, tt, 0, (to, from) => { ix[to] = from; });
    return () => { const p = x.b.d, q = z.b.d, o = y.b.d; walk(s, st, 0, (to, from) => { o[to] = f(p[from], q[ix[to]]); }); };
  };
  for (const how of ["sum", "mean", "max_over"]) PLAN[how] = ([x], a, make) => {
    const axes = a.slice(0, -1), kept = x.s.map((v, i) => (axes.includes(i) ? 1 : v)), st = strides(kept).map((v, i) => (axes.includes(i) ? 0 : v));
    const y = make(a.at(-1) ? kept : x.s.filter((_, i) => !axes.includes(i))), n = size(kept), most = how === "max_over", share = how === "mean" ? n / size(x.s) : 1;
    return () => {
      const p = x.b.d, q = y.b.d;
      q.fill(most ? -Infinity : 0, 0, n);
      walk(x.s, st, 0, (from, to) => { q[to] = most ? Math.max(q[to], p[from]) : q[to] + p[from] * share; });
    };
  };
  const ALIAS = ["view", "unsqueeze", "squeeze"];

  function planned(fn, table, weights, shapes) {
    const { operations, results } = fn, arena = new Arena(), k = shapes.length, last = [], root = [];
    const used = (i, at) => { if (i !== null && i >= 0 && root[i] !== undefined) last[root[i]] = at; };
    shapes.forEach((_, i) => { root[i] = i; });
    operations.forEach(([name, given], i) => { root[k + i] = ALIAS.includes(name) && given[0] >= 0 ? root[given[0]] : k + i; });
    operations.forEach(([name, given], i) => { if (name !== "size") given.forEach((g) => used(g, i)); });
    results.forEach((i) => used(i, Infinity));
    const values = shapes.map((s) => ({ s, b: arena.take(size(s)) })), inputs = values.slice(), steps = [];
    const value = (i) => (i === null ? null : i < 0 ? weights[-1 - i] : values[i]);
    operations.forEach(([name, given, attributes], i) => {
      const xs = given.map(value), a = attributes.map((p) => (p && p.r !== undefined ? values[p.r] : p));
      if (name === "size") { values.push(xs[0].s[a[0]]); return; }
      if (name === "number") { values.push(NUMBER[a[0]](a[1], a[2])); return; }
      if (!PLAN[name]) throw new Error(`this page's runtime lacks the operation ${name}`);
      let y;
      const dying = (v) => given.some((g, j) => xs[j] === v && g >= 0 && last[root[g]] === i);
      const make = (s, over) => (y = { s, b: over && dying(over) && size(over.s) === size(s) ? over.b : arena.take(size(s)) });
      const alias = (x, s) => { y = { s, b: x.b }; };
      const step = PLAN[name](xs, a, make, arena, alias);
      values.push(y);
      if (step) steps.push(step);
      const freed = new Set();
      given.forEach((g, j) => { if (g !== null && g >= 0 && last[root[g]] === i && xs[j].b !== y.b) freed.add(xs[j].b); });
      if (last[root[k + i]] === undefined) freed.add(y.b);
      freed.forEach((b) => arena.give(b));
    });
    const outputs = results.map((i) => ({ data: new Float32Array(size(values[i].s)), shape: values[i].s }));
    return (given) => {
      inputs.forEach((v, i) => v.b.d.set(given[i]));
      for (const step of steps) step();
      return outputs.map((o, i) => { o.data.set(values[results[i]].b.d.subarray(0, o.data.length)); return o; });
    };
  }

  async function unpacked({ weights, halves, table }) {
    const bytes = Uint8Array.from(atob(weights), (c) => c.charCodeAt(0));
    const raw = await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
    const half = new Uint16Array(raw, 0, halves), whole = new Float32Array(raw, 2 * halves), known = new Float32Array(65536);
    for (let i = 0; i < 65536; i++) known[i] = f16(i);
    return table.map(([start, isHalf, s]) => {
      const n = size(s), d = isHalf ? Float32Array.from(half.subarray(start, start + n), (u) => known[u]) : whole.slice(start, start + n);
      return { s, b: { n, d } };
    });
  }

  async function open(document) {
    const weights = await unpacked(document), plans = new Map();
    function run(name, given) {
      const fn = document.functions[name];
      if (!fn) throw new Error(`there is no function ${name}`);
      const data = fn.inputs.map((q) => {
        const x = given[q.name];
        if (x === undefined) throw new Error(`${name} needs ${q.name}`);
        return x.data || x;
      });
      const shapes = fn.inputs.map((q, i) => given[q.name].shape || [data[i].length / size(q.shape), ...q.shape]);
      shapes.forEach((s, i) => { if (size(s) !== data[i].length || s.some((v) => !Number.isInteger(v))) throw new Error(`${name}: ${fn.inputs[i].name} has ${data[i].length} values`); });
      const key = name + JSON.stringify(shapes);
      if (!plans.has(key)) {
        if (plans.size > 15) plans.delete(plans.keys().next().value);
        plans.set(key, planned(fn, document.table, weights, shapes));
      }
      const found = plans.get(key)(data);
      return Object.fromEntries(fn.outputs.map((q, i) => [q.name, found[i]]));
    }
    return { functions: document.functions, facts: document.facts, run };
  }
  return { open };
})();
