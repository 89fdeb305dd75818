"""Model documents: Markdown, LaTeX, HTML, graphs."""
