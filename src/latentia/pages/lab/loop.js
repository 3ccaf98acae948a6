// The laboratory at work in its worker: it plays, and between moves answers.
openKernels();
const lab = new Lab(), post = (seen) => postMessage(seen);
let mode = "stop", ticks = 0, rate = 0, measuredAt = -1e9, busy = false, drawn = true;
const SLICE = 34, MEASURED = 300, SLOW = 420;

function show(full) {
  const now = performance.now();
  full = full || now - measuredAt > MEASURED;
  if (full) measuredAt = now;
  const seen = lab.frame(full);
  seen.mode = mode;
  seen.rate = rate;
  seen.diagnosis = lab.diagnosis(mode === "stop");
  if (full) { seen.shown = lab.shown; seen.floor = lab.floor; seen.p = lab.p; }
  drawn = false;
  post(seen);
}
function play() {
  busy = false;
  if (mode === "stop") return;
  const began = performance.now();
  if (mode === "slow") lab.step(true);
  else {
    let n = 0;
    do { lab.step(); n++; } while (performance.now() - began < SLICE && !isLinear(lab.set));
    const now = (1000 * n) / (performance.now() - began);
    rate = rate ? 0.95 * rate + 0.05 * now : now;
  }
  // The next picture when the last one is drawn; until then it plays on.
  if (drawn || mode === "slow") show(false);
  busy = true;
  setTimeout(play, mode === "slow" ? SLOW : isLinear(lab.set) ? 120 : 0);
}
function answer({ set, again, mode: asked, drawn: done }) {
  if (done) drawn = true;
  if (set) {
    const anew = lab.configure(set, again);
    if (anew) { rate = 0; lab.moved = null; }
    show(true);
  }
  if (asked === "step") {
    mode = "stop";
    do lab.step(); while (lab.phase);
    show(true);
  } else if (asked) {
    mode = asked;
    if (mode === "stop") show(true);
    else if (!busy) play();
  }
}
onmessage = (event) => answer(event.data);
