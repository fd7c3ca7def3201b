"""A page used by keyboard alone."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

MOST_TABS = 60

# A ring of its own, or of the label that stands for a field or of the box around it.
SHOWS_FOCUS = """(element) => {
  const near = [element, element.previousElementSibling, element.parentElement, element.parentElement?.parentElement];
  const drawn = near.filter(Boolean).flatMap((each) => [null, "::after"].map((part) => getComputedStyle(each, part)));
  return drawn.some(({ outlineStyle, outlineWidth, boxShadow }) => {
    return (outlineStyle !== "none" && outlineWidth !== "0px") || boxShadow !== "none";
  });
}"""


def tab_to(page: Page, wanted: Locator, *, back: bool = False) -> None:
    """Press Tab until the focus is there, and can be seen."""
    expect(wanted).to_have_count(1)
    for _ in range(MOST_TABS):
        if wanted.evaluate("(element) => element === document.activeElement"):
            break
        page.keyboard.press("Shift+Tab" if back else "Tab")
    expect(wanted).to_be_focused()
    assert wanted.evaluate(SHOWS_FOCUS), f"the focus cannot be seen on {wanted}"


def press(page: Page, wanted: Locator, key: str = "Enter") -> None:
    """Go there by Tab and press `key`."""
    tab_to(page, wanted)
    page.keyboard.press(key)


def write(page: Page, field: Locator, text: str) -> None:
    """Go to `field` by Tab and write `text` over what is in it."""
    tab_to(page, field)
    page.keyboard.press("Control+a")
    page.keyboard.type(text)
