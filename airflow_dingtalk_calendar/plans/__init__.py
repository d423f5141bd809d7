"""Plans: many changes in one task, applied row by row."""
