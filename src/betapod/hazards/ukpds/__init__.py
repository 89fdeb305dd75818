"""UKPDS Outcomes Model 2: published equations of complications and death in type 2 diabetes, beside those of the package."""
