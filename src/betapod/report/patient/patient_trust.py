"""How far published numbers bear the model out for what is compared in one person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...trust.trust_answer import trust_sentence
from ...trust.trust_lines import question_of_simulation

if TYPE_CHECKING:
    from ...twins.patient_forecast import PatientForecast


def forecast_trust(forecast: PatientForecast) -> str:
    """Return the sentence on trust for the options of a forecast."""
    options = forecast.outcomes.options[1:]
    cells = [option.text for option in options if option.scenario]
    drugs = [option.text for option in options if not option.scenario and " + " not in option.text]
    cells = [text for text in dict.fromkeys(cells) if " + " not in text]
    question = question_of_simulation(
        ["eGFR", "UACR"], drugs, cells, "", forecast.labs.diabetes if forecast.labs.diabetes != "none" else ""
    )
    return trust_sentence(question)
