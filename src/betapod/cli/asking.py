"""Questions on standard error, answers from standard input: a person's, or a file's."""

from __future__ import annotations

import sys
from typing import Any

from ..base.errors import BetapodError
from .shared import print_note


def asked_protocol(name: str) -> str:
    """Return the protocol that the answers on standard input make.

    At a terminal each question is asked until its answer can be read; from a file or a pipe all answers are read, and all that is wrong is said at once.

    Raises
    ------
    ConfigError
        Answers that cannot be read, or are missing.
    """
    from ..trials.protocol.trial_questions import protocol_of_answers, read_answers

    answers = _asked() if sys.stdin.isatty() else read_answers(sys.stdin.read().splitlines())
    return protocol_of_answers(name, answers)


def _asked() -> dict[str, Any]:
    from ..trials.protocol.trial_questions import QUESTIONS

    answers: dict[str, Any] = {}
    for number, question in enumerate(QUESTIONS, 1):
        while question.name not in answers:
            usual = question.usual(answers)
            print_note(f"{number}/{len(QUESTIONS)} {question.words}")
            print_note(f"     an empty line for: {usual}")
            line = sys.stdin.readline()
            if not line:
                raise KeyboardInterrupt
            try:
                answers[question.name] = question.read(line.strip() or usual, answers)
            except BetapodError as error:
                for problem in error.problems:
                    print_note(str(problem))
    return answers
