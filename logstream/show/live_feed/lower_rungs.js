// The two lower rungs: when this browser's own socket cannot open, the dashboard's process
// listens and hands frames over ("relay"); when that cannot either, it reads the newest lines
// ("poll"). Both arrive with the component's data; what we want is told by a state value.

const TRIES_BEFORE_LOWER = 3;
const HAND_OVER_MS = 330;
const HAND_OVER_HIDDEN_MS = 3000;
const ANSWER_LATE_MS = 5000;
const RELAY_OPENS_MS = 4000; // then poll until it does

class LowerRungs {
  constructor(source, tell) {
    this.source = source;
    this.tell = tell;
    this.wanted = "push";
    this.wantedSince = 0;
    this.turn = 0; // of the last thing told
    this.toldMs = 0;
    this.answeredMs = 0;
    this.isListening = false;
    this.problem = "";
    this.relayId = "";
    this.after = -1; // the last arrival we have
  }

  get isAnswering() {
    return this.answeredMs > 0 && performance.now() - this.answeredMs < ANSWER_LATE_MS;
  }

  get isPolling() {
    return this.wanted === "poll" && this.isAnswering;
  }

  // "push", or the rung on which lines come or are to come.
  choose() {
    const { hub, problem } = this.source;
    let wanted = "push";
    if (problem) wanted = "poll";
    else if (!hub.isOpen && hub.tries >= TRIES_BEFORE_LOWER) {
      const isLate = performance.now() - this.wantedSince >= RELAY_OPENS_MS;
      wanted = this.isListening || !(this.wanted === "poll" || (this.wanted === "relay" && isLate)) ? "relay" : "poll";
    }
    if (wanted === this.wanted) return;
    if (this.wanted === "push") this.forget();
    this.wanted = wanted;
    this.wantedSince = performance.now();
    clearTimeout(this.timer);
    this.say();
  }

  forget() {
    this.isListening = false;
    this.answeredMs = 0;
    this.relayId = "";
    this.after = -1;
  }

  say() {
    this.toldMs = performance.now();
    this.turn++;
    this.tell({ rung: this.wanted, turn: this.turn, relayId: this.relayId, after: this.after });
  }

  // What Python hands over: the answer to a turn, or, while polling, to its own clock.
  hear(handed) {
    if (!handed || this.wanted === "push") return;
    if (handed.rung !== this.wanted || (this.wanted === "relay" && handed.turn !== this.turn)) return;
    if (handed.madeUnixMs === this.lastHeard) return; // the same data, drawn again
    this.lastHeard = handed.madeUnixMs;
    this.answeredMs = performance.now();
    this.source.noteServiceTime(handed.madeUnixMs);
    const wasListening = this.isListening;
    const isNew = handed.relayId !== this.relayId;
    this.isListening = handed.isListening;
    this.problem = handed.problem;
    this.relayId = handed.relayId;
    this.after = handed.after;
    if (this.wanted === "relay") {
      // First, for it asks what was heard until now.
      if (this.isListening && (isNew || !wasListening)) this.source.reopened();
      for (const frame of handed.frames) this.source.receive(frame);
      const wait = document.hidden ? HAND_OVER_HIDDEN_MS : HAND_OVER_MS;
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.say(), Math.max(0, wait - (this.answeredMs - this.toldMs)));
    } else {
      this.source.takePolled(handed);
    }
    this.choose();
  }

  tick() {
    this.choose();
    // An answer can be lost with the page's connection to the dashboard.
    if (this.wanted !== "push" && performance.now() - Math.max(this.toldMs, this.answeredMs) >= ANSWER_LATE_MS) {
      this.isListening = false;
      clearTimeout(this.timer);
      this.say();
    }
  }

  // The wish lives on in the dashboard's process until it hears of another.
  end() {
    clearTimeout(this.timer);
    if (this.wanted === "push") return;
    this.wanted = "push";
    this.say();
  }
}
