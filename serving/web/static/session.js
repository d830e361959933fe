/** When the session is over: sign in again on the same page, then go on. */

let asking = null;

/** Ask for the password; true once signed in again as the same person. */
export function signInAgain() {
  asking ??= ask().finally(() => { asking = null; });
  return asking;
}

function ask() {
  const dialog = document.getElementById("sign-in-again");
  if (!dialog) {
    location.assign("/login");
    return new Promise(() => {});
  }
  const form = dialog.querySelector("form");
  const fault = form.querySelector(".fault");
  fault.hidden = true;
  form.password.value = "";
  dialog.showModal();
  form.password.focus();
  return new Promise((resolve) => {
    const submit = async (event) => {
      event.preventDefault();
      const told = await signIn(form.elements.namedItem("name").value, form.password.value);
      if (told) {
        fault.textContent = told;
        fault.hidden = false;
        form.password.select();
        return;
      }
      finish(true);
    };
    const cancel = () => finish(false);
    const finish = (signedIn) => {
      form.removeEventListener("submit", submit);
      dialog.removeEventListener("cancel", cancel);
      dialog.close();
      resolve(signedIn);
    };
    form.addEventListener("submit", submit);
    dialog.addEventListener("cancel", cancel);
  });
}

/** Sign in; the answer is empty, or says why not. */
async function signIn(name, password) {
  let response;
  try {
    response = await fetch("/v1/session", {
      method: "POST",
      credentials: "same-origin",
      headers: { Accept: "application/json", "Content-Type": "application/json" },
      body: JSON.stringify({ name, password }),
    });
  } catch {
    return "连不上服务器，请检查网络后再试。";
  }
  const body = await response.json();
  if (!response.ok) return body.detail;
  document.querySelector('meta[name="csrf-token"]').content = body.csrf;
  for (const field of document.querySelectorAll('input[name="csrf"]')) field.value = body.csrf;
  if (body.must_change_password) location.assign("/password");
  return "";
}
