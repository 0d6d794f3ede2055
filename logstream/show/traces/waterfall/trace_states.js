// What stands in place of the rows while there are none: loading, not there, failed.

const GHOSTS = 12;

function drawState(root, waterfall) {
  const { source, trace } = waterfall;
  const state = trace ? "" : source.error ? (source.error.status === 404 ? "missing" : "failed") : "loading";
  root.hidden = !state;
  if (root.dataset.state === state && state !== "failed") return;
  root.dataset.state = state;
  root.setAttribute("role", state === "failed" || state === "missing" ? "alert" : "status");
  if (state === "loading") root.replaceChildren(element("span", "unseen", "The trace is being loaded."), ...ghostRows());
  else if (state === "missing") root.replaceChildren(...missing(waterfall));
  else if (state === "failed") root.replaceChildren(...failed(waterfall));
  else root.replaceChildren();
}

function ghostRows() {
  return Array.from({ length: GHOSTS }, (_, place) => {
    const row = element("div", "ghost");
    const name = row.appendChild(element("i"));
    name.style.width = `${90 + ((place * 67) % 130)}px`;
    name.style.marginLeft = `${14 * Math.min(place, 5)}px`;
    const bar = row.appendChild(element("i", "long"));
    bar.style.left = `${(place * 7) % 60}%`;
    bar.style.width = `${place ? 8 + ((place * 31) % 30) : 100}%`;
    return row;
  });
}

function missing({ traceId, environment, source, tell }) {
  const list = element("ul");
  const checks = [
    `Is the id whole? ${cleanText(traceId)} was looked for: 32 or 16 hexadecimal digits, in any case, dashes or not, or as the sender wrote it.`,
    environment ? `Is it of another environment? Only ${cleanText(environment)} was looked at.` : "",
    "Has it been sent yet? Senders keep spans back for some seconds; this page looks again by itself.",
    "Is it older than what is kept? Then retention has removed it.",
  ];
  list.append(...checks.filter(Boolean).map((words) => element("li", "", words)));
  const actions = element("div", "acts");
  if (environment) actions.append(button("small", "Look in every environment", "Look for the trace without choosing an environment", () => tell({ kind: "anywhere" })));
  actions.append(
    button("small", "Look again", "Ask for the trace once more", () => source.load()),
    button("small", "Back to the list", "Show the list of traces", () => tell({ kind: "list" })),
  );
  return [element("h3", "", "No span and no line of this trace is stored"), list, actions];
}

function failed({ source }) {
  const { message } = source.error;
  const actions = element("div", "acts");
  actions.append(button("small", "Try again", "Ask for the trace once more", () => source.load()));
  return [
    element("h3", "", "The trace cannot be read"),
    element("p", "", sentence(cleanText(message))),
    element("p", "muted", "It is tried again by itself. If it lasts: is the ingest service running? `python -m logstream doctor` checks it."),
    actions,
  ];
}
