// The games, written as the library writes them. Nets and averages are kept in `player` records, so that another
// setting makes a new graph around the same weights.
//
//   GAN       max_D E log D(x) + E log(1 − D(G(z)))     G: max E log D(G(z)), or min E log(1 − D(G(z)))
//   WGAN      max_f E f(x) − E f(G(z)), |w| ≤ c         G: max E f(G(z))
//   WGAN-GP   the same with λ E(‖∇f(x̂)‖ − 1)² in the place of the bound on w
//   VAE       min E ‖x − x̂‖²/2v + d/2 log 2πv + β KL    autoencoder: min E ‖x − x̂‖²
const WIDTH = 64;
const BATCH = 128;
const SHOWN = 512;
const N_KERNELS = 8;

const RULES = {
  gan: { name: "adam", beta2: 0.999 },
  wgan: { name: "rmsprop" },
  wgangp: { name: "adam", beta2: 0.9 },
  vae: { name: "adam", beta1: 0.9, beta2: 0.999 },
  ae: { name: "adam", beta1: 0.9, beta2: 0.999 },
};

// The nets of a setting, with their first weights.
function freshNets(set, d, uniform) {
  const { k } = set;
  if (!JUDGED[set.game]) {
    const codes = set.game === "vae" ? 2 * k : k;
    return { encoder: freshNet([d, WIDTH, WIDTH, codes], uniform), decoder: freshNet([k, WIDTH, WIDTH, d], uniform) };
  }
  const judge = freshNet([d * set.pack, WIDTH, WIDTH, 1], uniform, set.minibatch ? N_KERNELS : 0);
  return { generator: freshNet([k, WIDTH, WIDTH, d], uniform), judge };
}

// A mean of past weights beside a net's own (Polyak, Juditsky 1992), with the library's rising decay.
function averaged(params, kept, first = params) {
  const means = kept || first.map((p) => p.v.slice());
  return {
    means,
    follow(decay) {
      for (let q = 0; q < means.length; q++) {
        const m = means[q], v = params[q].v, n = m.length;
        for (let i = 0; i < n; i++) m[i] += (1 - decay) * (v[i] - m[i]);
      }
    },
  };
}

function startGame(set, d, nets, uniform, kept = {}) {
  clearHeap();
  return JUDGED[set.game] ? startDuel(set, d, nets, uniform, kept) : startCoder(set, d, nets, uniform, kept);
}

function startDuel(set, d, nets, uniform, kept) {
  const wasserstein = set.game !== "gan";
  const G = nodesOf(nets.generator), D = nodesOf(nets.judge);
  const x = leaf(BATCH, d), z = leaf(BATCH, set.k), mixing = leaf(BATCH / set.pack, 1);
  const judge = judgeOf(set, D, uniform);
  const past = set.history ? [historyOf(D, kept.past?.[0]), historyOf(G, kept.past?.[1])] : null;

  // The judge.
  const fake = dense(z, G.layers);
  const onReal = judge.of(packed(x, set.pack)), onFake = judge.of(packed(fake, set.pack));
  const gap = minus(mean(onReal), mean(onFake));
  let lossD = wasserstein ? scaled(gap, -1) : negativeValue(onReal, onFake, set.smooth);
  if (set.game === "wgangp") lossD = plus(lossD, gradientPenalty(set, judge, x, fake, mixing));
  if (set.r1) {
    const u = packed(x, set.pack), on = set.spectral ? judge.of(u) : onReal;
    const [slopes] = gradients(total(on), [on === onReal ? judge.seen(u) : u]);
    lossD = plus(lossD, scaled(total(square(slopes)), set.r1 / 2 / slopes.rows));
  }
  if (past) lossD = plus(lossD, scaled(past[0].distance, set.history));
  const gradsD = gradients(lossD, D.params);
  const probabilities = wasserstein ? [] : [mean(sigmoid(onReal)), mean(sigmoid(onFake))];
  const planD = plan([lossD, ...probabilities, gap, ...gradsD]);

  // The generator.
  const made = dense(z, G.layers);
  let lossG = generatorLoss(set, D, judge, x, made);
  if (past) lossG = plus(lossG, scaled(past[1].distance, set.history));
  const gradsG = gradients(lossG, G.params);
  const planG = plan([lossG, ...gradsG]);

  const rule = { beta1: set.beta1, ...RULES[set.game] };
  const movers = [mover(D.params, rule, kept.movers?.[0]), mover(G.params, rule, kept.movers?.[1])];
  const average = averaged(G.params, kept.average);
  const told = { judge: 0, generator: 0, real: 0, fake: 0, distance: 0 };
  let t = kept.t || 0;
  return {
    x, z, mixing, told, duel: true,
    moveJudge() {
      planD();
      movers[0].move(gradsD, set.rate);
      if (set.game === "wgan" && !set.spectral) clip(D.params, set.clip);
      if (past) past[0].remember();
      told.judge = lossD.v[0];
      told.distance = gap.v[0];
      if (!wasserstein) { told.real = probabilities[0].v[0]; told.fake = probabilities[1].v[0]; }
    },
    moveGenerator() {
      planG();
      movers[1].move(gradsG, set.rate);
      if (past) past[1].remember();
      told.generator = lossG.v[0];
      t++;
      average.follow(Math.min(0.999, (1 + t) / (10 + t)));
    },
    views: duelViews(set, d, G, D, judge, average, x),
    keep() {
      keep(G);
      keep(D);
      return { t, movers: movers.map((m) => m.states), average: average.means, past: past?.map((p) => p.kept) };
    },
  };
}
const packed = (u, size) => (size === 1 ? u : reshaped(u, u.rows / size, u.cols * size));

