// Choosing a neighbourhood puts the pin into its middle, to be dragged to the spot. A pin that somebody placed
// by hand stays where it is. Options carry data-latitude and data-longitude.
const select = document.querySelector("select[data-moves-pin]");
const latitude = document.getElementById("id_latitude");
const longitude = document.getElementById("id_longitude");
const isAt = ({ dataset }) => Number(dataset.latitude) === Number(latitude.value) && Number(dataset.longitude) === Number(longitude.value);

select?.addEventListener("change", () => {
  const [chosen] = select.selectedOptions;
  const placed = latitude.value !== "" && ![...select.options].some(isAt);
  if (placed || !chosen?.dataset.latitude) return;
  latitude.value = chosen.dataset.latitude;
  longitude.value = chosen.dataset.longitude;
  for (const field of [latitude, longitude]) {
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }
  document.querySelector("[data-map-pick]")?.picker?.map.setView([latitude.value, longitude.value], 14);
});
