"""What is given: standard care, cell products, dosing regimens, and the scenarios of what cells do."""
