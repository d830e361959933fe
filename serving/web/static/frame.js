/** What every page has: the table of keys, and keys that work where nobody types. */

const keys = document.getElementById("keys");
const single = document.getElementById("single-keys");
const STORED = "desk.single-keys";

single.checked = localStorage.getItem(STORED) !== "off";
single.addEventListener("change", () => localStorage.setItem(STORED, single.checked ? "on" : "off"));
document.getElementById("open-keys").addEventListener("click", () => keys.showModal());

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  const held = event.ctrlKey || event.metaKey || event.altKey;
  if (typing || held || document.querySelector("dialog[open]")) return;
  if (event.key === "Enter" && !event.target.closest("a, button, summary")) {
    tell(event, "Enter");
  } else if (single.checked && event.key === "?") {
    keys.showModal();
  } else if (single.checked && event.key === "/") {
    event.preventDefault();
    location.assign("/search");
  } else if (single.checked && /^[1-5n]$/i.test(event.key)) {
    tell(event, event.key.toLowerCase());
  }
});

/** Other scripts of the page act on it; whoever does calls preventDefault. */
function tell(event, key) {
  const told = new CustomEvent("desk:key", { detail: key, cancelable: true });
  document.dispatchEvent(told);
  if (told.defaultPrevented) event.preventDefault();
}
