// The laboratory without its page: a setting, its game, and what is shown of it. Numbers for drawing come from
// generators of their own, so that looking changes nothing.
const EPOCH = 100;
class Lab {
  constructor() { this.set = null; }

  configure(given, again = false) {
    const old = this.set, set = { ...DEFAULTS, ...given };
    const anew = again || !old || STRUCTURE.some((name) => String(old[name]) !== String(set[name]));
    this.set = set;
    this.phase = 0;
    if (anew) this.begin();
    else if (!isLinear(set)) this.rebuild(this.game.keep());
    return anew;
  }
  begin() {
    const { set } = this;
    this.data = openData(set.data, set.points);
    const { d } = this.data;
    this.random = draws(set.seed);
    this.look = draws(set.seed + 1000);
    this.earlier = [];
    this.judged = this.collapsed = null;
    this.sums = { n: 0, real: 0, fake: 0, distance: 0, loss: 0 };
    this.phase = this.steps = 0;
    this.p = cellsOf(this.data, d === 1 ? BINS : CELLS);
    this.pField = d === 2 ? blurred(cellsOf(this.data, GRID), GRID, new Float64Array(GRID * GRID), new Float64Array(GRID * GRID)) : null;
    this.shown = new Float32Array(600 * d);
    this.data.draw(this.shown, this.look);
    // Each part as often as it should be, so that chance is left on the side of the samples alone.
    this.pairs = new Float32Array(2 * PAIRS);
    if (d === 2) {
      const { centres, sigma, n } = this.data;
      for (let i = 0; i < 2 * PAIRS; i++) this.pairs[i] = centres[Math.floor(((i >> 1) * n) / PAIRS)][i % 2] + sigma * this.look.normal();
      const others = new Float32Array(2 * PAIRS);
      this.data.draw(others, this.look);
      this.floor = pairing(this.pairs, others, PAIRS);
    } else this.floor = 0;
    if (isLinear(set)) {
      const rows = new Float32Array(2 * 2000);
      this.data.draw(rows, this.random);
      this.game = startLinear(set, rows);
      this.linear = Object.assign(draws(set.seed + 7), { rows: rows.subarray(0, 2 * SHOWN) });
      return;
    }
    this.nets = freshNets(set, d, this.random.uniform);
    this.rebuild({});
  }
  rebuild(kept) {
    const { set, data, look } = this;
    this.game = startGame(set, data.d, this.nets, this.random.uniform, kept);
    const v = this.game.views, h = (2 * VIEW) / GRID;
    const shown = draws(set.seed + 2000);
    shown.normals(v.zShown.v);
    data.draw(v.reals.v, shown);
    if (v.zPulled) v.zPulled.v.set(v.zShown.v.subarray(0, v.zPulled.n));
    const { grid } = v;
    for (let i = 0; i < grid.rows; i++) {
      if (data.d === 1) grid.v[i] = -VIEW + ((i + 0.5) * 2 * VIEW) / grid.rows;
      else { grid.v[2 * i] = -VIEW + ((i % GRID) + 0.5) * h; grid.v[2 * i + 1] = -VIEW + (Math.floor(i / GRID) + 0.5) * h; }
    }
    if (set.k === 1) { v.zMap.v.set(zLine(v.zMap.rows)); this.weights = pieces(v.zMap.rows); }
    else for (let way = 0, p = 0; way < 2; way++) for (let i = 0; i < LINES; i++) for (let j = 0; j < ALONG; j++, p += 2) {
      const across = -2.4 + (4.8 * i) / (LINES - 1), along = -2.4 + (4.8 * j) / (ALONG - 1);
      v.zMap.v[p + way] = along;
      v.zMap.v[p + 1 - way] = across;
    }
    this.look = look;
  }

