/** How long a petition stays in one's hands: shown, and prolonged while somebody works. */

import { call } from "./api.js";
import { notice } from "./notice.js";

const BEAT_EVERY = 60_000;
const SOON = 120_000;
const ENDED = {
  expired: "领取到期后，已由他人领取",
  forced: "已由审核员强制放回",
  released: "已经放回",
};

/** Show in `place` how long until `expires`. */
export function writeLeft(place, expires) {
  const left = new Date(expires) - Date.now();
  place.classList.toggle("soon", left < SOON);
  if (left <= 0) {
    place.textContent = "领取已到期";
    return left;
  }
  const seconds = Math.floor(left / 1000);
  place.textContent = `领取还剩 ${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  return left;
}

/**
 * Keep a claim while the person is at work; `lost` is called once it has gone.
 * @returns {() => void} stops it
 */
export function keepClaim({ id, expires, place, lost }) {
  let until = expires;
  let lastBeat = Date.now();
  let active = false;
  let beating = false;
  let stopped = false;
  const note = () => { active = true; };
  for (const kind of ["keydown", "pointerdown", "input"]) document.addEventListener(kind, note);
  const beat = async () => {
    beating = true;
    lastBeat = Date.now();
    active = false;
    try {
      until = (await call("POST", `/v1/claims/${id}/heartbeat`)).body.expires_at;
    } catch (error) {
      if (stopped) return;
      if (error.code === "claim_lost" || error.code === "no_claim") {
        stop();
        lost(ENDED[error.problem.ended] ?? "已不在您手上");
      } else if (error.code === "unreachable") {
        notice(error.message);
      }
    } finally {
      beating = false;
    }
  };
  const tick = () => {
    const left = writeLeft(place, until);
    const due = Date.now() - lastBeat > Math.min(BEAT_EVERY, Math.max(2000, left / 2));
    if (active && due && !beating) beat();
  };
  const timer = setInterval(tick, 1000);
  const stop = () => {
    stopped = true;
    clearInterval(timer);
    for (const kind of ["keydown", "pointerdown", "input"]) document.removeEventListener(kind, note);
  };
  tick();
  return stop;
}
