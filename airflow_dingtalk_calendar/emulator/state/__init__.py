"""What an emulated organisation consists of, and what has happened to it; no HTTP."""
