"""A model in print: Markdown, LaTeX, HTML, graphs."""
