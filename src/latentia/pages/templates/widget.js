// A notebook's cell that holds a model's page; z and y are those of the page and of Python.
const PAUSE = 60;
function render({ model, el }) {
  const frame = document.createElement("iframe");
  // It runs its script, and reaches nothing of the notebook.
  frame.setAttribute("sandbox", "allow-scripts");
  frame.title = model.get("title");
  frame.style.cssText = `width: 100%; height: ${model.get("height")}px; border: 0`;
  frame.srcdoc = model.get("page");
  let open = false;
  let own = false;
  let timer = 0;
  const send = () => {
    if (open && !own) frame.contentWindow.postMessage({ latentia: { z: model.get("z"), y: model.get("y") } }, "*");
  };
  const hear = ({ source, data }) => {
    if (source !== frame.contentWindow || !data || !data.latentia) return;
    if (!open) {
      open = true;
      send();
      return;
    }
    own = true;
    model.set("z", data.latentia.z);
    if (data.latentia.y) model.set("y", data.latentia.y);
    own = false;
    if (!timer) timer = setTimeout(() => { timer = 0; model.save_changes(); }, PAUSE);
  };
  window.addEventListener("message", hear);
  model.on("change:z", send);
  model.on("change:y", send);
  el.append(frame);
  return () => {
    window.removeEventListener("message", hear);
    model.off("change:z", send);
    model.off("change:y", send);
  };
}
export default { render };
