/** Small questions in dialogs. */

/** Show `dialog`; `check` may return why it cannot be closed yet. Resolves with whether it was confirmed. */
export function ask(dialog, { check = () => "" } = {}) {
  const form = dialog.querySelector("form");
  const fault = form.querySelector(".fault");
  if (fault) fault.hidden = true;
  dialog.showModal();
  form.querySelector("textarea, input")?.focus();
  return new Promise((resolve) => {
    const submit = (event) => {
      event.preventDefault();
      if (event.submitter?.value === "cancel") return finish(false);
      const wrong = check();
      if (wrong) {
        fault.textContent = wrong;
        fault.hidden = false;
        return undefined;
      }
      return finish(true);
    };
    const cancel = () => finish(false);
    const finish = (answer) => {
      form.removeEventListener("submit", submit);
      dialog.removeEventListener("cancel", cancel);
      dialog.close();
      resolve(answer);
    };
    form.addEventListener("submit", submit);
    dialog.addEventListener("cancel", cancel);
  });
}

/** Ask for a reason or a note; null where it was called off. */
export async function askText({ title, hint, label, atLeast = 0 }) {
  const dialog = document.getElementById("reason-dialog");
  dialog.querySelector("h2").textContent = title;
  dialog.querySelector("#reason-hint").textContent = hint;
  dialog.querySelector("#reason-label").textContent = label;
  const field = dialog.querySelector("textarea");
  field.value = "";
  const check = () => (field.value.trim().length < atLeast ? `请写明${label}（至少 ${atLeast} 个字）。` : "");
  return (await ask(dialog, { check })) ? field.value.trim() : null;
}

/** Ask to confirm. */
export function askSure({ title, text }) {
  const dialog = document.getElementById("sure-dialog");
  dialog.querySelector("h2").textContent = title;
  dialog.querySelector("#sure-text").textContent = text;
  return ask(dialog);
}