// What the judge says of data; with spectral normalisation each pass iterates, unless it only looks.
function judgeOf(set, D, uniform) {
  const nodes = (still) => (set.spectral ? normalised(D, uniform, still) : D);
  return {
    of: (u, still = false, params = null) => {
      const now = params ? withParams(D, params) : nodes(still);
      return verdicts(features(u, now.layers), now);
    },
    features: (u, still = false) => features(u, nodes(still).layers),
    seen: (u) => u,
    nodes,
  };
}
// −E log D(x) − E log(1 − D(G(z))), real ones' target smoothed.
function negativeValue(real, fake, target) {
  return plus(mean(minus(softplus(real), scaled(real, target))), mean(softplus(fake)));
}
// λ E(‖∇f(x̂)‖ − 1)², x̂ = εx + (1 − ε)G(z) (Gulrajani et al. 2017, eq. 3).
function gradientPenalty(set, judge, x, fake, mixing) {
  const u = packed(x, set.pack), v = packed(fake, set.pack);
  const between = plus(v, times(sidewards(mixing, u.cols), minus(u, v)));
  const [slopes] = gradients(total(judge.of(between)), [between]);
  return scaled(mean(square(shifted(root(rowSums(square(slopes))), -1))), set.penalty);
}
// The mean of a player's past weights, and the squared distance to it (Salimans et al. 2016, section 3.3).
function historyOf(nodes, kept) {
  const own = kept || { count: 0, means: nodes.params.map((p) => p.v.slice()) };
  const means = nodes.params.map((p, i) => leaf(p.rows, p.cols, own.means[i]));
  const distance = nodes.params.map((p, i) => total(square(minus(p, means[i])))).reduce(plus);
  return {
    distance,
    kept: own,
    remember() {
      own.count++;
      means.forEach((m, i) => {
        const v = nodes.params[i].v;
        for (let j = 0; j < m.n; j++) m.v[j] += (v[j] - m.v[j]) / own.count;
        own.means[i].set(m.v);
      });
    },
  };
}
function generatorLoss(set, D, judge, x, made, still = false) {
  const u = packed(made, set.pack);
  if (set.matching) {
    const apart = minus(columnMeans(judge.features(packed(x, set.pack), still)), columnMeans(judge.features(u, still)));
    return total(square(apart));
  }
  const on = set.unroll ? unrolled(set, D, judge, packed(x, set.pack), u) : judge.of(u, still);
  if (set.game !== "gan") return scaled(mean(on), -1);
  return set.saturating ? scaled(mean(softplus(on)), -1) : mean(softplus(scaled(on, -1)));
}
const columnMeans = (f) => scaled(columnSums(f), 1 / f.rows);
// Verdicts of the judge as it would be after some steps of gradient descent (Metz et al. 2017, section 2.2).
function unrolled(set, D, judge, real, fake) {
  let params = D.params;
  for (let i = 0; i < set.unroll; i++) {
    const loss = negativeValue(judge.of(real, true, params), judge.of(fake, true, params), set.smooth);
    params = gradients(loss, params).map((g, q) => minus(params[q], scaled(g, set.unrollRate)));
  }
  return judge.of(fake, true, params);
}
function clip(params, c) {
  for (const { v } of params) for (let i = 0; i < v.length; i++) v[i] = Math.max(-c, Math.min(c, v[i]));
}

