"use strict";
(() => {
  const body = document.querySelector("#calls tbody");
  const rows = [...body.rows];
  const pallet = document.querySelector("#pallet");
  const find = document.querySelector("#find");
  let last = "total", down = true;
  const show = () => {
    const word = find.value.trim().toLowerCase();
    for (const row of rows)
      row.hidden = (pallet.value && row.dataset.pallet !== pallet.value) || !row.dataset.name.toLowerCase().includes(word);
    for (const card of document.querySelectorAll("article"))
      card.hidden = Boolean(pallet.value) && card.dataset.pallet !== pallet.value;
  };
  pallet.addEventListener("change", show);
  find.addEventListener("input", show);
  for (const head of document.querySelectorAll("#calls th[data-key]"))
    head.addEventListener("click", () => {
      const key = head.dataset.key;
      down = key === last ? !down : key !== "name";
      last = key;
      const sign = down ? -1 : 1;
      const order = (a, b) => key === "name"
        ? sign * a.dataset.name.localeCompare(b.dataset.name)
        : sign * (Number(a.dataset[key]) - Number(b.dataset[key]));
      body.append(...rows.sort(order));
    });
})();
