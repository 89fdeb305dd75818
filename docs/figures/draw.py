"""Take the pictures of the README out of the report that ``make demo`` writes.

Run with the package's own interpreter, after ``make demo``::

    python docs/figures/draw.py demo/report.html
"""

import re
import sys
from pathlib import Path

#: Figure of the report -> file beside this script.
PICTURES = {"figure-studies-single-arm": "dn61.svg"}


def main() -> None:
    """Write every picture."""
    page = Path(sys.argv[1]).read_text(encoding="utf-8")
    for figure, name in PICTURES.items():
        found = re.search(rf'<figure id="{figure}">.*?(<svg.*?</svg>)', page, re.DOTALL)
        if found is None:
            raise SystemExit(f"the report has no figure {figure}")
        svg = found[1].replace("<svg ", '<svg width="640" style="background:white" ', 1)
        target = Path(__file__).with_name(name)
        target.write_text(svg + "\n", encoding="utf-8")
        print(target, len(svg))


if __name__ == "__main__":
    main()
