"""The checks of an endpoint: what is asked, in which order, and whom the answers are shown to."""
