// The drawing of the map: elements stay those of the same service, so a refresh moves nothing.

const SIGN_PIXELS = 6.3; // of a label's letter, about
const LEAST_SIGNS = 9; // with less room only the busiest have their names written
const MOST_FACTS = 16;
const ROOMY_SIGNS = 24;
const MANY_CALLS = 160;

class MapPicture {
  // `tell` has {point(what), choose(name), open(name), expand(name)}; `what` is a service or a call.
  constructor(root, state, tell) {
    this.tell = tell;
    this.svg = root.appendChild(svgElement("svg", "picture", { role: "group", "aria-label": "Map of services" }));
    this.world = this.svg.appendChild(svgElement("g", "world"));
    const group = (name) => this.world.appendChild(svgElement("g", name));
    this.heading = this.world.appendChild(svgElement("text", "heading"));
    this.lines = group("lines");
    this.services = group("services");
    this.nodes = new Map();
    this.calls = new Map();
    this.camera = new Camera(this.svg, this.world, state, (zoom) => this.zoomed(zoom));
    this.svg.addEventListener("pointerover", ({ target }) => this.pointAt(target));
    this.svg.addEventListener("pointerleave", () => this.point(null));
    this.svg.addEventListener("click", ({ target }) => this.click(target));
    this.svg.addEventListener("dblclick", ({ target }) => {
      const name = target.closest(".node")?.dataset.key;
      if (name !== undefined) tell.open(name);
    });
    this.svg.addEventListener("focusin", ({ target }) => this.focused(target));
    this.svg.addEventListener("focusout", () => this.point(null));
    this.svg.addEventListener("keydown", (event) => this.key(event));
  }

  // --- drawing ------------------------------------------------------------------------------------

  draw(data, metric) {
    this.data = data;
    this.metric = metric;
    const range = rangeOf(data.nodes.map(({ calls }) => calls));
    this.range = rangeOf(data.edges.map(({ calls }) => calls));
    this.placed = new Map(data.nodes.map((node) => [node.name, { ...node, r: radiusOf(node.calls, range, data.nodes.length) }]));
    this.byCalls = [...this.placed.values()].sort((a, b) => b.calls - a.calls);
    this.isCrowd = data.edges.length > MANY_CALLS;
    this.svg.classList.toggle("many", this.isCrowd);
    this.sync(this.calls, this.lines, data.edges, callKey, (edge) => this.makeCall(edge), (made, edge) => this.drawCall(made, edge));
    this.sync(this.nodes, this.services, [...this.placed.values()], ({ name }) => name, () => this.makeNode(), (made, node) => this.drawNode(made, node));
    const lone = data.nodes.filter(({ isLone }) => isLone);
    const top = Math.min(...lone.map(({ y }) => y));
    write(this.heading, lone.length && lone.length < data.nodes.length ? "No calls seen from or to these" : "");
    if (this.heading.textContent) setAttributes(this.heading, { x: Math.min(...lone.map(({ x }) => x)) - LARGEST, y: top - 34 });
    this.keepOneStop();
    this.signs = null;
    this.zoomed(this.camera.state.zoom);
    this.light(this.lit);
  }

  sync(kept, parent, items, keyOf, make, update) {
    const wanted = new Set(items.map(keyOf));
    for (const [key, made] of kept) {
      if (wanted.has(key)) continue;
      made.remove();
      kept.delete(key);
    }
    for (const item of items) {
      const key = keyOf(item);
      let made = kept.get(key);
      if (!made) {
        kept.set(key, (made = parent.appendChild(make(item))));
        made.dataset.key = key;
      }
      update(made, item);
    }
  }

  makeCall() {
    const made = svgElement("g", "call");
    made.append(svgElement("path", "hit"), svgElement("path", "wire"), svgElement("path", "arrow"));
    return made;
  }

