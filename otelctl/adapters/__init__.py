"""Thin translations of one library each: bytes in, facts out. No opinion lives here."""
