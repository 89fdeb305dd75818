"""How long a comparison of strategies takes: draws of people's lives, by processor time and by the clock.

Usage: python benchmarks/value.py [PEOPLE] [DRAWS] [THREADS]; the time for 1,000 draws is in proportion to draws.
"""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from betapod.health.courses import CourseSettings, simulate_courses
from betapod.value.comparison_checks import read_value_text
from betapod.value.parameter_draws import parameter_draws
from betapod.value.value_part import ComparedPeople, ValuePart
from betapod.value.value_people import people_of
from betapod.value.value_run import PEOPLE_OF_PART, strategy_of

RUN = """\
title: benchmark
people: {{library: type 2 and UACR > 300 mg/g and eGFR < 60 mL/min/1.73m2, size: {people}}}
comparator: care
strategies: {{care: {{}}, SGLT2 inhibitor: {{therapies: [SGLT2 inhibitor]}}}}
events: [own, ukpds-om2]
care: frozen
cell_draws: 0
draws: {draws}
"""


def main() -> None:
    """Print seconds for courses, for making ready, and for draws, by structure."""
    people, draws, threads = (int(x) for x in (*sys.argv[1:], *("10000", "10", "2")[len(sys.argv) - 1 :]))
    settings, _ = read_value_text(RUN.format(people=people, draws=draws))
    began = time.perf_counter()
    chosen = people_of(settings.people, Path(), settings.seed)
    strategies = {name: strategy_of(item) for name, item in settings.strategies.items()}
    courses = simulate_courses(chosen, strategies, CourseSettings(step=settings.step, care=settings.care), threads)
    facts = f"{len(chosen)} people from {len(chosen.library)} patients, {len(courses.days) - 1} steps"
    print(f"courses: {facts}, {time.perf_counter() - began:.1f} s")
    compared = ComparedPeople(settings, courses, {"": None}, parameter_draws(settings, None))
    for structure in settings.events:
        ready = clock = work = 0.0
        for start in range(0, people, PEOPLE_OF_PART):
            part = ValuePart(compared, slice(start, start + PEOPLE_OF_PART))
            began = time.process_time()
            for strategy in settings.strategies:
                part.ready(structure, strategy, 0)
            ready += time.process_time() - began
            began, process = time.perf_counter(), time.process_time()
            with ThreadPoolExecutor(threads) as executor:
                list(executor.map(part.drawn, [structure] * draws, range(draws)))
            clock, work = clock + time.perf_counter() - began, work + time.process_time() - process
        thousand = 1000 / draws / len(strategies)
        print(
            f"{structure}: ready {ready:.1f} s; per strategy and 1,000 draws {work * thousand:.0f} s of processor, "
            f"{clock * thousand:.0f} s by the clock with {threads} threads"
        )


if __name__ == "__main__":
    main()
