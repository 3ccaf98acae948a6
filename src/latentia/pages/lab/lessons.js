// Lessons of five steps: each sets the game, says what to look at, and asks a question.
function startLessons() {
  $("lessons").onchange = (event) => goTo(+event.target.value, 1);
  $("open-lessons").onclick = () => { if (state.lesson) leave(); else goTo(1, 1); };
  $("close").onclick = leave;
  $("back").onclick = () => { const [l, s] = state.lesson; if (s > 1) goTo(l, s - 1); else goTo(l - 1, LESSONS[l - 2].steps.length); };
  $("next").onclick = () => { const [l, s] = state.lesson; if (s < LESSONS[l - 1].steps.length) goTo(l, s + 1); else goTo(l + 1, 1); };
}
function leave() {
  state.lesson = null;
  showLesson();
  remember();
  $("open-lessons").focus();
}
function goTo(lesson, step) {
  const { set, then, shows, run } = LESSONS[lesson - 1].steps[step - 1];
  state.lesson = [lesson, step];
  // Where nothing is said of the game, it goes on.
  if (set) {
    state.shows = { ...SHOWS, ...shows };
    begin({ seed: 1, ...set }, run !== 0);
  } else {
    if (then) change(then);
    if (shows) look(shows);
    setMode("run");
  }
  $("lesson-more").open = false;
  showLesson();
  remember();
  $("lesson-title").focus({ preventScroll: true });
}
function showLesson() {
  $("lesson").hidden = !state.lesson;
  $("open-lessons").setAttribute("aria-expanded", !!state.lesson);
  if (!state.lesson) return;
  const [l, s] = state.lesson, lesson = LESSONS[l - 1], { text, question, answer } = lesson.steps[s - 1];
  $("lesson-title").textContent = `${pick(lesson.title)} · ${s} / ${lesson.steps.length}`;
  $("lessons").replaceChildren(...LESSONS.map((other, i) => make("option", { value: i + 1, text: `${i + 1}. ${pick(other.title)}`, ...(i === l - 1 ? { selected: "" } : {}) })));
  $("lesson-text").textContent = pick(text);
  $("lesson-question").textContent = pick(question);
  $("lesson-answer").textContent = pick(answer);
  $("dots").replaceChildren(...lesson.steps.map((_, i) => make("li", i === s - 1 ? { "aria-current": "step" } : {})));
  $("back").disabled = l === 1 && s === 1;
  $("next").disabled = l === LESSONS.length && s === lesson.steps.length;
}
