"""Judgement: pure functions from facts to findings, a module an area as in `otelctl.catalog`."""
