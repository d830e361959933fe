/** The panel 法律与办理: days that clocks run from, and the one letter that needs a form: a person has to have decided. */

import { file, part } from "./api.js";
import { attempt, notice } from "./notice.js";

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-turn-away], form[data-days]");
  if (!form) return;
  event.preventDefault();
  attempt(form, () => (form.dataset.days ? count(form) : draft(form)));
});

async function count(form) {
  const days = [...new FormData(form)].filter(([, day]) => day);
  const panel = form.closest("section.law");
  panel.replaceWith(await part("GET", `/desk/petitions/${form.dataset.days}/law?${new URLSearchParams(days)}`));
}

async function draft(form) {
  const content = await file("POST", `/desk/petitions/${form.dataset.turnAway}/turn-away`, {
    body: Object.fromEntries(new FormData(form)),
  });
  const link = Object.assign(document.createElement("a"), {
    href: URL.createObjectURL(content),
    download: `${form.dataset.name}（草稿）.docx`,
  });
  link.click();
  URL.revokeObjectURL(link.href);
  notice("草稿已下载。它还没有保存，也没有发给任何人。", { kind: "done" });
}
