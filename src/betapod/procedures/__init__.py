"""What is done to a person in a clinic: tests that need both the physiology and the integrator."""
