"""Cut the Lucide icon sprite to the icons named in `ICONS`.

    python tools/make_sprite.py path/to/node_modules/lucide-static

Writes static/vendor/lucide/icons.svg. Add a name here, run it, commit both.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "static" / "vendor" / "lucide" / "icons.svg"
ICONS = """
activity arrow-down arrow-left arrow-right arrow-up badge-check ban banknote bath bell bolt briefcase bug
calendar-check calendar-clock calendar-days calendar-plus calendar-sync calendar-x camera chart-column chart-line
check check-check chevron-down chevron-left chevron-right circle-alert circle-check circle-dashed circle-dot
circle-help circle-pause circle-play circle-x clipboard-list clock coffee copy database door-open download droplets
ellipsis eraser external-link eye eye-off fan file-text fingerprint flag flame gauge gavel hammer hard-drive hash
headset heart-pulse history hourglass house house-plug image inbox info key-round laptop layout-dashboard leaf
lightbulb list-checks list-filter locate-fixed lock log-out mail map map-pin megaphone message-circle
message-square-warning messages-square minus monitor monitor-smartphone moon navigation package paint-roller
panel-left paperclip pause pencil percent phone pin play plug plus power qr-code radio receipt refresh-cw refrigerator
rotate-ccw rows-3 scroll-text search send server settings shield shield-check shower-head shuffle sliders-horizontal
sofa sparkles square-check star star-half store sun sun-moon thermometer ticket timer toggle-right trash-2
trending-down trending-up triangle-alert truck tv undo-2 unplug upload user-check user-plus user-round user-x users
wallet washing-machine weight wifi wifi-off wrench x zap
""".split()


def symbol(folder: Path, name: str) -> str:
    """One icon as a `<symbol>`; raises FileNotFoundError when Lucide has no such icon."""
    svg = (folder / "icons" / f"{name}.svg").read_text()
    body = re.search(r"<svg[^>]*>(.*)</svg>", svg, re.DOTALL)
    if body is None:
        raise ValueError(f"{name}.svg is not an icon")
    inner = " ".join(body[1].split())
    return f'<symbol id="{name}" viewBox="0 0 24 24">{inner}</symbol>'


def main() -> None:
    """Write the sprite from the folder given on the command line."""
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    folder = Path(sys.argv[1])
    symbols = "\n".join(symbol(folder, name) for name in ICONS)
    TARGET.write_text(f'<svg xmlns="http://www.w3.org/2000/svg">\n{symbols}\n</svg>\n')
    print(f"{len(ICONS)} icons, {TARGET.stat().st_size} bytes: {TARGET.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
