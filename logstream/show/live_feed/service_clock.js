// The service's clock beside the browser's: a browser that is wrong by an hour shall show the
// right 15 minutes. And from it, how late frames come.

const SKEW_THAT_MATTERS_MS = 2000;
const MEASURE_LASTS_MS = 10 * 60_000;
const JUMP_MS = 1000;

class ServiceClock {
  constructor() {
    this.offsetMs = null; // service minus browser
    this.uncertainMs = Infinity;
    this.measuredMs = 0;
  }

  // A moment of the service that lies between two of the browser's. True when "now" moved.
  note(nowUnixMs, sentMs, receivedMs) {
    if (!Number.isFinite(nowUnixMs)) return false;
    const half = (receivedMs - sentMs) / 2;
    const offset = nowUnixMs - (sentMs + half);
    const isOld = performance.now() - this.measuredMs > MEASURE_LASTS_MS;
    const isRefuted = Math.abs(offset - this.offsetMs) > half + this.uncertainMs;
    if (this.offsetMs !== null && !isOld && !isRefuted && half >= this.uncertainMs) return false;
    this.uncertainMs = half;
    this.measuredMs = performance.now();
    return this.take(offset);
  }

  // No frame comes before it was sent.
  noteFrame(sentUnixMs) {
    const least = sentUnixMs - Date.now();
    const isUnmeasured = this.uncertainMs === Infinity;
    if (this.offsetMs !== null && least <= this.offsetMs + (isUnmeasured ? 0 : JUMP_MS)) return false;
    return this.take(least);
  }

  take(offset) {
    this.offsetMs = offset;
    const before = pageClock.skewMs;
    pageClock.skewMs = Math.abs(offset) > SKEW_THAT_MATTERS_MS ? offset : 0;
    return Math.abs(pageClock.skewMs - before) > SKEW_THAT_MATTERS_MS;
  }

  ageOf(sentUnixMs) {
    return Date.now() + (this.offsetMs ?? 0) - sentUnixMs;
  }
}

const LATE_FRAME_MS = 2500;
const LATE_FOR_MS = 4000;
const PUNCTUAL_MS = 1000;
const TRY_FULL_MS = 60_000;
const TRY_FULL_LONGEST_MS = 10 * 60_000;

// Whether the connection carries every line, or only a sample of them ("light" frames).
class LineSpeed {
  constructor() {
    this.isLight = false;
    this.lateSince = 0;
    this.punctualSince = 0;
    this.tryFullMs = TRY_FULL_MS;
  }

  // Frames that come late for seconds: the line is too slow. True when that changes `isLight`.
  noteFrame(ageMs) {
    const now = performance.now();
    if (ageMs < LATE_FRAME_MS) this.lateSince = 0;
    else this.lateSince ||= now;
    if (ageMs > PUNCTUAL_MS) this.punctualSince = 0;
    else this.punctualSince ||= now;
    if (!this.isLight) {
      if (this.punctualSince && now - this.punctualSince > 2 * TRY_FULL_MS) this.tryFullMs = TRY_FULL_MS;
      return Boolean(this.lateSince) && now - this.lateSince >= LATE_FOR_MS && this.lighten();
    }
    if (!this.punctualSince || now - this.punctualSince < this.tryFullMs) return false;
    this.isLight = false;
    this.lateSince = this.punctualSince = 0;
    return true;
  }

  lighten() {
    if (this.isLight) return false;
    this.isLight = true;
    if (this.wasLight) this.tryFullMs = Math.min(TRY_FULL_LONGEST_MS, 2 * this.tryFullMs);
    this.wasLight = true;
    this.lateSince = this.punctualSince = 0;
    return true;
  }
}
