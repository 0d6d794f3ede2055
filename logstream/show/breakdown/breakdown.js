// One row a severity, updated in place so that nothing flickers or loses focus.

function makeRow(bars) {
  const row = document.createElement("button");
  row.type = "button";
  for (const name of ["shape", "word", "track", "count", "percent"]) {
    const part = document.createElement("span");
    part.className = name;
    row.append(part);
  }
  const bar = document.createElement("div");
  bar.className = "bar";
  row.querySelector(".track").append(bar);
  bars.append(row);
  return row;
}

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  const bars = parentElement.querySelector(".bars");
  data.rows.forEach((line, place) => {
    const row = bars.children[place] ?? makeRow(bars);
    row.style.setProperty("--colour", `var(--severity-${line.word})`);
    row.setAttribute("aria-pressed", String(line.isChosen));
    row.title = line.isChosen ? `Stop filtering by ${line.word}` : `Show ${line.word}`;
    for (const name of ["shape", "word", "count", "percent"]) {
      row.querySelector(`.${name}`).textContent = line[name];
    }
    row.querySelector(".bar").style.width = `${line.width * 100}%`;
    row.querySelector(".bar").style.minWidth = line.width ? "2px" : "0";
    row.onclick = () => setTriggerValue("pick", line.word);
  });
}
