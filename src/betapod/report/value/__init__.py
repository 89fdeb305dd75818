"""What a comparison of strategies found, for readers: a page, a workbook, tables for the terminal, and two reporting checklists."""
