"""Claims about cell therapy and diabetes: what is asserted, which evidence bears on it, and the verdict."""