// What is drawn: samples, the judge's field, and what pulls at the samples.
function duelViews(set, d, G, D, judge, average, xBatch) {
  const zShown = leaf(SHOWN, set.k), sampled = dense(zShown, G.layers);
  const means = average.means.map((m, i) => leaf(G.params[i].rows, G.params[i].cols, m));
  const calm = dense(zShown, withParams(G, means).layers);
  const zMap = leaf(mapSize(set.k), set.k), bent = dense(zMap, G.layers), calmBent = dense(zMap, withParams(G, means).layers);
  const grid = leaf(d === 1 ? GRID * 4 : GRID * GRID, d);
  const seen = judge.nodes(true), beside = columnsBeside(grid, set.pack);
  const reals = leaf(BATCH, d);
  // Among others of its kind: a point of the plane has no batch, so that it is judged as if in one of real data.
  const among = (M) => downwards(columnMeans(closeness(affine(features(packed(reals, set.pack), seen.layers), seen.T), N_KERNELS)), M.rows);
  const field = verdicts(features(beside, seen.layers), seen, seen.T ? among : undefined);
  const zPulled = leaf(BATCH, set.k), pulled = dense(zPulled, G.layers);
  const [pull] = gradients(generatorLoss(set, D, judge, reals, pulled, true), [pulled]);
  const plans = { samples: plan([sampled]), calm: plan([calm]), field: plan([field]), pull: plan([pull]), bent: plan([bent]), calmBent: plan([calmBent]) };
  const refresh = () => average.means.forEach((m, i) => means[i].v.set(m));
  return { zShown, zMap, grid, reals, zPulled, pulled, pull, field, sampled, calm, bent, calmBent, plans, refresh };
}
// A point beside itself, as often as samples are judged together.
function columnsBeside(x, size) {
  if (size === 1) return x;
  const run = (y) => { for (let i = 0; i < x.rows; i++) for (let s = 0; s < size; s++) for (let j = 0; j < x.cols; j++) y.v[(i * size + s) * x.cols + j] = x.v[i * x.cols + j]; };
  return new Node(x.rows, x.cols * size, [x], run, null);
}
const mapSize = (k) => (k === 1 ? 241 : 2 * LINES * ALONG);

function startCoder(set, d, nets, uniform, kept) {
  const E = nodesOf(nets.encoder), G = nodesOf(nets.decoder), k = set.k, variational = set.game === "vae";
  const x = leaf(BATCH, d), z = leaf(BATCH, k);
  const encoded = (u) => {
    const output = dense(u, E.layers);
    return variational ? [columns(output, 0, k), clamped(columns(output, k, k), -30, 20)] : [output];
  };
  const [centre, logs] = encoded(x);
  const code = variational ? plus(centre, times(exponential(scaled(logs, 0.5)), z)) : centre;
  const error = scaled(total(square(minus(x, dense(code, G.layers)))), 1 / BATCH);
  let loss = error, kl = null;
  if (variational) {
    kl = scaled(total(minus(plus(square(centre), exponential(logs)), shifted(logs, 1))), 0.5 / BATCH);
    loss = plus(shifted(scaled(error, 0.5 / set.noise), (d / 2) * Math.log(2 * Math.PI * set.noise)), scaled(kl, set.beta));
  }
  const params = [...E.params, ...G.params], grads = gradients(loss, params);
  const run = plan([loss, error, ...(kl ? [kl] : []), ...grads]);
  const own = mover(params, RULES[set.game], kept.movers?.[0]);
  const told = { loss: 0, error: 0, kl: 0 };
  let t = kept.t || 0;
  return {
    x, z, told, duel: false,
    move() {
      run();
      own.move(grads, set.rate);
      told.loss = loss.v[0];
      told.error = error.v[0];
      told.kl = kl ? kl.v[0] : 0;
      t++;
    },
    views: coderViews(set, d, G, encoded),
    keep() {
      keep(E);
      keep(G);
      return { t, movers: [own.states] };
    },
  };
}
function coderViews(set, d, G, encoded) {
  const zShown = leaf(SHOWN, set.k), sampled = dense(zShown, G.layers);
  const zMap = leaf(mapSize(set.k), set.k), bent = dense(zMap, G.layers);
  const grid = leaf(d === 1 ? GRID * 4 : GRID * GRID, d), reals = leaf(BATCH, d);
  const rebuilt = (u) => dense(encoded(u)[0], G.layers);
  const again = rebuilt(reals), over = rebuilt(grid), field = rowSums(square(minus(grid, over)));
  const [codes, logs] = encoded(reals);
  const plans = { samples: plan([sampled]), field: plan([field]), again: plan([again, codes, ...(logs ? [logs] : [])]), bent: plan([bent]) };
  return { zShown, zMap, grid, reals, field, sampled, bent, again, codes, logs, plans, refresh() {} };
}
