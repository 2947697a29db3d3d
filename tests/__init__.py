"""Everything that is proven of otelctl."""
