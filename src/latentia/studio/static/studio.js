"use strict";
// What every page of the studio does beside showing itself.

// A frame that takes long must not hold up the page that it stands in.
addEventListener("load", () => {
  for (const frame of document.querySelectorAll("iframe[data-src]")) {
    frame.addEventListener("load", () => frame.parentElement.classList.add("there"));
    frame.src = frame.dataset.src;
  }
});

// Commands are copied by a button.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  navigator.clipboard.writeText(button.previousElementSibling.textContent);
  button.classList.add("copied");
});

function dress(part) {
  for (const button of part.querySelectorAll("[data-copy]")) button.hidden = !navigator.clipboard;
  for (const each of part.querySelectorAll("#film-range, #film-play")) each.hidden = false;
}

async function refresh(place, address, options) {
  const asked = (place.asked = (place.asked || 0) + 1);
  const answer = await fetch(address, options).catch(() => null);
  // A page that is left lets go of what it asked for, and a later answer counts more.
  if (!answer || !answer.ok || asked !== place.asked) return false;
  const found = new DOMParser().parseFromString(await answer.text(), "text/html");
  place.replaceChildren(...found.body.childNodes);
  dress(place);
  return true;
}

// The same in a terminal follows the form.
function followForm(form) {
  let waiting = 0;
  const sent = () => ({ method: "POST", body: new URLSearchParams(new FormData(form)) });
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      refresh(document.getElementById("same"), form.dataset.recipe, sent());
      refresh(document.getElementById("settled"), form.dataset.settled, sent());
    }, 300);
  });
  refresh(document.getElementById("settled"), form.dataset.settled, sent());
}

// How a run stands is said in the list of runs too.
function listed(place) {
  const row = document.querySelector("#rail-runs a[aria-current]");
  const now = place.querySelector("#h-state");
  if (!row || !now) return;
  row.querySelector(".d").className = now.querySelector(".d").className;
  row.querySelector("small").textContent = now.dataset.short;
}

// A run is followed by its events; what they change is asked for at most once a second.
function follow(place) {
  const state = { of: place.dataset.state, waiting: 0, film: null };
  const on = (each) => each === "running" || each === "waiting";
  if (!on(state.of)) return;
  const stream = new EventSource(place.dataset.stream);
  const show = () => {
    if (state.waiting) return;
    state.waiting = setTimeout(async () => {
      const film = document.getElementById("film-range");
      const held = film && film.value !== film.max ? film.value : null;
      await refresh(place, place.dataset.part).catch(() => false);
      listed(place);
      if (held !== null) turn(+held);
      state.waiting = 0;
    }, 700);
  };
  stream.addEventListener("record", show);
  stream.addEventListener("anew", show);
  stream.addEventListener("state", (event) => {
    if (!on(event.data)) { stream.close(); location.reload(); return; }
    if (event.data !== state.of) show();
    state.of = place.dataset.state = event.data;
  });
  const clock = setInterval(show, 2000);
  const said = Object.assign(document.createElement("p"), { className: "note warn", textContent: place.dataset.lost });
  said.setAttribute("role", "alert");
  // A browser tries again by itself; only what fails twice is told, and taken back if it goes on.
  let failures = 0;
  stream.addEventListener("open", () => { failures = 0; said.remove(); });
  stream.addEventListener("error", () => {
    failures += 1;
    if (failures > 1 || stream.readyState === EventSource.CLOSED) place.before(said);
    if (stream.readyState === EventSource.CLOSED) clearInterval(clock);
  });
}

// The pictures of the epochs as a film.
function turn(n) {
  const film = document.getElementById("film");
  if (!film) return;
  const frames = film.dataset.frames.split(" ");
  const shown = Math.min(n, frames.length - 1);
  film.src = film.dataset.at + frames[shown];
  document.getElementById("film-epoch").textContent = parseInt(frames[shown].slice(6), 10);
  document.getElementById("film-range").value = shown;
}
let playing = 0;
document.addEventListener("input", (event) => { if (event.target.id === "film-range") turn(+event.target.value); });
document.addEventListener("click", (event) => {
  if (event.target.id !== "film-play") return;
  clearInterval(playing);
  let n = 0;
  playing = setInterval(() => {
    const range = document.getElementById("film-range");
    if (!range || n > +range.max) { clearInterval(playing); return; }
    turn(n++);
  }, 350);
});

// An upload that is too large is refused before it is sent.
function watchUpload(form) {
  const said = document.getElementById("up-said");
  form.addEventListener("submit", (event) => {
    const inputs = [...form.querySelectorAll("input[type=file]")];
    const size = inputs.flatMap((input) => [...input.files]).reduce((sum, file) => sum + file.size, 0);
    if (size > +form.dataset.most) {
      event.preventDefault();
      said.textContent = form.dataset.tooLarge;
      return;
    }
    said.textContent = form.dataset.sending;
  });
}

addEventListener("DOMContentLoaded", () => {
  dress(document);
  // On a telephone the page comes first, and the map when it is asked for.
  const map = document.querySelector(".fold");
  if (map && matchMedia("(max-width: 56rem)").matches) map.open = false;
  const form = document.querySelector("form[data-recipe]");
  if (form) followForm(form);
  const upload = document.querySelector("form[data-most]");
  if (upload) watchUpload(upload);
  const watched = document.getElementById("watched");
  if (watched) follow(watched);
});
