"""Tests against parts that somebody else made."""
