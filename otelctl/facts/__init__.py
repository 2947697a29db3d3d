"""What adapters saw, without an opinion; one module for each kind of place that can be looked at."""
