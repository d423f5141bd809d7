"""The hook's methods, in a module per resource: for each endpoint one for threads and one for coroutines."""
