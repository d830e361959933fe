/** Search: the second level offers only what belongs to the chosen first level. */

const form = document.querySelector("form.filters");
const first = form.elements.namedItem("category_l1");
const second = form.elements.namedItem("category_l2");
const all = [...second.options];

function fit() {
  const kept = second.value;
  second.replaceChildren(...all.filter((option) => !option.value || !first.value || option.dataset.parent === first.value));
  second.value = [...second.options].some((option) => option.value === kept) ? kept : "";
}

first.addEventListener("change", fit);
fit();

// An address that can be read and sent: only what was chosen.
form.addEventListener("formdata", (event) => {
  for (const [name, value] of [...event.formData]) if (!value) event.formData.delete(name);
});
