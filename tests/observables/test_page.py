"""The reference page says what the table says."""

from __future__ import annotations

from observables_page import PAGE, page

from betapod.observables.table import observables


def test_the_page_is_that_of_the_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python tests/support/observables_page.py"


def test_other_pages_print_the_errors_of_the_table() -> None:
    """docs/reference/trials.md and docs/background/patients.md print rounded errors of the table."""
    trials, patients = (
        (PAGE.parents[1] / name).read_text(encoding="utf-8")
        for name in ("reference/trials.md", "background/patients.md")
    )
    for name in ("UACR", "creatinine", "HbA1c", "FPG", "fasting_C_peptide", "BUN", "SBP"):
        assert f"| {observables()[name].relative_error:.3f} " in trials, name
    errors = [observables()[name].relative_error for name in ("UACR", "eGFR", "HbA1c", "FPG", "fasting_C_peptide")]
    assert f"log-SD {', '.join(f'{sd:.3f}' for sd in errors)}" in patients
