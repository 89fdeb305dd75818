"""The scorecard: what has been published about people, what the models say, and how far apart they are."""
