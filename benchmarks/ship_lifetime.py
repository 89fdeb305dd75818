"""Compute the comparison of lives that comes with the package, for the page of the answer.

Run: python benchmarks/ship_lifetime.py (minutes; after any change of the model, of rates, utilities or people)
"""

from __future__ import annotations

import json
import time

from betapod.report.answer.lifetime_numbers import FILE, RUN, lifetime_key, summarised
from betapod.value.value_run import run_value_file


def main() -> None:
    """Run the comparison and write its summary."""
    began = time.perf_counter()
    from betapod import value

    path = next(iter(value.__path__)) + f"/library/{RUN}.yaml"
    result = run_value_file(
        path, progress=lambda text, done, total: print(f"{time.perf_counter() - began:6.0f} s  {text} {done}/{total}")
    )
    FILE.write_text(json.dumps({"key": lifetime_key(), **summarised(result)}, indent=1) + "\n", encoding="utf-8")
    for row in summarised(result)["rows"]:
        print(row)


if __name__ == "__main__":
    main()
