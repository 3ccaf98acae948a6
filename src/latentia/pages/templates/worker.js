// What takes long runs beside the page, in a worker made of this very script; without one, in it.
const OWN = document.currentScript.textContent;
const WORKER = `
let model;
onmessage = async ({ data: { program, name, given } }) => {
  try {
    if (program) {
      model = await Latentia.open(program);
      postMessage({ found: null });
    } else {
      const found = copied(model.run(name, given));
      postMessage({ found }, Object.values(found).map((y) => y.data.buffer));
    }
  } catch (error) {
    postMessage({ error: error.message });
  }
};`;

function copied(outputs) {
  return Object.fromEntries(Object.entries(outputs).map(([name, { data, shape }]) => [name, { data: data.slice(), shape }]));
}
function posted(worker, message) {
  return new Promise((done, fail) => {
    worker.onmessage = ({ data }) => (data.error === undefined ? done(data.found) : fail(new Error(data.error)));
    worker.onerror = (event) => { event.preventDefault(); fail(new Error(event.message)); };
    worker.postMessage(message);
  });
}
async function startWorker() {
  try {
    const script = new Blob([OWN.slice(0, OWN.indexOf("// The page's parts.")), copied.toString(), WORKER]);
    const worker = new Worker(URL.createObjectURL(script));
    await posted(worker, { program: JSON.parse($("program").textContent) });
    return worker;
  } catch {
    return null;
  }
}

let worker = null;
let waiting = Promise.resolve();
// Returns a function's outputs and the milliseconds that it took, one call after another.
function runAside(name, given) {
  const next = waiting.then(async () => {
    worker = worker || startWorker();
    const found = await worker;
    if (!found) await new Promise((f) => setTimeout(f));
    const began = performance.now();
    const outputs = found ? await posted(found, { name, given }) : copied(state.model.run(name, given));
    return { outputs, ms: performance.now() - began };
  });
  waiting = next.catch(() => {});
  return next;
}
const lasting = (ms) => (ms < 1000 ? `${number(ms, 0)} ms` : `${number(ms / 1000, 1)} s`);
