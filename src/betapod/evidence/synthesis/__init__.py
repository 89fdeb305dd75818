"""Effects pooled: families, heterogeneity, small studies, certainty."""
