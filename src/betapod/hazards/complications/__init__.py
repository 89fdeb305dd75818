"""Complications of diabetes and kidney disease: events with rates, and the states that they leave behind."""
