// Runs what is asked of the laboratory's code, the first argument, on what a test gives: a line of JSON is a list
// of requests, and one of answers comes back.
const source = require("fs").readFileSync(process.argv[2], "utf8");
const names = "openKernels freshNets startGame draws openData cellsOf divergence spreadShares zLine pieces bestJudge lineDistance pairing symptoms diagnose coderSymptoms examineCoder startLinear Lab DEFAULTS BINS VIEW phi leaf affine inner plan gradients SHOWN";
const L = new Function(`${source}\nreturn { ${names.split(" ").join(", ")} };`)();
L.openKernels();
const set = (array, values) => array.set(Float32Array.from(values.flat(Infinity)));

const ACTIONS = {
  // A game from given weights, with given batches and noise: the losses of each step.
  game({ setting, nets, steps, d }) {
    const given = { ...L.DEFAULTS, ...setting };
    const plain = (net) => ({
      kernels: net.kernels || 0,
      T: net.T ? Float32Array.from(net.T.flat()) : null,
      layers: net.layers.map(({ W, b, u, v }) => ({ n: W.length, o: b.length, W: Float32Array.from(W.flat()), b: Float32Array.from(b), u: u ? Float32Array.from(u) : null, v: v ? Float32Array.from(v) : null })),
    });
    const made = Object.fromEntries(Object.entries(nets).map(([name, net]) => [name, plain(net)]));
    const game = L.startGame(given, d, made, L.draws(0).uniform);
    return steps.map((moves) => {
      for (const { x, z, mixing, who } of moves) {
        if (x) set(game.x.v, x);
        set(game.z.v, z);
        if (mixing) set(game.mixing.v, mixing);
        if (who === "judge") game.moveJudge();
        else if (who === "generator") game.moveGenerator();
        else game.move();
      }
      return { ...game.told };
    });
  },
  diagnose: ({ cases }) => cases.map(([found, game, earlier, last]) => L.diagnose(found, game, earlier, last)),
  examine: ({ cases }) => cases.map(([found, earlier, last]) => L.examineCoder(found, earlier, last)),
  symptoms: ({ real, fake, pull }) => L.symptoms(Float32Array.from(real.flat()), Float32Array.from(fake.flat()), Float32Array.from(pull.flat()), real[0].length),
  // The line: probabilities of the bins, of the data and of G(z) = a z + b, and D*.
  line({ a, b }) {
    const p = L.cellsOf(L.openData("line"), L.BINS), q = L.spreadShares(Array.from(L.zLine(241), (z) => a * z + b), L.pieces(241), L.BINS, new Float64Array(L.BINS + 1));
    return { p: [...p], q: [...q], best: [...L.bestJudge(p, q, new Float64Array(L.BINS))], jsd: L.divergence(p, q), distance: L.lineDistance(p, q, (2 * L.VIEW) / L.BINS), view: L.VIEW };
  },
  pairing: ({ a, b }) => L.pairing(a.flat(), b.flat(), a.length),
  phi: ({ t }) => t.map(L.phi),
  factor({ rows, game, steps }) {
    const model = L.startLinear({ game }, rows.flat()), losses = [];
    for (let i = 0; i < steps; i++) { model.move(); losses.push(model.told.loss); }
    return { losses, likelihood: model.told.likelihood, ...model.state() };
  },
  product({ a, b, c, bias }) {
    const [m, k, n] = [a.length, b.length, b[0].length];
    const A = L.leaf(m, k, a.flat()), B = L.leaf(k, n, b.flat()), C = L.leaf(m, n, c.flat()), Z = L.leaf(1, n, bias);
    const y = L.affine(A, B, Z), g = L.inner(A, C);
    L.plan([y, g])();
    return { y: [...y.v], g: [...g.v] };
  },
  // A setting played as the page plays it: how many parts are reached, the doctor's words, and the work done.
  play({ setting, steps }) {
    const lab = new L.Lab();
    lab.configure(setting);
    const said = {};
    const before = process.cpuUsage();
    for (let i = 1; i <= steps; i++) {
      lab.step();
      if (i % 100 === 0) { const { name } = lab.diagnosis(false); said[name] = (said[name] || 0) + 1; }
    }
    const seconds = process.cpuUsage(before).user / 1e6;
    const { covered, on, jsd } = lab.measure();
    return { covered, on, jsd, said, last: lab.diagnosis(true).name, seconds, parts: lab.data.parts };
  },
};
const answers = (requests) => requests.map(({ action, ...given }) => ACTIONS[action](given));
require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  let found;
  try { found = { answers: answers(JSON.parse(line)) }; } catch (error) { found = { error: error.stack }; }
  process.stdout.write(`${JSON.stringify(found)}\n`);
});
