"""In-silico clinical trials of cell therapy in diabetes and diabetic kidney disease."""