  // One step of both players, or of a model that has none; `half` stops after one move.
  step(half = false) {
    const { set, game, data, random } = this;
    if (!game.x) game.move();
    else if (!game.duel) {
      data.draw(game.x.v, random);
      random.normals(game.z.v);
      game.move();
    } else {
      do {
        if (this.phase < set.critic) {
          data.draw(game.x.v, random);
          random.normals(game.z.v);
          random.uniforms(game.mixing.v);
          game.moveJudge();
          this.moved = "judge";
        } else {
          if (set.matching || set.unroll) data.draw(game.x.v, random);
          random.normals(game.z.v);
          game.moveGenerator();
          this.moved = "generator";
        }
        this.phase = (this.phase + 1) % (set.critic + (set.hold ? 0 : set.moves));
      } while (this.phase && !half);
      if (this.phase) return;
    }
    const { told } = game, { sums } = this;
    this.steps++;
    sums.n++;
    sums.real += told.real || 0;
    sums.fake += told.fake || 0;
    sums.distance += told.distance || 0;
    sums.loss += told.loss || 0;
    if (sums.n === EPOCH) this.checkup();
  }
  // What an epoch's end shows of the game's health.
  checkup() {
    if (isLinear(this.set)) return;
    const found = this.symptoms(), { earlier } = this;
    this.judged = { found, earlier: earlier.slice(-200) };
    earlier.push(found);
    // A cloud that leaps from mode to mode is wide on its way: collapse stands for the rule's patience.
    const said = this.rule(false);
    if (said === "collapse") this.collapsed = { n: earlier.length, found };
    for (const name in this.sums) this.sums[name] = 0;
  }
  symptoms() {
    const { set, game, data, sums } = this, v = game.views, n = Math.max(1, sums.n);
    if (game.duel) {
      v.plans.pull();
      // The samples of averaged weights, where these are the ones to be used.
      const samples = set.ema ? this.samples().subarray(0, v.pulled.n) : v.pulled.v;
      const found = symptoms(v.reals.v, samples, v.pull.v, data.d);
      return set.game === "gan" ? { ...found, real: sums.real / n, fake: sums.fake / n } : { ...found, distance: sums.distance / n };
    }
    v.plans.again();
    return coderSymptoms(v.reals.v, v.again.v, v.codes.v, v.logs && v.logs.v, set.k, sums.loss / n, this.earlier);
  }
  // The doctor's word: of the last checkup, or as if the training ended here.
  diagnosis(last) {
    if (isLinear(this.set) || !this.judged) return null;
    const name = this.rule(last), { collapsed } = this;
    const lately = this.game.duel && collapsed && this.earlier.length - collapsed.n < PATIENCE;
    if (lately && (!name || name === "undertrained")) return { ...collapsed.found, name: "collapse" };
    return { ...this.judged.found, name };
  }
  rule(last) {
    const { found, earlier } = this.judged, { set } = this;
    const game = set.game !== "gan" ? "wasserstein" : set.saturating ? "minimax" : "other";
    return this.game.duel ? diagnose(found, game, earlier, last) : examineCoder(found, earlier, last);
  }

