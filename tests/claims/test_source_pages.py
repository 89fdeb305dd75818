"""Both source pages, statement by statement: each has a claim or says why not, and every claim is reached."""

from __future__ import annotations

import itertools

import pytest

from betapod.base.errors import EvidenceError
from betapod.claims.claims import load_claims
from betapod.claims.source_pages import load_source_pages, parse_source_pages

STATEMENTS = [(page, statement) for page in load_source_pages() for statement in page.statements]


def test_every_claim_is_reached_from_a_statement_of_its_own_page() -> None:
    reached = {(page.source, name) for page, statement in STATEMENTS for name in statement.claims}
    assert {(claim.source, claim.id) for claim in load_claims()} <= reached


def test_every_statement_has_a_claim_or_says_why_not() -> None:
    assert all(bool(statement.claims) != bool(statement.why) for _, statement in STATEMENTS)
    assert len({statement.says for _, statement in STATEMENTS}) == len(STATEMENTS)


def test_statements_come_in_the_order_of_their_claims() -> None:
    """Claims are numbered as the pages have them, so that the first claims of statements never go back by more than a detail."""
    for page in load_source_pages():
        numbers = [int(statement.claims[0][1:3]) for statement in page.statements if statement.claims]
        backwards = sum(later < earlier for earlier, later in itertools.pairwise(numbers))
        assert backwards <= 2, numbers


def test_each_page_says_what_it_leaves_out() -> None:
    assert all(page.unsaid for page in load_source_pages())


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("[{says: Cells cure, claims: [A1]}]", "unknown-claim"),
        ("[{says: Cells cure}]", "no-claims"),
        ("[{says: Cells cure, claims: [A12], why: it is a hope}]", "no-claims"),
        ("[{says: Cells cure, claims: [A12], gaps: none}]", "unknown-key"),
    ],
)
def test_what_is_wrong_is_said(text: str, kind: str) -> None:
    page = f"- {{page: A page, source: x.txt, statements: {text}}}"
    with pytest.raises(EvidenceError) as error:
        parse_source_pages(page, "pages.yaml", ["A12"])
    assert [problem.kind for problem in error.value.problems] == [kind]
