"""Fixed reports and their output in every format."""