  // Samples: of the averaged weights where these are asked for.
  samples() {
    const { set, game } = this;
    if (isLinear(set)) return this.linearSamples();
    const v = game.views;
    if (set.ema && v.calm) { v.refresh(); v.plans.calm(); return v.calm.v; }
    v.plans.samples();
    return v.sampled.v;
  }
  linearSamples() {
    const { m, W, psi } = this.game.state(), { rows } = this.linear, out = new Float32Array(rows.length);
    const normal = draws(this.set.seed + 7).normal;
    for (let i = 0; i < rows.length; i += 2) {
      if (this.set.game === "pca") {
        const z = (rows[i] - m[0]) * W[0] + (rows[i + 1] - m[1]) * W[1];
        out[i] = m[0] + z * W[0];
        out[i + 1] = m[1] + z * W[1];
      } else {
        const z = normal();
        out[i] = m[0] + z * W[0] + Math.sqrt(psi[0]) * normal();
        out[i + 1] = m[1] + z * W[1] + Math.sqrt(psi[1]) * normal();
      }
    }
    return out;
  }
  // Many samples of new draws, for counting.
  many(rounds = 4) {
    const { set, game, data } = this;
    if (isLinear(set)) return this.linearSamples();
    const v = game.views, all = new Float32Array(rounds * SHOWN * data.d), kept = v.zShown.v.slice();
    for (let r = 0; r < rounds; r++) {
      this.look.normals(v.zShown.v);
      all.set(this.samples(), r * SHOWN * data.d);
    }
    v.zShown.v.set(kept);
    return all;
  }
  measure() {
    const { data, set, game } = this, many = this.many(), found = coverage(data, many);
    let q, distance;
    if (data.d === 1) {
      q = new Float64Array(BINS + 1);
      if (set.k === 1) spreadShares(this.bent(), this.weights, BINS, q);
      else for (const x of many) { const b = Math.floor(((x + VIEW) * BINS) / (2 * VIEW)); q[b >= 0 && b < BINS ? b : BINS] += 1 / many.length; }
      distance = lineDistance(this.p, q, (2 * VIEW) / BINS);
    } else {
      q = counted(many, CELLS, new Float64Array(CELLS * CELLS + 1));
      distance = pairing(this.pairs, many, PAIRS);
    }
    found.jsd = divergence(this.p, q);
    found.distance = distance;
    found.q = q;
    if (game.duel && data.d === 1) found.best = bestJudge(this.p, q, new Float32Array(BINS));
    if (game.duel && data.d === 2) {
      const n = GRID * GRID, fine = counted(many, GRID, new Float64Array(n + 1)), smooth = blurred(fine, GRID, new Float64Array(n), new Float64Array(n));
      found.best = bestJudge(this.pField, smooth, new Float32Array(n));
    }
    return found;
  }
  bent() {
    const { set } = this, v = this.game.views;
    if (set.ema && v.calmBent) { v.refresh(); v.plans.calmBent(); return v.calmBent.v; }
    if (set.game === "ae") {
      // As far as codes reach: they have no prior.
      v.plans.again();
      let low = Infinity, high = -Infinity;
      for (const c of v.codes.v) { low = Math.min(low, c); high = Math.max(high, c); }
      for (let i = 0; i < v.zMap.n; i++) v.zMap.v[i] = low + ((high - low) * i) / (v.zMap.n - 1);
    }
    v.plans.bent();
    return v.bent.v;
  }
  // The field behind the points: what the judge says, the squared error of rebuilding, or a log-density.
  field() {
    const { set, game } = this;
    if (!isLinear(set)) { game.views.plans.field(); return game.views.field.v; }
    const { m, C } = game.state(), h = (2 * VIEW) / GRID, det = C[0] * C[2] - C[1] * C[1];
    return Float32Array.from({ length: GRID * GRID }, (_, i) => {
      const a = -VIEW + ((i % GRID) + 0.5) * h - m[0], b = -VIEW + (Math.floor(i / GRID) + 0.5) * h - m[1];
      return Math.exp(-(C[2] * a * a - 2 * C[1] * a * b + C[0] * b * b) / det / 2);
    });
  }
  // All that a picture needs; with `full` also what takes longer to measure.
  frame(full) {
    const { set, game, data } = this, linear = isLinear(set), v = game.views;
    const seen = { step: this.steps, phase: this.phase, moved: this.moved, told: { ...game.told }, samples: this.samples().slice(), field: this.field().slice() };
    if (!linear) seen.map = this.bent().slice();
    else seen.line = game.state();
    if (game.duel) { v.plans.pull(); seen.from = v.pulled.v.slice(); seen.pull = v.pull.v.slice(); }
    else if (!linear) { v.plans.again(); seen.from = v.reals.v.slice(); seen.again = v.again.v.slice(); }
    else { seen.from = this.linear.rows.slice(0, 256); seen.again = set.game === "pca" ? this.samples().slice(0, 256) : null; }
    if (full) seen.measured = this.measure();
    seen.lost = !seen.samples.every(Number.isFinite);
    return seen;
  }
}
