// The path diagram of a factor analysis: arrows of the factors that are moved light up.
function startDiagram() {
  const box = $("paths");
  if (!box || !decoder.made) return;
  const arrows = [...box.querySelectorAll("[data-part]")].map((arrow) => ({ arrow, factor: +arrow.dataset.part.split("-")[1] }));
  let before = null;
  part({
    update() {
      const z = state.z.slice();
      const moves = before && Array.from(z, (v, j) => Math.abs(v - before[j]));
      before = z;
      const most = moves && Math.max(...moves);
      if (!most) return;
      // A slider moves one factor; what moves along with it by rounding does not count.
      arrows.forEach(({ arrow, factor }) => arrow.classList.toggle("lit", moves[factor] > 0.05 * most));
      box.classList.add("moved");
    },
  });
}

// Test rows in turn are written into the form, and encoded.
function startRows() {
  const button = $("pick-row");
  if (!button || !PAGE.rows.length) return;
  button.hidden = false;
  let next = 0;
  button.onclick = () => {
    const row = PAGE.rows[next++ % PAGE.rows.length];
    $("values").querySelectorAll("input").forEach((input, j) => { input.value = row[j]; });
    $("values").requestSubmit();
  };
}
begin(startDiagram);
begin(startRows);
