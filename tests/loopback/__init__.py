"""Our own code over real sockets on loopback."""
