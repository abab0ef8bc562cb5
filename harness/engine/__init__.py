"""The engine: plans a run, runs scenarios side by side, sees failures again, emits events."""
