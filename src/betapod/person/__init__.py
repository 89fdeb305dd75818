"""One person: typical people, glucose tests, treatment, clinical status."""