  drawCall(made, edge) {
    const [source, target] = [this.placed.get(edge.source), this.placed.get(edge.target)];
    const { line, arrow, middle } = wayOf(source, target, edge.points);
    made.middle = middle;
    setAttributes(made.children[0], { d: line });
    setAttributes(made.children[1], { d: line, class: `wire of-${edge.kind}`, "stroke-width": lineWidth(edge.calls, this.range, this.isCrowd) });
    setAttributes(made.children[2], { d: arrow });
    made.classList.toggle("failing", errorShare(edge) >= 0.05);
  }

  makeNode() {
    const made = svgElement("g", "node", { role: "button" });
    const label = svgElement("g", "label");
    label.append(svgElement("text", "words", { y: 12 }), svgElement("text", "facts", { y: 24 }));
    made.append(svgElement("path", "shape"), svgElement("path", "errors"), label);
    return made;
  }

  drawNode(made, node) {
    const { seconds } = this.data;
    const step = stepOf(this.metric, node, seconds);
    setAttributes(made, { transform: `translate(${node.x} ${node.y})` });
    setAttributes(made.children[0], { d: shapePath(node.kind, node.r), class: `shape ${step === null ? "unknown" : `m${step}`}` });
    setAttributes(made.children[1], { d: node.errors ? ringPath(node.r + 3, errorShare(node)) : "" });
    setAttributes(made.children[2], { transform: `translate(0 ${node.r + 1})` });
    const kind = node.kind === "service" ? "service" : node.kind;
    setAttributes(made, { "aria-label": `${cleanText(node.name).slice(0, 200)}, ${kind}, ${factWords(node, seconds)}` });
    this.drawMore(made, node);
  }

  // How many neighbours of it are not drawn; a click brings them.
  drawMore(made, node) {
    let more = made.querySelector(".more");
    if (!node.hidden) return more?.remove();
    if (!more) {
      more = made.appendChild(svgElement("g", "more", { role: "button" }));
      more.append(svgElement("circle", "", { r: 9 }), svgElement("text", "", { y: 3.5 }));
    }
    const words = `Show ${plural(node.hidden, "more neighbour")} of ${cleanText(node.name).slice(0, 200)}`;
    setAttributes(more, { transform: `translate(${node.r + 5} ${-node.r - 3})`, "aria-label": words });
    write(more.lastChild, `+${Math.min(99, node.hidden)}`);
  }

  // Labels have one size on the screen; how much of a name is written depends on the room.
  zoomed(zoom) {
    if (!this.data) return;
    const signs = Math.floor((this.data.column * zoom - 8) / SIGN_PIXELS);
    if (signs === this.signs) return;
    this.signs = signs;
    const isTight = signs < LEAST_SIGNS;
    const busiest = new Set(isTight ? this.byCalls.slice(0, Math.max(8, Math.floor((this.byCalls.length * signs) / 24))).map(({ name }) => name) : []);
    for (const [name, made] of this.nodes) {
      made.classList.toggle("unnamed", isTight && !busiest.has(name));
      write(made.querySelector(".words"), shortName(name, made.classList.contains("on") ? 48 : Math.max(LEAST_SIGNS + 3, signs)));
    }
  }

  bounds() {
    const places = [...this.placed.values()];
    const heights = [...places.map(({ y }) => y), ...this.data.edges.flatMap(({ points }) => points.map(([, y]) => y + 20))];
    const side = this.data.column / 2;
    return {
      left: Math.min(...places.map(({ x }) => x)) - side,
      right: Math.max(...places.map(({ x }) => x)) + side,
      top: Math.min(...heights) - 34,
      bottom: Math.max(...heights) + 52,
    };
  }

  fit() {
    if (this.placed?.size) this.camera.fit(this.bounds());
  }

  // --- what is pointed at, chosen, or sought --------------------------------------------------------

