"""Every diagnosis, met and nearly met."""
