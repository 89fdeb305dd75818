"""Hazards of death, cardiovascular events, acute kidney injury and severe hypoglycaemia, on a person's course."""
