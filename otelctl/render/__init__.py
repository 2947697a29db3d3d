"""Pure functions from a report to text; nothing here prints."""
