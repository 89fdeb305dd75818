"""What all reports share: pages, tables, drawings, words."""
