// Runs the programs of latentia.pages.program: small graphs of float32 operations, without a library.
const Latentia = (() => {
  "use strict";
  const size = (s) => s.reduce((a, b) => a * b, 1);
  const f16 = (u) => {
    const e = (u >> 10) & 31, f = u & 1023, s = u >> 15 ? -1 : 1;
    return s * (e === 0 ? f * 2 ** -24 : e === 31 ? (f ? NaN : Infinity) : (1 + f / 1024) * 2 ** (e - 15));
  };

  // kernels.wat, as bytes: sums of products, four values at a time. Without WebAssembly plain loops do the same.
  const KERNELS = "KERNELS_IN_BASE64";
  const DEPTH = 256;
  const bytesOf = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

  // Numbers in one memory, which WebAssembly shares; where it grows, all views of it are made anew.
  class Heap {
    static async made() {
      const heap = new Heap();
      heap.spare = [];
      try {
        heap.memory = new WebAssembly.Memory({ initial: 1 });
        heap.kernels = (await WebAssembly.instantiate(bytesOf(KERNELS), { e: { m: heap.memory } })).instance.exports;
        heap.top = 16;
        heap.all = [];
      } catch { heap.kernels = null; }
      return heap;
    }
    take(n) {
      if (!this.kernels) return { n, d: new Float32Array(n) };
      const b = { n, o: this.top }, missing = b.o + 4 * n + 64 - this.memory.buffer.byteLength;
      this.top += Math.ceil(n / 4) * 16;
      if (missing > 0) {
        this.memory.grow(Math.ceil(missing / 65536));
        for (const old of this.all) old.d = new Float32Array(this.memory.buffer, old.o, old.n);
      }
      b.d = new Float32Array(this.memory.buffer, b.o, n);
      this.all.push(b);
      return b;
    }
    // y[i, r, j] = bias[i] + the sum over l of w[i, l] x[r · xrow + offsets[l] + j]; rows i lie `apart`, rows r `yrow`.
    correlate({ b, bias, k, m }, offsets, x, x0, xrow, y, y0, apart, yrow, rows, columns) {
      if (this.kernels) {
        for (let l = 0; l < k; l += DEPTH) this.kernels.correlate(b.o + 16 * l, 16 * k, Math.min(DEPTH, k - l), x.o + 4 * x0, offsets.b.o + 4 * l, 4 * xrow, y.o + 4 * y0, 4 * apart, 4 * yrow, m, rows, columns, bias.o, l);
        return;
      }
      for (let i = 0; i < m; i++) for (let r = 0; r < rows; r++) {
        const q = y.d.subarray(y0 + i * apart + r * yrow).fill(bias.d[i], 0, columns);
        for (let l = 0; l < k; l++) { const v = b.d[((i >> 2) * k + l) * 4 + (i & 3)]; for (let j = 0, t = x0 + r * xrow + offsets.own[l]; j < columns; j++) q[j] += v * x.d[t + j]; }
      }
    }
    // Weights w(i, l) of m rows as the kernel reads them: four rows side by side, an even number in each.
    packed(m, k, w, bias) {
      const even = Math.max(2, k + k % 2), four = Math.ceil(m / 4) * 4, found = { b: this.take(four * even), bias: this.take(four), k: even, m };
      found.b.d.fill(0);
      found.bias.d.fill(0);
      for (let i = 0; i < m; i++) {
        found.bias.d[i] = bias(i);
        for (let l = 0; l < k; l++) found.b.d[((i >> 2) * even + l) * 4 + (i & 3)] = w(i, l);
      }
      return found;
    }
    // y (o) = w (o × k) x + bias.
    linear(x, x0, w, w0, bias, e0, y, y0, k, o) {
      if (this.kernels) return this.kernels.linear(x.o + 4 * x0, w.o + 4 * w0, bias ? bias.o + 4 * e0 : 0, y.o + 4 * y0, k, o);
      const p = x.d, q = w.d;
      for (let j = 0, t = w0; j < o; j++) { let v = bias ? bias.d[e0 + j] : 0; for (let l = 0; l < k; l++, t++) v += p[x0 + l] * q[t]; y.d[y0 + j] = v; }
    }
  }

  // Memory is planned once for each shape of the inputs: what an operation no longer needs is used again.
  class Arena {
    constructor(heap) { this.heap = heap; this.free = []; this.own = []; }
    take(n) {
      const fit = (free) => { let best = -1; free.forEach((b, i) => { if (b.n >= n && (best < 0 || b.n < free[best].n)) best = i; }); return best < 0 ? null : free.splice(best, 1)[0]; };
      const found = fit(this.free);
      if (found) return found;
      this.own.push(fit(this.heap.spare) || this.heap.take(n));
      return this.own.at(-1);
    }
    give(b) { this.free.push(b); }
    // Memory that is written now, and which no other step may take.
    fresh(n) {
      const place = this.heap.spare.findIndex((b) => b.n >= n), found = place < 0 ? this.heap.take(n) : this.heap.spare.splice(place, 1)[0];
      this.own.push(found);
      return found;
    }
    // Where the values lie that a row's weights are multiplied by; in bytes in the memory.
    offsets(places, k) {
      const own = Int32Array.from({ length: k }, (_, l) => places[l] || 0), b = this.fresh(k);
      if (this.heap.kernels) new Int32Array(b.d.buffer, b.o, k).set(own.map((v) => 4 * v));
      return { own, b };
    }
  }

  // A copy of C images amid zeros, every sh-th row and sw-th column in a plane of its own: C × sh × sw × HQ × WQ.
  function spaced(x, x0, q, C, H, W, HQ, WQ, sh, sw, ph, pw) {
    let t = 0;
    for (let c = 0; c < C; c++) for (let u = -ph; u < sh - ph; u++) for (let v = -pw; v < sw - pw; v++) {
      const first = Math.min(WQ, Math.max(0, Math.ceil(-v / sw))), last = Math.max(first, Math.min(WQ, Math.floor((W - 1 - v) / sw) + 1));
      for (let i = 0; i < HQ; i++) {
        const row = i * sh + u, stop = t + WQ;
        if (row < 0 || row >= H) { while (t < stop) q[t++] = 0; continue; }
        for (let j = 0; j < first; j++) q[t++] = 0;
        for (let j = first, r = x0 + (c * H + row) * W + v + first * sw; j < last; j++, r += sw) q[t++] = x[r];
        while (t < stop) q[t++] = 0;
      }
    }
  }

  // Plans what correlates m channels of R × S values, written to images (OH, OW): every sh-th row and sw-th column from `first` on.
  // Rows that are no multiples of four values are computed in one with what lies between them.
  function correlation(arena, w, offsets, WQ, R, S, OH, OW, first = 0, sh = 1, sw = 1) {
    const { heap } = arena, n = (R - 1) * WQ + S, flat = R * (Math.floor(S / 8) + (S >> 2 & 1) + S % 4) > n / 8 + 1;
    const whole = sh * sw === 1, length = flat ? WQ : S, apart = flat ? Math.ceil(n / 4) * 4 : R * S, P = OH * OW;
    if (whole && !flat) return (x, x0, y, y0) => heap.correlate(w, offsets, x, x0, WQ, y, y0, P, S, R, S);
    const part = arena.take(w.m * apart);
    arena.give(part);
    return (x, x0, y, y0) => {
      heap.correlate(w, offsets, x, x0, WQ, part, 0, apart, S, flat ? 1 : R, flat ? apart : S);
      const p = part.d, q = y.d;
      for (let o = 0; o < w.m; o++) for (let i = 0; i < R; i++) {
        for (let j = 0, r = o * apart + i * length, t = y0 + o * P + first + i * sh * OW; j < S; j++, t += sw) q[t] = p[r + j];
      }
    };
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
  // Four at a time, which do not wait for each other.
  function sum(p, i, end) {
    let a = 0, b = 0, c = 0, d = 0;
    for (; i < end - 3; i += 4) { a += p[i]; b += p[i + 1]; c += p[i + 2]; d += p[i + 3]; }
    for (; i < end; i++) a += p[i];
    return a + b + (c + d);
  }
  function squares(p, i, end, mean) {
    let a = 0, b = 0;
    for (; i < end - 1; i += 2) { const u = p[i] - mean, v = p[i + 1] - mean; a += u * u; b += v * v; }
    if (i < end) a += (p[i] - mean) * (p[i] - mean);
    return a + b;
  }
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
    linear([x, w, b], a, make, arena) {
      const k = w.s[1], o = w.s[0], m = size(x.s) / k, y = make([...x.s.slice(0, -1), o]);
      return () => { for (let i = 0; i < m; i++) arena.heap.linear(x.b, i * k, w.b, 0, b && b.b, 0, y.b, i * o, k, o); };
    },
    conv([x, w, b], [sh, sw, ph, pw, dh, dw, groups], make, arena) {
      const [N, C, H, W] = x.s, [O, c, kh, kw] = w.s, k = c * kh * kw, m = O / groups;
      const OH = Math.floor((H + 2 * ph - dh * (kh - 1) - 1) / sh) + 1, OW = Math.floor((W + 2 * pw - dw * (kw - 1) - 1) / sw) + 1, P = OH * OW;
      const y = make([N, O, OH, OW]), plain = sh * sw === 1 && ph + pw === 0;
      const HQ = plain ? H : OH + Math.floor((kh - 1) * dh / sh), WQ = plain ? W : OW + Math.floor((kw - 1) * dw / sw), planes = sh * sw * HQ * WQ;
      const near = plain ? x.b : arena.take(C * planes), places = [];
      for (let i = 0; i < c; i++) for (let u = 0; u < kh * dh; u += dh) for (let v = 0; v < kw * dw; v += dw)
        places.push(i * planes + ((u % sh) * sw + v % sw) * HQ * WQ + Math.floor(u / sh) * WQ + Math.floor(v / sw));
      let run;
      if (P === 1) {
        const row = arena.take(k);
        arena.give(row);
        run = Array.from({ length: groups }, (_, g) => (p, x0, q, y0) => {
          for (let l = 0; l < k; l++) row.d[l] = p.d[x0 + places[l]];
          arena.heap.linear(row, 0, w.b, g * m * k, b && b.b, g * m, q, y0, k, m);
        });
      } else {
        w.packed = w.packed || Array.from({ length: groups }, (_, g) => arena.heap.packed(m, k, (i, l) => w.b.d[(g * m + i) * k + l], (i) => (b ? b.b.d[g * m + i] : 0)));
        const offsets = arena.offsets(places, w.packed[0].k);
        run = w.packed.map((each) => correlation(arena, each, offsets, WQ, OH, OW, OH, OW));
      }
      if (!plain) arena.give(near);
      return () => {
        for (let n = 0; n < N; n++) {
          if (!plain) spaced(x.b.d, n * C * H * W, near.d, C, H, W, HQ, WQ, sh, sw, ph, pw);
          run.forEach((f, g) => f(near, (plain ? n * C : 0) * planes + g * c * planes, y.b, (n * O + g * m) * P));
        }
      };
    },
    // The value at row r comes from those rows i of the image for which r + ph − i · sh is a row of the kernel: a correlation for each rest of (r + ph) by sh.
    spread([x, w, b], [sh, sw, ph, pw, mh, mw], make, arena) {
      const [N, C, H, W] = x.s, [, O, kh, kw] = w.s, OH = (H - 1) * sh - 2 * ph + kh + mh, OW = (W - 1) * sw - 2 * pw + kw + mw, P = OH * OW;
      const y = make([N, O, OH, OW]), bias = (o) => (b ? b.b.d[o] : 0);
      if (H * W === 1) {
        // A weight for each value of the result.
        if (!w.dense) {
          w.dense = { w: arena.heap.take(O * P * C), b: arena.heap.take(O * P) };
          for (let o = 0, t = 0; o < O; o++) for (let r = 0; r < OH; r++) for (let s = 0; s < OW; s++, t++) {
            const u = r + ph, v = s + pw;
            w.dense.b.d[t] = bias(o);
            for (let i = 0; i < C; i++) w.dense.w.d[t * C + i] = u < kh && v < kw ? w.b.d[((i * O + o) * kh + u) * kw + v] : 0;
          }
        }
        return () => { for (let n = 0; n < N; n++) arena.heap.linear(x.b, n * C, w.dense.w, 0, w.dense.b, 0, y.b, n * O * P, C, O * P); };
      }
      const top = Math.ceil(kh / sh) - 1, left = Math.ceil(kw / sw) - 1, HQ = top + Math.floor((OH - 1 + ph) / sh) + 1, WQ = left + Math.floor((OW - 1 + pw) / sw) + 1;
      const near = arena.take(C * HQ * WQ), run = [];
      w.packed = w.packed || [];
      for (let u = 0; u < sh; u++) for (let v = 0; v < sw; v++) {
        const r0 = Math.max(0, Math.ceil((ph - u) / sh)), s0 = Math.max(0, Math.ceil((pw - v) / sw));
        const R = Math.floor((OH - 1 + ph - u) / sh) - r0 + 1, S = Math.floor((OW - 1 + pw - v) / sw) - s0 + 1, places = [], taps = [];
        if (R <= 0 || S <= 0) continue;
        for (let i = 0; i < C; i++) for (let e = u; e < kh; e += sh) for (let f = v; f < kw; f += sw) {
          places.push((i * HQ + top - (e - u) / sh) * WQ + left - (f - v) / sw);
          taps.push([i, e * kw + f]);
        }
        const each = w.packed[u * sw + v] = w.packed[u * sw + v] || arena.heap.packed(O, taps.length, (o, l) => w.b.d[(taps[l][0] * O + o) * kh * kw + taps[l][1]], bias);
        const from = r0 * WQ + s0, f = correlation(arena, each, arena.offsets(places, each.k), WQ, R, S, OH, OW, (r0 * sh + u - ph) * OW + s0 * sw + v - pw, sh, sw);
        run.push((n) => f(near, from, y.b, n * O * P));
      }
      arena.give(near);
      return () => {
        for (let n = 0; n < N; n++) {
          spaced(x.b.d, n * C * H * W, near.d, C, H, W, HQ, WQ, 1, 1, top, left);
          for (const f of run) f(n);
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
          const mean = sum(p, t, t + L) / L, r = 1 / Math.sqrt(squares(p, t, t + L, mean) / L + eps);
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
      const first = Math.max(0, l), last = Math.min(OW, l + W);
      const y = make([...x.s.slice(0, -2), OH, OW]);
      return () => {
        const p = x.b.d, q = y.b.d;
        for (let c = 0, z = 0; c < n; c++) for (let i = 0; i < OH; i++) {
          if (rows[i] < 0) { for (const stop = z + OW; z < stop; z++) q[z] = value; continue; }
          const row = (c * H + rows[i]) * W;
          for (let j = 0; j < first; j++) q[z++] = columns[j] < 0 ? value : p[row + columns[j]];
          for (let j = first, r = row + first - l; j < last; j++) q[z++] = p[r++];
          for (let j = last; j < OW; j++) q[z++] = columns[j] < 0 ? value : p[row + columns[j]];
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

  function planned(fn, heap, weights, shapes) {
    const { operations, results } = fn, arena = new Arena(heap), k = shapes.length, last = [], root = [];
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
    const run = (given) => {
      inputs.forEach((v, i) => v.b.d.set(given[i]));
      for (const step of steps) step();
      return outputs.map((o, i) => { o.data.set(values[results[i]].b.d.subarray(0, o.data.length)); return o; });
    };
    return { run, end: () => { heap.spare.push(...arena.own); } };
  }

  async function unpacked({ weights, lengths: [singles, halves], table }, heap) {
    const raw = new Uint8Array(await new Response(new Blob([bytesOf(weights)]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer());
    const known = new Float32Array(65536), whole = new Float32Array(singles), bytes = new Uint8Array(whole.buffer);
    for (let i = 0; i < 65536; i++) known[i] = f16(i);
    const half = Float32Array.from({ length: halves }, (_, i) => known[raw[i] | (raw[halves + i] << 8)]);
    for (let i = 0; i < singles; i++) for (let k = 0; k < 4; k++) bytes[4 * i + k] = raw[2 * halves + k * singles + i];
    return table.map(([start, isHalf, s, by, channels, each]) => {
      const n = size(s);
      const b = heap.take(n);
      b.d.set((isHalf ? half : whole).subarray(start, start + n));
      if (channels) for (let i = 0; i < n; i++) b.d[i] *= whole[by + (Math.floor(i / each) % channels)];
      return { s, b };
    });
  }

  async function open(document) {
    const heap = await Heap.made(), weights = await unpacked(document, heap), plans = new Map();
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
        if (plans.size > 15) { const [old, plan] = plans.entries().next().value; plan.end(); plans.delete(old); }
        plans.set(key, planned(fn, heap, weights, shapes));
      }
      const found = plans.get(key).run(data);
      return Object.fromEntries(fn.outputs.map((q, i) => [q.name, found[i]]));
    }
    return { functions: document.functions, facts: document.facts, run };
  }
  return { open };
})();
