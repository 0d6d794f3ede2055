// The values of a field as rows: a click keeps the lines that have it, or no longer; Only and
// Exclude appear beside it.

class ValueRows {
  constructor(tell) {
    this.tell = tell;
    this.palette = [];
  }

  make(field) {
    const row = element("div", "value");
    const value = () => row.dataset.key;
    const pick = button("pick", "", "", () => this.tell({ kind: "toggle", field, value: value() }));
    const track = element("span", "track");
    track.append(element("i"));
    pick.append(element("span", "mark"), element("span", "name"), element("span", "number count"), track);
    const acts = element("span", "acts");
    for (const [kind, words] of [["only", "Only"], ["exclude", "Exclude"]]) {
      const act = button(`small ${kind}`, words, words, () => this.tell({ kind, field, value: value() }));
      act.tabIndex = -1;
      acts.append(act);
    }
    row.append(pick, acts);
    return row;
  }

  draw(row, { label, count, isOnly, isOut }, { field, title, total }) {
    const pick = row.querySelector(".pick");
    const name = pick.querySelector(".name");
    const words = label === "" ? "(empty)" : cleanText(label);
    const shape = field === "severity" ? `${SHAPES[label] ?? ""} ` : "";
    writeName(name, shape + words);
    if (field === "severity") name.style.color = `var(--severity-${label})`;
    if (field === "service") {
      name.classList.add("service");
      name.style.setProperty("--colour", this.palette[colourIndex(label, this.palette.length)]);
    }
    if (field === "pattern") name.classList.add("template");
    write(pick.querySelector(".mark"), isOnly ? "✓" : isOut ? "−" : "");
    write(pick.querySelector(".count"), thousands(count));
    row.classList.toggle("only", isOnly);
    row.classList.toggle("out", isOut);
    const share = percentWords(count, total);
    const state = isOnly ? ", shown" : isOut ? ", left out" : "";
    setTitle(pick, `${words.slice(0, 500)}\n${plural(count, "line")}, ${share}`);
    pick.setAttribute("aria-label", `${words.slice(0, 200)}, ${plural(count, "line")}, ${share}${state}`);
    pick.setAttribute("aria-pressed", String(isOnly));
    setShare(pick.querySelector("i"), total ? count / total : 0);
    const [only, out] = row.querySelectorAll(".acts button");
    write(out, isOut ? "Include" : "Exclude");
    setTitle(only, `Nothing but ${words.slice(0, 100)}`);
    only.setAttribute("aria-label", `Only ${words.slice(0, 100)} (key O)`);
    setTitle(out, isOut ? "No longer leave it out" : `Leave out ${words.slice(0, 100)}`);
    out.setAttribute("aria-label", `${isOut ? "Include" : "Exclude"} ${words.slice(0, 100)} (key X)`);
  }
}
