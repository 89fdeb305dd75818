"""One person: typical people, glucose tests, courses, clinical read-outs."""
