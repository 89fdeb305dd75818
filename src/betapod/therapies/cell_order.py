"""Reader of orders for cells, such as ``UC-MSC 1e6/kg iv x3 q28d``."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from ..base.errors import ConfigError, Location, Problem, nearest
from .cell_products import PRODUCTS, ROUTES, Product, Route, comparable_name, names_of

#: Words that may follow the route, in any order.
WORDS = {
    "bilateral": "into both renal arteries, not one",
    "thawed": "infused just after thawing",
    "fresh": "not frozen",
    "allogeneic": "from another donor",
    "autologous": "from the patient",
    "hypoimmune": "edited to escape immunity",
    "diabetic-donor": "from a donor with type 2 diabetes",
    "preconditioned": "kept short of oxygen or with cytokines in culture",
    "induced-kidney": "directed in culture towards kidney cells",
    "induced-islet": "directed in culture towards insulin-secreting cells",
}

#: Words that exclude each other.
_EITHER = (("fresh", "thawed"), ("induced-kidney", "induced-islet"))
#: Words about the culture of infused cells; islets are given as they were made.
CONDITIONS = ("preconditioned", "induced-kidney", "induced-islet")

_MILLION = {
    "": 1e-6,
    "cell": 1e-6,
    "cells": 1e-6,
    "million": 1.0,
    "millioncells": 1.0,
    "m": 1.0,
    "mcell": 1.0,
    "mcells": 1.0,
}
_UNIT_WORDS = frozenset({"cell", "cells", "million", "mcell", "mcells", "m", "ieq", "kg", "per"})
_DAYS = {"d": 1.0, "day": 1.0, "days": 1.0, "w": 7.0, "wk": 7.0, "week": 7.0, "weeks": 7.0}
_NUMBER = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(.*)")
_REPEAT = re.compile(r"x(\d+)")
_EVERY = re.compile(r"q(\d+\.?\d*)([a-z]+)")
_AT = re.compile(r"@([-+]?\d+\.?\d*)([a-z]*)")


#: What no order can exceed; assumed, far beyond any course that was given: cells (a body has about 3e13), islet equivalents,
#: both also per kg; infusions; days.
MOST_CELLS, MOST_IEQ, MOST_INFUSIONS, MOST_DAYS = 1e13, 1e8, 1000, 18_263.0


@dataclass(frozen=True)
class Order:
    """What was ordered.

    Attributes
    ----------
    amount
        Per infusion: 10^6 cells, or islet equivalents; per kg of body weight if `per_kg`.
    start, interval, count
        Days of the first infusion and between infusions; number of infusions.
    """

    text: str
    product: Product
    route: Route
    amount: float
    unit: str
    per_kg: bool
    start: float = 0.0
    interval: float = 0.0
    count: int = 1
    donor: str = "allogeneic"
    words: frozenset[str] = frozenset()

    @property
    def times(self) -> list[float]:
        """Days of the infusions."""
        return [self.start + k * self.interval for k in range(self.count)]


@dataclass(frozen=True)
class _Token:
    text: str
    column: int


def read_order(text: str, where: str = "dose") -> Order:
    """Read an order.

    ``PRODUCT AMOUNT ROUTE [xN qINTERVAL] [@DAY] [word ...]``: the amount in cells (``80e6``, ``80 million``), per kg
    (``1e6/kg``) or, for donor islets, in islet equivalents (``11900 IEQ/kg``); intervals in ``d`` or ``w``; words of `WORDS`.

    Parameters
    ----------
    where
        How errors name the place.

    Raises
    ------
    ConfigError
        Everything wrong with the order at once: unknown product, route, unit or word (the nearest is named), a negative amount,
        a route that the product cannot take, repeats without an interval.
    """
    return _Reading(text, where).order()


class _Reading:
    def __init__(self, text: str, where: str) -> None:
        self.text, self.where = text, where
        self.problems: list[Problem] = []
        self.tokens = [_Token(m.group(), m.start() + 1) for m in re.finditer(r"\S+", text)]

    def bad(self, kind: str, message: str, column: int = 1, **details: str) -> None:
        self.problems.append(Problem(kind, message, Location(self.where, 1, column), context=self.text, **details))

    def order(self) -> Order:
        split = next((k for k, token in enumerate(self.tokens) if _NUMBER.fullmatch(token.text)), None)
        if split is None:
            split = self.named()
        product = self.product(self.tokens[:split])
        amount, unit, per_kg, rest = self.amount(self.tokens[split:], product)
        route, rest = self.route(rest)
        timing, words = self.remainder(rest)
        if product is not None and route is not None and route.name not in product.routes:
            self.bad(
                "wrong-route",
                f"{product.label} cannot be given by {route.name} ({route.label})",
                self.column_of(route),
                expected=", ".join(product.routes),
            )
        donor = self.donor(product, words)
        if "bilateral" in words and route is not None and route.name != "ra":
            self.bad("bad-word", "'bilateral' belongs to the renal artery", 1, found=route.name)
        self.conditions(product, words)
        if self.problems:
            raise ConfigError(self.problems)
        assert product is not None and route is not None
        return Order(self.text, product, route, amount, unit, per_kg, *timing, donor, frozenset(words))

    def conditions(self, product: Product | None, words: set[str]) -> None:
        """Refuse words that contradict each other or the product."""
        for pair in _EITHER:
            if words.issuperset(pair):
                self.bad(
                    "bad-word",
                    f"cells are {pair[0]} or {pair[1]}, not both",
                    1,
                    found=" and ".join(pair),
                    expected="one",
                )
        if product is None:
            return
        named = [word for word in CONDITIONS if word in words]
        if named and product.kind == "graft":
            self.bad(
                "bad-word",
                f"{product.label} are given as they were made",
                self.text.lower().index(named[0]) + 1,
                found=" and ".join(named),
                expected="an infused product, such as UC-MSC",
            )
        wrong = {"kidney": "induced-islet"}.get(product.tissue)
        if wrong in words:
            self.bad(
                "bad-word",
                f"{product.label} are {product.tissue} cells already",
                self.text.lower().index(wrong) + 1,
                found=wrong,
                expected="a product of unspecialised cells, such as UC-MSC",
            )

    def named(self) -> int:
        """Return how many of the first words name a product, where no number ends the name."""
        product_names = names_of(PRODUCTS)
        lengths = range(len(self.tokens), 0, -1)
        return next(
            (k for k in lengths if comparable_name(" ".join(t.text for t in self.tokens[:k])) in product_names),
            min(1, len(self.tokens)),
        )

    def column_of(self, route: Route) -> int:
        match = re.search(rf"\b{re.escape(route.name)}\b", self.text, re.IGNORECASE)
        return match.start() + 1 if match else 1

    def product(self, tokens: list[_Token]) -> Product | None:
        name = " ".join(token.text for token in tokens)
        product_names = names_of(PRODUCTS)
        if not name:
            self.bad("missing-product", "the order names no product", expected=", ".join(PRODUCTS))
        elif comparable_name(name) in product_names:
            return PRODUCTS[product_names[comparable_name(name)]]
        else:
            self.bad(
                "unknown-product",
                f"there is no cell product {name!r}",
                tokens[0].column,
                expected=", ".join(PRODUCTS),
                hint=_suggest(comparable_name(name), product_names),
            )
        return None

    def amount(self, tokens: list[_Token], product: Product | None) -> tuple[float, str, bool, list[_Token]]:
        if not tokens or not _NUMBER.fullmatch(tokens[0].text):
            self.bad("missing-dose", "the order has no amount", len(self.text) + 1, expected="such as 80e6 or 1e6/kg")
            return math.nan, "", False, tokens
        match = _NUMBER.fullmatch(tokens[0].text)
        assert match is not None
        number, unit = float(match[1]), match[2]
        rest = tokens[1:]
        while rest and all(part in _UNIT_WORDS for part in rest[0].text.lower().strip("/").split("/")):
            unit += rest[0].text
            rest = rest[1:]
        column = tokens[0].column
        if not math.isfinite(number):
            self.bad("bad-dose", "the amount is not finite", column, found=tokens[0].text)
        elif number < 0:
            self.bad("bad-dose", "the amount is negative", column, found=tokens[0].text, expected="0 or more")
        before = len(self.problems)
        bare = unit.lower().replace("per", "/")
        per_kg = bare.endswith("/kg")
        bare = bare.removesuffix("/kg").strip("/*")
        if bare == "ieq":
            if product is not None and product.name != "donor-islets":
                self.bad(
                    "wrong-unit",
                    f"{product.label} are not dosed in islet equivalents",
                    column,
                    found="IEQ",
                    expected="cells",
                )
            self.bounded(number, MOST_IEQ, "IEQ", column, before)
            return number, "IEQ", per_kg, rest
        # A word right after the number that is neither a unit nor anything else an order may hold is a unit gone wrong.
        if bare in _MILLION and rest and not unit and not self.known(rest):
            unit, bare, rest = rest[0].text, rest[0].text.lower(), rest[1:]
        if bare not in _MILLION:
            self.bad(
                "wrong-unit",
                f"{unit!r} is not a unit of cells",
                column,
                found=unit,
                expected="cells, million, Mcell, IEQ, each with or without /kg",
                hint=_suggest(bare, {name: name for name in ("cells", "million", "Mcell", "IEQ")}),
            )
            return number, "Mcell", per_kg, rest
        self.bounded(number * _MILLION[bare] * 1e6, MOST_CELLS, "cells", column, before)
        return number * _MILLION[bare], "Mcell", per_kg, rest

    def bounded(self, amount: float, most: float, unit: str, column: int, before: int) -> None:
        """Refuse an amount that no body can hold, unless the amount is wrong otherwise."""
        if len(self.problems) == before and math.isfinite(amount) and amount > most:
            amount_text = f"{amount:.3g} {unit}"
            self.bad(
                "out-of-range",
                "no body holds so much",
                column,
                found=amount_text,
                expected=f"at most {most:.3g} {unit}",
            )

    def known(self, tokens: list[_Token]) -> bool:
        word = tokens[0].text.lower()
        return bool(
            self.match_route(tokens)[1]
            or word in WORDS
            or any(pattern.fullmatch(word) for pattern in (_REPEAT, _EVERY, _AT))
            or (len(word) > 2 and nearest(comparable_name(word), names_of(ROUTES), 1))
        )

    def match_route(self, tokens: list[_Token]) -> tuple[Route | None, int]:
        route_names = names_of(ROUTES)
        for length in (3, 2, 1):
            name = comparable_name(" ".join(token.text for token in tokens[:length]))
            if len(tokens) >= length and name in route_names:
                return ROUTES[route_names[name]], length
        return None, 0

    def route(self, tokens: list[_Token]) -> tuple[Route | None, list[_Token]]:
        for start in range(len(tokens)):
            route, length = self.match_route(tokens[start:])
            if route is not None:
                return route, tokens[:start] + tokens[start + length :]
        column = tokens[0].column if tokens else len(self.text) + 1
        words = [t.text for t in tokens if not self.timing_word(t.text)]
        hint = next(filter(None, (_suggest(comparable_name(word), names_of(ROUTES)) for word in words)), "")
        self.bad("missing-route", "the order names no known route", column, expected=", ".join(ROUTES), hint=hint)
        return None, [t for t in tokens if t.text not in words[:1]]

    @staticmethod
    def timing_word(text: str) -> bool:
        word = text.lower()
        return word in WORDS or any(pattern.fullmatch(word) for pattern in (_REPEAT, _EVERY, _AT))

    def remainder(self, tokens: list[_Token]) -> tuple[tuple[float, float, int], set[str]]:
        start, interval, count = 0.0, 0.0, 1
        words: set[str] = set()
        for token in tokens:
            word = token.text.lower()
            if match := _REPEAT.fullmatch(word):
                count = int(match[1]) if len(match[1]) < 10 else MOST_INFUSIONS + 1
                if count < 1:
                    self.bad("bad-repeat", "at least one infusion is needed", token.column, found=token.text)
                elif count > MOST_INFUSIONS:
                    number_text, most = f"x{match[1][:12]}", f"at most x{MOST_INFUSIONS}"
                    self.bad("out-of-range", "too many infusions", token.column, found=number_text, expected=most)
            elif match := _EVERY.fullmatch(word):
                interval = self.days(float(match[1]), match[2], token)
            elif match := _AT.fullmatch(word):
                start = self.days(float(match[1]), match[2] or "d", token)
                if start < 0:
                    self.bad("bad-time", "an infusion cannot lie before the start", token.column, found=token.text)
            elif word in WORDS:
                words.add(word)
            else:
                self.bad(
                    "unknown-word",
                    f"{token.text!r} means nothing in an order for cells",
                    token.column,
                    expected="xN, qINTERVAL, @DAY, " + ", ".join(WORDS),
                    hint=_suggest(word, {name: name for name in WORDS}),
                )
        if count > 1 and interval == 0:
            self.bad("missing-interval", f"{count} infusions need an interval", 1, expected="such as q28d")
        if interval > 0 and count == 1:
            self.bad("missing-repeat", "an interval needs a number of infusions", 1, expected="such as x3")
        return (start, interval, count), words

    def days(self, number: float, unit: str, token: _Token) -> float:
        if unit not in _DAYS:
            self.bad(
                "wrong-unit", f"{unit!r} is not a unit of time here", token.column, found=token.text, expected="d or w"
            )
            return math.nan
        if number * _DAYS[unit] > MOST_DAYS:
            time_text, most = token.text[:24], f"at most {MOST_DAYS:.0f} d"
            self.bad("out-of-range", "that is longer than any trial", token.column, found=time_text, expected=most)
        return number * _DAYS[unit]

    def donor(self, product: Product | None, words: set[str]) -> str:
        named = sorted(words & {"allogeneic", "autologous", "hypoimmune"})
        if product is None:
            return ""
        if len(named) > 1:
            self.bad("bad-word", "a product has one donor", 1, found=" and ".join(named))
        for name in named:
            if name not in product.donors:
                self.bad(
                    "wrong-donor", f"{product.label} are not {name}", 1, found=name, expected=", ".join(product.donors)
                )
        return named[0] if named else product.donors[0]


def _suggest(name: str, names: dict[str, str]) -> str:
    close = dict.fromkeys(names[text] for text in nearest(name, names))
    return f"Did you mean {' or '.join(map(repr, close))}?" if close else ""
