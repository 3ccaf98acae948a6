// Within another page, such as a notebook's cell: z and y are told to it, and taken from it.
// There it is opened once it is seen: a report holds several.
const seen = () => new Promise((done) => {
  if (window.parent === window) return done();
  new IntersectionObserver((entries, observer) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    done();
  }).observe(document.documentElement);
});
function startFrame() {
  if (window.parent === window) return;
  const told = (values) => values && Array.from(values);
  // Until the notebook has answered the first message, its z counts, and not where the page begins.
  let greeted = false;
  let heard = false;
  part({
    update(by) {
      if (by === "frame" || (greeted && !heard)) return;
      greeted = true;
      window.parent.postMessage({ latentia: { z: told(state.z), y: told(state.y) } }, "*");
    },
  });
  const fits = (values, own) => Array.isArray(values) && own && values.length === own.length && values.every(Number.isFinite);
  window.addEventListener("message", ({ source, data }) => {
    const given = source === window.parent && data && data.latentia;
    if (!given) return;
    heard = true;
    if (fits(given.z, state.z)) state.z.set(given.z);
    if (fits(given.y, state.y)) state.y.set(given.y);
    changed("frame");
  });
}
begin(startFrame);
