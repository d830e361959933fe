/** The model in service: verify and switch the bundle. */

import { call } from "./api.js";
import { attempt, notice } from "./notice.js";

const form = document.getElementById("reload");

form?.addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(document.body, async () => {
    notice("正在校验、预热，其间照常研判…", { kind: "done" });
    const bundle = new FormData(form).get("bundle");
    await call("POST", "/v1/model/reload", { body: { bundle } });
    location.reload();
  });
});
