// What clusters and critics say of what is shown: of the picture that was read while z is its code.
const shownNow = () => state.input || state.made;

function bar(name) {
  const fill = make("i");
  const output = make("output");
  const label = make("span", { text: name });
  const row = make("div", { class: "bar" }, label, make("div", { class: "meter" }, fill), output);
  return {
    row,
    label,
    set(share, text, most = false) {
      fill.style.width = `${100 * Math.min(1, Math.max(0, share))}%`;
      output.textContent = text;
      row.classList.toggle("most", most);
    },
  };
}

function startClusters() {
  const known = state.model.functions.cluster;
  if (!known || !$("clusters")) return;
  const [out] = known.outputs;
  const probabilities = out.kind === "probabilities";
  const bars = Array.from({ length: out.shape[0] }, () => bar(""));
  $("clusters").append(...bars.map((b) => b.row));
  const show = () => {
    if (!shownNow()) return;
    const p = state.model.run("cluster", { [known.inputs[0].name]: shownNow() })[out.name].data;
    const far = Math.max(...p) || 1;
    const best = p.indexOf(probabilities ? Math.max(...p) : Math.min(...p));
    bars.forEach((b, i) => b.set(probabilities ? p[i] : p[i] / far, probabilities ? `${number(100 * p[i], 0)} %` : p[i].toPrecision(3), i === best));
  };
  part({
    update: show,
    words() {
      bars.forEach((b, i) => {
        const name = PAGE.clusters && PAGE.clusters[i];
        b.label.textContent = name ? say("mostly", { i: i + 1, name }) : say("cluster", { i: i + 1 });
      });
      $("cluster-caption").textContent = say(probabilities ? "clustercap" : "distancecap");
    },
  });
}

function startCritic() {
  const known = state.model.functions.critic;
  if (!known || !$("opinion")) return;
  const [out] = known.outputs;
  const [first, given] = known.inputs;
  const values = decoder.shape.reduce((a, b) => a * b, 1);
  const pack = first.shape.reduce((a, b) => a * b, 1) / values;
  const probability = out.kind === "probabilities";
  const draw = drawer();
  const shown = bar("");
  const scale = { low: 0, high: 1 };
  $("opinion").append(shown.row);
  const x = new Float32Array(pack * values);
  // A critic of packs sees fresh draws beside what is shown.
  const judge = (data, y = state.y) => {
    x.set(data.length > values ? data.subarray(0, values) : data);
    for (let i = 1; i < pack; i++) x.set(decode(draw()), i * values);
    const inputs = { [first.name]: x };
    if (given) inputs[given.name] = repeated(y, pack);
    return state.model.run("critic", inputs)[out.name].data[0];
  };
  const text = (v) => (probability ? `${number(100 * v, 0)} %` : number(v));
  const show = () => {
    if (!state.made) return;
    const v = judge(state.made.slice());
    if (!probability) { scale.low = Math.min(scale.low, v); scale.high = Math.max(scale.high, v); }
    shown.set((v - scale.low) / (scale.high - scale.low), text(v));
  };
  const real = async () => {
    const images = await sheetOf(PAGE.images.tested, decoder.shape);
    if (!images.length || (given && !knownClass(0))) return;
    $("reals-block").hidden = false;
    const found = images.map((image, i) => judge(image, knownClass(i)));
    if (!probability) {
      // The scale reaches from what is drawn to what is real.
      const drawn = images.map(() => judge(decode(draw()).slice()));
      Object.assign(scale, { low: Math.min(...drawn, ...found), high: Math.max(...drawn, ...found) });
    }
    $("reals").append(...images.map((image, i) => {
      const canvas = make("canvas");
      new Painter(canvas, decoder.shape).paint(image);
      return make("figure", {}, canvas, make("figcaption", { text: text(found[i]) }));
    }));
    show();
  };
  real();
  part({
    update() { if (pack === 1) show(); },
    rest() { if (pack > 1) show(); },
    words() {
      const kind = probability ? "probability" : "score";
      $("h-critic").textContent = say(`critic/${kind}`);
      const packed = pack > 1 ? ` ${say("packcap", { m: pack })}` : "";
      $("critic-caption").textContent = say(`criticcap/${kind}`) + packed;
      shown.label.textContent = say("shown");
    },
  });
}
begin(startClusters);
begin(startCritic);