  // `lit` is null, or {services, calls, facts}: sets of names and keys, and words under names.
  light(lit) {
    this.lit = lit;
    this.svg.classList.toggle("lit", Boolean(lit));
    for (const [key, made] of this.calls) made.classList.toggle("on", Boolean(lit?.calls.has(key)));
    // Numbers of many neighbours would lie over one another: the card has them all.
    const withFacts = lit && (lit.services.size <= MOST_FACTS || this.signs >= ROOMY_SIGNS);
    for (const [name, made] of this.nodes) {
      const isOn = Boolean(lit?.services.has(name));
      made.classList.toggle("on", isOn);
      write(made.querySelector(".words"), shortName(name, isOn ? 48 : Math.max(LEAST_SIGNS + 3, this.signs ?? 48)));
      write(made.querySelector(".facts"), (withFacts && lit.facts.get(name)) || "");
    }
  }

  mark(chosen, found) {
    for (const [name, made] of this.nodes) {
      made.classList.toggle("chosen", name === chosen);
      setAttributes(made, { "aria-pressed": String(name === chosen) });
      made.classList.toggle("found", Boolean(found?.has(name)));
    }
    this.svg.classList.toggle("seeking", Boolean(found));
  }

  pointAt(target) {
    const made = target.closest(".node, .call");
    this.point(made && { key: made.dataset.key, isCall: made.classList.contains("call") });
  }

  point(what) {
    if (what?.key === this.pointed?.key && what?.isCall === this.pointed?.isCall) return;
    this.pointed = what;
    this.tell.point(what);
  }

  click(target) {
    const more = target.closest(".more");
    const name = target.closest(".node")?.dataset.key;
    if (more) return this.tell.expand(name);
    this.tell.choose(name ?? null);
  }

  // --- keys -----------------------------------------------------------------------------------------

  keepOneStop() {
    const names = [...this.nodes.keys()];
    if (!this.nodes.has(this.stop)) this.stop = this.byCalls[0]?.name;
    for (const name of names) setAttributes(this.nodes.get(name), { tabindex: name === this.stop ? "0" : "-1" });
  }

  focused(target) {
    const name = target.closest(".node")?.dataset.key;
    if (name === undefined) return;
    this.stop = name;
    this.keepOneStop();
    if (!target.matches(":focus-visible")) return;
    const place = this.placed.get(name);
    if (!this.camera.isSeen(place)) this.camera.show(place);
    this.point({ key: name, isCall: false });
  }

  key(event) {
    const name = event.target.closest(".node")?.dataset.key;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const acts = {
      "+": () => this.camera.zoomBy(1.25),
      "-": () => this.camera.zoomBy(0.8),
      0: () => this.fit(),
      Escape: () => this.tell.choose(null),
    };
    if (name !== undefined) {
      Object.assign(acts, {
        Enter: () => this.tell.choose(name),
        " ": () => this.tell.choose(name),
        o: () => this.tell.open(name),
        e: () => this.placed.get(name).hidden && this.tell.expand(name),
        ArrowRight: () => this.step(name, 1, 0),
        ArrowLeft: () => this.step(name, -1, 0),
        ArrowDown: () => this.step(name, 0, 1),
        ArrowUp: () => this.step(name, 0, -1),
      });
    }
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation(); // the page listens to keys too
    act();
  }

  // To the nearest one that lies more in this direction than beside it.
  step(name, dx, dy) {
    const here = this.placed.get(name);
    let [best, least] = [null, Infinity];
    for (const one of this.placed.values()) {
      const ahead = (one.x - here.x) * dx + (one.y - here.y) * dy;
      const beside = Math.abs((one.x - here.x) * dy) + Math.abs((one.y - here.y) * dx);
      if (ahead <= 0 || beside > ahead * 2) continue;
      if (ahead + beside * 2 < least) [best, least] = [one, ahead + beside * 2];
    }
    if (best) this.nodes.get(best.name).focus({ preventScroll: true });
  }
}

const callKey = ({ source, target, kind }) => JSON.stringify([source, target, kind]);
