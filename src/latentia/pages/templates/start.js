function fail(error) {
  $("status").textContent = say("failed", { why: error.message });
  $("status").className = "note bad";
  throw error;
}
// Opens the model, and then the page's parts.
(async () => {
  const asked = address().get("lang");
  speak(asked === "ko" || (asked !== "en" && /^ko/.test(navigator.language)) ? "ko" : "en");
  document.querySelectorAll("[data-language]").forEach((button) => {
    button.onclick = () => { speak(button.dataset.language); remember(); };
  });
  try {
    await seen();
    const model = await Latentia.open(JSON.parse($("program").textContent));
    state.model = model;
    beginnings.forEach((f) => f());
    recall();
    window.live = { state, model, measured: startFacts(model), moveTo, changed };
  } catch (error) {
    fail(error);
  }
  $("bench").hidden = false;
  $("status").textContent = "";
  $("status").removeAttribute("data-t");
  speak(language);
  tell("recalled");
  changed();
  matchMedia("(prefers-color-scheme: dark)").onchange = () => tell("theme");
  window.onhashchange = () => {
    const which = recall();
    if (which) speak(which);
    tell("recalled");
    changed();
  };
})();
