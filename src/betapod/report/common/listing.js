// Filters and sorts the children of a list by the fields of a form, and says how many are shown.
// Children carry what is compared as data attributes, named as the selects are. Of these fields, "words" searches the text of a child,
// "order" names the attribute to sort by, and "down" turns the order round; buttons with data-order in the same page set both.
function listing(formName, listName, noun) {
  const form = document.getElementById(formName), list = document.getElementById(listName);
  const count = document.getElementById("count"), order = form.elements.order, down = form.elements.down;
  const items = [...list.children], texts = items.map(item => item.textContent.toLowerCase()), place = new Map(items.map((item, k) => [item, k]));
  const filters = [...form.elements].filter(field => field.tagName === "SELECT" && field !== order);
  const heads = [...document.querySelectorAll("[data-order]")];
  const compare = (a, b) => {
    const [x, y] = [a, b].map(item => item.dataset[order.value] ?? "");
    const found = isNaN(x) || isNaN(y) || x === "" || y === "" ? x.localeCompare(y) : x - y;
    return (down?.checked ? -found : found) || place.get(a) - place.get(b);
  };
  const show = () => {
    const words = form.elements.words.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    items.forEach((item, k) => {
      const fits = filters.every(field => !field.value || item.dataset[field.id] === field.value) && words.every(word => texts[k].includes(word));
      item.hidden = !fits;
      shown += fits;
    });
    list.append(...[...items].sort(compare));
    for (const head of heads) {
      const mine = head.dataset.order === order.value;
      head.closest("th").setAttribute("aria-sort", !mine ? "none" : down?.checked ? "descending" : "ascending");
    }
    count.textContent = `${shown} ${noun}${shown === 1 ? "" : "s"} shown`;
  };
  for (const head of heads) head.addEventListener("click", () => {
    const again = order.value === head.dataset.order;
    order.value = head.dataset.order;
    down.checked = again && !down.checked;
    show();
  });
  form.addEventListener("input", show);
  form.addEventListener("submit", event => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(show));
  show();
}
