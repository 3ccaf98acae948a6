"use strict";
// The page of factor analysis: what is changed is asked for at once, and what moves is seen to move.

const still = matchMedia("(prefers-reduced-motion: reduce)");
const LONG = 700;

function places(root) {
  const found = new Map();
  for (const part of root.querySelectorAll("[data-key]")) {
    const kind = part.tagName.toLowerCase();
    found.set(kind + " " + part.dataset.key, {
      top: kind === "tr" ? part.getBoundingClientRect().top : 0,
      x: part.dataset.x, y: part.dataset.y, width: part.dataset.width, d: part.getAttribute("d"),
      bar: kind === "rect" ? { x: part.getAttribute("x"), width: part.getAttribute("width"), minus: part.classList.contains("minus") } : null,
    });
  }
  return found;
}

// Each part begins where it was, and goes to where it is.
function glide(root, before) {
  if (still.matches) return;
  for (const part of root.querySelectorAll("[data-key]")) {
    const kind = part.tagName.toLowerCase();
    const old = before.get(kind + " " + part.dataset.key);
    if (!old) continue;
    const timing = { duration: LONG, easing: "cubic-bezier(.3, .1, .2, 1)" };
    if (kind === "tr") {
      const moved = old.top - part.getBoundingClientRect().top;
      if (moved) part.animate({ transform: [`translateY(${moved}px)`, "none"] }, timing);
    } else if (old.bar) {
      const at = (x, width) => ({ x: `${x}px`, width: `${width}px` });
      part.animate([at(old.bar.x, old.bar.width), at(part.getAttribute("x"), part.getAttribute("width"))], timing);
    } else if (part.dataset.x) {
      const at = (x, y) => `translate(${x}px, ${y}px)`;
      part.animate({ transform: [at(old.x, old.y), at(part.dataset.x, part.dataset.y)] }, timing);
    } else if (old.d) {
      part.animate({ d: [`path("${old.d}")`, `path("${part.getAttribute("d")}")`], strokeWidth: [old.width, part.dataset.width] }, timing);
    }
  }
}

function cut(root, least) {
  for (const part of root.querySelectorAll("[data-size]")) part.classList.toggle("small", +part.dataset.size < least);
}

const printed = (x) => (+x).toFixed(2).replace(/^0/, "");

function begin(form) {
  const place = document.getElementById("solution"), said = document.getElementById("state");
  const slider = form.elements.cutoff, count = form.elements.k;
  let asking = null, waiting = 0;
  document.documentElement.classList.add("scripted");

  async function ask() {
    if (asking) asking.abort();
    asking = new AbortController();
    const mine = asking, words = new URLSearchParams(new FormData(form));
    place.setAttribute("aria-busy", "true");
    said.textContent = form.dataset.busy;
    try {
      const answer = await fetch(`${form.dataset.part}?${words}`, { signal: mine.signal });
      const found = new DOMParser().parseFromString(await answer.text(), "text/html");
      const own = answer.ok ? found.body : found.querySelector(".note") || found.body;
      const before = places(place);
      place.replaceChildren(...(answer.ok ? own.childNodes : [own]));
      glide(place, before);
      history.replaceState(null, "", `${form.action.split("?")[0]}?${words}`);
      const about = document.getElementById("about");
      said.textContent = about ? about.dataset.said : "";
    } catch (error) {
      if (error.name === "AbortError") return;
      said.textContent = form.dataset.lost;
    }
    if (asking === mine) place.removeAttribute("aria-busy");
  }

  function soon(delay) {
    clearTimeout(waiting);
    waiting = setTimeout(ask, delay);
  }

  function boxes() {
    const all = [...form.querySelectorAll("[name=column]:not(:disabled)")];
    count.max = Math.max(1, all.filter((box) => box.checked).length - 1);
    return all;
  }

  slider.addEventListener("input", () => {
    document.getElementById("cut-shown").textContent = printed(slider.value);
    cut(place, +slider.value);
  });
  document.addEventListener("change", (event) => {
    if (event.target.form !== form) return;
    boxes();
    soon(event.target.name === "column" ? 500 : 0);
  });
  form.addEventListener("submit", (event) => { event.preventDefault(); ask(); });
  document.addEventListener("click", (event) => {
    const use = event.target.closest("[data-use]"), all = event.target.closest("[data-all]");
    if (use) { count.value = use.dataset.use; ask(); }
    if (all) {
      for (const box of boxes()) box.checked = all.dataset.all === "yes";
      boxes();
      soon(0);
    }
  });
  for (const button of form.querySelectorAll("[data-all]")) button.hidden = false;
}

addEventListener("DOMContentLoaded", () => {
  const form = document.getElementById("ask");
  if (form) begin(form);
});
