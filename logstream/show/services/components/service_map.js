// The map of services: who calls whom, how often, and how that goes.

const NARROW = 640;
const LEAST_READABLE = 0.45;
const BELOW_PIXELS = 12; // the page's own edge, under the legend

class ServiceMap {
  constructor(root, data) {
    this.memory = remembered(data.key, () => ({ metric: "errors", sought: "", chosen: null, camera: { x: 0, y: 0, zoom: 1, isMoved: false } }));
    this.build(root);
    this.sizes = new ResizeObserver(() => this.data && !this.memory.camera.isMoved && this.begin());
    this.sizes.observe(this.stage);
    this.fill = () => this.fillWindow();
    addEventListener("resize", this.fill);
  }

  build(root) {
    const bar = root.appendChild(element("div", "bar"));
    this.total = bar.appendChild(element("span", "total"));
    this.as = bar.appendChild(element("span", "muted asof"));
    bar.append(button("small", "↻", "Count again", () => this.tell({ kind: "refresh" })));
    this.around = bar.appendChild(element("div", "around"));
    this.fillAround();
    this.search = searchBox("Find a service", this.memory, () => this.seek());
    this.search.addEventListener("keydown", (event) => event.key === "Enter" && this.nextFound());
    bar.append(this.search);
    this.metrics = bar.appendChild(element("div", "sorts"));
    setRole(this.metrics, "group", "Colour by");
    for (const [metric, { words }] of Object.entries(METRICS)) {
      const made = button("small", words, `Colour services by ${words}`, () => {
        this.memory.metric = metric;
        this.draw();
      });
      made.dataset.metric = metric;
      this.metrics.append(made);
    }
    this.stage = root.appendChild(element("div", "stage"));
    this.picture = new MapPicture(this.stage, this.memory.camera, {
      point: (what) => this.point(what),
      choose: (name) => this.choose(name),
      open: (name) => this.open(name),
      expand: (service) => this.tell({ kind: "expand", service }),
    });
    this.card = new MapCard(this.stage, {
      open: (name) => this.open(name),
      focus: (service) => this.tell({ kind: "focus", service, steps: 1 }),
      choose: (name) => this.choose(name, true),
      go: (page, service) => this.tell({ kind: "go", page, service }),
    });
    const tools = this.stage.appendChild(element("div", "tools"));
    tools.append(
      button("small", "+", "Larger (also Ctrl and the wheel)", () => this.picture.camera.zoomBy(1.25)),
      button("small", "−", "Smaller (also Ctrl and the wheel)", () => this.picture.camera.zoomBy(0.8)),
      button("small", "Fit", "Fit the whole map into the window", () => this.picture.fit()),
    );
    this.tidy = button("small", "Tidy up", "Lay the map out anew: services have come or gone", () => this.tell({ kind: "tidy" }));
    tools.append(this.tidy);
    this.tip = this.stage.appendChild(element("div", "tip"));
    this.legend = new Legend(root);
  }

  fillAround() {
    this.aroundName = element("span", "name");
    const steps = [1, 2, 3].map((count) => {
      const made = button("small", String(count), `Neighbours up to ${plural(count, "step")} away`, () =>
        this.tell({ kind: "focus", service: this.data.focus.service, steps: count }));
      made.dataset.steps = count;
      return made;
    });
    this.around.append(element("span", "muted", "around"), this.aroundName, element("span", "muted", "steps"), ...steps,
      button("small whole", "Whole map", "Show all services again", () => this.tell({ kind: "whole" })));
    this.steps = steps;
  }

  end() {
    this.sizes.disconnect();
    removeEventListener("resize", this.fill);
  }

  // Down to the window's lower edge, whatever stands above; where there is little room, beyond it.
  fillWindow() {
    if (innerWidth <= NARROW) return this.stage.style.removeProperty("height");
    const top = this.stage.getBoundingClientRect().top;
    const room = innerHeight - top - this.legend.list.offsetHeight - BELOW_PIXELS;
    if (top > 0) this.stage.style.height = `${Math.round(room)}px`;
  }

  update(data) {
    const isOther = this.memory.layout !== data.layout;
    this.memory.layout = data.layout;
    if (this.data?.timezone !== data.timezone) this.clock = new Clock(data.timezone);
    this.data = data;
    this.draw();
    this.fillWindow();
    // The map of another question begins as a whole; a refresh leaves the view alone.
    if (isOther || !this.memory.camera.isMoved) this.begin();
    else this.picture.camera.apply();
  }

  // The whole of it; where that could not be read, what is in its middle.
  begin() {
    const { picture, data } = this;
    picture.fit();
    if (this.stage.clientWidth > NARROW || this.memory.camera.zoom >= LEAST_READABLE) return;
    picture.camera.show(picture.placed.get(data.focus?.service) ?? picture.byCalls[0]);
  }

