/** The desk: write or paste a petition, see the suggestion in its place, decide, go on with the next. */

import { call, freshKey, part } from "./api.js";
import { attempt, clearNotice, notice } from "./notice.js";
import { panel } from "./panel.js";

const intake = document.getElementById("intake");
const intakeView = document.getElementById("intake-view");
const workView = document.getElementById("work-view");
const text = intake.elements.namedItem("text");
const count = document.getElementById("count");
const limit = Number(intake.dataset.limit);

/** The same key as long as the same petition is sent: a repeated attempt after a lost answer keeps it once. */
let key = freshKey();

const desk = panel(workView, { next: fresh, edit, submit: () => send("keep") });

function given() {
  const { title, source, external_id: externalId } = Object.fromEntries(new FormData(intake));
  return { text: text.value, title, source, externalId };
}

function length() {
  const { title } = given();
  return [...text.value].length + (title ? [...title].length + 1 : 0);
}

function tell() {
  const n = length();
  count.textContent = n > limit ? `${n} 字，超过上限 ${limit} 字，请删减或分件登记。` : n ? `${n} 字` : "";
  count.classList.toggle("fault", n > limit);
}

async function send(how) {
  if (!text.value.trim()) {
    notice("请先写入正文。");
    text.focus();
    return;
  }
  if (length() > limit) {
    notice(`正文有 ${length()} 字，上限 ${limit} 字。请删减，或分成几件登记。`);
    text.focus();
    return;
  }
  clearNotice();
  await attempt(intakeView, how === "keep" ? keep : trial, { explain });
}

const explain = {
  too_many_claims: {
    text: "您手上的未决件已到上限，此件还没有登记。请先办理或放回手上的件。",
    action: { name: "看我手上的", run: () => location.assign("/queues") },
  },
};

async function keep() {
  const { text: body, title, source, externalId } = given();
  const { body: petition } = await call("POST", "/v1/petitions", {
    body: { text: body, title, source, external_id: externalId || null, claim: true },
    headers: { "Idempotency-Key": key },
  });
  if (!petition.claim?.mine) {
    fresh();
    notice(`已登记 ${petition.id}。此件抽中盲审，由另一位审核员独立办理，建议暂不显示。`, { kind: "done" });
    return;
  }
  await desk.load(petition.id);
  turn(true);
}

async function trial() {
  const { text: body, title } = given();
  const shown = await part("POST", "/desk/trial", { body: { text: body, title } });
  turn(true);
  desk.show(shown);
}

function turn(working) {
  intakeView.hidden = working;
  workView.hidden = !working;
  if (working) workView.querySelector(".actions .primary")?.focus({ preventScroll: true });
}

function edit() {
  desk.clear();
  turn(false);
  text.focus();
}

function fresh() {
  clearNotice();
  intake.reset();
  edit();
}

intake.addEventListener("submit", (event) => {
  event.preventDefault();
  send(event.submitter?.value ?? intake.querySelector("button.primary").value);
});
intake.addEventListener("reset", () => {
  key = freshKey();
  setTimeout(() => {
    tell();
    text.focus();
  });
});
intake.addEventListener("input", () => {
  key = freshKey();
  tell();
});
intake.addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  if (event.ctrlKey || event.metaKey) {
    event.preventDefault();
    intake.requestSubmit(intake.querySelector("button.primary"));
  } else if (event.target.matches("input")) {
    event.preventDefault(); // Enter in a one-line field must not register half a petition
    text.focus();
  }
});
window.addEventListener("beforeunload", (event) => {
  if (text.value.trim() && !intakeView.hidden) event.preventDefault();
});
tell();
