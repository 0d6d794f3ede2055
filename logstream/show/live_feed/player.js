// Time travel: the bar above the rows, and when the feed's source is the past instead of the
// present. The position stands in the URL; Streamlit is told of it whenever it is chosen, and now
// and then while playing, so that counts it asks for are of the same moment.

const SPEEDS = [1, 2, 5, 10, 20, 50, 100];
const PLAY_EVERY_MS = 100;
const LONGEST_TURN_MS = 1500; // a tab that was asleep does not leap
const URL_EVERY_MS = 1000;
const TELL_EVERY_MS = 5000;
const TELL_AGAIN_MS = 700;
const ASK_AGAIN_MS = 2000; // a question that overtook another may be lost: then it is asked again
const MOST_ASKED = 4;
const STALE_MS = 4000;
const BACK_MS = 10_000;
const SAY_SKIP_MS = 4000;
const MOST_WRITTEN = 2000;
const SKIP_PREFERENCE = "logstream.skipIdle";

class Player {
  constructor(feed) {
    this.feed = feed;
    this.source = null; // a PlaybackSource while the feed is not live
    this.speed = 0; // 0: standing still
    this.lastSpeed = 1;
    this.skipsIdle = readPreference(SKIP_PREFERENCE) !== "0";
    this.written = new Set(); // positions the URL named since the last seek
    this.stale = new Set(); // those of the seeks before: Streamlit may still name them
    this.staleUntil = 0;
    this.wanted = null; // the last choice, until Streamlit has answered: {at, speed, times, againAt}
    this.skipWords = "";
    this.bar = null;
  }

  get isOn() {
    return this.source !== null;
  }

  // Whatever holds the rows still for reading holds the position as well.
  get isMoving() {
    return this.isOn && this.speed > 0 && !this.feed.store.isPaused;
  }

  // --- what Streamlit says --------------------------------------------------------------------

  // `at`: ISO 8601 or ""; `picks` grows when somebody picks a moment outside the feed.
  update({ at = "", speed = 0, picks = 0 }) {
    const isPicked = this.picks !== undefined && picks !== this.picks;
    this.picks = picks;
    const now = Date.now();
    const isAnswer = this.wanted !== null && readTime(this.wanted.at).ms === readTime(at).ms;
    if (isAnswer) {
      this.wanted = null;
      if (this.tellAgainAt) this.tellAgainAt = now;
    }
    if (!at) {
      // It has not heard yet that a moment was chosen.
      if (!this.isOn || this.wanted?.at) return;
      this.leave();
      this.writeUrl();
      return;
    }
    const { ms } = readTime(at);
    const isEcho = this.written.has(ms) || (this.stale.has(ms) && now < this.staleUntil);
    // Nor that the reader went back to live.
    const isKnown = this.isOn || this.wanted?.at === "";
    if (isKnown && !isPicked && isEcho) {
      if (this.isOn && ms !== this.toldMs) this.tellAgainAt ||= now + TELL_AGAIN_MS;
      return;
    }
    this.speed = speed;
    this.go(ms);
  }

  // Back and Forward: the URL says where, Streamlit will say the same.
  readUrl() {
    const url = new URL(location.href).searchParams;
    const { ms } = readTime(url.get("at"));
    this.stale.clear();
    this.wanted = null;
    if (!this.isOn || !ms || this.written.has(ms)) return;
    this.speed = SPEEDS.includes(Number(url.get("speed"))) ? Number(url.get("speed")) : 0;
    this.go(ms);
  }

  // --- entering, leaving, seeking -------------------------------------------------------------

  go(ms) {
    const { feed } = this;
    if (!this.isOn) {
      feed.retireSource();
      feed.source = this.source = new PlaybackSource(feed.store, () => feed.schedule());
      this.source.pass = feed.pass;
      this.source.base = feed.base;
      this.source.filter = feed.filter;
    }
    if (this.speed) this.lastSpeed = this.speed;
    this.source.setSpeed(this.speed || this.lastSpeed);
    if (["scroll", "selection", "button"].includes(feed.store.pausedBy)) feed.resume();
    this.source.seek(ms);
    if (Date.now() > this.staleUntil) this.stale.clear();
    for (const old of this.written) this.stale.add(old);
    this.staleUntil = Date.now() + STALE_MS;
    this.toldMs = ms;
    this.tellAgainAt = 0;
    this.written = new Set([ms, this.source.position]);
    this.playedAt = undefined;
    this.skipWords = "";
    this.bar?.draw();
  }

  leave() {
    const { feed } = this;
    this.source.end();
    this.source = null;
    this.speed = 0;
    pageClock.playedMs = null;
    feed.store.pausedBy = "";
    feed.store.clear();
    feed.startLive();
    this.bar?.draw();
  }

  // A choice of the reader: one entry of the browser's history, which Streamlit writes.
  seek(ms, speed = this.isMoving ? this.speed : 0) {
    const { feed } = this;
    if (this.isOn) {
      this.writeUrl(); // Back leads to where the reader was
      this.speed = speed;
      this.go(ms);
      ms = this.source.position;
    }
    this.toldMs = ms;
    this.remember(ms);
    this.want(momentText(ms), speed);
  }

  backToLive() {
    if (!this.isOn) return;
    this.leave();
    this.want("", 0);
  }

  want(at, speed) {
    this.wanted = { at, speed, times: 0 };
    this.askWanted();
  }