  draw() {
    const { data, memory } = this;
    const { nodes, edges, focus } = data;
    const services = nodes.filter(({ kind }) => kind === "service").length;
    write(this.total, `${plural(services, "service")}, ${plural(edges.length, "connection")}`);
    write(this.as, `as of ${this.clock.time(data.asOf * 1000).slice(0, 8)}`);
    setTitle(this.as, this.clock.full(data.asOf * 1000));
    this.around.hidden = !focus;
    if (focus) {
      writeName(this.aroundName, focus.service);
      for (const one of this.steps) one.setAttribute("aria-pressed", String(+one.dataset.steps === focus.steps));
    }
    for (const one of this.metrics.children) one.setAttribute("aria-pressed", String(one.dataset.metric === memory.metric));
    this.tidy.hidden = !data.isUntidy;
    this.legend.draw(memory.metric);
    this.picture.draw(data, memory.metric);
    if (!nodes.some(({ name }) => name === memory.chosen)) memory.chosen = null;
    this.card.draw(nodes.find(({ name }) => name === memory.chosen), data, (page, service) => data.links[page] + encodeURIComponent(serviceValue(service)));
    this.seek();
    this.lightUp();
  }

  // --- pointing and choosing ------------------------------------------------------------------------

  point(what) {
    this.pointed = what;
    this.lightUp();
  }

  lightUp() {
    const { pointed, memory, picture } = this;
    const what = pointed ?? (memory.chosen === null ? null : { key: memory.chosen, isCall: false });
    const edge = what?.isCall ? this.data.edges.find((one) => callKey(one) === what.key) : null;
    this.drawTip(edge);
    if (!what || (what.isCall && !edge)) return picture.light(null);
    picture.light(edge ? litByCall(edge) : litByService(what.key, this.data));
  }

  drawTip(edge) {
    this.tip.hidden = !edge;
    if (!edge) return;
    const kind = { messaging: "messages", database: "queries", derived: "seen in the same traces" }[edge.kind] ?? "calls";
    write(this.tip, `${shortName(edge.source, 40)} → ${shortName(edge.target, 40)} (${kind})\n${factWords(edge, this.data.seconds)}`);
    const { x, y, zoom } = this.memory.camera;
    const { middle } = this.picture.calls.get(callKey(edge));
    const { clientWidth: width, clientHeight: height } = this.stage;
    const { offsetWidth, offsetHeight } = this.tip;
    this.tip.style.left = `${Math.max(4, Math.min(width - offsetWidth - 4, middle.x * zoom + x - offsetWidth / 2))}px`;
    this.tip.style.top = `${Math.max(4, Math.min(height - offsetHeight - 4, middle.y * zoom + y - offsetHeight - 10))}px`;
  }

  choose(name, isToBeSeen = false) {
    this.memory.chosen = name;
    this.draw();
    const place = this.picture.placed.get(name);
    if (isToBeSeen && place && !this.picture.camera.isSeen(place)) this.picture.camera.show(place);
  }

  open(service) {
    if (this.picture.placed.get(service)?.isKnown) this.tell({ kind: "open", service });
  }

  // --- search ---------------------------------------------------------------------------------------

  found() {
    const text = this.memory.sought.trim().toLowerCase();
    return text ? this.data.nodes.filter(({ name }) => name.toLowerCase().includes(text)).map(({ name }) => name) : null;
  }

  seek() {
    const found = this.found();
    this.picture.mark(this.memory.chosen, found && new Set(found));
    this.search.title = found ? `${plural(found.length, "service")} found; Enter shows the next one` : "";
  }

  nextFound() {
    const found = this.found() ?? [];
    if (!found.length) return;
    const next = found[(found.indexOf(this.memory.chosen) + 1) % found.length];
    this.choose(next);
    this.picture.camera.show(this.picture.placed.get(next));
  }
}

function litByService(name, { edges, nodes, seconds }) {
  const touching = edges.filter(({ source, target }) => source === name || target === name);
  const facts = new Map(touching.map((edge) => [edge.source === name ? edge.target : edge.source, briefWords(edge, seconds)]));
  const own = nodes.find((node) => node.name === name);
  if (own) facts.set(name, briefWords(own, seconds));
  return { services: new Set([name, ...facts.keys()]), calls: new Set(touching.map(callKey)), facts };
}

function litByCall(edge) {
  return { services: new Set([edge.source, edge.target]), calls: new Set([callKey(edge)]), facts: new Map() };
}

export default mounted((root, data) => new ServiceMap(root, data));
