// A sign-up form starts with the browser's own time zone; whoever typed something keeps it.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

for (const select of document.querySelectorAll("select[data-guess-zone]")) {
  if ([...select.options].some((option) => option.value === zone)) select.value = zone;
}