  askWanted() {
    const { wanted } = this;
    if (wanted.times++ >= MOST_ASKED) {
      this.wanted = null;
      return;
    }
    wanted.againAt = Date.now() + ASK_AGAIN_MS * wanted.times;
    this.feed.ask("at", String(wanted.speed), wanted.at);
  }

  // --- playing --------------------------------------------------------------------------------

  play(speed = this.speed || this.lastSpeed) {
    if (!this.isOn) return;
    if (this.source.hasEnded) {
      this.backToLive();
      return;
    }
    this.feed.resume();
    this.speed = this.lastSpeed = speed;
    this.source.setSpeed(speed);
    this.source.readAhead();
    this.tellPosition();
  }

  pause() {
    this.speed = 0;
    this.tellPosition();
  }

  toggle() {
    if (this.isMoving) this.pause();
    else this.play();
  }

  chooseSpeed(speed) {
    if (this.isMoving) {
      this.play(speed);
      return;
    }
    this.lastSpeed = speed;
    if (this.speed) this.speed = speed;
    this.source.setSpeed(speed);
    this.bar?.draw();
  }

  changeSpeed(step) {
    const place = SPEEDS.indexOf(this.speed || this.lastSpeed) + step;
    if (this.isOn && SPEEDS[place]) this.chooseSpeed(SPEEDS[place]);
  }

  stepBack() {
    if (this.isOn) this.seek(this.source.position - BACK_MS);
  }

  async stepToLine() {
    const { source } = this;
    if (!source || !source.isCurrent) return;
    this.feed.resume();
    this.speed = 0;
    const isFound = await source.stepToLine();
    if (source !== this.source) return;
    if (!isFound && !source.httpError) this.source.moveTo(this.source.edge);
    this.tellPosition();
  }

  toggleSkip() {
    this.skipsIdle = !this.skipsIdle;
    writePreference(SKIP_PREFERENCE, this.skipsIdle ? "1" : "0");
    this.bar?.draw();
  }

  // --- on the page ----------------------------------------------------------------------------

  mount(el) {
    this.bar = new PlayerBar(el, this);
    this.turning = setInterval(() => this.turn(), PLAY_EVERY_MS);
    this.bar.draw();
  }

  // The position waits until the feed is back.
  unmount() {
    clearInterval(this.turning);
    this.bar = null;
    this.playedAt = undefined;
  }

  turn() {
    if (this.wanted && Date.now() >= this.wanted.againAt) this.askWanted();
    if (!this.isOn) return;
    const now = performance.now();
    const wallMs = Math.min(LONGEST_TURN_MS, now - (this.playedAt ?? now));
    this.playedAt = this.isMoving ? now : undefined;
    if (this.isMoving && wallMs > 0) {
      const { skippedMs } = this.source;
      this.source.advance(wallMs, this.skipsIdle);
      if (this.source.skippedMs !== skippedMs) {
        this.skipWords = `Skipped ${lengthWords(this.source.skippedMs)} without lines`;
        this.saySkipUntil = now + SAY_SKIP_MS;
      }
      if (this.source.hasEnded) this.pause();
    }
    if (now > this.saySkipUntil && !this.source.hasEnded) this.skipWords = "";
    if (Date.now() - (this.urlAt ?? 0) >= URL_EVERY_MS) this.writeUrl();
    const isDue = this.isMoving && Date.now() - (this.toldAt ?? 0) >= TELL_EVERY_MS;
    if (isDue || (this.tellAgainAt && Date.now() >= this.tellAgainAt)) this.tellPosition();
    this.bar?.draw();
  }

  // --- the URL, and what Streamlit is told ----------------------------------------------------

  tellPosition() {
    this.bar?.draw();
    if (this.wanted) {
      // Streamlit hears of one thing at a time, and reads the URL with it.
      this.tellAgainAt ||= Date.now() + TELL_AGAIN_MS;
      return;
    }
    this.writeUrl();
    this.toldAt = Date.now();
    this.tellAgainAt = 0;
    this.toldMs = this.source.position;
    this.remember(this.toldMs);
    this.feed.ask("position", String(this.isMoving ? this.speed : 0), momentText(this.toldMs));
  }

  // While playing it replaces what the URL says; only a choice is a step for Back.
  writeUrl() {
    if (this.wanted) return;
    this.urlAt = Date.now();
    const url = new URL(location.href);
    const wanted = { at: null, speed: null };
    if (this.isOn) {
      const ms = this.isMoving ? Math.floor(this.source.position / 1000) * 1000 : this.source.position;
      this.remember(ms);
      wanted.at = momentText(ms);
      if (this.isMoving) wanted.speed = String(this.speed);
    }
    let isChanged = false;
    for (const [name, value] of Object.entries(wanted)) {
      if (url.searchParams.get(name) === value) continue;
      isChanged = true;
      if (value === null) url.searchParams.delete(name);
      else url.searchParams.set(name, value);
    }
    if (isChanged) history.replaceState(history.state, "", url);
  }

  remember(ms) {
    this.written.add(ms);
    if (this.written.size > MOST_WRITTEN) this.written.delete(this.written.values().next().value);
  }
}

// `45 s`, `3 min`, `2 h`.
const lengthWords = (ms) => ageWords(0, ms).replace(" ago", "");

// {state, words, waiting, sentence} for the state pill.
function playbackStatus(player) {
  const { source, isMoving, speed } = player;
  const words = isMoving ? `playback ${speed}×` : "playback, paused";
  const sentence = source.httpError
    ? `The position waits: ${source.httpError}. A click leads back to live.`
    : "What was received before the chosen moment. A click leads back to live.";
  return { state: "playback", words, waiting: 0, sentence };
}
