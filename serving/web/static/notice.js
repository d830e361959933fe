/** One line at the top of the page that says what happened, and what to do. */

const place = document.getElementById("notice");

/**
 * @param {string} text
 * @param {{kind?: "fault" | "done", action?: {name: string, run: () => void}}} [options]
 */
export function notice(text, { kind = "fault", action } = {}) {
  place.className = `notice ${kind}`;
  place.replaceChildren(Object.assign(document.createElement("span"), { textContent: text }));
  if (action) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: action.name });
    button.addEventListener("click", action.run);
    place.append(button);
  }
  const close = Object.assign(document.createElement("button"), { type: "button", className: "link", textContent: "知道了" });
  close.addEventListener("click", clearNotice);
  place.append(close);
  place.hidden = !text;
}

export function clearNotice() {
  place.hidden = true;
}

/** Run `work` with the buttons of `area` switched off; say what went wrong. Returns whether it went well. */
export async function attempt(area, work, { explain = {} } = {}) {
  if ("busy" in area.dataset) return false;
  area.dataset.busy = "";
  try {
    await work();
    return true;
  } catch (error) {
    if (!error.code) throw error;
    const told = explain[error.code];
    notice(told?.text ?? error.message, { action: told?.action });
    return false;
  } finally {
    delete area.dataset.busy;
  }
}
