"""The verbs of the command line: where each is defined, under which heading it stands in the help, with which examples."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import typer
from typer.core import TyperGroup

from .examples import EXAMPLES
from .former_options import OPTIONS

#: Headings of the help, in the order in which a newcomer reads, and under each the verbs with the modules that define them.
PANELS: dict[str, dict[str, str]] = {
    "Start": {"demo": "report", "doctor": "doctor"},
    "One patient": {
        "patient": "patient",
        "explore": "explore",
        "serve": "serve",
        "simulate": "simulate",
        "ogtt": "glucose_tests",
        "mmtt": "glucose_tests",
        "clamp": "glucose_tests",
        "drugs": "drugs",
        "harms": "harms",
        "complications": "complications",
    },
    "Many patients": {"patients": "patients", "ensemble": "ensemble", "merge": "ensemble"},
    "Trials": {
        "trial": "trials",
        "run": "trials",
        "resume": "trials",
        "report": "report",
        "design": "design",
        "schema": "trials",
    },
    "Value": {"value": "value"},
    "Evidence and claims": {"evidence": "evidence", "claims": "claims", "answer": "answer"},
    "Validation": {"validate": "validate", "confront": "confront", "trust": "trust", "fit": "fit", "petab": "petab"},
    "Which numbers decide": {"sensitivity": "sensitivity", "identify": "sensitivity"},
    "Models": {"model": "model", "params": "params", "switches": "switches", "cite": "model", "sedml": "sedml"},
}
#: Module of each verb, in the order of the help.
MODULES = {verb: module for verbs in PANELS.values() for verb, module in verbs.items()}


class InOrder(TyperGroup):
    """The command line with its verbs in the order of `PANELS`."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the verbs."""
        return sorted(super().list_commands(ctx), key=list(MODULES).index)

    def invoke(self, ctx: Any) -> Any:
        """Run the verb; of an option that had another name, say which it has now."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            # typer may bring a click of its own, so that the class of the error is not known.
            renamed = OPTIONS.get(getattr(error, "option_name", ""))
            context = getattr(error, "ctx", None)
            if renamed and context and any(renamed in option.opts for option in context.command.params):
                error.possibilities = [renamed]  # type: ignore[attr-defined]
            raise

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find a verb; of a word that is a subverb, such as ``plot``, say whose."""
        if args and args[0] not in self.commands:
            groups = [name for name, each in self.commands.items() if args[0] in getattr(each, "commands", {})]
            if groups:
                meant = " or ".join(f"'betapod {name} {args[0]}'" for name in sorted(groups, key=list(MODULES).index))
                ctx.fail(f"No such command {args[0]!r}. Did you mean {meant}?")
        return super().resolve_command(ctx, args)


def arrange(app: typer.Typer) -> None:
    """Give each verb its heading, and each verb and subverb its examples."""
    headings = {verb: panel for panel, verbs in PANELS.items() for verb in verbs}
    for path, info in walk(app):
        if " " not in path:
            info.rich_help_panel = headings[path]
        if path in EXAMPLES:
            info.help = with_examples(_text(info), EXAMPLES[path])


def walk(app: typer.Typer, before: str = "") -> Iterator[tuple[str, Any]]:
    """Give what typer knows of each verb, group and subverb, with its words: ``claims show``."""
    for info in app.registered_commands:
        yield f"{before}{info.name}", info
    for group in app.registered_groups:
        yield f"{before}{group.name}", group
        if group.typer_instance is not None:
            yield from walk(group.typer_instance, f"{before}{group.name} ")


def with_examples(text: str, examples: tuple[tuple[str, str], ...]) -> str:
    """Return a help text with examples after its first sentence: what each is for, and the command below it."""
    first, _, rest = inspect.cleandoc(text).partition("\n\n")
    # Brackets would be taken for styles.
    lines = [f"  {purpose}:\n    {command}" for purpose, command in examples]
    block = "Examples\n" + "\n".join(lines).replace("[", "\\[")
    return "\n\n".join(part for part in (first, block, rest) if part)


def _text(info: Any) -> str:
    """Return the help of a verb, or of a group, before examples."""
    if (instance := getattr(info, "typer_instance", None)) is not None:
        return str(instance.info.help)
    return info.callback.__doc__ or ""
