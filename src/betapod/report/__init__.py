"""What a reader gets: tables, figures, pages."""
