"""One answer to whether transplanted cells are effective: benefit, harm, certainty, alternatives, and what is not known."""
